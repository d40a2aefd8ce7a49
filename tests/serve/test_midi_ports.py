"""Ports by name, and what is said when there is none."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from midi_machine import Device, wait_for

from sideman.cli import run
from sideman.errors import MissingExtra, WrongValue
from sideman.serve.midi_ports import PortName, Ports, choose

pytestmark = pytest.mark.live

NAMES = [PortName(name, 2) for name in ("Midi Through:Port-0 14:0", "Keystation:Keystation MIDI 1 20:0", "Keys 2")]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Keys 2", 2),
        ("keys 2", 2),
        ("through", 0),
        ("KEYSTATION", 1),
        ("Keystation:Keystation MIDI 1", 1),
        ("keystation:keystation midi 1", 1),
    ],
)
def test_part_of_a_name_will_do(wanted: str, found: int):
    assert choose(NAMES, wanted, "input") == NAMES[found]


def test_the_exact_name_wins():
    names = [PortName(name, 2) for name in ("Synth", "Synth 2", "SYNTH")]
    assert choose(names, "Synth", "output") == names[0]


@pytest.mark.parametrize(("wanted", "says"), [("key", "fits 2 MIDI inputs"), ("organ", "There is no MIDI input")])
def test_a_wrong_name_lists_the_ports(wanted: str, says: str):
    with pytest.raises(WrongValue) as wrong:
        choose(NAMES, wanted, "input")
    assert says in str(wrong.value)
    assert "'Keys 2'" in str(wrong.value)


def test_no_ports_at_all():
    with pytest.raises(WrongValue, match="none; connect one"):
        choose([], "organ", "output")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setitem(sys.modules, "rtmidi", None)
    with pytest.raises(MissingExtra):
        Ports()
    assert run(["jam", "--midi-in", "a", "--midi-out", "b"]) == 2
    err = capsys.readouterr().err
    assert "pip install '.[midi]'" in err
    assert "page" in err


@pytest.mark.parametrize(
    "call", [["--bpm", "90"], ["--seed", "0"], ["--midi-clock"], ["-o", "take.mid"], ["--octave", "0"]]
)
def test_options_for_ports_need_ports(call: list[str], capsys: pytest.CaptureFixture[str]):
    assert run(["jam", *call]) == 2
    assert "MIDI ports" in capsys.readouterr().err


def test_messages_go_through(jack, device):
    heard: list[bytes] = []
    ports = Ports()
    source, output = ports.input("TEST-keys", None, heard.append), ports.output("test-synth", None)
    device.play(0x90, 60, 70)
    device.play(0xF8)
    output.send(bytes((0x93, 61, 71)))
    assert wait_for(lambda: len(heard) == 2 and device.heard)
    assert heard == [b"\x90\x3c\x46", b"\xf8"]
    assert device.heard == [b"\x93\x3d\x47"]
    assert source.there()
    assert output.there()
    source.close()
    output.close()


def test_a_device_that_goes_and_comes(jack, device):
    ports = Ports()
    other = Device("other")
    heard: list[bytes] = []
    source, output = ports.input("other", None, heard.append), ports.output("other", None)
    other.unplug()
    assert not source.there()
    assert not output.there()
    output.send(bytes((0x90, 60, 70)))  # into the void, without a fuss
    assert not source.reopen()
    other = Device("other")
    assert source.reopen()
    assert output.reopen()
    # JACK takes a moment to join them; until then what is sent is lost.
    assert wait_for(lambda: (output.send(bytes((0x90, 62, 70))), other.heard)[1])
    assert wait_for(lambda: (other.play(0x90, 63, 70), heard)[1])
    source.close()
    output.close()
    other.unplug()


HAMMER = """
import rtmidi, signal, time
JACK = rtmidi.API_UNIX_JACK
keys, synth = rtmidi.MidiOut(JACK, "wild-keys"), rtmidi.MidiIn(JACK, "wild-synth")
keys.open_virtual_port("out")
synth.open_virtual_port("in")
signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    while True:
        keys.send_message([0x90, 60, 80])
        time.sleep(0.0005)
        while synth.get_message():
            pass
except KeyboardInterrupt:
    keys.delete()
    synth.delete()
"""


@pytest.fixture
def wild(jack) -> Iterator[None]:
    """A device of another program whose keys are hammered without end."""
    program = subprocess.Popen([sys.executable, "-c", HAMMER])
    ports = Ports()
    assert wait_for(lambda: any("wild" in port.name for port in ports.outputs()))
    yield
    ports.close()
    program.terminate()
    assert program.wait(20) == 0


def test_keys_are_hammered_while_ports_open_and_close(wild):
    """No thread of the MIDI system may meet a port, or an interpreter, that is not there for it."""
    ports, heard = Ports(), []
    output, over = ports.output("wild", None), threading.Event()

    def play() -> None:
        while not over.wait(0.0005):
            output.send(bytes((0x90, 61, 80)))

    player = threading.Thread(target=play)
    player.start()
    for _ in range(6):
        source = ports.input("wild", None, heard.append)
        assert wait_for(lambda: heard)
        assert output.reopen()
        assert source.reopen()
        source.close()
        heard.clear()
    over.set()
    player.join()
    output.close()
    ports.close()


def test_ports_of_our_own(jack):
    ports = Ports()
    output = ports.output(None, "Accompanist")
    (name,) = [name for name in ports.inputs() if "Accompanist" in name.name]
    heard: list[bytes] = []
    source = ports.input(name.name, None, heard.append)
    output.send(bytes((0x90, 60, 70)))
    assert wait_for(lambda: heard)
    assert output.there()
    source.close()
    output.close()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (["--midi-in", "test"], "--midi-out is missing. Add --midi-out PORT or --virtual NAME. Ports: 'test-synth:in'"),
        (["--midi-out", "test"], "--midi-in is missing. Add --midi-in PORT or --virtual NAME. Ports: 'test-keys:out'"),
        (["--midi-in", "organ", "--midi-out", "test"], "There is no MIDI input 'organ'. MIDI inputs: 'test-keys:out'"),
        (["--virtual", "x", "--midi-clock", "--bpm", "90"], "--midi-clock follows another clock"),
        (["--virtual", "x", "-o", "take.wav"], "take.wav is no name for a MIDI file"),
        (["--virtual", "x", "-o", "/nowhere/take.mid"], "There is no folder /nowhere"),
        (["--virtual", "x", "--meter", "4/5"], "4/5 is not a metre"),
        (["--virtual", "x", "--model", "nobody"], "There is no model 'nobody'"),
    ],
)
def test_wrong_calls_are_told_in_one_line(jack, device, call, says, capsys):
    assert run(["jam", *call]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


def test_ports_are_listed(jack, device, capsys):
    assert run(["jam", "--list-ports"]) == 0
    assert capsys.readouterr().out.splitlines() == ["in   test-keys:out", "out  test-synth:in"]
