"""What is in the converted collections, as a table, JSON or a picture."""

from collections.abc import Sequence
from itertools import starmap
from pathlib import Path

import msgspec
import numpy as np

from sideman.data.collections import collections
from sideman.data.fetch import data_folder
from sideman.data.pack import SPLITS, Pack, load_pack
from sideman.data.report import Report, load_report
from sideman.errors import MissingExtra, UnreadableFile
from sideman.files import write_atomic
from sideman.music.frames import Frames
from sideman.music.measures import length_counts, note_in_chord, overall_silence, silence
from sideman.music.metre import FRAMES_PER_BEAT

_SHOWN = 4


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """One collection. `note_in_chord`: share of the frames with note and chord whose note is a chord tone;
    `silence`: share of melody frames without chord; `no_chord`: share of all frames without chord;
    `chord_beats`: mean chord length; `chord_lengths`: chords by length in frames, the last bin takes all longer."""

    collection: str
    pieces: int
    discarded: int
    splits: dict[str, int]
    hours_at_120: float
    notes: int
    chords: int
    distinct_chords: int
    note_in_chord: float
    silence: float
    no_chord: float
    chord_beats: float
    chord_lengths: list[int]
    meters: dict[str, int]
    keys: dict[str, int]
    qualities: dict[str, int]


def converted(home: Path) -> list[str]:
    """Names of the collections that have a cache."""
    return [name for name in collections() if (data_folder(name, home) / "manifest.json").is_file()]


def stats_of(name: str, home: Path) -> Stats:
    """Statistics of a converted collection. Raises UnreadableFile where it is not converted."""
    folder = data_folder(name, home)
    if not (folder / "manifest.json").is_file():
        raise UnreadableFile(f"{name} is not converted yet.", f"Run: sideman data convert {name}")
    return _stats(load_report(folder / "manifest.json"), load_pack(folder / "cache.npz"))


def _stats(report: Report, pack: Pack) -> Stats:
    # The measures count chords within a piece; one long Frames of all pieces would join their ends.
    pieces: list[Frames] = [pack.frames(i) for i in range(len(pack))]
    sounding = int((pack.chord >= 0).sum())
    return Stats(
        collection=report.collection,
        pieces=report.converted,
        discarded=report.pieces - report.converted,
        splits={split: int((pack.split == i).sum()) for i, split in enumerate(SPLITS)},
        hours_at_120=round(len(pack.melody) / FRAMES_PER_BEAT / 120 / 60, 2),
        notes=report.notes,
        chords=report.chords,
        distinct_chords=len(pack.chords),
        note_in_chord=round(note_in_chord(pieces), 4),
        silence=round(silence(pieces), 4),
        no_chord=round(overall_silence(pieces), 4),
        chord_beats=round(sounding / max(report.chords, 1) / FRAMES_PER_BEAT, 3),
        chord_lengths=np.asarray(length_counts(pieces)).tolist(),
        meters=report.meters,
        keys=report.keys,
        qualities=report.qualities,
    )


def table(rows: Sequence[Stats]) -> str:
    """All statistics side by side, as a Markdown table with one column a collection."""
    lines = [
        ("", [row.collection for row in rows]),
        ("---", ["---:"] * len(rows)),
        ("pieces", [str(row.pieces) for row in rows]),
        ("discarded", [str(row.discarded) for row in rows]),
        *((split, [str(row.splits[split]) for row in rows]) for split in SPLITS),
        ("hours at 120 bpm", [f"{row.hours_at_120:.1f}" for row in rows]),
        ("notes", [str(row.notes) for row in rows]),
        ("chords", [str(row.chords) for row in rows]),
        ("distinct chords", [str(row.distinct_chords) for row in rows]),
        ("note in chord", [_percent(row.note_in_chord) for row in rows]),
        ("melody without chord", [_percent(row.silence) for row in rows]),
        ("time without chord", [_percent(row.no_chord) for row in rows]),
        ("chord length in beats", [f"{row.chord_beats:.2f}" for row in rows]),
        ("metres", [_top(row.meters) for row in rows]),
        ("keys", [_top(row.keys) for row in rows]),
        ("chord qualities", [_top(row.qualities) for row in rows]),
    ]
    return "\n".join(starmap(_line, lines))


def _line(head: str, cells: list[str]) -> str:
    return f"| {' | '.join([head, *cells])} |"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _top(counts: dict[str, int]) -> str:
    """The most frequent entries with their shares."""
    total = sum(counts.values())
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {100 * count / total:.0f} %" for name, count in ranked[:_SHOWN])


def plot(rows: Sequence[Stats], path: Path) -> None:
    """Bars of chord lengths, qualities, keys and metres to a PNG file. Raises MissingExtra or CannotWrite."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("Plotting", "train") from None
    figure = Figure(figsize=(11, 7), layout="constrained")
    panels = figure.subplots(2, 2).flat
    for axes, what in zip(panels, ("qualities", "keys", "meters"), strict=False):
        counted: list[dict[str, int]] = [getattr(row, what) for row in rows]
        names = list(dict.fromkeys(name for counts in counted for name in list(counts)[:8]))
        for number, (row, counts) in enumerate(zip(rows, counted, strict=True)):
            heights = [100 * counts.get(name, 0) / max(sum(counts.values()), 1) for name in names]
            places = np.arange(len(names)) + 0.8 * number / len(rows)
            axes.bar(places, heights, width=0.8 / len(rows), align="edge", label=row.collection)
        axes.set_xticks(np.arange(len(names)) + 0.4, names, rotation=60)
        axes.set_ylabel(f"{what}, %")
    lengths = figure.axes[3]
    for row in rows:
        shares = 100 * np.array(row.chord_lengths) / max(sum(row.chord_lengths), 1)
        lengths.plot(np.arange(len(shares)) / FRAMES_PER_BEAT, shares, marker=".", label=row.collection)
    lengths.set_xlabel("chord length in beats (the last point takes all longer)")
    lengths.set_ylabel("chords, %")
    lengths.legend()
    write_atomic(path, lambda stream: figure.savefig(stream, format="png", dpi=120))
