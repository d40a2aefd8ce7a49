"""How a melody goes with chords, where the measure is not the same as that of chords under a melody (measures.py)."""

from collections.abc import Sequence

import numpy as np

from sideman.music.frames import SILENT, Frames
from sideman.music.measures import LENGTH_BINS, bar_count, entropy, note_events, ratio


def rests(pieces: Sequence[Frames]) -> float:
    """Share of the frames with a sounding chord in which the melody rests: the `silence` of a melody partner."""
    resting = sum(int(((frames.chord != SILENT) & (frames.melody == SILENT)).sum()) for frames in pieces)
    return ratio(resting, sum(int((frames.chord != SILENT).sum()) for frames in pieces))


def note_length_entropy(pieces: Sequence[Frames]) -> float:
    """Entropy in nats of the histogram of note lengths, in the bins of chord lengths."""
    counts = np.zeros(LENGTH_BINS, np.int64)
    for frames in pieces:
        start, stop, _ = note_events(frames)
        counts += np.bincount(np.minimum(stop - start, LENGTH_BINS - 1), minlength=LENGTH_BINS)
    return entropy(counts)


def note_density(pieces: Sequence[Frames]) -> float:
    """Notes a bar."""
    return ratio(sum(len(note_events(frames)[0]) for frames in pieces), sum(bar_count(frames) for frames in pieces))


def conjunct(pieces: Sequence[Frames]) -> float:
    """Share of the steps from one note to the next that are of at most two semitones (conjunct motion)."""
    steps = np.concatenate([np.zeros(0), *(np.diff(note_events(frames)[2]) for frames in pieces)])
    return ratio(int((np.abs(steps) <= 2).sum()), len(steps))
