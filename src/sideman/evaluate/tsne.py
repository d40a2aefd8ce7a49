"""t-SNE in a few lines of numpy: points on a plane whose neighbours there are their neighbours in space.

Van der Maaten and Hinton (2008): exact, all pairs, so for up to a thousand points or two. It begins with the first two
principal components, so the same points give the same map (up to rounding).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PERPLEXITY = 30.0
STEPS, EXAGGERATED_STEPS, EXAGGERATION = 500, 120, 12.0
TINY = 1e-12


def tsne(points: Floats, perplexity: float = PERPLEXITY, steps: int = STEPS) -> Floats:
    """Places [n, 2] of points [n, D]; the perplexity is lowered where there are few points."""
    n = len(points)
    if n < 4:
        return principal(points)
    wanted = similarities(squared_distances(points), min(perplexity, (n - 1) / 3))
    p = np.maximum((wanted + wanted.T) / (2 * n), TINY)
    places = principal(points)
    places *= 1e-2 / max(float(places.std()), TINY)
    moved, gains = np.zeros_like(places), np.ones_like(places)
    rate = max(n / EXAGGERATION, 50.0)
    for step in range(steps):
        early = step < EXAGGERATED_STEPS
        slope = _gradient(p * (EXAGGERATION if early else 1.0), places)
        # A step that goes on in its direction grows, one that turns shrinks.
        gains = np.maximum(np.where(slope * moved > 0, gains * 0.8, gains + 0.2), 0.01)
        moved = (0.5 if early else 0.8) * moved - rate * gains * slope
        places = places + moved
        places -= places.mean(axis=0)
    return places


def principal(points: Floats) -> Floats:
    """The first two principal components [n, 2]; zeros where there are fewer. The larger end of each is positive."""
    centred = points - points.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    out = np.zeros((len(points), 2))
    count = min(2, len(values))
    out[:, :count] = left[:, :count] * values[:count]
    return out * np.where(out.max(axis=0) >= -out.min(axis=0), 1.0, -1.0)


def similarities(distances: Floats, perplexity: float) -> Floats:
    """Rows of probabilities [n, n] that fall with squared distance, each with entropy ln(perplexity), by bisection."""
    n = len(distances)
    low, high, beta = np.zeros(n), np.full(n, np.inf), np.ones(n)
    others = ~np.eye(n, dtype=np.bool_)
    nearest = np.where(others, distances, np.inf).min(axis=1, keepdims=True)
    rows = np.zeros_like(distances)
    for _ in range(64):
        rows = np.exp(-(distances - nearest) * beta[:, None]) * others
        rows /= rows.sum(axis=1, keepdims=True)
        entropy = -(rows * np.log(np.maximum(rows, TINY))).sum(axis=1)
        flat = entropy > np.log(perplexity)
        low, high = np.where(flat, beta, low), np.where(flat, high, beta)
        beta = np.where(np.isinf(high), beta * 2, (low + np.minimum(high, 1e300)) / 2)
    return rows


def squared_distances(points: Floats) -> Floats:
    """[n, n]."""
    squares = (points**2).sum(axis=1)
    return np.asarray(np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0.0))


def _gradient(p: Floats, places: Floats) -> Floats:
    """Of the divergence of `p` from how near the places are (Student's t with one degree of freedom)."""
    near = 1 / (1 + squared_distances(places))
    np.fill_diagonal(near, 0.0)
    pull = (p - np.maximum(near / near.sum(), TINY)) * near
    return np.asarray(4 * (pull.sum(axis=1)[:, None] * places - pull @ places))
