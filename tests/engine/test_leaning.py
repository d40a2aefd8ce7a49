"""Wishes change which chord comes, not when."""

import numpy as np
import pytest

from sideman.engine.leaning import Leaning
from sideman.engine.sampling import candidates
from sideman.music.vocabulary import CHORD_HOLD, SILENCE, own_vocabulary

VOCABULARY = own_vocabulary()


def scores(previous):
    logits = np.random.default_rng(0).normal(size=(len(previous), VOCABULARY.size)).astype(np.float32)
    return candidates(VOCABULARY, logits, np.array(previous))


def lean(table, heat=1.0, previous=(SILENCE, CHORD_HOLD + 3)):
    plain = scores(previous)
    leant = plain.copy()
    kind = np.zeros(len(previous), np.int64)
    Leaning(np.array([table], np.float32), kind, heat).apply(leant, kind, np.array(previous), VOCABULARY)
    return plain, leant


def mass(values):
    return np.log(np.exp(values[:, 2:].astype(np.float64)).sum(1))


@pytest.mark.parametrize("heat", [0.5, 1.0, 2.0])
def test_a_chord_begins_as_often_as_before(heat):
    table = np.random.default_rng(1).normal(size=1 + VOCABULARY.chords) * 3
    table[0] = 0
    table[10:400] = -np.inf
    plain, leant = lean(table, heat)
    assert mass(leant) == pytest.approx(mass(plain), abs=1e-4)
    assert np.array_equal(leant[:, :2], plain[:, :2])
    assert np.isneginf(leant[:, 1 + 10 : 1 + 400]).all()


def test_what_is_forbidden_is_not_held_either():
    table = np.zeros(1 + VOCABULARY.chords)
    table[1 + 3] = -np.inf
    _, leant = lean(table)
    assert np.isneginf(leant[1, 1])
    table[:] = 0
    table[0] = -np.inf
    _, leant = lean(table)
    assert np.isneginf(leant[:, 0]).all()
    assert np.isfinite(leant[1, 1])


def test_heat_makes_chords_alike():
    plain, leant = lean(np.zeros(1 + VOCABULARY.chords), 2.0)
    assert np.ptp(leant[:, 2:]) == pytest.approx(np.ptp(plain[:, 2:]) / 2, rel=0.3)
