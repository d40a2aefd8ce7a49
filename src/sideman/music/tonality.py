"""The key of a melody, by correlation of its pitch classes with the profiles of Krumhansl and Kessler (1982)."""

import numpy as np
from numpy.typing import NDArray

from sideman.music.frames import SILENT
from sideman.music.pitch import Key

# How well each pitch class fits a key on C, as listeners rated it.
MAJOR_PROFILE = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR_PROFILE = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])

# All keys: the twelve major ones from C up, then the minor ones.
KEYS = tuple(Key(tonic) for tonic in range(12)) + tuple(Key(tonic, "minor") for tonic in range(12))


def _profiles() -> NDArray[np.float64]:
    rows = [np.roll(p, tonic) for p in (MAJOR_PROFILE, MINOR_PROFILE) for tonic in range(12)]
    centred = np.stack(rows) - np.mean(rows, axis=1, keepdims=True)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True))


_PROFILES = _profiles()  # [24, 12], each row centred and of length 1


def key_correlations(melody: NDArray[np.integer]) -> NDArray[np.float64]:
    """Correlation of `melody`, int [F] (pitch or -1), with each of KEYS, float [24]; zeros for silence."""
    return correlations(pitch_class_frames(melody))


def pitch_class_frames(melody: NDArray[np.integer]) -> NDArray[np.int64]:
    """How many frames of `melody`, int [F] (pitch or -1), each pitch class fills, [12]."""
    return np.bincount(melody[melody != SILENT] % 12, minlength=12)


def correlations(weight: NDArray[np.number]) -> NDArray[np.float64]:
    """Correlation of pitch classes, `weight` [12] of each, with each of KEYS, [24]; zeros where all weigh the same."""
    centred = weight - weight.mean()
    return np.asarray(_PROFILES @ (centred / max(float(np.linalg.norm(centred)), 1e-9)))


def estimate_key(melody: NDArray[np.integer]) -> Key:
    """The key that fits the melody best, each frame weighing the same; C major for silence."""
    return KEYS[int(np.argmax(key_correlations(melody)))]
