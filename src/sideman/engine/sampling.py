"""Choosing a chord token from logits, in numpy.

Only silence, the hold of what sounds and the chord onsets can follow (music/grammar.py), so the
sampler works on these columns alone, in id order: [silence, hold, onset 0 .. onset N-1].
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.music.grammar import hold_of
from sideman.music.vocabulary import SILENCE, Vocabulary

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sampling:
    """Temperature 0 takes the likeliest. `top_k` 0, `top_p` 1 and `min_p` 0 filter nothing.
    `silence_bias` is added to the logit of silence by `speculate.decode`."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    silence_bias: float = 0.0


def candidates(vocabulary: Vocabulary, logits: Floats, previous: Ints) -> Floats:
    """Logits [M, V] -> those that may follow `previous` [M], [M, 2+N]; after silence (or nothing) there is no hold."""
    out = np.empty((len(logits), 2 + vocabulary.chords), np.float32)
    hold = hold_of(vocabulary, previous)
    out[:, 0] = logits[:, SILENCE]
    out[:, 1] = np.where(hold == SILENCE, -np.inf, logits[np.arange(len(logits)), hold])
    out[:, 2:] = logits[:, vocabulary.chord_on :]
    return out


def tokens_of(vocabulary: Vocabulary, columns: Ints, previous: Ints) -> Ints:
    """Candidate columns [M] -> token ids [M]."""
    chosen = np.where(columns == 0, SILENCE, vocabulary.chord_on + columns - 2)
    return np.asarray(np.where(columns == 1, hold_of(vocabulary, previous), chosen))


def column_of(vocabulary: Vocabulary, tokens: Ints, previous: Ints) -> Ints:
    """Token ids [M] -> candidate columns [M]; a hold of something else counts as that chord's onset."""
    index = (tokens - vocabulary.chord_on) % vocabulary.chords + 2
    held = (tokens == hold_of(vocabulary, previous)) & (tokens != SILENCE)
    return np.asarray(np.where(tokens == SILENCE, 0, np.where(held, 1, index)))


def pick(scores: Floats, draws: NDArray[np.float64], sampling: Sampling) -> Ints:
    """Column of each row of scores [M, K] by inverting the cumulative distribution at draws [M] in [0, 1)."""
    if sampling.temperature == 0:
        return np.asarray(scores.argmax(-1))
    p = probabilities(scores, sampling)
    total = p.cumsum(-1)
    return np.asarray((total <= draws[:, None] * total[:, -1:]).sum(-1).clip(max=scores.shape[-1] - 1))


def probabilities(scores: Floats, sampling: Sampling) -> NDArray[np.float64]:
    """softmax(scores / temperature) [M, K] after min-p, top-k and top-p (nucleus) filtering."""
    x = scores.astype(np.float64) / sampling.temperature
    p: NDArray[np.float64] = np.exp(x - x.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    if sampling.min_p > 0:
        p[p < sampling.min_p * p.max(-1, keepdims=True)] = 0
    if 0 < sampling.top_k < p.shape[-1]:
        p[p < np.sort(p, -1)[:, -sampling.top_k, None]] = 0
    if sampling.top_p < 1:
        order = np.argsort(-p, -1, kind="stable")
        ranked = np.take_along_axis(p, order, -1)
        # A token stays while the mass before it is below top_p, so the likeliest always stays.
        ranked[ranked.cumsum(-1) - ranked >= sampling.top_p * ranked.sum(-1, keepdims=True)] = 0
        np.put_along_axis(p, order, ranked, -1)
    return p


def log_probability(scores: Floats, columns: Ints) -> NDArray[np.float64]:
    """Log-probability [M] of the chosen columns at temperature 1, unfiltered."""
    x = scores.astype(np.float64)
    top = x.max(-1)
    return np.asarray(x[np.arange(len(x)), columns] - top - np.log(np.exp(x - top[:, None]).sum(-1)))
