"""A fork goes its own way; a stream that slides forgets the oldest and nothing else."""

import numpy as np
from feeding import CLOSE, random_script

from sideman.engine.stream import Stream


def test_forks_go_their_own_way(tiny):
    script, other = random_script(tiny, 2, 30, 1), random_script(tiny, 3, 30, 2)
    trunk = Stream.open(tiny, 2)
    script.feed(trunk, 0, 12)
    trunk.rollback(np.array([12, 9]))
    branch = trunk.fork(np.array([1, 0, 1]))
    assert branch.lengths.tolist() == [9, 12, 9]
    went = other.feed(branch, 12, 20)
    for row, source in enumerate((1, 0, 1)):
        alone = Stream.open(tiny, 1)
        script.rows(source).feed(alone, 0, int(trunk.lengths[source]))
        np.testing.assert_allclose(went[row], other.rows(row).feed(alone, 12, 20)[0], atol=CLOSE)
    straight = Stream.open(tiny, 2)
    whole = script.feed(straight, 0, 14)
    assert trunk.lengths.tolist() == [12, 9]
    trunk.rollback(np.array([9, 9]))
    np.testing.assert_allclose(script.feed(trunk, 9, 14), whole[:, 9:14], atol=CLOSE)


def test_a_fork_of_a_slid_stream_knows_its_position(tiny):
    script = random_script(tiny, 1, 40)
    trunk = Stream.open(tiny, 1)
    script.feed(trunk, 0, 30)
    trunk.slide(limit=24, keep=16)
    branch = trunk.fork(np.array([0, 0]))
    assert branch.dropped.tolist() == [14, 14]
    here = script.feed(trunk, 30, 34)
    there = script.rows(0, 0).feed(branch, 30, 34)
    np.testing.assert_allclose(there, np.repeat(here, 2, 0), atol=CLOSE)


def test_sliding_moves_only_rows_over_the_limit(tiny):
    script = random_script(tiny, 2, 40)
    stream = Stream.open(tiny, 2)
    script.feed(stream, 0, 30)
    stream.rollback(np.array([30, 20]))
    before = stream.cache.copy()
    stream.slide(limit=24, keep=16)
    assert stream.lengths.tolist() == [16, 20]
    assert stream.dropped.tolist() == [14, 0]
    np.testing.assert_array_equal(stream.cache[:, 0, :, :16], before[:, 0, :, 14:30])
    np.testing.assert_array_equal(stream.cache[:, 1], before[:, 1])


def test_what_stays_is_the_recent_context_at_its_positions(tiny):
    """In the first layer keys and values depend on token and position alone, so the slots that stay must be those of
    a stream that hears only the recent tokens, at their positions in the whole."""
    script = random_script(tiny, 1, 40)
    stream, recent = Stream.open(tiny, 1), Stream.open(tiny, 1)
    script.feed(stream, 0, 30)
    stream.slide(limit=24, keep=16)
    recent.dropped = np.array([14])
    script.feed(recent, 14, 30)
    for one in (stream, recent):
        script.feed(one, 30, 34)
        assert (one.lengths + one.dropped).tolist() == [34]
    np.testing.assert_allclose(stream.cache[:2, :, :, :20], recent.cache[:2, :, :, :20], atol=CLOSE)
