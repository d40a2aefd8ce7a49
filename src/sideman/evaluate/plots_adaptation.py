"""The picture of systems that follow a melody into another key."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sideman.evaluate.adaptation import BEATS, Adaptation
from sideman.evaluate.figure import GREY, INK, colours, figure, legend, line_styles

BEFORE, AFTER = 12, 48  # beats shown around the turns


def plot_adaptation(adaptations: Sequence[Adaptation], path: Path) -> None:
    """Note in chord by beat, three beats pooled; pale: the same melody without the turn; a dot where 90 % is back."""
    names = [one.name for one in adaptations]
    turns = [found.turn for found in adaptations[0].recoveries]
    first, last = max(0, turns[0].beat - BEFORE), min(BEATS, turns[-1].beat + AFTER)
    beats = np.arange(BEATS)
    with figure(path, 9.5, 4.2) as drawn:
        axes = drawn.subplots()
        for one, style in zip(adaptations, line_styles(names), strict=True):
            turned = 100 * pooled(one.turned, [turn.beat for turn in turns])
            axes.plot(beats, 100 * pooled(one.plain, []), color=style["color"], lw=0.9, alpha=0.4, ls=":")
            axes.plot(beats, turned, label=one.name, **style)
            for found in one.recoveries:
                if np.isfinite(found.beats) and one.name != "truth":
                    at = found.turn.beat + int(found.beats)
                    axes.plot(at, turned[at], "o", ms=7, color=colours(names)[one.name], mec="white", mew=1.4, zorder=5)
        for turn in turns:
            axes.axvline(turn.beat, color=INK, lw=1, zorder=1)
            axes.annotate(f"{turn.step:+d} semitones", (turn.beat, 100), xytext=(4, -3), textcoords="offset points",
                va="top", fontsize=8, color=INK)  # fmt: skip
        axes.set_xlim(first, last - 1)
        axes.set_ylim(0, 100)
        axes.set_xticks(np.arange(first, last, 4))
        axes.set_xlabel("beat (quarter note, from 0)")
        axes.set_ylabel("note in chord (%)")
        legend(axes, "Following a turn")
        drawn.supxlabel("dotted: the melody without the turn   ·   dot: 90 % of that is back", fontsize=8, color=GREY)


def pooled(counts: NDArray[np.int64], turns: Sequence[int]) -> NDArray[np.float64]:
    """Share by beat over itself and its two neighbours on the same side of every turn, [64]."""
    inside, valid = counts.sum(axis=0)
    out = np.full(len(valid), np.nan)
    edges = [0, *turns, len(valid)]
    for start, stop in pairwise(edges):
        for beat in range(start, stop):
            near = slice(max(start, beat - 1), min(stop, beat + 2))
            if valid[near].any():
                out[beat] = inside[near].sum() / valid[near].sum()
    return out
