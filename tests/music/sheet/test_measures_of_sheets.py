"""Figures of sets of sheets against what was put into them."""

import numpy as np
import pytest

from sideman.music.sheet.measures import bars, judged_figures, written_figures
from sideman.music.sheet.shingles import Shingled

HEADER = "L:1/8\nM:2/4\nK:C\nV:1 treble\nV:2 bass\n"
EVEN = HEADER + "[V:1]c4|[V:2]C,4|\n[V:2]C,4|\n[V:1]d4|]\n"
UNEVEN = HEADER + "[V:1]c4|[V:2]C,3|\n[V:1]c2 d2|[V:2](3CDE C2|\n[V:1](2ab|[V:2]C,4|\n"
LOST = "L:1/8\nnothing\n"


def test_bars_are_counted():
    found = bars([EVEN, UNEVEN, LOST])
    assert (found.count, found.uneven, found.unreadable) == (6, 2, 1)
    assert found.error == pytest.approx(1 / 3)
    assert np.isnan(bars([LOST]).error)


def test_written_figures():
    tune = HEADER + "[V:1]c e d f e g f a|\n[V:1]g b a c' b d' c' e'|\n" * 10
    real = Shingled.of([EVEN, tune])
    figures = written_figures([tune, UNEVEN], real)
    assert figures["uneven"] == pytest.approx(2 / 23)
    assert figures["bars"] == pytest.approx(23 / 2)
    assert figures["overlap_most"] == 2 * figures["overlap"] > 0
    other = written_figures([tune, UNEVEN], real, np.array([[True, False], [True, True]]))
    assert other["overlap_most"] == 0  # it is not compared with itself


def test_judged_figures():
    truth, unseen = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    figures = judged_figures(np.array([[1.0, 0.0], [0.6, 0.8]]), truth, unseen)
    assert figures == pytest.approx(
        {
            "score": 0.8,
            "score_error": 0.2,
            "score_unseen": 0.4,
            "self_similarity": 0.6,
            "diversity": 0.4,
            "copied": 0.5,
        }
    )
    assert "score_unseen" not in judged_figures(truth, truth)
