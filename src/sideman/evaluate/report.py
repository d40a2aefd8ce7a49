"""A comparison as a folder one can read: `report.md` with tables and pictures, and `table.json`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sideman import __version__
from sideman.evaluate import plots
from sideman.evaluate.columns import COLUMNS
from sideman.evaluate.pieces import Pieces
from sideman.evaluate.table import Result, part, to_json, to_markdown
from sideman.files import write_atomic
from sideman.formats.pianoroll import plot_pianoroll
from sideman.music.frames import decode
from sideman.music.measures import note_in_chord

EXAMPLES = 3


@dataclass(frozen=True)
class About:
    """What was measured: the split, how many seeds, where the pieces come from."""

    split: str
    seeds: int
    source: str


def write_report(folder: Path, results: Sequence[Result], pieces: Pieces, about: About) -> Path:
    """Write everything into `folder` and return the path of `report.md`. Raises MissingExtra, CannotWrite."""
    collections = list(dict.fromkeys(pieces.collections))
    tables = {"all": list(results)}
    if len(collections) > 1:
        for name in collections:
            tables[name] = [part(result, pieces.truth, pieces.of(name)) for result in results]
    for name, draw in _PICTURES:
        draw(results, folder / f"{name}.png")
    examples = _draw_examples(folder, results, pieces)
    content = {name: to_json(rows) for name, rows in tables.items()}
    facts = {"sideman": __version__, "split": about.split, "seeds": about.seeds, "pieces": len(pieces.truth)}
    write_atomic(folder / "table.json", json.dumps({**facts, "tables": content}, indent=1).encode())
    path = folder / "report.md"
    write_atomic(path, _text(tables, pieces, about, examples).encode())
    return path


_PICTURES = (
    ("harmony", plots.plot_harmony),
    ("measures", plots.plot_measures),
    ("chord_lengths", plots.plot_chord_lengths),
    ("onset_intervals", plots.plot_onset_intervals),
    ("onset_positions", plots.plot_onset_positions),
)


def _draw_examples(folder: Path, results: Sequence[Result], pieces: Pieces) -> list[tuple[str, str]]:
    """Piano rolls of a few pieces, evenly spread, as (file, title); a lane is a system's first run."""
    count = min(EXAMPLES, len(pieces.truth))
    drawn = []
    for number in range(count):
        at = number * len(pieces.truth) // count
        lanes = []
        for result in results:
            frames = result.runs[0][at]
            lanes.append((f"{result.name}\n{100 * note_in_chord(frames):.0f} % in chord", decode(frames)))
        file = f"example_{number + 1}.png"
        plot_pianoroll(pieces.truth[at], lanes, folder / file)
        drawn.append((file, f"{pieces.collections[at]}: {pieces.ids[at]}"))
    return drawn


def _text(tables: dict[str, list[Result]], pieces: Pieces, about: About, examples: list[tuple[str, str]]) -> str:
    counts = {name: len(pieces.of(name)) for name in dict.fromkeys(pieces.collections)}
    several = any(len(result.runs) > 1 for result in tables["all"])
    spread = f" Values are means over {about.seeds} seeds ± one standard deviation." if several else ""
    lines = [
        "# Evaluation",
        "",
        f"{len(pieces.truth)} pieces of the {about.split} split ("
        + ", ".join(f"{name} {count}" for name, count in counts.items())
        + f"), from {about.source}: the first 256 frames (16th notes) of each. Left out for want "
        f"of a note or a chord there: {pieces.unusable}.{spread} Made with Sideman {__version__}.",
        "",
        to_markdown(tables["all"]),
        *(f"![{name.replace('_', ' ')}]({name}.png)\n" for name, _ in _PICTURES),
        "## Examples",
        "",
        *(f"{title}\n\n![{title}]({file})\n" for file, title in examples),
    ]
    for name, rows in tables.items():
        if name != "all":
            lines += [f"## {name}", "", to_markdown(rows)]
    lines += ["## What the measures mean", "", "↑ more is better, ↓ less is better, else: closer to ground truth.", ""]
    lines += [f"- **{column.title}**: {column.meaning}." for column in COLUMNS]
    return "\n".join(lines) + "\n"
