"""Wishes about chords while they are sampled: which are preferred, which are forbidden, and how daring the choice is.

A wish changes which chord comes, not when: the probability that some chord begins stays what the network gives it.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sideman.music.vocabulary import CHORD_HOLD, Vocabulary

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Leaning:
    """`table` float [C, 1 + N]: C kinds of frames, what is added to the logit of silence and of the onset of each of N
    chords; -inf forbids, for chords also to be held. `kind` int [T]: the row of the table for each frame.
    `heat`: temperature of the choice among chords alone."""

    table: Floats
    kind: Ints
    heat: float = 1.0

    def crop(self, start: int, stop: int) -> "Leaning":
        return replace(self, kind=self.kind[start:stop])

    def apply(self, scores: Floats, at: Ints, previous: Ints, vocabulary: Vocabulary) -> None:
        """Change candidate logits [M, 2 + N] (`sampling.candidates`) of frames `at` [M] after tokens `previous` [M]."""
        kind = self.kind[at]
        onsets = scores[:, 2 : 2 + vocabulary.chords]
        mass = _log_sum(onsets)
        onsets /= self.heat
        onsets += self.table[kind, 1:]
        onsets += (mass - _log_sum(onsets))[:, None]
        scores[:, 0] += self.table[kind, 0]
        held = np.where(previous >= CHORD_HOLD, (previous - CHORD_HOLD) % vocabulary.chords, 0)
        scores[np.isneginf(self.table[kind, 1 + held]), 1] = -np.inf


def _log_sum(scores: Floats) -> Floats:
    top = scores.max(-1)
    return np.asarray(top + np.log(np.exp(scores - top[:, None]).sum(-1)), np.float32)
