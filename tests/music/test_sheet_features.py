"""Scores of features against tables worked out by hand."""

import numpy as np
import pytest

from sideman.music.sheet import features as of

TRUTH = np.array([[2.0, 0.0], [0.0, 2.0]])  # their mean points to 45 degrees


def test_scores():
    pieces = np.array([[1.0, 1.0], [3.0, 0.0], [0.0, -1.0], [0.0, 0.0]])
    root = 0.5**0.5
    assert of.scores(TRUTH, pieces) == pytest.approx([1.0, root, -root, 0.0])
    assert of.average_score(TRUTH, pieces) == pytest.approx(1 / 4)
    assert of.set_score(TRUTH, pieces) == pytest.approx(root)  # their mean points to (1, 0)
    assert of.nearest(TRUTH, pieces) == pytest.approx([root, 1.0, 0.0, 0.0])


def test_the_two_scores_differ():
    pieces = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert of.set_score(TRUTH, pieces) == pytest.approx(1.0)
    assert of.average_score(TRUTH, pieces) == pytest.approx(0.5**0.5)


def test_self_similarity_leaves_out_each_piece_itself():
    assert of.self_similarity(np.array([[1.0, 0.0], [5.0, 0.0], [0.0, 1.0]])) == pytest.approx(1 / 3)
    assert of.self_similarity(np.array([[1.0, 1.0]] * 4)) == pytest.approx(1.0)
    assert np.isnan(of.self_similarity(np.array([[1.0, 1.0]])))


def test_search():
    keys = np.eye(4)
    queries = np.array([[1, 0, 0, 0], [0.9, 0.5, 0, 0], [0.9, 0.8, 0.7, 0], [0, 0, 0, 1.0]])
    assert of.search(queries, keys) == pytest.approx(
        {"mrr": (1 + 1 / 2 + 1 / 3 + 1) / 4, "hit_at_1": 0.5, "hit_at_10": 1.0, "hit_at_100": 1.0}
    )
