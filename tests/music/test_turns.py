"""A turn to another key is told within bars, never from what is yet to come, and not where there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sideman.music.frames import SILENT
from sideman.music.turns import Turns, turns_in

SCALE = np.array([0, 2, 4, 5, 7, 9, 11])


def tune(frames: int, seed: int, step: int = 0) -> list[int]:
    """Notes of two frames each from a major scale `step` semitones above C."""
    notes = 60 + step + np.random.default_rng(seed).choice(SCALE, frames // 2)
    return np.repeat(notes, 2).tolist()


@pytest.mark.parametrize("step", [6, -6, 1, -1])
@pytest.mark.parametrize("seed", range(8))
def test_a_far_key_is_found_where_it_begins(step: int, seed: int):
    turns = turns_in(tune(64, seed) + tune(32, seed + 100, step))
    found = [(since, known) for since, known in turns if known > 64]
    assert len(found) == 1, "once, and not again"
    since, known = found[0]
    assert 52 <= since <= 72
    assert 64 < known <= 88


@pytest.mark.parametrize("seed", range(8))
def test_who_stays_in_a_key_does_not_turn(seed: int):
    assert not turns_in(tune(400, seed))


def test_a_passing_note_is_no_turn():
    melody = tune(128, 0)
    for at in range(40, 128, 16):
        melody[at : at + 2] = [66, 66]
    assert not turns_in(melody)


def test_a_long_note_counts_for_a_beat():
    assert not turns_in([*tune(64, 1), *[66] * 64])


def test_silence_is_nothing():
    melody = tune(64, 2) + tune(64, 3, 6)
    with_rests = [x for pitch in melody for x in (pitch, SILENT)]
    assert not turns_in([SILENT] * 100)
    assert [known for _, known in turns_in(with_rests)] != []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-1, 127), max_size=120), st.integers(0, 120), st.integers(0, 120))
def test_what_comes_later_changes_nothing(melody: list[int], one: int, other: int):
    """Heard in parts, in advance on a copy, or all at once: the same."""
    whole = turns_in(melody)
    assert turns_in(melody[:one]) == tuple(turn for turn in whole if turn[1] <= one)
    turns, first, second = Turns(), min(one, other), max(one, other)
    for part in (melody[:first], melody[first:second], melody[second:]):
        ahead = turns.copy()
        ahead.hear([66, 67, 68] * 20)
        turns.hear(part)
    assert (turns.since, turns.frames) == (whole[-1][0] if whole else 0, len(melody))
