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
from sideman.data.convert import one_conversion
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
    """One piece on its way into the pack: its row, or why there is none."""

    id: str
    row: SheetRow | None = None
    reason: str = ""
    losses: Counter[str] = field(default_factory=Counter)
    bars: int = 0
    uneven_bars: int = 0
    patches: int = 0
    key: str = ""
    metre: str = ""


def convert_sheets(name: str, source: Path | None, home: Path, workers: int | None = None) -> SheetReport:
    """Convert the scores of collection `name` and return what happened; see `convert` for the arguments.

    Raises what `fetch` raises, UnreadableFile where no score can be used, and AtWork.
    """
    row = collection(name)
    with one_conversion(name, home):
        root = source_root(name, source, home)
        ids = converter(name).scores(root)
        job = partial(_convert_block, name, root)
        found = over_processes(f"Converting {name}", ids, job, workers or os.cpu_count() or 1, _BLOCK_SCORES)
        results = _without_doubles(list(found))
        rows = [result.row for result in results if result.row is not None]
        if not rows:
            raise UnreadableFile(f"No score of {name} could be used.", f"Is {root} the unpacked source of {name}?")
        report = _report(name, len(ids), results)
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
    for score_id in ids:
        try:
            results += [_prepare(name, piece) for piece in module.sheets(root, score_id)]
        except Discarded as why:
            results.append(ConvertedSheet(score_id, reason=str(why)))
    return results


def _prepare(name: str, piece: SheetPiece) -> ConvertedSheet:
    try:
        interleaved = interleave(piece.abc)
        sheet = read_interleaved(interleaved)
        text = reduce(interleaved)
    except SidemanError as error:
        return ConvertedSheet(piece.id, reason=error.message)
    return ConvertedSheet(
        id=piece.id,
        row=SheetRow(piece.id, split_of(name, piece.work), piece.work, piece.title, piece.prompt, text),
        losses=+piece.losses,
        bars=len(sheet),
        uneven_bars=align(sheet).uneven,
        patches=len(encode(with_prompt(piece.prompt, text))),
        key=str(global_key(text)),
        metre=next((line[2:] for line in sheet.header if line.startswith("M:")), "none"),
    )


def _without_doubles(results: list[ConvertedSheet]) -> list[ConvertedSheet]:
    """Pieces whose text is that of an earlier one are discarded."""
    seen: set[str] = set()
    kept = []
    for result in results:
        double = result.row is not None and result.row.text in seen
        kept.append(ConvertedSheet(result.id, reason="the same music as another piece") if double else result)
        if result.row is not None:
            seen.add(result.row.text)
    return kept


def _report(name: str, scores: int, results: list[ConvertedSheet]) -> SheetReport:
    row = collection(name)
    kept = [(result, result.row) for result in results if result.row is not None]
    discarded: dict[str, list[str]] = {}
    for result in results:
        if result.row is None:
            discarded.setdefault(result.reason, []).append(result.id)
    splits = Counter(sheet.split for _, sheet in kept)
    return SheetReport(
        collection=name,
        licence=row.licence,
        use=row.use,
        scores=scores,
        pieces=len(kept),
        works=len({sheet.work for _, sheet in kept}),
        bars=sum(result.bars for result, _ in kept),
        uneven_bars=sum(result.uneven_bars for result, _ in kept),
        characters=sum(len(sheet.text) for _, sheet in kept),
        patches=int(median(result.patches for result, _ in kept)),
        long_pieces=sum(result.patches > CONTEXT_PATCHES for result, _ in kept),
        splits={split: splits[split] for split in SPLITS},
        discarded=dict(sorted(discarded.items())),
        losses=_ranked(sum((result.losses for result, _ in kept), Counter())),
        keys=_ranked(Counter(result.key for result, _ in kept)),
        metres=_ranked(Counter(result.metre for result, _ in kept)),
        composers=_ranked(Counter(sheet.prompt.composer or "unknown" for _, sheet in kept)),
    )


def _ranked(counts: Counter[str]) -> dict[str, int]:
    """Largest first, ties by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
