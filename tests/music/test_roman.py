"""Chords named within a key, as textbooks do; the key they are in; how they end."""

import pytest

from sideman.music.cadence import cadence_of
from sideman.music.chord import Chord
from sideman.music.pitch import parse_key
from sideman.music.roman import in_key, local_keys, numeral


def chords(text):
    return [Chord.parse(symbol) for symbol in text.split()]


@pytest.mark.parametrize(
    ("key", "symbols", "numerals"),
    [
        ("C", "C Dm7 G7 Am Fmaj7 Bdim Bm7b5 Em", "I ii7 V7 vi IVmaj7 vii° viiø7 iii"),
        ("C", "Fm Bb Ab Db7 Caug C6 G7sus4", "iv bVII bVI bII7 I+ I6 V7sus4"),
        ("C", "D7 G A7 Dm E7 Am C7 F F#dim7 G", "V7/V V V7/ii ii V7/vi vi V7/IV IV vii°7/V V"),
        ("C", "C/E G7/B C/Bb", "I/3 V7/7 I/b7"),
        ("Am", "Am Bm7b5 C Dm E7 F G G#dim7", "i iiø7 III iv V7 VI VII vii°7"),
        ("Am", "Am/C E7/G# A", "i/3 V7/#7 I"),
        ("Eb", "Eb Fm7 Bb7 Cm", "I ii7 V7 vi"),
    ],
)
def test_numerals(key, symbols, numerals):
    row = chords(symbols)
    found = [numeral(chord, parse_key(key), after) for chord, after in zip(row, [*row[1:], None], strict=True)]
    assert found == numerals.split()


def test_a_dominant_that_does_not_resolve_is_not_applied():
    assert numeral(Chord.parse("D7"), parse_key("C"), Chord.parse("F")) == "II7"


def test_minor_has_a_leading_note_but_not_beside_its_seventh_degree():
    key = parse_key("Am")
    assert all(in_key(chord, key) for chord in chords("Am E7 G#dim7 G Em C+"))
    assert not any(in_key(chord, key) for chord in chords("A D E7#9 Am/F#"))


@pytest.mark.parametrize(
    ("symbols", "keys"),
    [
        ("C F G7 C", ["C major"] * 4),
        ("C D7 G C", ["C major"] * 4),  # one foreign chord is no modulation
        ("C F D A7 D G A7 D", ["C major"] * 2 + ["D major"] * 6),
    ],
)
def test_modulation(symbols, keys):
    assert [key.name for key in local_keys(chords(symbols), parse_key("C"))] == keys


@pytest.mark.parametrize(
    ("key", "symbols", "cadence"),
    [
        ("C", "F G7 C", "authentic"),
        ("C", "G7 C C/E", "authentic"),
        ("C", "C F C", "plagal"),
        ("C", "C Dm G", "half"),
        ("C", "F G7 Am", "deceptive"),
        ("C", "Am Em C", "tonic"),
        ("C", "C G F", "open"),
        ("Am", "Dm E7 A", "authentic"),
        ("Am", "Dm E7 F", "deceptive"),
        ("Am", "C Em", "open"),  # a minor fifth degree does not want to go home
        ("C", "", "open"),
    ],
)
def test_cadences(key, symbols, cadence):
    assert cadence_of(chords(symbols), parse_key(key)) == cadence
