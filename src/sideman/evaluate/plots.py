"""Pictures of a comparison: harmony over time, measures next to ground truth, and three histograms.

Each function draws into a file; ground truth is the result called `truth`, dark and dashed. PNG.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sideman.evaluate.columns import COLUMNS
from sideman.evaluate.figure import GREY, INK, TRUTH, colours, figure, legend, line_styles
from sideman.evaluate.table import Result
from sideman.music import measures
from sideman.music.frames import Frames
from sideman.music.metre import FRAMES_PER_BEAT

_SHOWN = ("harmony", "silence", "onset_emd", "length_entropy", "density", "repetition", "pitch_classes",
    "chord_entropy", "CTD", "CTnCTR", "PCS", "MCTD")  # fmt: skip


def plot_harmony(results: Sequence[Result], path: Path, beats: int = 64) -> None:
    """Note in chord of each beat from the start of the pieces; beats in which nothing is valid are gaps."""
    with figure(path, 8.5, 3.6) as drawn:
        axes = drawn.subplots()
        for result, style in zip(results, line_styles([result.name for result in results]), strict=True):
            curve = 100 * measures.note_in_chord_per_beat(result.pieces, beats)
            axes.plot(np.arange(1, beats + 1), curve, label=result.name, **style)
        axes.set_xlim(1, beats)
        axes.set_ylim(0, 100)
        axes.set_xlabel("beat (quarter note)")
        axes.set_ylabel("note in chord (%)")
        legend(axes, "Harmony over time")


def plot_measures(results: Sequence[Result], path: Path) -> None:
    """A panel a measure: a bar a system with its spread over seeds, ground truth as a dashed line."""
    others = [result for result in results if result.name != TRUTH]
    truth = next((result for result in results if result.name == TRUTH), None)
    columns = [column for name in _SHOWN for column in COLUMNS if column.name == name]
    rows = -(-len(columns) // 4)
    with figure(path, 12, rows * (0.85 + 0.24 * max(len(others), 1))) as drawn:
        panels = drawn.subplots(rows, 4, squeeze=False).ravel()
        for number, (axes, column) in enumerate(zip(panels, columns, strict=False)):
            mean = np.nan_to_num([result.mean(column.name) * column.scale for result in others])
            spread = np.nan_to_num([result.spread(column.name) * column.scale for result in others])
            shades = [colours([result.name for result in results])[r.name] for r in others]
            axes.barh(np.arange(len(others)), mean, xerr=spread, color=shades, height=0.68, alpha=0.9,
                error_kw={"ecolor": INK, "elinewidth": 1})  # fmt: skip
            if truth is not None:
                axes.axvline(truth.mean(column.name) * column.scale, color=INK, ls="--", lw=1.2)
            axes.set_yticks(np.arange(len(others)), [r.name for r in others] if number % 4 == 0 else [])
            axes.invert_yaxis()
            axes.tick_params(axis="y", length=0)
            axes.locator_params(axis="x", nbins=5)
            if (mean >= 0).all():
                # A mean of zeros may be 1e-17, which is no scale to draw.
                axes.set_xlim(left=0, right=None if axes.get_xlim()[1] > 1e-9 else 1)
            axes.grid(axis="y", visible=False)
            axes.set_title(column.heading, fontsize=9, fontweight="normal")
        for axes in panels[len(columns) :]:
            axes.set_visible(False)
        notes = ["dashed: ground truth"] if truth is not None else []
        if any(len(result.runs) > 1 for result in others):
            notes.append("bar ends: ± one standard deviation over seeds")
        drawn.supxlabel("   ·   ".join(notes), fontsize=8, color=GREY)


def plot_chord_lengths(results: Sequence[Result], path: Path) -> None:
    """Share of chords by length."""
    ticks = np.arange(0, measures.LENGTH_BINS, FRAMES_PER_BEAT)
    labels = [f"{tick // FRAMES_PER_BEAT}" for tick in ticks]
    _plot_histogram(results, path, measures.length_counts, "Chord lengths",
        "chord length (quarter-note beats; the last bin holds all longer ones)", "share of chords (%)",
        (ticks, labels))  # fmt: skip


def plot_onset_intervals(results: Sequence[Result], path: Path) -> None:
    """Share of chords by the time since the nearest note onset at or before theirs."""
    ticks = np.arange(0, measures.INTERVAL_BINS)
    labels = [*map(str, ticks[:-1].tolist()), f"≥{ticks[-1]}"]
    _plot_histogram(results, path, measures.interval_counts, "From note onset to chord onset",
        "frames (16th notes) since the last note onset", "share of chords (%)", (ticks, labels))  # fmt: skip


def plot_onset_positions(results: Sequence[Result], path: Path) -> None:
    """Share of chord onsets by their place in bars of four quarter notes."""
    ticks = np.arange(0, 16, FRAMES_PER_BEAT)
    _plot_histogram(results, path, measures.onset_position_counts, "Where chords start",
        "beat of a bar of four quarter notes (steps of a 16th)", "share of chord onsets (%)",
        (ticks, [f"{tick // FRAMES_PER_BEAT + 1}" for tick in ticks]))  # fmt: skip


def _plot_histogram(
    results: Sequence[Result],
    path: Path,
    counts: Callable[[Sequence[Frames]], NDArray[np.int64]],
    title: str,
    across: str,
    up: str,
    ticks: tuple[NDArray[np.int64], list[str]],
) -> None:
    """Ground truth as filled bars, every system as marks joined by a line."""
    with figure(path, 8.5, 3.4) as drawn:
        axes = drawn.subplots()
        for result, style in zip(results, line_styles([result.name for result in results]), strict=True):
            found = counts(result.pieces)
            share = 100 * found / max(int(found.sum()), 1)
            if result.name == TRUTH:
                axes.bar(np.arange(len(share)), share, color="#c9cfdb", width=0.8, label=result.name, zorder=1)
            else:
                axes.plot(np.arange(len(share)), share, marker="o", ms=3.5, label=result.name, **style)
        axes.set_xticks(*ticks)
        axes.set_ylim(bottom=0)
        axes.grid(axis="x", visible=False)
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        legend(axes, title)
