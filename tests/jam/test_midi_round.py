"""A take on ports: what is heard, when it asks, what it keeps."""

import pytest

from sideman.formats.load import load_song
from sideman.formats.midi_write import write_midi
from sideman.jam.messages import JamChord, Plan, Set, Start, Timings
from sideman.jam.pacing import Pacing
from sideman.jam.round import Round
from sideman.jam.service import Tally
from sideman.jam.sounding import Sounding

START = Start(1, tempo=120.0, listen=2.0)


@pytest.fixture
def one():
    return Round(START, Sounding(lambda message: None))


def plan(request: int, frame: int, frames: int) -> Plan:
    chord = JamChord(frame / 4, frames / 4, "C", [48, 52, 55], 36, True)
    return Plan(request, frame, frames, 0, [chord], Timings(0, 0, 0, 0), Tally().figures())


def test_any_channel_is_heard_and_told_once(one):
    one.play(bytes((0x93, 60, 70)), 0.1)
    one.play(bytes((0xB5, 64, 127)), 0.2)
    one.play(bytes((0xB5, 64, 100)), 0.21)  # half-pedalling
    one.play(bytes((0x9F, 60, 0)), 0.3)
    (told,) = one.step(0.4, 120, 0.2)
    assert [(n.on, n.pitch, n.beat, n.velocity) for n in told.notes] == [(True, 60, 0.1, 70), (False, 60, 0.3, 0)]
    assert [(p.down, p.beat) for p in told.pedal] == [(True, 0.2)]
    assert one.step(0.45, 120, 0.22) == []
    one.play(bytes((0x90, 62, 70)), 0.39)  # a straggler
    (told,) = one.step(0.6, 120, 0.3)
    assert told.notes[0].beat == 0.4


@pytest.mark.parametrize("junk", [b"\x90", b"\x90\x40", b"\xc0\x05", b"\xb0\x07\x60", b"\x80\x40\x00", b"\x90\xff\x40"])
def test_what_is_no_note_is_nothing(one, junk):
    one.play(junk, 0.5)
    (told,) = one.step(1.0, 120, 0.5)
    assert told.notes == told.pedal == []


def test_a_flood_is_told_in_portions(one):
    for number in range(700):
        one.play(bytes((0x90, 60, 80)), number / 1000)
    first, second = one.step(1.0, 120, 0.5)[0], one.step(1.25, 120, 0.6)[0]
    assert len(first.notes) == 1000
    assert len(second.notes) == 399


def test_frames_without_a_plan_are_counted(one):
    one.step(0.0, 120, 0.0)
    one.told(plan(1, 0, 12), 0.1)
    assert one.step(1.0, 120, 0.5)[0].missed == 0
    one.told(plan(2, 5, 7), 1.1)
    one.step(2.9, 120, 1.45)
    assert one.step(3.6, 120, 1.8)[0].missed == 3, "frames 12, 13 and 14"


def test_another_tempo_is_told_and_written_down(one):
    one.play(b"\x90\x3c\x50", 0.0)
    one.step(0.0, 120, 0.0)
    tempos = [m.tempo for beat in (1, 2, 3) for m in one.step(beat, 90 if beat < 3 else 60, beat) if isinstance(m, Set)]
    assert tempos == [90, 60]
    assert [(t.onset, t.bpm) for t in one.song().tempos] == [(0.0, 90), (2.0, 60)]


def test_the_take_as_a_file(one, tmp_path):
    one.play(bytes((0x90, 67, 90)), -0.5)
    one.play(bytes((0x80, 67, 0)), 0.0)
    one.play(bytes((0x90, 60, 80)), 0.0)
    one.step(1.0, 120, 0.5)
    one.told(plan(1, 8, 16), 1.0)
    one.sounding.advance(2.0)
    one.step(4.0, 120, 2.0)
    one.pause(4.0)
    song = one.song()
    assert [(n.onset, n.duration, n.pitch) for n in song.notes] == [(0.5, 0.5, 67), (1.0, 4.0, 60)]
    assert [(c.onset, c.duration, c.chord.name()) for c in song.chords] == [(3.0, 2.0, "C")]
    assert song.pickup == 1.0
    path = tmp_path / "take.mid"
    path.write_bytes(write_midi(song))
    again = load_song(path)
    assert [n.pitch for n in again.notes] == [67, 60]


def test_when_to_ask():
    pacing, asked = Pacing(), []
    for step in range(32):
        beat, news = step / 8, step == 13
        if pacing.due(beat, news, beat / 2):
            asked.append(beat)
            pacing.answered(pacing.ask(beat, beat / 2))
    assert asked == [0, 1, 1.625, 2, 3]


def test_two_questions_at_most_are_open():
    pacing = Pacing()
    asked = [pacing.ask(beat, beat) for beat in range(10) if pacing.due(beat, True, beat / 10)]
    assert len(asked) == 2
    pacing.answered(asked[1])
    assert pacing.due(11, True, 1.1)
    assert not pacing.due(-1, True, 1.1), "before beat 0 nobody asks"
    pacing.ask(12, 1.1)
    pacing.ask(13, 1.1)
    assert not pacing.due(14, True, 1.2)
    assert pacing.due(14, True, 4.0), "what nobody answers is forgotten"
