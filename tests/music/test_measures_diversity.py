"""Diversity and penalties against values worked out by hand."""

import math

import numpy as np
import pytest

from sideman.music import penalties
from sideman.music.chord import Chord
from sideman.music.frames import Frames, encode
from sideman.music.measures import beat_counts, chord_evenness, repeated_runs, run_lengths, vendi
from sideman.music.song import ChordSpan, Note, Song


def song(notes: list[tuple[float, float]], chords: list[tuple[float, float, str]]) -> Frames:
    """Middle Cs as (onset, beats), chords as (onset, beats, symbol)."""
    spans = tuple(ChordSpan(at, beats, Chord.parse(name)) for at, beats, name in chords)
    return encode(Song(tuple(Note(at, beats, 60) for at, beats in notes), spans))


E = np.eye(5)


@pytest.mark.parametrize(("vectors", "score"), [
    (E[[0, 0, 0]], 1.0),
    (E[[0, 1, 2, 3]], 4.0),
    (E[[0, 0, 1, 1]], 2.0),
    (E[[0, 0, 1]], math.exp(-(2 / 3) * math.log(2 / 3) - (1 / 3) * math.log(1 / 3))),  # eigenvalues 2/3 and 1/3
    # Two vectors with cosine 0.6: K = [[.5, .3], [.3, .5]] has the eigenvalues 0.8 and 0.2.
    (np.array([[1.0, 0.0], [0.6, 0.8]]), math.exp(-0.8 * math.log(0.8) - 0.2 * math.log(0.2))),
    (np.tile(E, (3, 1)), 5.0),  # more vectors than dimensions
])  # fmt: skip
def test_vendi_by_hand(vectors, score):
    assert vendi(vectors) == pytest.approx(score)


def test_vendi_of_nothing_is_no_number():
    assert math.isnan(vendi(np.zeros((0, 1))))


def test_evenness_is_entropy_over_its_most():
    even = song([], [(0, 2, "C"), (2, 2, "F")])
    assert chord_evenness(even) == pytest.approx(1.0)
    uneven = song([], [(0, 3, "C"), (3, 1, "F")])
    assert chord_evenness(uneven) == pytest.approx((0.75 * math.log(4 / 3) + 0.25 * math.log(4)) / math.log(2))
    assert math.isnan(chord_evenness(song([(0, 1)], [])))


def test_runs():
    assert run_lengths(np.array([3, 3, 1, 1, 1, 3])).tolist() == [2, 3, 1]
    assert run_lengths(np.array([], np.int64)).tolist() == []


def test_counts_by_beat_and_piece():
    # Beat 0: C under C, all four frames right; beat 1: F# under C, four frames wrong; beat 2: no note.
    first = song([(0, 1), (1, 1)], [(0, 1, "C"), (1, 2, "F#")])
    counts = beat_counts([first, song([], [])], beats=3)
    assert counts.tolist() == [[[4, 0, 0], [4, 4, 0]], [[0, 0, 0], [0, 0, 0]]]


def test_long_notes_are_runs_of_equal_states():
    # 33 frames of C are an onset and 32 holds: long. 32 frames of F: 31 holds, not long. 32 frames of silence: long.
    frames = song([(0, 24.5)], [(0, 8.25, "C"), (8.25, 8, "F")])
    assert penalties.long_runs(frames).tolist() == [32, 33]


def test_repeats():
    chords = [(float(i), 0.5, "C") for i in range(5)] + [(5.0, 1, "F")] + [(6.0 + i, 1, "G") for i in range(4)]
    assert repeated_runs(song([], chords)).tolist() == [5], "silence between does not end a run; four are none"


@pytest.mark.parametrize(("silent_beats", "too_much"), [(0, False), (2, False), (3, True)])
def test_too_silent_after_listening(silent_beats, too_much):
    # 66 beats less the first two are 256 frames, of which 4 % are 10.24: two silent beats pass, three do not.
    frames = song([(0, 66)], [(2, 64 - silent_beats, "C")])
    assert penalties.too_silent(frames) is too_much


@pytest.mark.parametrize(("end", "early"), [(8.0, False), (4.25, False), (4.0, True)])
def test_early_stops(end, early):
    assert penalties.stops_early(song([(0, 8)], [(0, end, "C")])) is early


def test_chords_that_never_begin_stop_early_and_no_melody_is_no_reason():
    assert penalties.stops_early(song([(0, 8)], []))
    assert not penalties.stops_early(song([(0, 2)], []))
