"""How pictures of an evaluation look: one style, one colour a system, ground truth dark and dashed. PNG."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sideman.errors import MissingExtra
from sideman.files import write_atomic

TRUTH = "truth"
INK, GREY, RULE = "#1f2430", "#767d8c", "#e4e7ed"
# Told apart by people who see fewer colours, too.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#8c6d31")
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif", "font.size": 9, "text.color": INK, "axes.labelcolor": GREY, "axes.edgecolor": RULE,
    "xtick.color": GREY, "ytick.color": GREY, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": RULE, "grid.linewidth": 0.7, "axes.axisbelow": True,
    "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left", "legend.frameon": False,
}  # fmt: skip


def colours(names: Sequence[str]) -> dict[str, str]:
    """The colour of every system; ground truth is INK."""
    others = [name for name in names if name != TRUTH]
    return {TRUTH: INK} | {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(others)}


def markers(names: Sequence[str]) -> dict[str, str]:
    """The dot of every system: a star for ground truth, other shapes where colours come again."""
    others = [name for name in names if name != TRUTH]
    return {TRUTH: "*"} | {name: "os^"[i // len(PALETTE) % 3] for i, name in enumerate(others)}


def line_styles(names: Sequence[str]) -> list[dict[str, Any]]:
    """How the line of each system is drawn; where colours come again, lines are broken."""
    shade = colours(names)
    others = [name for name in names if name != TRUTH]
    broken = {name: ("-", "-.", ":")[i // len(PALETTE) % 3] for i, name in enumerate(others)}
    return [
        {"color": INK, "ls": "--", "lw": 1.4}
        if name == TRUTH
        else {"color": shade[name], "ls": broken[name], "lw": 1.7, "zorder": 3}
        for name in names
    ]


def legend(axes: Any, title: str) -> None:
    """The title, and below it the names in rows of six."""
    rows = -(-len(axes.get_legend_handles_labels()[1]) // 6)
    axes.set_title(title, pad=8 + 14 * rows)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=6, borderaxespad=0.2, handlelength=1.6, fontsize=8.5)


@contextmanager
def figure(path: Path, width: float, height: float) -> Iterator[Any]:
    """A figure that is written to `path` at the end. Raises MissingExtra."""
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("Drawing plots", "train") from None
    with matplotlib.rc_context(STYLE):
        drawn = Figure(figsize=(width, height), dpi=140, facecolor="white", layout="constrained")
        FigureCanvasAgg(drawn)
        yield drawn
        stream = io.BytesIO()
        drawn.savefig(stream, format="png")
    write_atomic(path, stream.getvalue())
