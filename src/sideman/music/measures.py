"""How well chords go with a melody, as numbers: one truth for rewards, evaluation and the scores of options.

Array functions take `melody` int [..., F] (MIDI pitch or -1) and `masks` uint16 [..., F] (pitch-class
set of the chord that sounds, 0 = none), with any leading batch axes. All others take one `Frames` or a
sequence of them; counts are then summed over the whole system before a ratio or entropy is formed.
A ratio without a single valid case is NaN. Entropies are in nats, lengths in frames (16th notes).

Chord-to-note onset interval, chord-length bins and silence follow Wu et al. (ReaLchords, 2024),
appendices A, C and K; repeated chords follow the repetition penalty of the published reward.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sideman.music.chord import Chord
from sideman.music.frames import SILENT, Frames
from sideman.music.metre import FRAMES_PER_BEAT

Pieces = Frames | Sequence[Frames]
Events = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

INTERVAL_BINS = 18  # intervals 0, 1, ..., 16 frames, and 17 or more
LENGTH_BINS = 34  # lengths 0, 1, ..., 32 frames, and 33 or more
LONG_FRAMES = 32  # a chord longer than 8 beats is long
RUN_LENGTH = 4  # more equal chords in a row than this are a repetition
_PLAIN_BAR_FRAMES = 16  # a frame whose bar is unknown counts as 4/4


# --- arrays ---------------------------------------------------------------------------------------


def inside_chord(
    melody: NDArray[np.integer], masks: NDArray[np.integer]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(inside, valid), bool [..., F] each: note and chord both sound; and the note is a tone of the chord."""
    valid = (melody != SILENT) & (masks != 0)
    inside = valid & (masks.astype(np.int64) >> (melody.astype(np.int64) % 12) & 1).astype(np.bool_)
    return inside, valid


def uncovered(melody: NDArray[np.integer], masks: NDArray[np.integer]) -> NDArray[np.bool_]:
    """bool [..., F]: the melody sounds and the chord part is silent."""
    return np.asarray((melody != SILENT) & (masks == 0), np.bool_)


def ratio(part: float, whole: float) -> float:
    """part / whole, NaN for an empty whole."""
    return float(part) / float(whole) if whole else float("nan")


def entropy(counts: NDArray[np.number]) -> float:
    """Shannon entropy in nats of a histogram of counts; NaN for an empty one."""
    total = counts.sum()
    if total == 0:
        return float("nan")
    share = counts[counts > 0] / total
    return float(-(share * np.log(share)).sum()) + 0.0


def earth_mover(counts: NDArray[np.number], reference: NDArray[np.number]) -> float:
    """Earth mover's distance of two histograms, each normalised, in bins (moving all mass one bin costs 1)."""
    if counts.sum() == 0 or reference.sum() == 0:
        return float("nan")
    return float(np.abs(np.cumsum(counts / counts.sum() - reference / reference.sum())).sum())


def height_distance(counts: NDArray[np.number], reference: NDArray[np.number]) -> float:
    """Earth mover's distance between the *heights* of two normalised histograms, blind to which bin is which.

    It is the mean gap of the sorted heights, times 1000. The size of the figures published for ReaLchords
    (10 to 17) fits this reading and not a distance along the bins, so it stands beside `earth_mover`.
    """
    if counts.sum() == 0 or reference.sum() == 0:
        return float("nan")
    gaps = np.sort(counts / counts.sum()) - np.sort(reference / reference.sum())
    return float(1000 * np.abs(gaps).mean())


# --- frames ---------------------------------------------------------------------------------------


def chord_masks(frames: Frames) -> NDArray[np.uint16]:
    """Pitch-class set of the chord of every frame, uint16 [F], 0 where none sounds."""
    table = np.array([chord.pitch_class_mask for chord in frames.chords] + [0], np.uint16)
    return np.take(table, frames.chord)  # SILENT is -1 and finds the last row


def note_events(frames: Frames) -> Events:
    """(first frame, one past the last, pitch) of every note."""
    return _events(frames.melody, frames.melody_onset)


def chord_events(frames: Frames) -> Events:
    """(first frame, one past the last, index into `chords`) of every chord."""
    return _events(frames.chord, frames.chord_onset)


def bar_starts(frames: Frames) -> list[int]:
    """First frames of all bars, frame 0 (a pickup or a cut bar) among them; bars of unknown metre are 4/4."""
    if not len(frames):
        return []
    position = frames.form[:, 0]
    known = (position == 1) & (frames.form[:, 1] > 1)
    unknown = (position == 0) & (np.arange(len(frames)) % _PLAIN_BAR_FRAMES == 0)
    return sorted({0, *np.flatnonzero(known | unknown).tolist()})


