"""Picking N progressions that are good and clearly different."""

import numpy as np
from numpy.typing import NDArray

from sideman.music.measures import chord_masks
from sideman.options.plan import Plan
from sideman.options.pool import Candidate

# What the contract promises, and how much a further difference is worth against quality.
LEAST_DIFFERENCE = 0.2
NOVELTY_WEIGHT = 0.35
# What is this much worse than the best is no option, however different: fewer are better.
LEAST_QUALITY = 0.65


def differences(candidates: list[Candidate], plan: Plan) -> NDArray[np.float64]:
    """Share of free frames in which two candidates differ in pitch-class set, [M, M]; 0 where none is free."""
    masks = np.stack([chord_masks(c.frames)[plan.free] for c in candidates])
    return np.asarray(np.stack([(masks != row).sum(1) for row in masks]) / max(1, masks.shape[1]))


def choose(quality: NDArray[np.float64], difference: NDArray[np.float64], n: int) -> list[int]:
    """Up to `n` indices, best first: each time the candidate with the highest quality plus novelty (its
    smallest difference to those chosen) among those that differ and are good enough (maximal marginal relevance,
    Carbonell & Goldstein, 1998)."""
    chosen = [int(quality.argmax())]
    while len(chosen) < n:
        novelty = difference[:, chosen].min(1)
        fine = (novelty >= LEAST_DIFFERENCE) & (quality >= LEAST_QUALITY * quality.max())
        value = np.where(fine, quality + NOVELTY_WEIGHT * novelty, -np.inf)
        best = int(value.argmax())
        if value[best] == -np.inf:
            break
        chosen.append(best)
    return sorted(chosen, key=lambda i: -quality[i])
