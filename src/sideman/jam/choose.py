"""Choosing what comes next in either part: the accompanist's chord, and the melody imagined for the player.

A token is drawn by the Gumbel-max rule: the largest of logit / temperature + noise, where the noise belongs to
the place and the token and is looked up, not drawn. Every draw follows the network's distribution, depends on
nothing but seed, place and logits, and changes as little as possible when the logits do: two distributions at
a total variation distance d choose alike with probability (1 - d) / (1 + d) at least (Daliri, Musco and Suresh,
2025). So a plan holds on to what a surprise does not touch.
"""

import numpy as np
from numpy.typing import NDArray

from sideman.engine.sampling import Floats, Ints
from sideman.music.vocabulary import CHORD_HOLD, NOTE_HOLD, NOTE_ON, SILENCE, Vocabulary

Taste = tuple[int, float, float]  # seed, temperature, min_p

# SplitMix64 (Steele, Lea and Flood, 2014).
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
# More columns than any vocabulary has.
_COLUMNS = 2**20
# Columns of scores: silence, the hold of what sounds, then the onsets in the order of their ids.
_SILENCE, _HOLD, _ONSETS = 0, 1, 2


def draw(vocabulary: Vocabulary, logits: Floats, places: Ints, previous: Ints, taste: Taste) -> Ints:
    """Tokens [R] drawn at places [R] (chords at odd ones, melody at even ones) from logits [R, V], each after the
    `previous` token of its part."""
    out = np.empty_like(places)
    for part in (0, 1):
        (at,) = np.nonzero(places % 2 == part)
        if len(at):
            first = vocabulary.chord_on if part else NOTE_ON
            onsets = logits[at, first:] if part else logits[at, first:CHORD_HOLD]
            hold = held(vocabulary, previous[at])
            columns = choose(_scores(onsets, logits[at], hold), places[at], *taste)
            out[at] = np.where(
                columns == _SILENCE, SILENCE, np.where(columns == _HOLD, hold, first + columns - _ONSETS)
            )
    return out


def _scores(onsets: Floats, logits: Floats, hold: Ints) -> Floats:
    """Of logits [R, V] those of what may come, [R, 2 + onsets]."""
    out = np.empty((len(onsets), _ONSETS + onsets.shape[1]), np.float32)
    out[:, _SILENCE] = logits[:, SILENCE]
    out[:, _HOLD] = np.where(hold == SILENCE, -np.inf, logits[np.arange(len(hold)), hold])
    out[:, _ONSETS:] = onsets
    return out


def choose(scores: Floats, places: Ints, seed: int, temperature: float, min_p: float) -> Ints:
    """The columns drawn at places [R] from scores [R, K]. Temperature 0 takes the likeliest; columns less likely than
    `min_p` times the likeliest are left out."""
    if temperature == 0:
        return np.asarray(scores.argmax(1))
    x = scores / np.float32(temperature)
    if min_p > 0:
        rows, columns = np.nonzero(x >= x.max(1, keepdims=True) + np.float32(np.log(min_p)))
    else:
        rows, columns = (each.ravel() for each in np.indices(x.shape))
    noisy = x[rows, columns] + gumbel(seed, places[rows], columns)
    starts = np.searchsorted(rows, np.arange(len(x)))
    best = np.flatnonzero(noisy == np.maximum.reduceat(noisy, starts)[rows])
    return np.asarray(columns[best[np.searchsorted(rows[best], np.arange(len(x)))]])


def gumbel(seed: int, places: Ints, columns: Ints) -> NDArray[np.float64]:
    """Gumbel noise of columns at places, both [N], for a seed from 0 to 2**63 - 1."""
    start = _scramble(np.array([seed], np.uint64))
    counters = places.astype(np.uint64) * np.uint64(_COLUMNS) + np.uint64(1) + columns.astype(np.uint64)
    bits = _scramble(start + counters * _STEP) >> np.uint64(11)
    return np.asarray(-np.log(-np.log((bits + 0.5) * 2.0**-53)))


def uniform(seed: int, places: Ints) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1) that belong to places [N]."""
    start = _scramble(np.array([seed], np.uint64))
    counters = places.astype(np.uint64) * np.uint64(_COLUMNS)
    return np.asarray((_scramble(start + counters * _STEP) >> np.uint64(11)) * 2.0**-53)


def prolong(vocabulary: Vocabulary, previous: int, wanted: int | None) -> int:
    """A guess at the token after `previous` of the same part: `wanted` if that starts something or is silence,
    otherwise what sounds goes on."""
    if wanted is not None and not is_hold(vocabulary, wanted):
        return wanted
    if previous >= CHORD_HOLD:
        return CHORD_HOLD + (previous - CHORD_HOLD) % vocabulary.chords
    return NOTE_HOLD + (previous - NOTE_HOLD) % 128 if previous >= NOTE_HOLD else SILENCE


def held(vocabulary: Vocabulary, previous: Ints) -> Ints:
    """What sounds goes on, place by place: `prolong` of nothing wanted."""
    chord = CHORD_HOLD + (previous - CHORD_HOLD) % vocabulary.chords
    note = NOTE_HOLD + (previous - NOTE_HOLD) % 128
    return np.where(previous >= CHORD_HOLD, chord, np.where(previous >= NOTE_HOLD, note, SILENCE))


def is_hold(vocabulary: Vocabulary, token: int) -> bool:
    return NOTE_HOLD <= token < NOTE_ON or CHORD_HOLD <= token < vocabulary.chord_on


def _scramble(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = (x ^ (x >> np.uint64(30))) * _MIX[0]
    x = (x ^ (x >> np.uint64(27))) * _MIX[1]
    return np.asarray(x ^ (x >> np.uint64(31)))
