"""Systems side by side: every measure as mean and spread over seeds, as Markdown and as JSON."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sideman.evaluate.baselines import without_chords
from sideman.evaluate.columns import COLUMNS, Column, mean_present
from sideman.evaluate.systems import System
from sideman.music.frames import Frames


@dataclass(frozen=True)
class Result:
    """What one system did: `runs[seed][piece]`, and `values[name of a column]`, one number a run."""

    name: str
    runs: list[list[Frames]]
    values: dict[str, list[float]]
    columns: tuple[Column, ...] = COLUMNS

    @property
    def pieces(self) -> list[Frames]:
        """All pieces of all runs."""
        return [frames for run in self.runs for frames in run]

    def mean(self, column: str) -> float:
        """NaN where the measure has no case, or was not taken of this system."""
        return mean_present(self.values.get(column, []))

    def spread(self, column: str) -> float:
        """Standard deviation over runs (n - 1 below); 0 for a single run."""
        present = [value for value in self.values.get(column, []) if not math.isnan(value)]
        return float(np.std(present, ddof=1)) if len(present) > 1 else 0.0


def evaluate(system: System, truth: Sequence[Frames], seeds: int = 3, columns: tuple[Column, ...] = COLUMNS) -> Result:
    """Run `system` on the melodies of `truth` with seeds 0..`seeds`-1 (once, where the seed changes nothing)."""
    melodies = [without_chords(frames) for frames in truth]
    runs = system.harmonise(melodies, range(seeds if system.seeded else 1))
    return measure(system.name, runs, truth, columns)


def measure(
    name: str, runs: list[list[Frames]], truth: Sequence[Frames], columns: tuple[Column, ...] = COLUMNS
) -> Result:
    """Every measure of every run. Raises ValueError where a run does not answer the pieces of `truth`."""
    for run in runs:
        if [len(frames) for frames in run] != [len(frames) for frames in truth]:
            raise ValueError(f"{name} answered with other pieces than it was asked for")
    values = {column.name: [column.value(run, truth) for run in runs] for column in columns}
    return Result(name, runs, values, columns)


def part(result: Result, truth: Sequence[Frames], keep: Sequence[int]) -> Result:
    """The result on the pieces numbered in `keep` alone."""
    runs = [[run[i] for i in keep] for run in result.runs]
    return measure(result.name, runs, [truth[i] for i in keep], result.columns)


def columns_of(results: Sequence[Result]) -> list[Column]:
    """All measures taken of any of the systems, in order."""
    return list({column.name: column for result in results for column in result.columns}.values())


def to_markdown(results: Sequence[Result]) -> str:
    """One row a measure, one column a system; `mean ± standard deviation` where there were several runs."""
    lines = [
        "| measure | " + " | ".join(result.name for result in results) + " |",
        "| :-- |" + " --: |" * len(results),
    ]
    rows = ([column.heading, *(cell(result, column) for result in results)] for column in columns_of(results))
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def to_json(results: Sequence[Result]) -> dict[str, dict[str, dict[str, object]]]:
    """{system: {measure: {mean, spread, values}}}, unscaled (shares are 0..1); null where there is no value."""
    return {
        result.name: {
            column.name: {
                "mean": _null(result.mean(column.name)),
                "spread": _null(result.spread(column.name)),
                "values": [_null(value) for value in result.values[column.name]],
            }
            for column in result.columns
        }
        for result in results
    }


def cell(result: Result, column: Column) -> str:
    """A value as it is printed, scaled; `-` where there is none."""
    mean = result.mean(column.name) * column.scale
    if math.isnan(mean):
        return "-"
    text = f"{mean:.{column.digits}f}"
    if len(result.runs) > 1:
        text += f" ± {result.spread(column.name) * column.scale:.{column.digits}f}"
    return text


def _null(value: float) -> float | None:
    return None if math.isnan(value) else value
