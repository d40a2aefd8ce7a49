"""Sampling of sheet characters against numbers of the reference (NotaGen spec 12.6)."""

import numpy as np
import pytest

from sideman.engine.sheet_sampling import PUBLISHED, SheetSampling, cut, draw, softmax

P = np.zeros(128)
P[:12] = (0.30, 0.20, 0.12, 0.10, 0.08, 0.06, 0.05, 0.03, 0.02, 0.02, 0.01, 0.01)
AFTER_K = [0.3125, 0.208333, 0.125, 0.104167, 0.083333, 0.0625, 0.052083, 0.03125, 0.020833]
AFTER_P = [0.32967, 0.21978, 0.131868, 0.10989, 0.087912, 0.065934, 0.054945]
AFTER_T = [0.294276, 0.2099, 0.137132, 0.117802, 0.097813, 0.076963, 0.066114]


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (SheetSampling(1.0, 9, 1.0, floor=True), AFTER_K),
        (SheetSampling(1.0, 9, 0.9, floor=True), AFTER_P),
        (PUBLISHED, AFTER_T),
        (SheetSampling(), AFTER_T),
    ],
    ids=["k", "k p", "k p T", "without a trace of the rest"],
)
def test_the_steps_one_after_the_other(sampling: SheetSampling, expected: list[float]):
    p = cut(P, sampling)
    np.testing.assert_allclose(p[: len(expected)], expected, atol=1e-6)
    assert p.sum() == pytest.approx(1)
    rest = p[len(expected) :]
    assert (rest < 1e-8).all() and (rest > 0).all() == sampling.floor  # noqa: PT018


def test_truncation_comes_before_temperature():
    """Flattened first, the eighth would have survived."""
    usual = P ** (1 / 1.2) / (P ** (1 / 1.2)).sum()
    assert usual[:7].sum() < 0.9
    assert np.count_nonzero(cut(P, SheetSampling())) == 7


def test_what_cannot_be_a_probability_counts_nothing():
    broken = P.copy()
    broken[3], broken[5] = np.nan, -1.0
    p = cut(broken, SheetSampling(1.0, 0, 1.0))
    assert p[3] == p[5] == 0
    assert p.sum() == pytest.approx(1)


def test_temperature_nothing_takes_the_likeliest():
    assert cut(P, SheetSampling(0.0))[0] == 1


def test_draws_follow_the_distribution():
    rng, p = np.random.default_rng(0), cut(P, SheetSampling())
    counts = np.bincount([draw(p, rng) for _ in range(4000)], minlength=128) / 4000
    assert np.abs(counts - p).max() < 0.02
    assert set(np.flatnonzero(counts)) <= set(range(7))


def test_softmax_of_large_logits():
    p = softmax(np.array([1e4, 1e4, -1e4], np.float32))
    np.testing.assert_allclose(p, [0.5, 0.5, 0], atol=1e-12)