def bar_count(frames: Frames) -> float:
    """Number of bars, fractional where a bar is cut; frames of unknown metre count as 4/4."""
    length = frames.form[:, 1].astype(np.int64) - 1
    return float((1 / np.where(length > 0, length, _PLAIN_BAR_FRAMES)).sum())


# --- harmony and silence --------------------------------------------------------------------------


def note_in_chord(pieces: Pieces) -> float:
    """Share of the frames in which note and chord sound whose note is a tone of the chord (not of its bass)."""
    return ratio(*note_in_chord_counts(pieces))


def note_in_chord_counts(pieces: Pieces) -> tuple[int, int]:
    """(frames with a chord tone, frames where both sound)."""
    correct = valid = 0
    for frames in _each(pieces):
        inside, both = inside_chord(frames.melody, chord_masks(frames))
        correct, valid = correct + int(inside.sum()), valid + int(both.sum())
    return correct, valid


def note_in_chord_per_beat(pieces: Pieces, beats: int = 64) -> NDArray[np.float64]:
    """`note_in_chord` of each of the first `beats` beats over all pieces, float [beats]; NaN where none is valid."""
    inside, valid = beat_counts(pieces, beats).sum(axis=0)
    share = np.full(beats, np.nan)
    np.divide(inside, valid, out=share, where=valid > 0)
    return share


def beat_counts(pieces: Pieces, beats: int = 64) -> NDArray[np.int64]:
    """`note_in_chord_counts` of each beat of each piece, int [P, 2, beats]."""
    counts = np.zeros((len(_each(pieces)), 2, beats), np.int64)
    for row, frames in zip(counts, _each(pieces), strict=True):
        row[:] = [_per_beat(flags, beats) for flags in inside_chord(frames.melody, chord_masks(frames))]
    return counts


def silence(pieces: Pieces) -> float:
    """Share of the frames with a sounding melody in which no chord sounds."""
    silent = sounding = 0
    for frames in _each(pieces):
        silent += int(uncovered(frames.melody, chord_masks(frames)).sum())
        sounding += int((frames.melody != SILENT).sum())
    return ratio(silent, sounding)


def overall_silence(pieces: Pieces) -> float:
    """Share of all frames in which no chord sounds, whatever the melody does."""
    silent = sum(int((frames.chord == SILENT).sum()) for frames in _each(pieces))
    return ratio(silent, sum(len(frames) for frames in _each(pieces)))


# --- rhythm ---------------------------------------------------------------------------------------


def onset_intervals(frames: Frames) -> NDArray[np.int64]:
    """Frames from each chord onset back to the nearest note onset at or before it.

    A chord that starts before the first note has no such note and is left out.
    """
    notes, chords = note_events(frames)[0], chord_events(frames)[0]
    before = np.searchsorted(notes, chords, side="right") - 1
    return chords[before >= 0] - notes[before[before >= 0]]


def interval_counts(pieces: Pieces) -> NDArray[np.int64]:
    """Histogram of `onset_intervals`, int [INTERVAL_BINS]; the last bin takes everything longer."""
    return _histogram([onset_intervals(frames) for frames in _each(pieces)], INTERVAL_BINS)


def length_counts(pieces: Pieces) -> NDArray[np.int64]:
    """Histogram of chord lengths in frames, int [LENGTH_BINS]; the last bin takes everything longer."""
    return _histogram([_lengths(frames) for frames in _each(pieces)], LENGTH_BINS)


def onset_position_counts(pieces: Pieces, bar_frames: int = 16) -> NDArray[np.int64]:
    """Chord onsets by frame in the bar, int [bar_frames], over the bars whose metre has that length."""
    counts = np.zeros(bar_frames, np.int64)
    for frames in _each(pieces):
        place = frames.form[chord_events(frames)[0]].astype(np.int64)
        place = place[(place[:, 1] == bar_frames + 1) & (place[:, 0] <= bar_frames), 0]
        counts += np.bincount(place - 1, minlength=bar_frames)
    return counts


def onset_distance(pieces: Pieces, reference: Pieces) -> float:
    """Earth mover's distance, in frames, between the chord-to-note onset intervals of two systems."""
    return earth_mover(interval_counts(pieces), interval_counts(reference))


def length_entropy(pieces: Pieces) -> float:
    """Entropy in nats of the chord-length histogram."""
    return entropy(length_counts(pieces))


def long_chords(pieces: Pieces) -> float:
    """Share of chords that last longer than 8 beats."""
    lengths = [_lengths(frames) for frames in _each(pieces)]
    return ratio(sum(int((x > LONG_FRAMES).sum()) for x in lengths), sum(len(x) for x in lengths))


