"""The map of embeddings: perplexity is met, neighbours stay together, the same points give the same map."""

import numpy as np
import pytest

from sideman.evaluate.tsne import principal, similarities, squared_distances, tsne


def clouds(count=3, size=12):
    rng = np.random.default_rng(5)
    return np.concatenate([rng.normal(0, 0.1, (size, 6)) + 4 * np.eye(6)[i] for i in range(count)])


def test_distances_by_hand():
    assert squared_distances(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist() == [[0, 25], [25, 0]]


@pytest.mark.parametrize("perplexity", [3.0, 8.0])
def test_every_row_has_the_perplexity_asked_for(perplexity):
    rows = similarities(squared_distances(clouds()), perplexity)
    assert rows.sum(1) == pytest.approx(1.0)
    assert np.diag(rows) == pytest.approx(0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nansum(rows * np.log(rows), 1)
    assert np.exp(entropy) == pytest.approx(perplexity, rel=1e-3)


def test_clouds_stay_apart_and_together():
    places = tsne(clouds(), perplexity=6, steps=250)
    gaps = squared_distances(places)
    np.fill_diagonal(gaps, np.inf)
    assert (gaps.argmin(1) // 12 == np.arange(36) // 12).all()
    same = np.kron(np.eye(3), np.ones((12, 12))) > 0
    assert gaps[~same].min() > np.median(gaps[same & np.isfinite(gaps)])
    assert np.array_equal(places, tsne(clouds(), perplexity=6, steps=250))


def test_few_points():
    assert tsne(np.ones((1, 5))).tolist() == [[0, 0]]
    line = np.array([[0.0], [1.0], [3.0]])
    assert np.diff(principal(line)[:, 0]) == pytest.approx([1, 2])
    assert np.isfinite(tsne(clouds(1, 5))).all()
    assert np.isfinite(tsne(np.ones((6, 3)))).all()
