"""What people write is understood, and every chord survives being named and read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideman.errors import UnknownChord
from sideman.music.chord import QUALITIES, Chord
from sideman.music.pitch import Key

KEYS = [None, *(Key(tonic, mode) for tonic in range(12) for mode in ("major", "minor"))]


@pytest.mark.parametrize(
    ("text", "pitch_classes", "bass"),
    [
        ("C", {0, 4, 7}, 0),
        ("Cmaj7", {0, 4, 7, 11}, 0),
        ("C^7", {0, 4, 7, 11}, 0),
        ("CΔ", {0, 4, 7, 11}, 0),
        ("C-7", {0, 3, 7, 10}, 0),
        ("Cm7b5", {0, 3, 6, 10}, 0),
        ("Cø", {0, 3, 6, 10}, 0),
        ("C°7", {0, 3, 6, 9}, 0),
        ("C+", {0, 4, 8}, 0),
        ("G7sus4", {7, 0, 2, 5}, 7),
        ("Gsus", {7, 0, 2}, 7),
        ("D/F#", {2, 6, 9}, 6),
        ("D/f#", {2, 6, 9}, 6),
        ("Bb6/9", {10, 2, 5, 7, 0}, 10),
        ("E♭maj7", {3, 7, 10, 2}, 3),
        ("F♯m", {6, 9, 1}, 6),
        ("Cb", {11, 3, 6}, 11),
        ("B#", {0, 4, 7}, 0),
        ("Am(maj7)", {9, 0, 4, 8}, 9),
        ("Cadd9", {0, 4, 7, 2}, 0),
        ("C(no3)", {0, 7}, 0),
        ("C5", {0, 7}, 0),
        ("G7(b9)", {7, 11, 2, 5, 8}, 7),
        ("G7b9#11", {7, 11, 2, 5, 8, 1}, 7),
        ("G7(b9,#11)", {7, 11, 2, 5, 8, 1}, 7),
        ("C13", {0, 4, 7, 10, 2, 9}, 0),
        ("C7alt", {0, 4, 10, 1, 3, 8}, 0),
        ("Gd", {7, 10, 1}, 7),
        ("Da", {2, 6, 10}, 2),
        ("C/Db", {0, 4, 7}, 1),
        ("E7+", {4, 8, 0, 2}, 4),
    ],
)
def test_what_people_write(text: str, pitch_classes: set[int], bass: int):
    chord = Chord.parse(text)
    assert chord is not None
    assert set(chord.pitch_classes) == pitch_classes
    assert chord.bass == bass


@pytest.mark.parametrize("text", ["N.C.", "NC", "n.c.", "N"])
def test_no_chord(text: str):
    assert Chord.parse(text) is None


@pytest.mark.parametrize("text", ["", "H", "Xyz", "Cfoo", "C/", "C/H", "c", "C7(", "C(add99)", "Czzz7", "1", "C" * 200])
def test_what_nobody_can_read(text: str):
    with pytest.raises(UnknownChord) as caught:
        Chord.parse(text)
    assert "chord symbol" in caught.value.message
    assert caught.value.hint


@given(st.integers(0, 11), st.integers(1, 4095), st.integers(0, 11), st.sampled_from(KEYS))
def test_name_and_reading_are_inverse(root: int, mask: int, bass: int, key: Key | None):
    chord = Chord(root, mask, bass)
    assert Chord.parse(chord.name(key)) == chord


def test_every_set_of_tones_has_a_name_of_its_own():
    names = {Chord(0, mask, 0).name() for mask in range(1, 4096)}
    assert len(names) == 4095


def test_the_table_is_consistent():
    masks = [quality.mask for quality in QUALITIES]
    assert len(set(masks)) == len(masks)
    spellings = [spelling for quality in QUALITIES for spelling in (quality.name, *quality.aliases)]
    assert len(set(spellings)) == len(spellings)
    for quality in QUALITIES:
        for spelling in (quality.name, *quality.aliases):
            chord = Chord.parse("F" + spelling)
            assert chord is not None
            assert (chord.root, chord.mask) == (5, quality.mask), spelling


@given(st.integers(0, 11), st.integers(1, 4095), st.integers(-30, 30))
def test_transposing_moves_every_tone(root: int, mask: int, semitones: int):
    chord = Chord(root, mask, root)
    moved = chord.transpose(semitones)
    assert [(p + semitones) % 12 for p in chord.pitch_classes] == list(moved.pitch_classes)
    assert moved.transpose(-semitones) == chord
    rolled = sum(1 << (p + semitones) % 12 for p in range(12) if chord.pitch_class_mask >> p & 1)
    assert moved.pitch_class_mask == rolled


@pytest.mark.parametrize(
    ("key", "root", "name"),
    [
        (Key(2), 6, "F#"),  # D major
        (Key(3), 8, "Ab"),  # E flat major
        (Key(7), 10, "Bb"),  # borrowed chord in G
        (Key(4), 8, "G#"),  # E major
        (Key(9, "minor"), 8, "G#"),  # leading note of A minor
        (Key(5), 10, "Bb"),  # F major
        (None, 3, "Eb"),
    ],
)
def test_spelling_follows_the_key(key: Key | None, root: int, name: str):
    assert Chord(root, 0b10010001, root).name(key) == name


@pytest.mark.parametrize(
    ("pitch_classes", "bass", "name"),
    [
        ({0, 4, 7}, 0, "C"),
        ({9, 0, 4}, 9, "Am"),
        ({9, 0, 4, 7}, 9, "Am7"),
        ({0, 4, 7, 9}, 0, "C6"),
        ({2, 6, 9}, 6, "D/F#"),
    ],
)
def test_naming_sets_of_pitch_classes(pitch_classes: set[int], bass: int, name: str):
    assert Chord.from_pitch_classes(pitch_classes, bass).name() == name


def test_voicing_lies_in_the_octave_from_c3():
    chord = Chord.parse("G7/B")
    assert chord is not None
    assert chord.voicing() == (50, 53, 55, 59)
