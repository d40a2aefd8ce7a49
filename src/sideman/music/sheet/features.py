"""What is asked of the features that a music encoder gives to pieces, float [pieces, D] (spec 6.2, 7.7).

Likeness is cosine throughout; features need not be of unit length.
"""

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating]
COPIED = 0.95  # a piece as like a single one as this is taken for its copy


def cosine(a: Features, b: Features) -> NDArray[np.float64]:
    """Of every row of `a` [N, D] with every row of `b` [M, D]: [N, M]; 0 where a row is all zeros."""
    return np.asarray(_unit(a) @ _unit(b).T)


def scores(truth: Features, features: Features) -> NDArray[np.float64]:
    """How like each piece [N, D] is to the mean of real ones [M, D]: [N]."""
    return cosine(features, truth.mean(0, keepdims=True))[:, 0]


def average_score(truth: Features, features: Features) -> float:
    """The average CLaMP 2 score as NotaGen reports it: the mean of the pieces' scores."""
    return float(scores(truth, features).mean())


def set_score(truth: Features, features: Features) -> float:
    """The score of CLaMP 2's own program, of the two means; not to be compared with `average_score`."""
    return float(cosine(features.mean(0, keepdims=True), truth.mean(0, keepdims=True))[0, 0])


def nearest(truth: Features, features: Features) -> NDArray[np.float64]:
    """How like each piece is to the real piece most like it: [N]."""
    return np.asarray(cosine(features, truth).max(1))


def self_similarity(features: Features) -> float:
    """Mean likeness of two different pieces of a set; 1 where all are the same. NaN for fewer than two."""
    count = len(features)
    if count < 2:
        return float("nan")
    total = cosine(features, features)
    return float((total.sum() - np.trace(total)) / (count * (count - 1)))


def search(queries: Features, keys: Features) -> dict[str, float]:
    """Finding row i of `keys` by row i of `queries`: mean reciprocal rank, and how often it is among the first 1, 10
    and 100."""
    likeness = cosine(queries, keys)
    rank = 1 + (likeness > likeness.diagonal()[:, None]).sum(1)
    return {"mrr": float((1 / rank).mean())} | {f"hit_at_{k}": float((rank <= k).mean()) for k in (1, 10, 100)}


def _unit(x: Features) -> NDArray[np.float64]:
    wide = np.asarray(x, np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.asarray(np.divide(wide, length, out=np.zeros_like(wide), where=length > 0))
