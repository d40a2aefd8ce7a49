"""How far chords agree with the chords the data have: one of many good answers, so a hint and no goal."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sideman.music.frames import SILENT, Frames
from sideman.music.measures import ratio


def chord_roots(frames: Frames) -> NDArray[np.int64]:
    """Root pitch class of the chord of every frame, [F], -1 where none sounds."""
    table = np.array([chord.root for chord in frames.chords] + [SILENT], np.int64)
    return np.take(table, frames.chord)  # SILENT is -1 and finds the last row


def same_root(frames: Frames, truth: Frames) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(same, valid), bool [F] each: both have a chord there; and their roots are equal."""
    made, meant = chord_roots(frames), chord_roots(truth)
    valid = (made != SILENT) & (meant != SILENT)
    return valid & (made == meant), valid


def root_match(pieces: Sequence[Frames], truth: Sequence[Frames]) -> float:
    """Share of the frames in which both have a chord whose roots are equal, over all pieces together.

    NaN for chords to melodies that are not those of `truth`.
    """
    pairs = list(zip(pieces, truth, strict=True))
    if not all(np.array_equal(one.melody, other.melody) for one, other in pairs):
        return float("nan")
    both = [same_root(one, other) for one, other in pairs]
    return ratio(sum(int(same.sum()) for same, _ in both), sum(int(valid.sum()) for _, valid in both))
