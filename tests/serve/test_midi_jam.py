"""Jams on MIDI ports, from the first key to the last note-off."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
from midi_machine import Device, wait_for

import sideman.serve.midi_watch as midi_watch
from sideman.cli import run
from sideman.formats.load import load_song
from sideman.jam.messages import Start
from sideman.jam.transport import FollowedClock, OwnClock, Transport
from sideman.music.song import Meter
from sideman.serve.midi_display import Display
from sideman.serve.midi_jam import MidiJam, Setup
from sideman.serve.midi_ports import InPort, OutPort, PortName, Ports
from sideman.serve.midi_watch import Unplugged, Watch

pytestmark = pytest.mark.live

FAST = Start(1, tempo=240.0, listen=1.0, seed=3)
SIDEMAN = [sys.executable, "-c", "from sideman.cli import main; main()"]


class Synth:
    """What was sent, and what still sounds."""

    def __init__(self) -> None:
        self.log: list[bytes] = []
        self.on: set[tuple[int, int]] = set()

    def hear(self, message: bytes) -> None:
        kind, key = message[0] & 0xF0, (message[0] & 15, message[1] if len(message) > 1 else 0)
        if kind == 0x90:
            assert key not in self.on
            self.on.add(key)
        elif kind == 0x80:
            self.on.remove(key)
        self.log.append(message)


@contextmanager
def jamming(setup: Setup, transport: Transport, bundles, synth: Synth) -> Iterator[MidiJam]:
    """A jam that is stepped in a thread until the block ends."""
    jam = MidiJam(setup, transport, bundles["online"], bundles["offline"], synth.hear)
    stop = threading.Event()

    def live() -> None:
        jam.begin()
        while not stop.wait(0.005):
            jam.step()

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield jam
    finally:
        stop.set()
        thread.join()
        jam.close()


def test_the_first_note_begins_and_the_end_leaves_nothing(tiny_bundles, tmp_path: Path):
    synth, take = Synth(), tmp_path / "take.mid"
    setup = Setup(FAST, channel=4, take=take, log=tmp_path / "log")
    with jamming(setup, OwnClock(240), tiny_bundles, synth) as jam:
        time.sleep(0.1)
        assert synth.log == []
        for key in (60, 64, 67, 72):
            jam.hear(bytes((0x90, key, 80)))
            time.sleep(0.2)
            jam.hear(bytes((0x80, key, 0)))
        assert wait_for(lambda: sum(m[0] == 0x94 for m in synth.log) > 6)
    assert synth.on == set()
    assert synth.log[-1] == bytes((0xB4, 123, 0))
    song = load_song(take)
    assert [n.pitch for n in song.notes] == [60, 64, 67, 72]
    assert song.chords
    assert song.chords[0].onset >= 1
    assert song.bpm == pytest.approx(240)
    (record,) = (tmp_path / "log").iterdir()
    assert record.read_text().count('"planned"') > 3


def test_a_count_in_then_beat_1_and_a_clock(tiny_bundles):
    synth = Synth()
    setup = Setup(FAST, count_in=True, send_clock=True)
    with jamming(setup, OwnClock(240), tiny_bundles, synth):
        assert wait_for(lambda: synth.log.count(b"\xf8") > 24)
    clicks = [m for m in synth.log if m[0] == 0x99]
    assert [m[1] for m in clicks] == [76, 77, 77, 77]
    assert synth.log.index(b"\xfa") > synth.log.index(clicks[-1])
    assert synth.log[-1] == b"\xfc"
    assert synth.on == set()


def test_a_clock_master_starts_stops_and_starts_anew(tiny_bundles, tmp_path: Path):
    synth = Synth()
    setup = Setup(FAST, take=tmp_path / "take.mid")
    clock = FollowedClock(Meter(0.0, 4, 4), 100)
    with jamming(setup, clock, tiny_bundles, synth) as jam:
        jam.hear(bytes((0x90, 50, 80)))  # nobody has started
        for first in (60, 62):
            jam.hear(b"\xfa")
            for tick in range(24 * 8):
                jam.hear(b"\xf8")
                if tick % 24 == 1:
                    jam.hear(bytes((0x90, first + tick // 24, 80)))
                time.sleep(0.25 / 24)
            assert wait_for(lambda: any(m[0] == 0x90 for m in synth.log))
            jam.hear(b"\xfc")
            assert synth.on == set(), "who stops hears nothing"
            time.sleep(0.3)
            assert synth.on == set()
            synth.log.clear()
    first, second = load_song(tmp_path / "take.mid"), load_song(tmp_path / "take-2.mid")
    assert [n.pitch for n in first.notes] == list(range(60, 68))
    assert [n.pitch for n in second.notes] == list(range(62, 70))
    assert first.tempos[-1].bpm != pytest.approx(100, rel=0.01), "the ticks tell the tempo, not our guess"


def test_a_bug_in_the_time_thread_is_not_silent(tiny_bundles, monkeypatch: pytest.MonkeyPatch):
    jam = MidiJam(Setup(FAST), OwnClock(240), tiny_bundles["online"], None, Synth().hear)
    monkeypatch.setattr(jam, "_advance", lambda due: 1 / 0)
    jam.begin()
    jam.hear(bytes((0x90, 60, 80)))
    with pytest.raises(ZeroDivisionError):
        assert wait_for(lambda: jam.step())
    jam.close()


@contextmanager
def playing(device: Device, *call: str) -> Iterator["subprocess.Popen[str]"]:
    """`sideman jam` on a device of this machine, as a program of its own; it has begun to listen."""
    command = [*SIDEMAN, "jam", "--midi-in", "test-keys", "--midi-out", "test-synth", *call]
    program = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert program.stderr is not None
        assert "Listening to 'test-keys:out', playing on 'test-synth:in'." in program.stderr.readline()
        time.sleep(0.5)
        yield program
    finally:
        program.kill()
        program.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_on_real_ports_with_the_model_that_ships(jack, device: Device, number: int, tmp_path: Path, capsys):
    call = ("--bpm", "240", "--listen", "4", "-o", str(tmp_path / "take.mid"), "--log", str(tmp_path / "log"))
    with playing(device, *call) as program:
        for step in range(40):
            device.play(0x90, 60 + (step * 2) % 12, 80)
            time.sleep(0.12)
            device.play(0x80, 60 + (step * 2) % 12, 0)
            if step > 20 and device.sounding():
                break
        assert wait_for(device.sounding), "a chord"
        program.send_signal(number)
        assert program.wait(20) == 130
        assert program.stderr is not None
        assert f"Wrote {tmp_path / 'take.mid'}" in program.stderr.read()
    assert wait_for(lambda: device.heard[-1:] == [bytes((0xB0, 123, 0))])
    assert device.sounding() == set()
    assert load_song(tmp_path / "take.mid").chords
    (record,) = (tmp_path / "log").iterdir()
    assert run(["jam", "--replay", str(record)]) == 0
    assert "came out the same" in capsys.readouterr().out


class Plugs:
    """What there is to plug into, and what was opened of it."""

    def __init__(self) -> None:
        self.keys, self.synth = PortName("usb-keys:out", 0), PortName("usb-synth:in", 0)
        self.there, self.opened = [self.keys, self.synth], []

    def inputs(self) -> list[PortName]:
        return [name for name in self.there if name is self.keys]

    def outputs(self) -> list[PortName]:
        return [name for name in self.there if name is self.synth]

    def open(self, name: PortName, label: str, out: bool) -> Mock:
        self.opened.append(name)
        return Mock(get_message=lambda: None)


def test_half_a_device_that_went_is_all_of_it():
    """Its other half may have gone and come back between two looks; then its connection is not what it was."""
    plugs, muted = Plugs(), []
    keys, synth = plugs.keys, plugs.synth
    ports = InPort(plugs, keys, "in", print), OutPort(plugs, synth, "out")
    watch = Watch(ports, Display(), muted.append)
    watch.look(0.0)
    plugs.there = [keys]
    watch.look(1.0)
    assert muted == [True]
    watch.look(2.0)
    assert plugs.opened == [keys, synth]
    plugs.there = [keys, synth]
    watch.look(3.0)
    assert muted == [True, False]
    assert plugs.opened == [keys, synth, keys, synth]
    plugs.there = [synth]
    watch.look(4.0)
    with pytest.raises(Unplugged, match="'usb-keys:out' did not come back"):
        watch.look(4.0 + midi_watch.REOPEN_SECONDS + 1)
    for port in ports:
        port.close()


def test_unplugged_and_back(jack, tiny_bundles, capfd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(midi_watch, "REOPEN_SECONDS", 5.0)
    usb = f"usb-{os.getpid()}"
    device, ports, failures, heard = Device(usb), Ports(), [], []
    output = ports.output(usb, None)
    setup = Setup(FAST, take=tmp_path / "take.mid")
    jam = MidiJam(setup, OwnClock(240), tiny_bundles["online"], None, output.send)
    source = ports.input(usb, None, lambda message: (heard.append(message), jam.hear(message)))

    def hammer(pitch: int) -> None:
        device.play(0x90, pitch, 80)
        device.play(0x80, pitch, 0)

    def live() -> None:
        try:
            jam.run((source, output))
        except Unplugged as error:
            failures.append(error)

    thread = threading.Thread(target=live)
    thread.start()
    said = ""

    def says(text: str) -> bool:
        nonlocal said
        said += capfd.readouterr().err
        return text in said

    assert wait_for(lambda: (hammer(60), heard)[1])  # JACK connects ports in its own time
    assert wait_for(device.sounding), "a chord"
    device.unplug()
    assert wait_for(lambda: says(f"'{usb}-"))
    device = Device(usb)
    assert wait_for(lambda: (hammer(62), says("It is back."))[1])
    heard.clear()
    assert wait_for(lambda: (hammer(62), heard)[1])
    assert wait_for(device.sounding), "and it goes on"
    device.unplug()
    thread.join(20)
    assert "did not come back; what was played is kept" in str(failures[0])
    assert {n.pitch for n in load_song(tmp_path / "take.mid").notes} == {60, 62}
    assert says("was unplugged; what was played is kept. Plug it in again within 5 seconds")
    source.close()
    output.close()
