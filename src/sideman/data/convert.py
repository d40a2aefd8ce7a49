"""A collection's source -> its cache: `cache.npz`, `manifest.json` and `report.md`.

Pieces are converted over processes, in parts that are files of their own until the cache is put together, in the
order of the ids; so memory holds the pieces under way alone, the cache does not depend on how many processes made it,
and an interrupted conversion leaves the previous cache as it was and goes on when it is called again.
"""

import importlib
import os
import sys
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sideman.data.collections import collection
from sideman.data.fetch import data_folder, source_root
from sideman.data.jsonl import write_jsonl
from sideman.data.pack import make_pack
from sideman.data.pack_files import join_packs
from sideman.data.parts import Part, PartSongs, count_works, forget_parts, parts_of
from sideman.data.piece import Discarded, Piece
from sideman.data.processes import over_processes
from sideman.data.report import Report
from sideman.data.splits import split_of
from sideman.data.tally import Tally
from sideman.errors import SidemanError, UnreadableFile
from sideman.music.frames import Frames, encode
from sideman.music.song import Song
from sideman.one_at_a_time import one_at_a_time


@dataclass(frozen=True, slots=True)
class Converted:
    """One piece on its way into the cache; `losses` counts what conversion and the grid of 16ths cost it."""

    id: str
    split: str
    work: str
    song: Song
    frames: Frames
    losses: Counter[str]


def convert(
    name: str,
    source: Path | None,
    home: Path,
    workers: int | None = None,
    jsonl: Path | None = None,
    augment: bool = False,
    restart: bool = False,
) -> Report:
    """Convert collection `name` and return what happened.

    `source` is an archive or folder; without it the fetched source is used, and fetched first where there
    is none. `jsonl` names a folder for the reference's cache files, `augment` adds its transposed copies;
    `restart` converts again what an interrupted conversion left. Scripts that call it with several workers need the
    `if __name__ == "__main__"` guard. Raises what `fetch` raises, UnreadableFile where no piece can be
    used, and AtWork where another process converts the collection.
    """
    row, folder = collection(name), data_folder(name, home)
    with one_conversion(name, home):
        root = source_root(name, source, home)
        ids = importlib.import_module(f"sideman.data.{name}").pieces(root)
        if restart:
            forget_parts(folder)
        parts = parts_of(name, folder, root, ids, songs=jsonl is not None)
        _convert_missing(name, root, parts, workers or os.cpu_count() or 1, songs=jsonl is not None)
        tally = Tally()
        for part in parts:
            tally.add(part.tally())
        if not tally.splits:
            forget_parts(folder)
            raise UnreadableFile(f"No piece of {name} could be used.", f"Is {root} the unpacked source of {name}?")
        jsonl_losses = write_jsonl(jsonl, name, PartSongs(parts), augment) if jsonl is not None else {}
        report = tally.report(row, count_works(parts), jsonl_losses)
        join_packs([part.path for part in parts], folder / "cache.npz")
        report.save(folder, row)
        forget_parts(folder)
    return report


def one_conversion(name: str, home: Path) -> AbstractContextManager[None]:
    """While it goes on no other process converts the collection; raises AtWork where one does."""
    folder = data_folder(name, home)
    return one_at_a_time(folder.with_name(f".{folder.name}.lock"), f"A conversion of {name}")


def _convert_missing(name: str, root: Path, parts: list[Part], workers: int, songs: bool) -> None:
    """Make the parts that are not there yet."""
    missing = [part for part in parts if not part.done()]
    if len(missing) < len(parts):
        print(f"Going on: {len(parts) - len(missing)} of {len(parts)} parts are here already.", file=sys.stderr)
    job = partial(_convert_parts, name, root, songs)
    for _ in over_processes(f"Converting {name}", missing, job, workers, 1):
        pass


def _convert_parts(name: str, root: Path, songs: bool, parts: list[Part]) -> list[int]:
    """Convert and write parts; returns how many pieces each has."""
    for part in parts:
        kept, tally = _convert_pieces(name, root, part.ids)
        pack = make_pack(name, [(piece.id, piece.split, piece.frames) for piece in kept])
        works = [piece.work for piece in kept]
        part.save(pack, works, tally, [(piece.id, piece.split, piece.song) for piece in kept] if songs else [])
    return [len(part.ids) for part in parts]


def _convert_pieces(name: str, root: Path, ids: list[str]) -> tuple[list[Converted], Tally]:
    """The pieces that can be used, and what happened to all of them."""
    module = importlib.import_module(f"sideman.data.{name}")
    kept, tally = [], Tally()
    for piece_id in ids:
        try:
            piece = _prepare(name, module.convert(root, piece_id))
        except Discarded as why:
            tally.discard(piece_id, str(why))
        except SidemanError as error:
            tally.discard(piece_id, error.message)
        else:
            kept.append(piece)
            meters = tuple(dict.fromkeys(str(meter) for meter in piece.song.meters))
            key = piece.song.key.name if piece.song.key else "unknown"
            tally.keep(piece.frames, piece.split, piece.losses, meters, key)
    return kept, tally


def _prepare(name: str, piece: Piece) -> Converted:
    """Encode a piece, and count what the grid of 16ths costs it."""
    frames = encode(piece.song)
    losses = Counter(piece.losses)
    for part, events, onsets in (
        ("note", piece.song.notes, frames.melody_onset),
        ("chord", piece.song.chords, frames.chord_onset),
    ):
        losses[f"{part} on the same sixteenth as the next one, dropped"] += len(events) - int(onsets.sum())
        losses[f"{part} moved back to its sixteenth"] += sum(
            abs(e.onset * 4 - round(e.onset * 4)) > 1e-4 for e in events
        )
    split = split_of(name, piece.work, piece.split)
    return Converted(piece.id, split, piece.work, piece.song, frames, +losses)
