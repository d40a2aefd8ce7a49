"""The six measures of melody harmonisation of Yeh et al. (2021), on the 16th-note grid, one piece at a time.

The paper writes one chord every half bar; here chords have lengths, so where it averages over chord
slots or notes we weigh by frames, which is the same on its grid. NaN where a measure has no case.
Tonal distance is that of Harte, Sandler and Gasser (2006): Euclidean, between 6-D tonal centroids.
"""

import numpy as np
from numpy.typing import NDArray

from sideman.music.frames import SILENT, Frames
from sideman.music.measures import chord_entropy, chord_events, chord_masks, inside_chord, note_events, ratio

# Consonance of the melody note above a chord tone, by interval in semitones (mod 12): unison, thirds,
# fifth and sixths are consonant, the fourth is neutral, the rest dissonant.
CONSONANCE = np.array([1, -1, -1, 1, 1, 0, -1, 1, 1, 1, -1, -1])
# Radii of the circles of fifths, minor thirds and major thirds.
_RADII = (1.0, 1.0, 0.5)
_STEPS = (7 * np.pi / 6, 3 * np.pi / 2, 2 * np.pi / 3)


def _centroid_basis() -> NDArray[np.float64]:
    pitch_class = np.arange(12)
    rows = [r * f(pitch_class * step) for r, step in zip(_RADII, _STEPS, strict=True) for f in (np.sin, np.cos)]
    return np.stack(rows, axis=1)


_BASIS = _centroid_basis()  # [12, 6]: the tonal centroid of each single pitch class


def tonal_centroid(masks: NDArray[np.integer]) -> NDArray[np.float64]:
    """Tonal centroids [..., 6] of pitch-class sets [...]; the empty set gives zeros."""
    profile = (masks[..., None].astype(np.int64) >> np.arange(12) & 1).astype(np.float64)
    profile /= np.maximum(profile.sum(axis=-1, keepdims=True), 1)
    return np.asarray(profile @ _BASIS, np.float64)


def chord_histogram_entropy(frames: Frames) -> float:
    """CHE: entropy in nats of the chords of the piece, weighted by their frames."""
    return chord_entropy(frames)


def chord_coverage(frames: Frames) -> float:
    """CC: number of different chords that sound."""
    return float(len(np.unique(frames.chord[frames.chord != SILENT])))


def chord_tonal_distance(frames: Frames) -> float:
    """CTD: mean tonal distance between neighbouring chords; a chord struck again adds a distance of 0."""
    masks = _mask_table(frames)[chord_events(frames)[2]]
    steps = np.diff(tonal_centroid(masks), axis=0)
    return ratio(np.linalg.norm(steps, axis=1).sum(), len(steps))


def chord_tone_ratio(frames: Frames) -> float:
    """CTnCTR: (chord tones + proper non-chord tones) / (chord tones + non-chord tones).

    A note belongs to the chord at its onset; a non-chord tone is proper when the next note is at most two
    semitones away. Notes without a chord are left out, as a note to judge (they may still follow one).
    """
    start, _, pitch = note_events(frames)
    inside, valid = inside_chord(pitch, chord_masks(frames)[start])
    near = np.zeros(len(pitch), np.bool_)
    near[:-1] = np.abs(np.diff(pitch)) <= 2
    return ratio((inside | (valid & near)).sum(), valid.sum())


def pitch_consonance(frames: Frames) -> float:
    """PCS: consonance of the melody with each chord tone, -1..1, averaged over chord tones, then over frames."""
    pitch, masks = _both_sounding(frames)
    tones = masks[:, None] >> np.arange(12) & 1
    score = tones * CONSONANCE[(pitch[:, None] - np.arange(12)) % 12]
    return ratio((score.sum(axis=1) / np.maximum(tones.sum(axis=1), 1)).sum(), len(pitch))


def melody_chord_distance(frames: Frames) -> float:
    """MCTD: tonal distance between the melody note and the chord, averaged over frames where both sound."""
    pitch, masks = _both_sounding(frames)
    gap = tonal_centroid(1 << pitch % 12) - tonal_centroid(masks)
    return ratio(np.linalg.norm(gap, axis=1).sum(), len(pitch))


# Name as in the paper -> measure, in its order.
SIX = {
    "CHE": chord_histogram_entropy,
    "CC": chord_coverage,
    "CTD": chord_tonal_distance,
    "CTnCTR": chord_tone_ratio,
    "PCS": pitch_consonance,
    "MCTD": melody_chord_distance,
}


def _mask_table(frames: Frames) -> NDArray[np.int64]:
    return np.array([chord.pitch_class_mask for chord in frames.chords] + [0], np.int64)


def _both_sounding(frames: Frames) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pitch and chord mask of the frames where note and chord sound."""
    masks = chord_masks(frames).astype(np.int64)
    keep = (frames.melody != SILENT) & (masks != 0)
    return frames.melody[keep].astype(np.int64), masks[keep]