def repetition(pieces: Pieces) -> float:
    """Share of chords that stand in a run of more than four equal chords struck one after the other.

    Silence between two chords does not end a run.
    """
    repeated = sum(int(repeated_runs(frames).sum()) for frames in _each(pieces))
    return ratio(repeated, sum(len(chord_events(frames)[2]) for frames in _each(pieces)))


def repeated_runs(frames: Frames) -> NDArray[np.int64]:
    """Lengths, in chords, of the runs of more than four equal chords struck one after the other."""
    runs = run_lengths(chord_events(frames)[2])
    return runs[runs > RUN_LENGTH]


def run_lengths(values: NDArray[np.integer]) -> NDArray[np.int64]:
    """How long each run of equal values is, in order."""
    edges = np.flatnonzero(values[1:] != values[:-1]) + 1
    return np.diff(np.concatenate([[0], edges, [len(values)]])) if len(values) else np.zeros(0, np.int64)


def chord_density(pieces: Pieces) -> float:
    """Chord changes a bar: chords that differ from the chord before them (the first one counts)."""
    changes, bars = 0, 0.0
    for frames in _each(pieces):
        changes += int((np.diff(chord_events(frames)[2], prepend=-1) != 0).sum())
        bars += bar_count(frames)
    return ratio(changes, bars)


# --- what the chords are --------------------------------------------------------------------------


def pitch_classes_per_chord(pieces: Pieces) -> float:
    """Mean number of pitch classes over all chords struck."""
    tones = chords = 0
    for frames in _each(pieces):
        sizes = np.array([chord.mask.bit_count() for chord in frames.chords] + [0])
        index = chord_events(frames)[2]
        tones, chords = tones + int(sizes[index].sum()), chords + len(index)
    return ratio(tones, chords)


def chord_counts(pieces: Pieces) -> Counter[Chord]:
    """Frames under each chord."""
    counts: Counter[Chord] = Counter()
    for frames in _each(pieces):
        number = np.bincount(frames.chord[frames.chord != SILENT], minlength=len(frames.chords))
        counts.update({chord: int(n) for chord, n in zip(frames.chords, number, strict=True) if n})
    return counts


def chord_entropy(pieces: Pieces) -> float:
    """Entropy in nats of the chords, weighted by the frames under each."""
    return entropy(np.array(list(chord_counts(pieces).values()), np.int64))


def chord_evenness(pieces: Pieces) -> float:
    """`chord_entropy` as a share of what it were if all chords in use were equally frequent; NaN for a single chord."""
    used = len(chord_counts(pieces))
    return ratio(chord_entropy(pieces), np.log(used)) if used else float("nan")


def vendi(embeddings: NDArray[np.floating]) -> float:
    """Vendi score (Friedman and Dieng, 2023) of unit vectors [n, D]: exp of the entropy of the eigenvalues of XXᵀ/n.

    The effective number of different ones: 1 if all are equal, n if all are at right angles. NaN without any.
    """
    n, width = embeddings.shape
    if not n:
        return float("nan")
    x = embeddings.astype(np.float64)
    values = np.linalg.eigvalsh((x @ x.T if n <= width else x.T @ x) / n)  # both have the same above zero
    return float(np.exp(entropy(values.clip(min=0.0))))


def _each(pieces: Pieces) -> Sequence[Frames]:
    return [pieces] if isinstance(pieces, Frames) else pieces


def _lengths(frames: Frames) -> NDArray[np.int64]:
    start, stop, _ = chord_events(frames)
    return stop - start


def _events(values: NDArray[np.int16], onsets: NDArray[np.bool_]) -> Events:
    """Runs of a state without the silent ones; a state held from before the first frame starts there."""
    if not len(values):
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, nothing
    changed = np.flatnonzero(onsets[1:] | (values[1:] != values[:-1])) + 1
    edges = np.concatenate([[0], changed, [len(values)]]).astype(np.int64)
    start, stop = edges[:-1], edges[1:]
    value = values[start].astype(np.int64)
    keep = value != SILENT
    return start[keep], stop[keep], value[keep]


def _histogram(values: list[NDArray[np.int64]], bins: int) -> NDArray[np.int64]:
    joined = np.concatenate([np.zeros(0, np.int64), *values])
    return np.bincount(np.minimum(joined, bins - 1), minlength=bins)


def _per_beat(flags: NDArray[np.bool_], beats: int) -> NDArray[np.int64]:
    padded = np.zeros(beats * FRAMES_PER_BEAT, np.int64)
    padded[: len(flags)] = flags[: len(padded)]
    return np.add.reduceat(padded, np.arange(0, len(padded), FRAMES_PER_BEAT))
