"""Songs: reducing polyphony, tempo maps, transposition, metres and keys as people write them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideman.errors import WrongValue
from sideman.music.chord import Chord
from sideman.music.pitch import Key, parse_key, parse_pitch_class, pitch_name, spell
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song, Tempo, seconds_at, skyline

beats = st.integers(0, 64).map(lambda n: n / 4)
notes = st.builds(Note, beats, st.integers(1, 16).map(lambda n: n / 4), st.integers(30, 90))


def monophonic(line: tuple[Note, ...]) -> bool:
    return all(a.offset <= b.onset + 1e-6 for a, b in pairwise(line))


def test_the_highest_note_of_a_chord_wins():
    assert skyline([Note(0, 1, 60), Note(0, 1, 67), Note(0, 1, 64)]) == (Note(0, 1, 67),)


def test_a_note_under_a_higher_one_is_hidden():
    assert skyline([Note(0, 4, 72), Note(1, 1, 60)]) == (Note(0, 4, 72),)


def test_a_higher_note_cuts_the_one_that_sounds():
    assert skyline([Note(0, 4, 60), Note(1, 1, 72)]) == (Note(0, 1, 60), Note(1, 1, 72))


def test_legato_overlap_is_cut_not_dropped():
    assert skyline([Note(0, 1.25, 67), Note(1, 1, 64)]) == (Note(0, 1, 67), Note(1, 1, 64))


@given(st.lists(notes, max_size=30))
def test_a_skyline_is_one_line_of_given_pitches(polyphony: list[Note]):
    line = skyline(polyphony)
    assert monophonic(line)
    assert {(n.onset, n.pitch) for n in line} <= {(n.onset, n.pitch) for n in polyphony}
    assert bool(line) == bool(polyphony)


@given(st.lists(notes, max_size=30))
def test_a_line_stays_as_it_is(polyphony: list[Note]):
    line = skyline(polyphony)
    assert skyline(line) == line


def test_seconds_follow_the_tempo_map():
    tempos = (Tempo(0, 120), Tempo(4, 60), Tempo(8, 240))
    # 4 beats at 0.5 s, 4 at 1 s, 2 at 0.25 s
    assert seconds_at(tempos, 10) == pytest.approx(2 + 4 + 0.5)
    assert seconds_at((), 2) == pytest.approx(1.0)


def test_transposing_a_song_moves_notes_chords_and_key():
    am = Chord.parse("Am/C")
    assert am is not None
    song = Song(notes=(Note(0, 1, 60),), chords=(ChordSpan(0, 1, am),), keys=(KeyChange(0, Key(9, "minor")),))
    moved = song.transpose(3)
    assert moved.notes[0].pitch == 63
    assert moved.chords[0].chord.name() == "Cm/Eb"
    assert moved.key == Key(0, "minor")
    with pytest.raises(WrongValue, match="MIDI range"):
        song.transpose(100)


@pytest.mark.parametrize(
    ("text", "bar", "pulse"),
    [("4/4", 4, 1), ("3/4", 3, 1), ("6/8", 3, 1.5), ("C|", 4, 2), ("5/8", 2.5, 0.5), ("12/8", 6, 1.5)],
)
def test_metres(text: str, bar: float, pulse: float):
    meter = Meter.parse(text)
    assert meter.bar_beats == bar
    assert meter.pulse_beats == pulse


@pytest.mark.parametrize("text", ["", "4", "4/", "/4", "0/4", "4/3", "-3/4", "x/y", "65/4", "3/4/4"])
def test_what_is_no_metre(text: str):
    with pytest.raises(WrongValue, match="not a metre"):
        Meter.parse(text)


@pytest.mark.parametrize(
    ("text", "key", "fifths"),
    [
        ("G", Key(7), 1),
        ("Bb minor", Key(10, "minor"), -5),
        ("F#m", Key(6, "minor"), 3),
        ("Gb:maj", Key(6), 6),
        ("E:min", Key(4, "minor"), 1),
    ],
)
def test_keys(text: str, key: Key, fifths: int):
    assert parse_key(text) == key
    assert key.fifths == fifths
    assert Key.from_fifths(fifths, key.mode) == key


def test_names_of_pitches():
    assert [parse_pitch_class(text) for text in ("C", "Ebb", "F##", "B♭", "Cb")] == [0, 2, 7, 10, 11]
    assert pitch_name(60) == "C4"
    assert pitch_name(61, Key(3)) == "Db4"
    assert [parse_pitch_class(spell(p, key)) for key in (None, Key(6), Key(1, "minor")) for p in range(12)] == [
        *range(12)
    ] * 3
    with pytest.raises(WrongValue):
        parse_pitch_class("H")
