"""Going somewhere, rolling back and going on is the same as never having gone there."""

import numpy as np
import pytest
from feeding import CLOSE, random_script
from hypothesis import given, settings
from hypothesis import strategies as st

from sideman.engine.stream import Stream

LENGTH = 30
# (how many tokens of a wrong continuation to feed, how many right ones to feed after rolling back)
DETOURS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 8)), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(script=DETOURS, seed=st.integers(0, 1000))
def test_detours_leave_no_trace(tiny, script, seed):
    right, wrong = random_script(tiny, 2, LENGTH, seed), random_script(tiny, 2, LENGTH, seed + 1)
    stream, at, got = Stream.open(tiny, 2, capacity=4), 0, []
    for astray, ahead in script:
        if astray:
            wrong.feed(stream, 1, 1 + astray)
            stream.rollback(np.full(2, at))
        ahead = min(ahead, LENGTH - at)
        if ahead:
            got.append(right.feed(stream, at, at + ahead))
            at += ahead
    straight = right.feed(Stream.open(tiny, 2), 0, at)
    np.testing.assert_allclose(np.concatenate(got, 1), straight, atol=CLOSE)
    assert (stream.lengths == at).all()


@settings(max_examples=20, deadline=None)
@given(back=st.integers(0, 20), ahead=st.integers(1, 9))
def test_replaying_the_same_tokens_gives_the_same(tiny, back, ahead):
    script = random_script(tiny, 1, LENGTH)
    stream = Stream.open(tiny, 1)
    first = script.feed(stream, 0, LENGTH)
    stream.rollback(np.array([back]))
    stop = min(back + ahead, LENGTH)
    np.testing.assert_allclose(script.feed(stream, back, stop), first[:, back:stop], atol=CLOSE)


def test_only_the_past_can_be_rolled_back_to(tiny):
    stream = Stream.open(tiny, 2)
    random_script(tiny, 2, 5).feed(stream, 0, 5)
    for lengths in ([6, 5], [5, -1]):
        with pytest.raises(ValueError, match="where it has been"):
            stream.rollback(np.array(lengths))
    assert stream.lengths.tolist() == [5, 5]
