"""A comparison as a folder one can read: `report.md` with tables and pictures, and `table.json`."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sideman import __version__
from sideman.evaluate import adaptation, plots, table
from sideman.evaluate.comparison import Comparison
from sideman.evaluate.curves import Run, plot_curves
from sideman.evaluate.plots_adaptation import plot_adaptation
from sideman.evaluate.plots_diversity import plot_map, plot_tradeoff
from sideman.evaluate.table import Result, columns_of, part
from sideman.files import write_atomic
from sideman.formats.pianoroll import plot_pianoroll
from sideman.music.frames import decode
from sideman.music.measures import note_in_chord

if TYPE_CHECKING:  # brings torch
    from sideman.evaluate.judging import Judge

EXAMPLES = 3


@dataclass(frozen=True)
class About:
    """How it was measured: how many seeds, where the pieces come from, who played the melodies (None: the data), and
    the network of the Vendi score."""

    seeds: int
    source: str
    partner: str | None = None
    encoder: "Judge | None" = None


@dataclass(frozen=True)
class Picture:
    """A file beside the report, and what it shows."""

    file: str
    caption: str

    @property
    def markdown(self) -> str:
        return f"![{self.caption}]({self.file})\n\n*{self.caption}*\n"


def to_text(comparisons: Sequence[Comparison]) -> str:
    """What the command prints: a table a set of pieces, and one of recoveries where melodies were perturbed."""
    blocks = []
    for one in comparisons:
        if len(comparisons) > 1:
            blocks.append(f"## {one.title}\n")
        blocks.append(table.to_markdown(one.results))
        if one.adaptations:
            blocks.append(adaptation.to_markdown(one.adaptations))
    return "\n".join(blocks)


def to_json(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """{system: {measure: ..}} as `table.to_json` has it, with `adaptation` where melodies were perturbed; by title
    where there are several sets of pieces."""
    found = {one.title: _json(one) for one in comparisons}
    return found if len(found) > 1 else _json(comparisons[0])


def _json(one: Comparison) -> dict[str, Any]:
    out: dict[str, Any] = table.to_json(one.results)
    for followed in one.adaptations:
        out[followed.name] = {**out[followed.name], "adaptation": adaptation.to_json(followed)}
    return out


def write_report(folder: Path, comparisons: Sequence[Comparison], runs: Sequence[Run], about: About) -> Path:
    """Write everything into `folder` and return the path of `report.md`. Raises MissingExtra, CannotWrite."""
    text = ["# Evaluation", "", _intro(about), ""]
    sets = {}
    for one in comparisons:
        several = len(comparisons) > 1
        tables = _tables(one)
        text += _section(folder, _slug(one.title) if several else "", one, tables, about)
        sets[one.title] = {
            "pieces": len(one.pieces.truth),
            "tables": {name: table.to_json(rows) for name, rows in tables.items()},
            "adaptation": {followed.name: adaptation.to_json(followed) for followed in one.adaptations},
        }
    if runs and plot_curves(runs, folder / "curves.png"):
        text += ["## How they learned", "", Picture("curves.png", f"{len(runs)} training runs").markdown]
    text += _glossary(comparisons)
    facts = {"sideman": __version__, "seeds": about.seeds, "partner": about.partner}
    write_atomic(folder / "table.json", json.dumps({**facts, "sets": sets}, indent=1).encode())
    path = folder / "report.md"
    write_atomic(path, ("\n".join(text) + "\n").encode())
    return path


# The measures a reader looks at first.
_FIRST = ("harmony", "vendi", "vendi_share", "length_entropy", "onset_heights", "silence", "pitch_classes", "density",
    "influence_chord", "influence_melody")  # fmt: skip
_PICTURES = (
    ("harmony", plots.plot_harmony, "Harmony from the first beat on: who finds the key, and how soon"),
    ("measures", plots.plot_measures, "The main measures side by side"),
    ("chord_lengths", plots.plot_chord_lengths, "How long chords last"),
    ("onset_intervals", plots.plot_onset_intervals, "How soon after a note a chord begins"),
    ("onset_positions", plots.plot_onset_positions, "On which beats of the bar chords begin"),
)


def summary(one: Comparison) -> str:
    """A row a system with the measures of the papers, as Markdown."""
    columns = [column for name in _FIRST for column in columns_of(one.results) if column.name == name]
    turns = [found.turn for found in one.adaptations[0].recoveries] if one.adaptations else []
    heads = [column.heading for column in columns] + [
        f"beats to recover ({turn.step:+d} at {turn.beat})" for turn in turns
    ]
    lines = ["| system | " + " | ".join(heads) + " |", "| :-- |" + " --: |" * len(heads)]
    recovered = {followed.name: followed.recoveries for followed in one.adaptations}
    for result in one.results:
        cells = [table.cell(result, column) for column in columns]
        cells += [adaptation.recovery_text(found) for found in recovered.get(result.name, ())]
        lines.append(f"| {result.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _intro(about: About) -> str:
    sentences = [f"Pieces from {about.source}: the first 256 frames (16th notes) of each."]
    if about.seeds > 1:
        sentences.append(f"Values are means over {about.seeds} seeds ± one standard deviation.")
    if about.partner:
        sentences.append(f"The melodies are played by {about.partner}, together with each system.")
    sentences.append(f"Made with Sideman {__version__}.")
    sentences.append("↑ more is better, ↓ less is better, else: closer to ground truth.")
    return " ".join(sentences)


def _tables(one: Comparison) -> dict[str, list[Result]]:
    """All pieces, and each collection where there are several."""
    names = list(dict.fromkeys(one.pieces.collections))
    tables = {"all": one.results}
    if len(names) > 1:
        for name in names:
            tables[name] = [part(result, one.pieces.truth, one.pieces.of(name)) for result in one.results]
    return tables


def _section(folder: Path, place: str, one: Comparison, tables: dict[str, list[Result]], about: About) -> list[str]:
    """The text of a set of pieces, whose pictures are drawn into `folder / place`."""
    counts = {name: len(one.pieces.of(name)) for name in dict.fromkeys(one.pieces.collections)}
    text = [
        f"## {one.title}",
        "",
        f"{len(one.pieces.truth)} pieces ("
        + ", ".join(f"{name} {count}" for name, count in counts.items())
        + f"). Left out for want of a note or a chord there: {one.pieces.unusable}.",
        "",
        summary(one),
        *(picture.markdown for picture in _draw(folder, place, one, about)),
    ]
    if one.adaptations:
        text += ["### After the turn", "", adaptation.to_markdown(one.adaptations)]
    text += ["### Examples", ""]
    text += [picture.markdown for picture in _draw_examples(folder, place, one)]
    for name, rows in tables.items():
        text += [f"### All measures{'' if name == 'all' else f', {name}'}", "", table.to_markdown(rows)]
    return text


def _draw(folder: Path, place: str, one: Comparison, about: About) -> list[Picture]:
    def at(name: str) -> str:
        return f"{place}/{name}.png" if place else f"{name}.png"

    (first, draw_first, caption), *others = _PICTURES
    draw_first(one.results, folder / at(first))
    drawn = [Picture(at(first), caption)]
    if one.adaptations:
        plot_adaptation(one.adaptations, folder / at("adaptation"))
        drawn.append(Picture(at("adaptation"), "Harmony when the melody turns to another key"))
    if about.encoder is not None:
        plot_tradeoff(one.results, folder / at("tradeoff"))
        drawn.append(Picture(at("tradeoff"), "Harmony against variety: the star is what people do"))
        plot_map(one.results, about.encoder, folder / at("map"))
        drawn.append(Picture(at("map"), "Where each system's chord sequences lie among all of them"))
    for name, draw, caption in others:
        draw(one.results, folder / at(name))
        drawn.append(Picture(at(name), caption))
    return drawn


def _draw_examples(folder: Path, place: str, one: Comparison) -> list[Picture]:
    """Piano rolls of a few pieces, evenly spread; a lane is a system's first run. With a partner, whose melodies differ
    from system to system, a roll a system of the first piece alone."""
    truth, drawn = one.pieces.truth, []
    own_melodies = any(len(result.runs[0]) and not _same_melody(result.runs[0][0], truth[0]) for result in one.results)
    rolls = [(number * len(truth) // min(EXAMPLES, len(truth)), one.results) for number in
             range(min(EXAMPLES, len(truth)))]  # fmt: skip
    if own_melodies:
        rolls = [(0, [result]) for result in one.results]
    for number, (at, results) in enumerate(rolls, 1):
        made = [result.runs[0][at] for result in results]
        lanes = [
            (f"{result.name}\n{100 * note_in_chord(frames):.0f} % in chord", decode(frames))
            for result, frames in zip(results, made, strict=True)
        ]
        file = f"{place}/example_{number}.png" if place else f"example_{number}.png"
        if not own_melodies or (made[0].melody >= 0).any():
            plot_pianoroll(made[0], lanes, folder / file)
            piece = f"{one.pieces.collections[at]}: {one.pieces.ids[at]}"
            drawn.append(Picture(file, f"{results[0].name}, as long as {piece}" if own_melodies else piece))
    return drawn


def _same_melody(one: Any, other: Any) -> bool:
    return bool((one.melody == other.melody).all())


def _glossary(comparisons: Sequence[Comparison]) -> list[str]:
    columns = columns_of([result for one in comparisons for result in one.results])
    lines = ["## What the measures mean", "", *(f"- **{column.title}**: {column.meaning}." for column in columns)]
    if any(one.adaptations for one in comparisons):
        lines.append(
            "- **beats to recover**: beats after the turn until note in chord, over three beats and over the bar that "
            "begins there, is back at 90 % of what the same system reaches there when the melody does not turn; in "
            "brackets the interval that holds 90 % of draws of the pieces."
        )
    return lines


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
