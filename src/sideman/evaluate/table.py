"""Systems side by side: every measure as mean and spread over seeds, as Markdown and as JSON."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sideman.evaluate.baselines import without_chords
from sideman.evaluate.systems import System
from sideman.music import harmonisation, measures
from sideman.music.frames import Frames

Value = Callable[[Sequence[Frames], Sequence[Frames]], float]


@dataclass(frozen=True, slots=True)
class Column:
    """One measure of a system: `value(its pieces, ground truth)`, printed with `digits` after `scale`.

    `better` is +1 where more is better, -1 where less is, 0 where closeness to ground truth is.
    """

    name: str
    title: str
    unit: str
    value: Value
    scale: float = 1.0
    digits: int = 2
    better: int = 0


@dataclass(frozen=True)
class Result:
    """What one system did: `values[column]` one number a seed; `pieces` of the first seed, for plots."""

    name: str
    values: dict[str, list[float]]
    pieces: list[Frames]

    def mean(self, column: str) -> float:
        return _mean(self.values[column])

    def spread(self, column: str) -> float:
        """Standard deviation over seeds (n - 1 below); 0 for a single value."""
        values = self.values[column]
        return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _alone(measure: Callable[[Sequence[Frames]], float]) -> Value:
    return lambda pieces, _: measure(pieces)


def _per_piece(measure: Callable[[Frames], float]) -> Value:
    """Mean over the pieces for which the measure has a value."""
    return lambda pieces, _: _mean([measure(frames) for frames in pieces])


def _height_distance(pieces: Sequence[Frames], truth: Sequence[Frames]) -> float:
    return measures.height_distance(measures.interval_counts(pieces), measures.interval_counts(truth))


COLUMNS = (
    Column("harmony", "note in chord", "%", _alone(measures.note_in_chord), 100, 1, 1),
    Column("silence", "silence under melody", "%", _alone(measures.silence), 100, 1, -1),
    Column("overall_silence", "silence overall", "%", _alone(measures.overall_silence), 100, 1),
    Column("onset_emd", "onset-interval EMD", "frames", measures.onset_distance, 1, 3, -1),
    Column("onset_heights", "onset-interval EMD of heights", "×10⁻³", _height_distance, 1, 1, -1),
    Column("length_entropy", "chord-length entropy", "nats", _alone(measures.length_entropy), 1, 2),
    Column("long_chords", "chords over 8 beats", "%", _alone(measures.long_chords), 100, 1),
    Column("repetition", "chords in repeats", "%", _alone(measures.repetition), 100, 1),
    Column("density", "chord changes", "per bar", _alone(measures.chord_density), 1, 2),
    Column("pitch_classes", "pitch classes", "per chord", _alone(measures.pitch_classes_per_chord), 1, 2),
    Column("chord_entropy", "chord entropy", "nats", _alone(measures.chord_entropy), 1, 2),
    Column("CHE", "CHE", "nats", _per_piece(harmonisation.SIX["CHE"]), 1, 2),
    Column("CC", "CC", "chords", _per_piece(harmonisation.SIX["CC"]), 1, 1),
    Column("CTD", "CTD", "", _per_piece(harmonisation.SIX["CTD"]), 1, 3),
    Column("CTnCTR", "CTnCTR", "", _per_piece(harmonisation.SIX["CTnCTR"]), 1, 3, 1),
    Column("PCS", "PCS", "", _per_piece(harmonisation.SIX["PCS"]), 1, 3, 1),
    Column("MCTD", "MCTD", "", _per_piece(harmonisation.SIX["MCTD"]), 1, 3, -1),
)


def evaluate(system: System, truth: Sequence[Frames], seeds: int = 3) -> Result:
    """Run `system` on the melodies of `truth` with seeds 0..`seeds`-1 (once, where the seed changes nothing)."""
    melodies = [without_chords(frames) for frames in truth]
    values: dict[str, list[float]] = {column.name: [] for column in COLUMNS}
    first: list[Frames] = []
    for seed in range(seeds if system.seeded else 1):
        pieces = system.harmonise(melodies, seed)
        first = first or pieces
        for column in COLUMNS:
            values[column.name].append(column.value(pieces, truth))
    return Result(system.name, values, first)


def to_markdown(results: Sequence[Result]) -> str:
    """One row a measure, one column a system; `mean ± standard deviation` where there were several seeds."""
    lines = [
        "| measure | " + " | ".join(result.name for result in results) + " |",
        "| :-- |" + " --: |" * len(results),
    ]
    for column in COLUMNS:
        arrow = {1: " ↑", -1: " ↓", 0: ""}[column.better]
        title = column.title + (f" ({column.unit})" if column.unit else "") + arrow
        lines.append(f"| {title} | " + " | ".join(_cell(result, column) for result in results) + " |")
    return "\n".join(lines) + "\n"


def to_json(results: Sequence[Result]) -> dict[str, dict[str, dict[str, object]]]:
    """{system: {measure: {mean, spread, values}}}, unscaled; null where there is no value."""
    return {
        result.name: {
            column.name: {
                "mean": _null(result.mean(column.name)),
                "spread": _null(result.spread(column.name)),
                "values": [_null(value) for value in result.values[column.name]],
            }
            for column in COLUMNS
        }
        for result in results
    }


def _cell(result: Result, column: Column) -> str:
    mean = result.mean(column.name) * column.scale
    if math.isnan(mean):
        return "-"
    text = f"{mean:.{column.digits}f}"
    if len(result.values[column.name]) > 1:
        text += f" ± {result.spread(column.name) * column.scale:.{column.digits}f}"
    return text


def _null(value: float) -> float | None:
    return None if math.isnan(value) else value


def _mean(values: Sequence[float]) -> float:
    present = [value for value in values if not math.isnan(value)]
    return float(np.mean(present)) if present else float("nan")
