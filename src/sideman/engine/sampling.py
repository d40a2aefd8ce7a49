"""Choosing a chord token from logits, in numpy.

Only silence, the hold of what sounds and the chord onsets can follow (music/grammar.py), so the
sampler works on these columns alone, in id order: [silence, hold, onset 0 .. onset N-1]. The looser
grammar of the published program (spec 4.6) adds the columns of all holds, which it allows after silence.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.music.grammar import hold_of
from sideman.music.vocabulary import CHORD_HOLD, SILENCE, Vocabulary

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sampling:
    """Temperature 0 takes the likeliest. `top_k` 0, `top_p` 1 and `min_p` 0 filter nothing.
    `silence_bias` is added to the logit of silence by `speculate.decode`. `reference_grammar`: any hold after silence,
    and, online, no hold in the second frame."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    silence_bias: float = 0.0
    reference_grammar: bool = False


def reference_sampling(vocabulary: Vocabulary, temperature: float = 1.0) -> Sampling:
    """As the published program samples (spec 4.6): the likeliest tenth of the vocabulary, in its looser grammar. One
    habit is left out: at temperature 0 it takes the likeliest token even where that is none of a chord."""
    return Sampling(temperature, top_k=math.ceil(0.1 * vocabulary.size), reference_grammar=True)


def candidates(vocabulary: Vocabulary, logits: Floats, previous: Ints, reference: bool = False) -> Floats:
    """Logits [M, V] -> those that may follow `previous` [M], [M, 2+N]; after silence (or nothing) there is no hold.
    With the `reference` grammar [M, 2+2N], the holds last."""
    out = np.empty((len(logits), 2 + vocabulary.chords * (1 + reference)), np.float32)
    hold = hold_of(vocabulary, previous)
    out[:, 0] = logits[:, SILENCE]
    out[:, 1] = np.where(hold == SILENCE, -np.inf, logits[np.arange(len(logits)), hold])
    out[:, 2 : 2 + vocabulary.chords] = logits[:, vocabulary.chord_on :]
    if reference:
        holds = logits[:, CHORD_HOLD : vocabulary.chord_on]
        out[:, 2 + vocabulary.chords :] = np.where((previous == SILENCE)[:, None], holds, -np.inf)
    return out


def tokens_of(vocabulary: Vocabulary, columns: Ints, previous: Ints) -> Ints:
    """Candidate columns [M] -> token ids [M]."""
    chosen = np.where(columns == 0, SILENCE, vocabulary.chord_on + columns - 2)
    chosen = np.where(chosen >= vocabulary.size, chosen - 2 * vocabulary.chords, chosen)
    return np.asarray(np.where(columns == 1, hold_of(vocabulary, previous), chosen))


def column_of(vocabulary: Vocabulary, tokens: Ints, previous: Ints, reference: bool = False) -> Ints:
    """Token ids [M] -> candidate columns [M]; a hold that may not follow counts as that chord's onset."""
    index = (tokens - vocabulary.chord_on) % vocabulary.chords + 2
    if reference:
        loose = (previous == SILENCE) & (tokens < vocabulary.chord_on)
        index = index + vocabulary.chords * loose
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
    x = (scores / np.float32(sampling.temperature)).astype(np.float32, copy=False)
    # Exponentials of single precision are several times faster, and sums of them are as exact as the logits.
    p: NDArray[np.float64] = np.exp(x - x.max(-1, keepdims=True)).astype(np.float64)
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
    top = scores.max(-1)
    total = np.exp(scores - top[:, None]).sum(-1, dtype=np.float64)
    return np.asarray(scores[np.arange(len(scores)), columns].astype(np.float64) - top - np.log(total))
