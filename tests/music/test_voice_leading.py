"""Voicings that can be played, and led; tensions as musicians name them."""

import itertools

import pytest

from sideman.music.chord import Chord
from sideman.music.song import ChordSpan, Note
from sideman.music.tension import tension_name, tensions
from sideman.music.vocabulary import own_vocabulary
from sideman.music.voice_leading import lead_voices, movement


def chords(text):
    return [Chord.parse(symbol) for symbol in text.split()]


def test_every_chord_has_its_bass_below_and_at_most_four_of_its_tones_above():
    for chord, (bass, *upper) in zip(own_vocabulary().symbols, lead_voices(own_vocabulary().symbols), strict=True):
        assert bass % 12 == chord.bass
        assert 28 <= bass <= 54
        assert upper == sorted(set(upper))
        assert bass < upper[0]
        assert upper[-1] <= 81
        assert {pitch % 12 for pitch in upper} <= set(chord.pitch_classes)
        assert {t for t in (3, 4, 10, 11) if t in chord.tones} <= {(pitch - chord.root) % 12 for pitch in upper}, (
            "third and seventh are what names a chord"
        )


def test_voices_move_less_than_plain_chords_do():
    row = chords("C Am F G7 C E7 Am D7 G7 C")
    led = lead_voices(row)
    plain = [(0, *chord.voicing()) for chord in row]

    def moved(voicings):
        return sum(movement(one[1:], two[1:]) for one, two in itertools.pairwise(voicings))

    assert moved(led) < 0.8 * moved(plain)
    assert lead_voices(row[5:], led[4]) == led[5:], "it goes on from what was played"


@pytest.mark.parametrize(
    ("symbol", "names"),
    [("C", " b9 9 #9  11 #11  b13 13 b7 7"), ("Cm7", " b9 9  3 11 #11  b13 13  7"), ("Cdim", "b5?")],
)
def test_names_of_tensions(symbol, names):
    chord = Chord.parse(symbol)
    found = [tension_name(pitch, chord) for pitch in range(60, 72)]
    if symbol == "Cdim":
        assert found[6] == ""
        assert found[7] == "5"
        return
    assert " ".join(found) == names
    assert [name == "" for name in found] == [tone in chord.tones for tone in range(12)]


def test_long_notes_are_tensions_and_passing_ones_are_not():
    notes = (Note(0, 1, 60), Note(1, 0.5, 62), Note(1.5, 0.5, 64), Note(2, 2, 69), Note(4, 1, 62))
    spans = (ChordSpan(0, 3, Chord.parse("C")), ChordSpan(3, 2, Chord.parse("G7")))
    found = [(t.onset, t.duration, t.pitch, t.chord.name(), t.name) for t in tensions(notes, spans)]
    assert found == [(2, 1, 69, "C", "13"), (3, 1, 69, "G7", "9")]
