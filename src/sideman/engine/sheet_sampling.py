"""Choosing a character from logits (NotaGen spec 4.1): cut at temperature 1, tempered afterwards."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]
_FLOOR = 1e-12


@dataclass(frozen=True, slots=True)
class SheetSampling:
    """Temperature 0 takes the likeliest. `top_k` 0 and `top_p` 1 cut nothing off. `floor`: what was cut off keeps a
    trace of probability, as in the published program, whose defaults the others are."""

    temperature: float = 1.2
    top_k: int = 9
    top_p: float = 0.9
    floor: bool = False


PUBLISHED = SheetSampling(floor=True)


def softmax(logits: NDArray[np.float32]) -> Probabilities:
    """[.., V] in double precision."""
    x = logits.astype(np.float64)
    p: Probabilities = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(p / p.sum(-1, keepdims=True))


def cut(p: Probabilities, sampling: SheetSampling) -> Probabilities:
    """Probabilities [V] after top-k, top-p (what stands before a token must not exceed it) and temperature, in this
    order; of equally probable ones the first stay."""
    p = _normal(p, sampling.floor)
    order = np.argsort(-p, kind="stable")  # also that of what top-k leaves
    if sampling.top_k > 0:
        p = _normal(_only(p, order[: sampling.top_k]), sampling.floor)
    if 0 < sampling.top_p < 1:
        before = np.cumsum(p[order]) - p[order]
        p = _normal(_only(p, order[before <= sampling.top_p]), sampling.floor)
    if sampling.temperature == 0:
        return _only(np.ones_like(p), np.array([p.argmax()]))
    if sampling.temperature != 1:
        p = p ** (1 / sampling.temperature)
        p = p / p.sum()
    return p


def draw(p: Probabilities, rng: np.random.Generator) -> int:
    """One index by its probability."""
    total = p.cumsum()
    return min(int(np.searchsorted(total, rng.random() * total[-1], side="right")), len(p) - 1)


def _only(p: Probabilities, kept: NDArray[np.int64]) -> Probabilities:
    out = np.zeros_like(p)
    out[kept] = p[kept]
    return out


def _normal(p: Probabilities, floor: bool) -> Probabilities:
    p = np.where(np.isfinite(p) & (p > 0), p, 0.0)
    if floor:
        p = p + _FLOOR
    return np.asarray(p / p.sum())
