"""Chords as a link of cells: what the protocol has a word for is said, the rest comes as near as it can."""

from urllib.parse import unquote

import pytest

from sideman.errors import WrongValue
from sideman.formats.abc import read_abc
from sideman.formats.ireal import METERS, QUALITIES, ireal_link, progression, write_ireal
from sideman.music.chord import QUALITIES as OURS
from sideman.music.chord import Chord
from sideman.music.song import ChordSpan, Meter, Note, Song


def song(text: str) -> Song:
    return read_abc(f"X:1\nM:4/4\nL:1/4\nK:Bb\n{text}\n")


def spans(*chords: tuple[float, float, str]) -> tuple[ChordSpan, ...]:
    parsed = [(onset, length, Chord.parse(symbol)) for onset, length, symbol in chords]
    return tuple(ChordSpan(onset, length, chord) for onset, length, chord in parsed if chord is not None)


def test_a_bar_has_four_cells_and_neighbours_a_comma():
    assert (
        progression(song('"Bb"B4|"Cm7"C2 "F7/A"F2|"Gm"G "C7"C "F"F "D7b9"D|]')) == "[T44Bb   |C-7 F7/A |G-,C7,F,D7b9Z"
    )


def test_a_chord_that_goes_on_is_said_again_and_silence_is_said():
    notes = tuple(Note(4 * bar, 4, 60) for bar in range(3))
    assert progression(Song(notes=notes, chords=spans((0, 6, "C")))) == "[T44C   |C n |n   Z"


def test_metre_changes_and_a_pickup_is_left_out():
    meters = (Meter(1, 3, 4), Meter(7, 6, 8))
    chords = spans((1, 3, "C"), (4, 1, "F"), (5, 2, "G"), (7, 1.5, "C"), (8.5, 1.5, "G"))
    found = progression(Song(notes=(Note(0, 10, 60),), chords=chords, meters=meters))
    assert found == "[T34C   |F,G  |T68C G Z"


def test_chords_between_pulses_take_a_free_cell_or_are_left_out():
    chords = spans((0, 0.5, "C"), (0.5, 0.5, "F"), (1, 0.5, "G"), (1.5, 2.5, "A"))
    assert progression(Song(notes=(Note(0, 4, 60),), chords=chords)) == "[T44C,F,G Z"


def test_every_quality_comes_near():
    for quality in OURS:
        chord = Chord(0, quality.mask, 0)
        written = progression(Song(notes=(Note(0, 4, 60),), chords=(ChordSpan(0, 4, chord),)))
        name = written.removeprefix("[T44C").rstrip("Z ")
        assert name in QUALITIES, quality.name
        assert len(set(QUALITIES[name]) ^ set(quality.tones)) <= 3, f"{quality.name} became {name}"


def test_the_link_names_its_six_parts_and_nothing_breaks_out_of_the_page():
    tune = song('"Bb"B4|]')
    evil = Song(notes=tune.notes, chords=tune.chords, keys=tune.keys, title='A=B "><script>', composer="Anon")
    assert unquote(ireal_link(evil)) == 'irealbook://A B "><script>=Anon=Pop=Bb=n=[T44Bb   Z'
    assert b"<script" not in write_ireal(evil)
    assert write_ireal(evil).count(b"irealbook://") == 1


def test_a_metre_without_a_sign_is_refused():
    assert "4/4" in METERS
    with pytest.raises(WrongValue, match="11/8"):
        progression(Song(notes=(Note(0, 4, 60),), chords=spans((0, 4, "C")), meters=(Meter(0, 11, 8),)))
