"""Choosing what comes next in either part: the partner's own, and the one imagined for the player.

A token is drawn by the Gumbel-max rule: the largest of logit / temperature + noise, where the noise belongs to
the place and the token and is looked up, not drawn. Every draw follows the network's distribution, depends on
nothing but seed, place and logits, and changes as little as possible when the logits do: two distributions at
a total variation distance d choose alike with probability (1 - d) / (1 + d) at least (Daliri, Musco and Suresh,
2025). So a plan holds on to what a surprise does not touch.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sideman.engine.sampling import Floats, Ints
from sideman.music.vocabulary import CHORD_HOLD, NOTE_HOLD, NOTE_ON, SILENCE, PartName, Vocabulary

# SplitMix64 (Steele, Lea and Flood, 2014).
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS, _LOW = (np.uint64(30), np.uint64(27), np.uint64(31)), np.uint64(11)
# More columns than any vocabulary has.
_COLUMNS = 2**20
# Columns of scores: silence, the hold of what sounds, then the onsets in the order of their ids.
_SILENCE, _HOLD, _ONSETS = 0, 1, 2
# Added to the logit of a rest in an improvised melody: in many pieces it pauses for as long as a jam may last.
REST_BIAS = -0.5


def scores_at(vocabulary: Vocabulary, part: PartName, logits: Floats, previous: int) -> Floats:
    """Of logits [V] those of what may follow the `previous` token of a part, [2 + onsets]."""
    onsets = logits[vocabulary.chord_on :] if part == "chord" else logits[NOTE_ON:CHORD_HOLD]
    out = np.empty(_ONSETS + len(onsets), np.float32)
    hold = prolong(vocabulary, previous, None)
    out[_SILENCE] = logits[SILENCE]
    out[_HOLD] = -np.inf if hold == SILENCE else logits[hold]
    out[_ONSETS:] = onsets
    return out


def choose(scores: Floats, place: int, seed: int, temperature: float, min_p: float) -> int:
    """The column drawn at a place from scores [K]. Temperature 0 takes the likeliest; columns less likely than `min_p`
    times the likeliest are left out."""
    if temperature == 0:
        return int(scores.argmax())
    x = scores / np.float32(temperature)
    columns = (x >= x.max() + math.log(min_p)).nonzero()[0] if min_p > 0 else np.arange(len(x))
    if len(columns) == 1:
        return int(columns[0])
    return int(columns[np.argmax(x[columns] + gumbel(seed, place, columns))])


def improvised(scores: Floats, temperature: float) -> Floats:
    """Scores [K] of a melody that somebody waits for. Choosing from them at a temperature leaves it to the network
    whether a note begins, goes on or rests, but for REST_BIAS; only which one begins is up to the temperature.
    Sharpened as a whole a melody holds its notes for ever, since its onsets are many and its hold is one."""
    onsets = scores[_ONSETS:]
    out = scores.copy()
    out[_SILENCE] += REST_BIAS
    if temperature == 0:
        return out
    out *= np.float32(temperature)
    out[_ONSETS:] = onsets + temperature * (_log_sum(onsets) - _log_sum(onsets / np.float32(temperature)))
    return out


def _log_sum(x: Floats) -> float:
    top = float(x.max())
    return top + float(np.log(np.exp(x - top).sum()))


def token_of(vocabulary: Vocabulary, part: PartName, column: int, previous: int) -> int:
    """The token of a column, after `previous` of the same part."""
    if column == _SILENCE:
        return SILENCE
    if column == _HOLD:
        return prolong(vocabulary, previous, None)
    return (vocabulary.chord_on if part == "chord" else NOTE_ON) + column - _ONSETS


def gumbel(seed: int, place: int, columns: NDArray[np.integer]) -> NDArray[np.float64]:
    """Gumbel noise of columns [K] at a place, for a seed from 0 to 2**63 - 1."""
    counters = columns.astype(np.uint64)
    counters += np.uint64(place * _COLUMNS + 1)
    counters *= _STEP
    counters += _start(seed)
    return np.asarray(-np.log(-np.log((_bits(counters) + 0.5) * 2.0**-53)))


def uniform(seed: int, places: Ints) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1) that belong to places [N]."""
    return np.asarray(_bits(places.astype(np.uint64) * np.uint64(_COLUMNS) * _STEP + _start(seed)) * 2.0**-53)


def prolong(vocabulary: Vocabulary, previous: int, wanted: int | None) -> int:
    """A guess at the token after `previous` of the same part: `wanted` if that starts something or is silence,
    otherwise what sounds goes on."""
    if wanted is not None and not is_hold(vocabulary, wanted):
        return wanted
    if previous >= CHORD_HOLD:
        return CHORD_HOLD + (previous - CHORD_HOLD) % vocabulary.chords
    return NOTE_HOLD + (previous - NOTE_HOLD) % 128 if previous >= NOTE_HOLD else SILENCE


def is_hold(vocabulary: Vocabulary, token: int) -> bool:
    """Whether a token goes on with what sounds, note or chord."""
    return NOTE_HOLD <= token < NOTE_ON or CHORD_HOLD <= token < vocabulary.chord_on


@lru_cache(maxsize=64)  # as many as play at once
def _start(seed: int) -> NDArray[np.uint64]:
    return _scramble(np.array([seed], np.uint64))


def _bits(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """53 random bits of each number."""
    return _scramble(x) >> _LOW


def _scramble(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = (x ^ (x >> _SHIFTS[0])) * _MIX[0]
    x = (x ^ (x >> _SHIFTS[1])) * _MIX[1]
    return np.asarray(x ^ (x >> _SHIFTS[2]))
