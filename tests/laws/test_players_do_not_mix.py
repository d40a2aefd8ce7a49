"""Two players interleaved are two players apart: rows of one stream, streams of one bundle, rows of one decoding."""

import numpy as np
from feeding import CLOSE, random_script
from hypothesis import given, settings
from hypothesis import strategies as st

from sideman.engine.sampling import Sampling
from sideman.engine.speculate import Melody, decode
from sideman.engine.stream import Stream

PASS = 6
KEPT = st.lists(st.lists(st.integers(1, PASS), min_size=3, max_size=3), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(kept=KEPT, seed=st.integers(0, 1000))
def test_rows_of_different_lengths(tiny, kept, seed):
    """Every pass feeds PASS tokens to three rows and keeps some, row by row; each row equals a stream of its own."""
    script = random_script(tiny, 3, PASS * len(kept) + PASS, seed)
    together, alone = Stream.open(tiny, 3, capacity=8), [Stream.open(tiny, 1, capacity=8) for _ in range(3)]
    for counts in kept:
        at = together.lengths
        part = script.at(at[:, None] + np.arange(PASS))
        logits = together.feed(part.tokens, part.extra)
        together.rollback(at + counts)
        for row, count in enumerate(counts):
            own = part.rows(row).feed(alone[row], 0, count)
            np.testing.assert_allclose(logits[row, :count], own[0], atol=CLOSE)
    assert together.lengths.tolist() == [int(stream.lengths[0]) for stream in alone]


def test_streams_of_one_bundle(tiny):
    scripts = [random_script(tiny, 1, 24, seed) for seed in (1, 2)]
    apart = [script.feed(Stream.open(tiny, 1), 0, 24) for script in scripts]
    streams = [Stream.open(tiny, 1) for _ in scripts]
    parts: list[list[np.ndarray]] = [[], []]
    for at in range(0, 24, 3):
        for player in (0, 1):
            parts[player].append(scripts[player].feed(streams[player], at, at + 3))
    for player in (0, 1):
        np.testing.assert_allclose(np.concatenate(parts[player], 1), apart[player], atol=CLOSE)


def test_rows_of_one_decoding(tiny):
    rng = np.random.default_rng(3)
    frames = 48
    melody = Melody.prepare(tiny, rng.integers(4, 260, frames), np.ones((frames, 3), np.uint8))
    draws, bias = rng.random((4, frames)), np.array([0.0, -2.0, 2.0, 0.0])
    together = decode(tiny, melody, draws, Sampling(), onset_bias=bias)
    for row in range(4):
        alone = decode(tiny, melody, draws[row : row + 1], Sampling(), onset_bias=bias[row : row + 1])
        np.testing.assert_array_equal(together.chords[row], alone.chords[0])
        np.testing.assert_allclose(together.log_p[row], alone.log_p[0], atol=CLOSE)
