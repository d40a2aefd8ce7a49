"""A collection's scores -> its sheets: `sheets.npz`, `sheets.json` and `sheets.md`.

As with songs: over processes, in the order of the ids, written at the very end and whole.
"""

import importlib
import os
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from types import ModuleType

from sideman.data.collections import collection
from sideman.data.fetch import data_folder, source_root
from sideman.data.pack import SPLITS
from sideman.data.piece import Discarded
from sideman.data.processes import over_processes
from sideman.data.sheet_piece import SheetPiece
from sideman.data.sheet_report import CONTEXT_PATCHES, SheetReport
from sideman.data.sheets import SheetRow, make_sheet_pack
from sideman.data.splits import split_of
from sideman.errors import SidemanError, UnreadableFile
from sideman.music.sheet.alignment import align
from sideman.music.sheet.interleaved import read_interleaved
from sideman.music.sheet.patches import encode
from sideman.music.sheet.prepare import interleave
from sideman.music.sheet.prompts import with_prompt
from sideman.music.sheet.rests import reduce
from sideman.music.sheet.transpose import global_key

_BLOCK_SCORES = 4


@dataclass(frozen=True, slots=True)
class ConvertedSheet:
    """One score on its way into the pack: its rows, or why there are none."""

    id: str
    rows: tuple[SheetRow, ...] = ()
    reason: str = ""
    losses: Counter[str] = field(default_factory=Counter)
    bars: int = 0
    uneven_bars: int = 0
    patches: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    metres: tuple[str, ...] = ()


def convert_sheets(name: str, source: Path | None, home: Path, workers: int | None = None) -> SheetReport:
    """Convert the scores of collection `name` and return what happened; see `convert` for the arguments.

    Raises what `fetch` raises, and UnreadableFile where no score can be used.
    """
    row = collection(name)
    root = source_root(name, source, home)
    ids = converter(name).sheets(root)
    job = partial(_convert_block, name, root)
    found = over_processes(f"Converting {name}", ids, job, workers or os.cpu_count() or 1, _BLOCK_SCORES)
    results = _without_doubles(list(found))
    rows = [sheet for result in results for sheet in result.rows]
    if not rows:
        raise UnreadableFile(f"No score of {name} could be used.", f"Is {root} the unpacked source of {name}?")
    report = _report(name, results)
    folder = data_folder(name, home)
    make_sheet_pack(name, rows).save(folder / "sheets.npz")
    report.save(folder, row)
    return report


def converter(name: str) -> ModuleType:
    """The module that converts the scores of a collection."""
    plain = name.replace("-", "_")
    module = f"{plain}_sheets" if "songs" in collection(name).holds else plain
    return importlib.import_module(f"sideman.data.{module}")


def _convert_block(name: str, root: Path, ids: list[str]) -> list[ConvertedSheet]:
    module = converter(name)
    results = []
    for piece_id in ids:
        try:
            results.append(_prepare(name, module.sheet(root, piece_id)))
        except Discarded as why:
            results.append(ConvertedSheet(piece_id, reason=str(why)))
        except SidemanError as error:
            results.append(ConvertedSheet(piece_id, reason=error.message))
    return results


def _prepare(name: str, piece: SheetPiece) -> ConvertedSheet:
    interleaved = interleave(piece.abc)
    text = reduce(interleaved)
    sheet = read_interleaved(interleaved)
    split = split_of(name, piece.work)
    return ConvertedSheet(
        id=piece.id,
        rows=(SheetRow(piece.id, split, piece.work, piece.title, piece.prompt, text),),
        losses=+piece.losses,
        bars=len(sheet),
        uneven_bars=align(sheet).uneven,
        patches=(len(encode(with_prompt(piece.prompt, text))),),
        keys=(str(global_key(text)),),
        metres=(next((line[2:] for line in sheet.header if line.startswith("M:")), "none"),),
    )


def _without_doubles(results: list[ConvertedSheet]) -> list[ConvertedSheet]:
    """Scores whose text is that of an earlier one are discarded."""
    seen: dict[tuple[str, ...], str] = {}
    kept = []
    for result in results:
        text = tuple(row.text for row in result.rows)
        first = seen.setdefault(text, result.id)
        double = bool(text) and first != result.id
        kept.append(ConvertedSheet(result.id, reason="the same music as another score") if double else result)
    return kept


def _report(name: str, results: list[ConvertedSheet]) -> SheetReport:
    row = collection(name)
    kept = [result for result in results if result.rows]
    rows = [sheet for result in kept for sheet in result.rows]
    discarded: dict[str, list[str]] = {}
    for result in results:
        if not result.rows:
            discarded.setdefault(result.reason, []).append(result.id)
    splits = Counter(sheet.split for sheet in rows)
    patches = [count for result in kept for count in result.patches]
    return SheetReport(
        collection=name,
        licence=row.licence,
        use=row.use,
        scores=len(results),
        pieces=len(rows),
        works=len({sheet.work for sheet in rows}),
        bars=sum(result.bars for result in kept),
        uneven_bars=sum(result.uneven_bars for result in kept),
        characters=sum(len(sheet.text) for sheet in rows),
        patches=int(median(patches)),
        long_pieces=sum(count > CONTEXT_PATCHES for count in patches),
        splits={split: splits[split] for split in SPLITS},
        discarded=dict(sorted(discarded.items())),
        losses=_ranked(sum((result.losses for result in kept), Counter())),
        keys=_ranked(Counter(key for result in kept for key in result.keys)),
        metres=_ranked(Counter(metre for result in kept for metre in result.metres)),
        composers=_ranked(Counter(sheet.prompt.composer or "unknown" for sheet in rows)),
    )


def _ranked(counts: Counter[str]) -> dict[str, int]:
    """Largest first, ties by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
