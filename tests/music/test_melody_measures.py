"""Measures of a melody partner on a piece small enough to count by hand."""

import math

import numpy as np
import pytest

from sideman.music.chord import Chord
from sideman.music.frames import Frames
from sideman.music.melody_measures import conjunct, note_density, note_length_entropy, rests

C = Chord.parse("C")
assert C is not None


def piece(melody: list[int], onsets: list[int], chord: list[int]) -> Frames:
    struck = np.isin(np.arange(len(melody)), onsets)
    changes = np.arange(len(chord)) == 0
    return Frames(
        np.array(melody, np.int16),
        struck,
        np.array(chord, np.int16),
        changes,
        (C,),
        np.zeros((len(melody), 3), np.uint8),
    )


def test_one_bar():
    """Notes of 2, 2 and 4 frames; a rest of 4 frames under the chord and of 4 after it."""
    melody = [60, 60, 60, 60, *[-1] * 4, *[64] * 4, *[-1] * 4]
    frames = piece(melody, [0, 2, 8], [0] * 12 + [-1] * 4)
    assert rests([frames]) == pytest.approx(4 / 12)
    assert note_density([frames]) == 3
    assert note_length_entropy([frames]) == pytest.approx(-(2 / 3) * math.log(2 / 3) - (1 / 3) * math.log(1 / 3))
    assert rests([frames, piece([60] * 16, [0], [0] * 16)]) == pytest.approx(4 / 28)


def test_conjunct_motion():
    """60 60 64 67: one step of three; what lies between two pieces is none."""
    frames = piece([60, 60, 64, 67], [0, 1, 2, 3], [0] * 4)
    assert conjunct([frames]) == pytest.approx(1 / 3)
    assert conjunct([frames, piece([66, 65], [0, 1], [0] * 2)]) == pytest.approx(2 / 4)


def test_nothing_to_measure():
    assert math.isnan(conjunct([piece([60], [0], [0])]))
    assert math.isnan(rests([piece([60], [0], [-1])]))
    assert math.isnan(note_length_entropy([piece([-1], [], [0])]))
