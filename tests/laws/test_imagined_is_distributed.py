"""Looked-up noise chooses as the network says: over seeds, every place follows its distribution; between contexts,
choices differ no more than they must."""

import numpy as np
import pytest

from sideman.jam.choose import choose, gumbel, prolong, scores_at, token_of
from sideman.jam.drive import finish
from sideman.jam.planner import FREE, Planner, Question
from sideman.music.metre import form
from sideman.music.song import Meter
from sideman.music.vocabulary import BOS, CHORD_HOLD, NOTE_HOLD, SILENCE

SEEDS = 4000


def softmax(x):
    p = np.exp(x - x.max())
    return p / p.sum()


@pytest.mark.parametrize(("temperature", "min_p"), [(1.0, 0.0), (0.7, 0.0), (2.0, 0.05)])
def test_choices_follow_the_distribution(temperature, min_p):
    scores = np.random.default_rng(0).normal(0, 1.5, 12).astype(np.float32)
    p = softmax(scores / temperature)
    p = np.where(p < min_p * p.max(), 0, p)
    p /= p.sum()
    drawn = np.bincount([choose(scores, 7, seed, temperature, min_p) for seed in range(SEEDS)], minlength=12)
    assert not drawn[p == 0].any()
    statistic = ((drawn - SEEDS * p) ** 2)[p > 0] / (SEEDS * p[p > 0])
    assert statistic.sum() < 40, "chi-square with 11 degrees of freedom"


def test_places_seeds_and_columns_are_independent():
    noise = np.array([[gumbel(seed, place, np.arange(20)) for place in range(20)] for seed in range(20)])
    assert len(np.unique(noise)) == noise.size
    assert noise.mean() == pytest.approx(0.5772, abs=0.05)
    assert noise.std() == pytest.approx(np.pi / np.sqrt(6), abs=0.05)
    for axis in range(3):
        moved = np.roll(noise, 1, axis)
        assert abs(np.corrcoef(noise.ravel(), moved.ravel())[0, 1]) < 0.05


def test_like_contexts_choose_alike():
    rng = np.random.default_rng(1)
    one = rng.normal(0, 2, 50).astype(np.float32)
    two = (one + rng.normal(0, 0.3, 50)).astype(np.float32)
    distance = np.abs(softmax(one) - softmax(two)).sum() / 2
    same = np.mean([choose(one, 3, s, 1.0, 0.0) == choose(two, 3, s, 1.0, 0.0) for s in range(SEEDS)])
    assert same > (1 - distance) / (1 + distance) - 0.02


def test_a_planned_token_follows_the_network(tiny_bundles):
    """The chord and the note after a given history, over seeds, against the softmax of one plain pass."""
    bundle = tiny_bundles["online"]
    vocabulary = bundle.vocabulary
    places = form((Meter(0.0, 4, 4),), 16)
    given = np.full(10, FREE)
    given[:7] = [BOS, vocabulary.chord_on + 5, 140, CHORD_HOLD + 5, NOTE_HOLD + 8, SILENCE, 150]
    planner = Planner(bundle)
    drawn = []
    for seed in range(600):
        finish(planner.settle(Question(given, places, seed, 1.0, 0.05)))
        drawn.append(planner.tokens[7:9].tolist())
    row = Planner(bundle)
    finish(row.settle(Question(given[:8], places, 0, 0.0)))
    stream = row.rows[0].stream
    stream.rollback(np.array([0]))
    logits = stream.feed(given[None, :7], places[np.arange(7) // 2][None], np.array([6]))[0]
    scores = scores_at(vocabulary, "chord", logits[0], SILENCE)
    p = softmax(scores)
    p = np.where(p < 0.05 * p.max(), 0, p)
    p /= p.sum()
    counts = {token_of(vocabulary, "chord", column, SILENCE): 0 for column in np.flatnonzero(p).tolist()}
    for chord, _ in drawn:
        counts[chord] += 1  # a KeyError is a token that cannot be
    expected = 600 * p[p > 0]
    statistic = ((np.array(list(counts.values())) - expected) ** 2 / expected).sum()
    assert statistic < len(expected) + 5 * np.sqrt(2 * len(expected)) + 5


def test_a_guess_prolongs_what_sounds(tiny_bundles):
    vocabulary = tiny_bundles["online"].vocabulary
    onset, hold = vocabulary.chord_on + 3, CHORD_HOLD + 3
    assert prolong(vocabulary, onset, None) == prolong(vocabulary, hold, hold + 1) == hold
    assert prolong(vocabulary, SILENCE, hold) == SILENCE
    assert prolong(vocabulary, hold, onset + 4) == onset + 4
    assert prolong(vocabulary, 132 + 60, None) == prolong(vocabulary, 4 + 60, 4 + 61) == 4 + 60
