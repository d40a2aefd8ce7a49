"""Pictures of variety: harmony against the Vendi score, and a map of whole chord sequences."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sideman.evaluate.figure import GREY, INK, TRUTH, colours, figure, markers
from sideman.evaluate.table import Result
from sideman.evaluate.tsne import tsne

if TYPE_CHECKING:  # brings torch
    from sideman.evaluate.judging import Judge

PALE = "#d8dce4"
MOST_POINTS = 1200
MOST_NAMED = 6  # systems whose names stand beside their dots


def plot_tradeoff(results: Sequence[Result], path: Path) -> None:
    """Note in chord against the Vendi score: small dots are seeds, large ones means, dashed lines ground truth."""
    names = [result.name for result in results]
    shade, shape = colours(names), markers(names)
    named_beside = len(results) <= MOST_NAMED
    with figure(path, 7.2 if named_beside else 9.6, 4.8) as drawn:
        axes = drawn.subplots()
        for result in results:
            x, y = result.mean("vendi"), 100 * result.mean("harmony")
            colour = shade[result.name]
            if result.name == TRUTH:
                axes.axvline(x, color=INK, ls="--", lw=1)
                axes.axhline(y, color=INK, ls="--", lw=1)
            else:
                axes.scatter(result.values["vendi"], 100 * np.array(result.values["harmony"]), s=10, color=colour,
                    alpha=0.5, lw=0)  # fmt: skip
            axes.scatter([x], [y], s=90, color=colour, marker=shape[result.name], zorder=3, edgecolors="white",
                linewidths=1, label=result.name)  # fmt: skip
            if named_beside:
                axes.annotate(result.name, (x, y), xytext=(8, 5), textcoords="offset points", color=colour,
                    fontsize=9.5, fontweight="bold")  # fmt: skip
        if not named_beside:  # names side by side would hide each other
            axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8.5)
        axes.margins(x=0.16, y=0.14)
        axes.set_title("Harmony and variety")
        axes.set_xlabel("Vendi score (effective number of different chord sequences)")
        axes.set_ylabel("note in chord (%)")


def plot_map(results: Sequence[Result], encoder: "Judge", path: Path) -> None:
    """A panel a system: its chord sequences (first run) in colour, those of all the others pale. By t-SNE."""
    vectors = [encoder.embed(result.runs[0]) for result in results]
    step = max(1, -(-sum(map(len, vectors)) // MOST_POINTS))
    vectors = [found[::step] for found in vectors]
    places = tsne(np.concatenate(vectors))
    owner = np.repeat(np.arange(len(vectors)), [len(found) for found in vectors])
    shade = colours([result.name for result in results])
    down = -(-len(results) // 4)
    across = -(-len(results) // down)
    with figure(path, 2.9 * across, 2.9 * down + 0.5) as drawn:
        panels = drawn.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
        for number, (axes, result) in enumerate(zip(panels, results, strict=False)):
            mine = owner == number
            axes.scatter(*places[~mine].T, s=5, color=PALE, lw=0)
            axes.scatter(*places[mine].T, s=9, color=shade[result.name], alpha=0.75, lw=0)
            axes.set_title(result.name, fontsize=10, color=shade[result.name])
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_box_aspect(1)
            axes.grid(visible=False)
        for axes in panels[len(results) :]:
            axes.set_visible(False)
        drawn.supxlabel(f"t-SNE of the chord embeddings of {encoder.name}: each dot is a piece, near dots are "
            "chords it finds alike", fontsize=8, color=GREY)  # fmt: skip
