"""The measures a table shows: what each is called, its unit, how it is computed, and one sentence of meaning."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sideman.evaluate.agreement import root_match
from sideman.music import harmonisation, measures, penalties
from sideman.music.frames import Frames
from sideman.music.vocabulary import own_vocabulary

Value = Callable[[Sequence[Frames], Sequence[Frames]], float]


@dataclass(frozen=True, slots=True)
class Column:
    """One measure of a system: `value(its pieces, ground truth)`, printed with `digits` after `scale`.

    `better` is +1 where more is better, -1 where less is, 0 where closeness to ground truth is.
    """

    name: str
    title: str
    unit: str
    scale: float
    digits: int
    better: int
    value: Value
    meaning: str

    @property
    def heading(self) -> str:
        arrow = {1: " ↑", -1: " ↓", 0: ""}[self.better]
        return self.title + (f" ({self.unit})" if self.unit else "") + arrow


def mean_present(values: Sequence[float]) -> float:
    """Mean of the values that are numbers; NaN without any."""
    present = [value for value in values if not math.isnan(value)]
    return float(np.mean(present)) if present else float("nan")


def _alone(measure: Callable[[Sequence[Frames]], float]) -> Value:
    return lambda pieces, _: measure(pieces)


def _each(measure: Callable[[Frames], float]) -> Value:
    return lambda pieces, _: mean_present([float(measure(frames)) for frames in pieces])


def _mean(name: str) -> Value:
    return _each(harmonisation.SIX[name])


def _height_distance(pieces: Sequence[Frames], truth: Sequence[Frames]) -> float:
    return measures.height_distance(measures.interval_counts(pieces), measures.interval_counts(truth))


_ALL_CHORDS = own_vocabulary().chords


def _share_of_all(pieces: Sequence[Frames], _: Sequence[Frames]) -> float:
    return measures.chord_entropy(pieces) / math.log(_ALL_CHORDS)


COLUMNS = (
    Column("harmony", "note in chord", "%", 100, 1, 1, _alone(measures.note_in_chord),
        "frames whose melody note is a tone of the chord, of all frames in which both sound"),
    Column("root", "root of ground truth", "%", 100, 1, 1, root_match,
        "frames whose chord has the root of the chord in the data, of all frames in which both have one"),
    Column("silence", "silence under melody", "%", 100, 1, -1, _alone(measures.silence),
        "frames without a chord, of all frames in which the melody sounds"),
    Column("overall_silence", "silence overall", "%", 100, 1, 0, _alone(measures.overall_silence),
        "frames without a chord, of all frames"),
    Column("onset_emd", "onset-interval EMD", "frames", 1, 3, -1, measures.onset_distance,
        "earth mover's distance to ground truth of the time from the nearest earlier note onset to a chord onset"),
    Column("onset_heights", "onset-interval EMD of heights", "×10⁻³", 1, 1, -1, _height_distance,
        "the same between the heights of the two histograms, which is how large the published figures are"),
    Column("length_entropy", "chord-length entropy", "nats", 1, 2, 0, _alone(measures.length_entropy),
        "entropy of the chord lengths in frames: rhythmic variety"),
    Column("long_chords", "chords over 8 beats", "%", 100, 1, 0, _alone(measures.long_chords),
        "chords that last longer than 8 quarter notes, of all chords"),
    Column("repetition", "chords in repeats", "%", 100, 1, 0, _alone(measures.repetition),
        "chords that stand in a run of more than four equal ones, of all chords"),
    Column("density", "chord changes", "per bar", 1, 2, 0, _alone(measures.chord_density),
        "chords that differ from the one before them, for each bar"),
    Column("pitch_classes", "pitch classes", "per chord", 1, 2, 0, _alone(measures.pitch_classes_per_chord),
        "how many different tones a chord has: a guard against harmony bought with dense chords"),
    Column("chord_entropy", "chord entropy", "nats", 1, 2, 0, _alone(measures.chord_entropy),
        "entropy of the chords over all pieces together, by frames: harmonic variety of the system"),
    Column("chord_evenness", "evenness of chords", "%", 100, 1, 0, _alone(measures.chord_evenness),
        "chord entropy as a share of what it were if all the chords the system uses were equally frequent"),
    Column("chord_entropy_all", "chord entropy, of the most", "%", 100, 1, 0, _share_of_all,
        f"chord entropy as a share of ln {_ALL_CHORDS}, the entropy if all chords of our list were equally frequent"),
    Column("long_frames", "in long notes", "frames a piece", 1, 2, -1,
        _each(lambda frames: penalties.long_runs(frames).sum()),
        "frames in runs of 32 or more equal states (a held chord, or silence): the long-note penalty, unscaled"),
    Column("long_runs", "long notes", "a piece", 1, 2, -1, _each(lambda frames: len(penalties.long_runs(frames))),
        "such runs"),
    Column("repeated_chords", "repeated chords", "a piece", 1, 2, -1,
        _each(lambda frames: measures.repeated_runs(frames).sum()),
        "chords in runs of more than four equal ones: the repetition penalty, unscaled"),
    Column("repeated_runs", "repeats", "a piece", 1, 2, -1, _each(lambda frames: len(measures.repeated_runs(frames))),
        "such runs"),
    Column("too_silent", "pieces over 4 % silent", "%", 100, 1, -1, _each(penalties.too_silent),
        "pieces in which more than 4 % of the frames after the first eight have a note and no chord"),
    Column("stops_early", "early stops", "%", 100, 1, -1, _each(penalties.stops_early),
        "pieces whose chords fall silent for good 16 frames or more before the last note ends"),
    Column("CHE", "CHE", "nats", 1, 2, 0, _mean("CHE"), "chord histogram entropy: variety within a piece"),
    Column("CC", "CC", "chords", 1, 1, 0, _mean("CC"), "chord coverage: different chords in a piece"),
    Column("CTD", "CTD", "", 1, 3, 0, _mean("CTD"), "chord tonal distance between neighbouring chords"),
    Column("CTnCTR", "CTnCTR", "", 1, 3, 1, _mean("CTnCTR"),
        "notes that are chord tones or step to the next note, against chord tones and all others"),
    Column("PCS", "PCS", "", 1, 3, 1, _mean("PCS"), "pitch consonance of the melody with the chord tones, -1 to 1"),
    Column("MCTD", "MCTD", "", 1, 3, -1, _mean("MCTD"), "tonal distance between melody note and chord"),
)  # fmt: skip
