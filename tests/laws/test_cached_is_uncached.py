"""However a sequence is fed, in one piece or token by token, the logits are the same."""

from itertools import pairwise

import numpy as np
import pytest
from feeding import CLOSE, random_script
from hypothesis import given, settings
from hypothesis import strategies as st

from sideman.engine.bundle import load_bundle
from sideman.engine.models import find_model
from sideman.engine.stream import GROW, Stream

LENGTH = 40


@pytest.fixture(scope="module")
def fed_at_once(tiny):
    script = random_script(tiny, 2, LENGTH)
    return script, script.feed(Stream.open(tiny, 2), 0, LENGTH)


@settings(max_examples=25, deadline=None)
@given(cuts=st.sets(st.integers(1, LENGTH - 1)))
def test_any_chunking(tiny, fed_at_once, cuts):
    script, whole = fed_at_once
    stream = Stream.open(tiny, 2)
    edges = [0, *sorted(cuts), LENGTH]
    parts = [script.feed(stream, a, b) for a, b in pairwise(edges)]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=CLOSE)


def test_token_by_token(tiny, fed_at_once):
    script, whole = fed_at_once
    stream = Stream.open(tiny, 2)
    parts = [script.feed(stream, at, at + 1) for at in range(LENGTH)]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=CLOSE)


def test_a_token_changes_what_follows_and_nothing_before(tiny, fed_at_once):
    script, whole = fed_at_once
    changed = script.tokens.copy()
    changed[:, 20] += np.where(changed[:, 20] > 1000, -50, 50)
    logits = Stream.open(tiny, 2).feed(changed, script.extra)
    np.testing.assert_allclose(logits[:, :20], whole[:, :20], atol=CLOSE)
    moved = np.abs(logits[:, 20:] - whole[:, 20:]).max(-1) > 100 * CLOSE
    assert moved[:, 0].all()
    assert moved[:, 1:].any(1).all()  # sharp attention, as published networks have, may not look back at it every time


def test_reading_some_positions_is_reading_them_of_all(tiny, fed_at_once):
    script, whole = fed_at_once
    read = np.array([3, 17, LENGTH - 1])
    some = Stream.open(tiny, 2).feed(script.tokens, script.extra, read=read)
    np.testing.assert_allclose(some, whole[:, read], atol=CLOSE)


def test_growing_keeps_what_is_cached(tiny):
    length = 2 * GROW + 5
    script = random_script(tiny, 1, length)
    roomy, tight = Stream.open(tiny, 1, capacity=length), Stream.open(tiny, 1, capacity=8)
    whole = script.feed(roomy, 0, length)
    parts = [script.feed(tight, at, min(at + 7, length)) for at in range(0, length, 7)]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=CLOSE)
    assert tight.cache.shape[3] >= length


def test_alone_is_beside_others():
    """To the bit, of a network large enough to be shared out between threads: no plan depends on who else plays."""
    bundle = load_bundle(find_model("gapt", kind="online"), threads=1, most=2)
    rng = np.random.default_rng(0)
    tokens, form = rng.integers(4, bundle.vocabulary.size, (1, 3 * GROW)), np.zeros((1, 3 * GROW, 3), np.int64)
    beside, mixed = Stream.open(bundle, 1), Stream.open(bundle, 1)
    for number, (a, b) in enumerate(pairwise([0, 40, 41, 49, 66, 140, 148, 3 * GROW])):
        expected = beside.feed(tokens[:, a:b], form[:, a:b])
        assert np.array_equal(mixed.feed(tokens[:, a:b], form[:, a:b], alone=number % 2 == 0), expected)
