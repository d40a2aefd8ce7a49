"""The published way of sampling (spec 4.6): which columns it allows, and what is drawn through a bundle."""

import math

import numpy as np
import pytest

from sideman.engine.sampling import Sampling, candidates, column_of, pick, reference_sampling, tokens_of
from sideman.engine.speculate import Melody, decode
from sideman.music.grammar import chord_mask
from sideman.music.vocabulary import BOS, CHORD_HOLD, SILENCE, own_vocabulary

VOCABULARY = own_vocabulary()
PREVIOUS = np.array([BOS, SILENCE, CHORD_HOLD + 5, VOCABULARY.chord_on + 5])


@pytest.mark.parametrize("reference", [False, True])
def test_columns_are_what_the_grammar_allows(reference: bool):
    """Every allowed token has a column with its logit; columns and tokens are told apart both ways."""
    logits = np.random.default_rng(0).normal(size=(4, VOCABULARY.size)).astype(np.float32)
    scores = candidates(VOCABULARY, logits, PREVIOUS, reference)
    allowed = chord_mask(VOCABULARY, PREVIOUS, reference)
    for row, previous in enumerate(PREVIOUS):
        columns = np.flatnonzero(scores[row] > -np.inf)
        before = np.full(len(columns), previous)
        tokens = tokens_of(VOCABULARY, columns, before)
        assert sorted(tokens) == np.flatnonzero(allowed[row]).tolist()
        np.testing.assert_array_equal(scores[row, columns], logits[row, tokens])
        np.testing.assert_array_equal(column_of(VOCABULARY, tokens, before, reference), columns)


def test_a_tenth_of_the_vocabulary_is_kept():
    """Of all V ids, rounded up; the next likeliest is never drawn."""
    how = reference_sampling(VOCABULARY, temperature=0.5)
    kept = math.ceil(VOCABULARY.size / 10)
    assert (how.temperature, how.top_k) == (0.5, kept)
    scores = np.linspace(1.0, 0.0, 2 + 2 * VOCABULARY.chords, dtype=np.float32)[None].repeat(2000, 0)
    drawn = pick(scores, np.linspace(0, 1, 2000, endpoint=False), how)
    assert set(drawn.tolist()) == set(range(kept))


def test_what_is_drawn_through_a_bundle(tiny):
    """Any hold may follow silence; online, none comes in the second frame; else the grammar is ours."""
    rows, frames = 200, 8
    melody = Melody.prepare(tiny, np.full(frames, 200), np.ones((frames, 3), np.uint8))
    draws = np.random.default_rng(0).random((rows, frames))
    how = reference_sampling(tiny.vocabulary)
    made = decode(tiny, melody, draws, how, forced=np.where(np.arange(frames) == 4, SILENCE, -1)).chords
    before = np.concatenate([np.full((rows, 1), BOS), made[:, :-1]], 1)
    for at in range(frames):
        allowed = chord_mask(tiny.vocabulary, before[:, at], reference=True)
        assert allowed[np.arange(rows), made[:, at]].all()
    held = (made >= CHORD_HOLD) & (made < tiny.vocabulary.chord_on)
    assert held[:, 5].mean() > 0.2, "holds of nothing, after silence"
    assert not held[:, 0].any()
    assert held[:, 1].any() == (tiny.file.kind == "offline")
    plain = decode(tiny, melody, draws, Sampling()).chords
    assert ((plain[:, 1] >= CHORD_HOLD) & (plain[:, 1] < tiny.vocabulary.chord_on)).any()
