"""A collection's source -> its cache: `cache.npz`, `manifest.json` and `report.md`.

Pieces are converted over processes, in blocks; results are put together in the order of the ids, so
the cache does not depend on how many processes made it. Files are written at the very end, each
whole, so an interrupted conversion leaves the previous cache as it was.
"""

import importlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from sideman.data.collections import collection
from sideman.data.fetch import data_folder, source_root
from sideman.data.jsonl import write_jsonl
from sideman.data.pack import SPLITS, make_pack
from sideman.data.piece import Discarded, Piece
from sideman.data.processes import over_processes
from sideman.data.report import Report
from sideman.data.splits import split_of
from sideman.errors import SidemanError, UnreadableFile
from sideman.music.chord import Chord, quality_name
from sideman.music.frames import Frames, encode
from sideman.music.song import Song
from sideman.music.vocabulary import own_vocabulary

_BLOCK_PIECES = 16


@dataclass(frozen=True, slots=True)
class Converted:
    """One piece on its way into the cache: `frames` and `song` (where asked for), or why there are none."""

    id: str
    split: str = ""
    work: str = ""
    frames: Frames | None = None
    song: Song | None = None
    reason: str = ""
    losses: Counter[str] | None = None
    meters: tuple[str, ...] = ()
    key: str = "unknown"


def convert(
    name: str,
    source: Path | None,
    home: Path,
    workers: int | None = None,
    jsonl: Path | None = None,
    augment: bool = False,
) -> Report:
    """Convert collection `name` and return what happened.

    `source` is an archive or folder; without it the fetched source is used, and fetched first where there
    is none. `jsonl` names a folder for the reference's cache files, `augment` adds its transposed copies.
    Scripts that call it with several workers need the `if __name__ == "__main__"` guard. Raises what
    `fetch` raises, and UnreadableFile where no piece can be used.
    """
    row = collection(name)
    root = source_root(name, source, home)
    ids = importlib.import_module(f"sideman.data.{name}").pieces(root)
    results = list(_convert_all(name, root, ids, workers or os.cpu_count() or 1, jsonl is not None))
    kept = [r for r in results if r.frames is not None]
    if not kept:
        raise UnreadableFile(f"No piece of {name} could be used.", f"Is {root} the unpacked source of {name}?")
    report = _report(name, results)
    if jsonl is not None:
        songs = [(r.id, r.split, r.song) for r in kept if r.song is not None]
        report = replace(report, jsonl_losses=_ranked(write_jsonl(jsonl, name, songs, augment)))
    folder = data_folder(name, home)
    make_pack(name, [(r.id, r.split, r.frames) for r in kept if r.frames is not None]).save(folder / "cache.npz")
    report.save(folder, row)
    return report


def _convert_all(name: str, root: Path, ids: list[str], workers: int, songs: bool) -> Iterator[Converted]:
    """Every piece, in the order of `ids`."""
    job = partial(_convert_block, name, root, songs)
    return over_processes(f"Converting {name}", ids, job, workers, _BLOCK_PIECES)


def _convert_block(name: str, root: Path, songs: bool, ids: list[str]) -> list[Converted]:
    module = importlib.import_module(f"sideman.data.{name}")
    results = []
    for piece_id in ids:
        try:
            results.append(_prepare(name, module.convert(root, piece_id), songs))
        except Discarded as why:
            results.append(Converted(piece_id, reason=str(why)))
        except SidemanError as error:
            results.append(Converted(piece_id, reason=error.message))
    return results


def _prepare(name: str, piece: Piece, songs: bool) -> Converted:
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
    return Converted(
        id=piece.id,
        split=split_of(name, piece.work, piece.split),
        work=piece.work,
        frames=frames,
        song=piece.song if songs else None,
        losses=+losses,
        meters=tuple(dict.fromkeys(str(m) for m in piece.song.meters)),
        key=piece.song.key.name if piece.song.key else "unknown",
    )


def _report(name: str, results: list[Converted]) -> Report:
    row = collection(name)
    discarded: dict[str, list[str]] = {}
    losses, chords = Counter[str](), Counter[Chord]()
    splits, meters, keys = Counter[str](), Counter[str](), Counter[str]()
    frames = notes = 0
    for result in results:
        if result.frames is None:
            discarded.setdefault(result.reason, []).append(result.id)
            continue
        frames += len(result.frames)
        notes += int(result.frames.melody_onset.sum())
        onsets = result.frames.chord[result.frames.chord_onset]
        chords.update(result.frames.chords[i] for i in onsets.tolist())
        losses.update(result.losses or {})
        splits[result.split] += 1
        meters.update(result.meters)
        keys[result.key] += 1
    return Report(
        collection=name,
        licence=row.licence,
        use=row.use,
        pieces=len(results),
        converted=sum(splits.values()),
        works=len({result.work for result in results if result.frames is not None}),
        frames=frames,
        notes=notes,
        chords=chords.total(),
        splits={split: splits[split] for split in SPLITS},
        discarded=dict(sorted(discarded.items())),
        losses=_ranked(losses),
        simplified=_ranked(_simplified(chords)),
        meters=_ranked(meters),
        keys=_ranked(keys),
        qualities=_ranked(_qualities(chords)),
    )


def _simplified(chords: Counter[Chord]) -> Counter[str]:
    """Chords our own list lacks, as `X -> Y`, Y being what stands for it."""
    vocabulary = own_vocabulary()
    counts = Counter[str]()
    for chord, count in chords.items():
        index = vocabulary.lookup(chord)
        stand_in = vocabulary.symbols[index] if index is not None else None
        if stand_in != chord:
            counts[f"{chord.name()} -> {stand_in.name() if stand_in else 'nothing'}"] += count
    return counts


def _qualities(chords: Counter[Chord]) -> Counter[str]:
    counts = Counter[str]()
    for chord, count in chords.items():
        counts[quality_name(chord.mask) or "major"] += count
    return counts


def _ranked(counts: Counter[str]) -> dict[str, int]:
    """Largest first, ties by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
