"""Chord symbols: every kind, degree, bass and inversion, there and back."""

from xml.etree.ElementTree import fromstring

import pytest
from score_text import harmony

from sideman.errors import UnknownChord
from sideman.formats.musicxml_harmony import KINDS, kind_symbol, read_chord_text, read_harmony, spell_kind
from sideman.music.chord import Chord


def degree(value: int, alter: int, change: str) -> str:
    return (
        f"<degree><degree-value>{value}</degree-value><degree-alter>{alter}</degree-alter>"
        f"<degree-type>{change}</degree-type></degree>"
    )


BASS_E = "<bass><bass-step>E</bass-step><bass-alter>-1</bass-alter></bass>"


@pytest.mark.parametrize(
    ("kind", "rest", "symbol"),
    [
        ("major", "", "C"), ("minor", "", "Cm"), ("dominant", "", "C7"), ("major-seventh", "", "Cmaj7"),
        ("half-diminished", "", "Cm7b5"), ("diminished-seventh", "", "Cdim7"), ("major-minor", "", "CmMaj7"),
        ("suspended-fourth", "", "Csus4"), ("dominant-13th", "", "C13"), ("major-sixth", "", "C6"),
        ("augmented-seventh", "", "C7#5"), ("power", "", "C5"), ("minor-11th", "", "Cm11"), ("pedal", "", "Cped"),
        ("maj69", "", "C6/9"), ("augmented-ninth", "", "C9#5"), ("German", "", "C7"), ("", "", "C"),
        ("dominant", degree(9, -1, "add"), "C7b9"), ("dominant", degree(5, -1, "alter"), "C7b5"),
        ("suspended-fourth", degree(7, 0, "add"), "C7sus4"), ("dominant-13th", degree(9, -1, "alter"), "C13b9"),
        ("minor", degree(5, 1, "alter"), "Cm(no5)(addb13)"), ("major", degree(7, 0, "add"), "C7"),
        ("major", degree(3, 0, "subtract") + degree(9, 0, "add"), "Csus2"), ("major", degree(7, 1, "add"), "Cmaj7"),
        ("dominant", degree(9, -1, "add") + degree(9, 1, "add"), "C7b9(add#9)"),
        ("major", BASS_E, "C/Eb"), ("minor", "<inversion>1</inversion>", "Cm/Eb"),
        ("dominant", "<inversion>3</inversion>", "C7/Bb"), ("major", "<inversion>9</inversion>", "C"),
    ],
)  # fmt: skip
def test_reading(kind: str, rest: str, symbol: str) -> None:
    assert read_harmony(fromstring(harmony("C", kind, rest)), 0) == Chord.parse(symbol)


def test_no_chord_and_transposition() -> None:
    assert read_harmony(fromstring(harmony("C", "none")), 0) is None
    assert read_harmony(fromstring(harmony("C", "minor", BASS_E)), -2) == Chord.parse("Bbm/Db")


def test_unknown_kinds_are_read_from_their_text() -> None:
    assert read_harmony(fromstring(harmony("D", "other", text="m7(b5)")), 0) == Chord.parse("Dm7b5")
    assert read_harmony(fromstring(harmony("D", "other", text="N.C.")), 0) is None
    with pytest.raises(UnknownChord):
        read_harmony(fromstring(harmony("D", "other", text="sideways")), 0)
    with pytest.raises(UnknownChord):
        read_harmony(fromstring("<harmony><function>IV</function><kind>major</kind></harmony>"), 0)


@pytest.mark.parametrize(
    ("text", "symbol"),
    [("G7(b9)", "G7b9"), ("F#m7(b5)", "F#m7b5"), ("Dm 7", "Dm7"), ("A\ue10ddim7", "Abdim7"), ("Eb7+5", "Eb7#5"),
     ("Amin", "Am"), ("F m7/Bb", "Fm7/Bb")],
)  # fmt: skip
def test_chords_in_text(text: str, symbol: str) -> None:
    assert read_chord_text(text) == Chord.parse(symbol)


def test_text_that_is_no_chord() -> None:
    assert read_chord_text("N.C.") is None
    for text in ("A", "F", "Chorus", "AB", "Fine", "D.C. al Fine", "", "Bb-Bdim-Cm7-F7", "Add strings", "1."):
        with pytest.raises(UnknownChord):
            read_chord_text(text)


def test_every_set_of_tones_survives_writing() -> None:
    for mask in range(1, 4096, 2):
        kind, degrees = spell_kind(mask)
        rest = "".join(degree(d.value, d.alter, d.change) for d in degrees)
        assert read_harmony(fromstring(harmony("C", kind, rest)), 0) == Chord(0, mask, 0), kind


def test_common_chords_need_no_degrees() -> None:
    plain = [k for k in KINDS if k[0].islower() and k not in ("pedal", "major-13th")]
    assert len(plain) > 20
    for kind in plain:
        chord = Chord.parse("C" + kind_symbol(kind))
        assert chord is not None
        assert spell_kind(chord.mask) == (kind, ())
