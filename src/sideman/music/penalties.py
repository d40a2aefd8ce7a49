"""What accompanists do when they go wrong, counted as the penalties of the published reward count it (spec 6.3, 7).

Unscaled: in frames, chords and runs. All take one `Frames`.
"""

import numpy as np
from numpy.typing import NDArray

from sideman.music.frames import SILENT, Frames
from sideman.music.measures import LONG_FRAMES, chord_masks, run_lengths, uncovered

LISTEN_FRAMES = 8  # at the beginning an accompanist may listen
SILENT_SHARE = 0.04  # about what people leave without a chord
STOP_FRAMES = 16  # chords that end so long before the melody does have stopped early


def long_runs(frames: Frames) -> NDArray[np.int64]:
    """Lengths, in frames, of the runs of 32 or more equal states; the frame of an onset is another state than the
    holds after it, and silence is a state too."""
    state = np.where(frames.chord == SILENT, SILENT, 2 * frames.chord.astype(np.int64) + frames.chord_onset)
    runs = run_lengths(state)
    return runs[runs >= LONG_FRAMES]


def too_silent(frames: Frames) -> bool:
    """More than 4 % of the frames after the first eight have a note and no chord."""
    silent = uncovered(frames.melody, chord_masks(frames))[LISTEN_FRAMES:]
    return bool(silent.sum() > SILENT_SHARE * len(silent))


def stops_early(frames: Frames) -> bool:
    """The chords fall silent for good 16 frames or more before the last note ends."""
    return bool(_end(frames.chord) + STOP_FRAMES <= _end(frames.melody))


def _end(values: NDArray[np.int16]) -> int:
    """One past the last frame that sounds."""
    sounding = np.flatnonzero(values != SILENT)
    return int(sounding[-1]) + 1 if len(sounding) else 0
