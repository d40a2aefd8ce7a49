"""How training runs went: the figures of `log.jsonl` over their steps."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sideman.errors import UnreadableFile
from sideman.evaluate.figure import GREY, PALETTE, figure

# Title of a panel, the figure of the training examples (or rollouts), the one of validation, and what people reach.
PANELS = (
    ("loss", "loss", "valid_loss", None),
    ("note in chord", "note_in_chord", "valid_note_in_chord", "truth_note_in_chord"),
    ("reward of a rollout", "reward", None, None),
    ("KL from the anchor (nats an action)", "kl", None, None),
    ("entropy (nats an action)", "entropy", None, None),
    ("silence under the melody", "silence", "valid_silence", None),
    ("chord-length entropy (nats)", None, "valid_length_entropy", "truth_length_entropy"),
    ("tones of a chord", None, "valid_pitch_classes", "truth_pitch_classes"),
    ("own chords among the nearest 10", None, "recall_at_10", None),
    ("pairs told rightly", None, "accuracy", None),
)
SMOOTH = 0.9  # of the thin lines: each point keeps so much of the smoothed value before it


@dataclass(frozen=True)
class Run:
    """The figures of a run: name -> (steps, values)."""

    name: str
    figures: dict[str, tuple[list[int], list[float]]]


def read_run(path: Path) -> Run:
    """The log of a run's folder, or a log file. A line cut off by a kill is left out. Raises UnreadableFile."""
    log = path / "log.jsonl" if path.is_dir() else path
    try:
        lines = log.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(f"{log} is not the log of a run: {error}.", "Name the folder of a training run.") from None
    figures: dict[str, tuple[list[int], list[float]]] = {}
    for line in lines:
        try:
            row = json.loads(line)
            step = int(row["step"])
        except (ValueError, KeyError, TypeError):
            continue
        for name, value in row.items():
            if name != "step" and isinstance(value, int | float):
                steps, values = figures.setdefault(name, ([], []))
                steps.append(step)
                values.append(float(value))
    if not figures:
        raise UnreadableFile(f"{log} holds no figures.", "Name the folder of a training run.")
    return Run(path.parent.name if log == path else path.name, figures)


def plot_curves(runs: Sequence[Run], path: Path) -> bool:
    """A panel a figure, a colour a run; thin: training (smoothed), thick: validation, dashed: people. False where no
    run has a figure that is drawn."""
    shown = [panel for panel in PANELS if any(name in run.figures for run in runs for name in panel[1:3] if name)]
    if not shown:
        return False
    across = min(3, len(shown))
    down = -(-len(shown) // across)
    with figure(path, 4.1 * across, 2.5 * down + 0.5) as drawn:
        panels = drawn.subplots(down, across, squeeze=False).ravel()
        for axes, panel in zip(panels, shown, strict=False):
            _draw(axes, panel, runs)
        for axes in panels[len(shown) :]:
            axes.set_visible(False)
        for run, colour in zip(runs, PALETTE, strict=False):
            panels[0].plot([], [], color=colour, lw=2, label=run.name)
        drawn.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=5)
        drawn.supxlabel(
            "optimiser step   ·   thin: training, thick: validation, dashed: the data", fontsize=8, color=GREY
        )
    return True


def _draw(axes: Any, panel: tuple[str, str | None, str | None, str | None], runs: Sequence[Run]) -> None:
    title, training, validation, people = panel
    axes.set_title(title, fontsize=9, fontweight="normal")
    for number, run in enumerate(runs):
        colour = PALETTE[number % len(PALETTE)]
        if training in run.figures:
            steps, values = run.figures[training]
            axes.plot(steps, values, color=colour, lw=0.6, alpha=0.35)
            axes.plot(steps, smoothed(values), color=colour, lw=1.0)
        if validation in run.figures:
            axes.plot(*run.figures[validation], color=colour, lw=1.9, marker="o", ms=3)
        if people in run.figures:
            axes.axhline(run.figures[people][1][-1], color=GREY, ls="--", lw=1)


def smoothed(values: Sequence[float]) -> list[float]:
    """Each value with a share of those before it; begins at the first without a lag."""
    out: list[float] = []
    total = weight = 0.0
    for value in values:
        total, weight = SMOOTH * total + value, SMOOTH * weight + 1
        out.append(total / weight)
    return out
