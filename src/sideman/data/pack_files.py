"""Packs on disk -> one pack on disk, in memory that does not grow with them.

The result is, byte for byte, what `merge_packs` and `Pack.save` make of them.
"""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from sideman.data.pack import ARRAYS, DAMAGED
from sideman.errors import UnreadableFile
from sideman.files import write_atomic
from sideman.music.frames import SILENT

_ROWS = 1 << 16

Rows = NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Source:
    """A pack to be joined. `chord` [K+1] and `collection` give its own numbers new ones, `first` is the number of
    frames before it."""

    path: Path
    pieces: int
    frames: int
    first: int
    ids: np.dtype[Any]
    chord: NDArray[np.int16]
    collection: NDArray[np.uint8]


def join_packs(paths: Sequence[Path], target: Path) -> tuple[int, int]:
    """Write the packs at `paths`, in order, as one; returns how many pieces and frames it holds.

    Raises UnreadableFile or CannotWrite, and then leaves `target` as it was.
    """
    chords: dict[tuple[int, ...], int] = {}
    names: dict[str, int] = {}
    sources = list(_survey(paths, chords, names))
    pieces, frames = sum(s.pieces for s in sources), sum(s.frames for s in sources)
    whole = {"chords": np.array(list(chords), np.int16).reshape(-1, 3), "collections": np.array(list(names), np.str_)}
    lengths = {"starts": pieces + 1, "ids": pieces, "split": pieces, "collection": pieces}

    def write(stream: IO[bytes]) -> None:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ARRAYS:
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    if name in whole:
                        npy.write_array(member, whole[name], allow_pickle=False)
                    else:
                        _write(member, lengths.get(name, frames), _joined(name, sources))

    write_atomic(target, write)
    return pieces, frames


def _survey(paths: Sequence[Path], chords: dict[tuple[int, ...], int], names: dict[str, int]) -> Iterator[_Source]:
    """What has to be known of each pack before any is copied; adds to the chords and names met so far."""
    first = 0
    for path in paths:
        own_chords, own_names = (np.concatenate([*_stored(path, name)]) for name in ("chords", "collections"))
        chord = [chords.setdefault(tuple(row), len(chords)) for row in own_chords.tolist()]
        collection = [names.setdefault(name, len(names)) for name in own_names.tolist()]
        (pieces, *_), ids = _header(path, "ids")
        (frames, *_), _ = _header(path, "melody")
        yield _Source(
            path, pieces, frames, first, ids, np.array([*chord, SILENT], np.int16), np.array(collection, np.uint8)
        )
        first += frames


def _joined(name: str, sources: Sequence[_Source]) -> Iterator[Rows]:
    """The rows of one array of the whole, some at a time; at least one, which may be empty."""
    widest = max((source.ids for source in sources), key=lambda ids: ids.itemsize)
    if name == "starts":
        yield np.zeros(1, np.int64)
    for source in sources:
        for number, rows in enumerate(_stored(source.path, name)):
            match name:
                case "starts":
                    yield rows[number == 0 :] + source.first
                case "ids":
                    yield rows.astype(widest)
                case "chord" | "collection":
                    yield getattr(source, name)[rows]
                case _:
                    yield rows


def _write(member: IO[bytes], length: int, chunks: Iterator[Rows]) -> None:
    """One array of `length` rows in the .npy format."""
    for number, rows in enumerate(chunks):
        if number == 0:
            shape = (length, *rows.shape[1:])
            header = {"descr": npy.dtype_to_descr(rows.dtype), "fortran_order": False, "shape": shape}
            npy.write_array_header_1_0(member, header)
        member.write(rows.tobytes())


def _header(path: Path, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array of a pack. Raises UnreadableFile."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
            return _read_header(member)
    except DAMAGED as error:
        raise _unreadable(path, error) from None


def _stored(path: Path, name: str) -> Iterator[Rows]:
    """An array of a pack, some rows at a time; at least one chunk, which may be empty. Raises UnreadableFile."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
            (left, *rest), dtype = _read_header(member)
            size = dtype.itemsize * int(np.prod(rest, dtype=int))
            while True:
                count = min(left, _ROWS)
                yield np.frombuffer(member.read(count * size), dtype).reshape(count, *rest)
                left -= count
                if not left:
                    break
            member.read(1)  # what is stored is checked where it ends
    except DAMAGED as error:
        raise _unreadable(path, error) from None


def _read_header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    if npy.read_magic(member) != (1, 0):
        raise ValueError("an array of an unknown version")
    shape, fortran, dtype = npy.read_array_header_1_0(member)
    if fortran or dtype.hasobject or not shape:
        raise ValueError("an array of an unknown kind")
    return shape, dtype


def _unreadable(path: Path, error: Exception) -> UnreadableFile:
    if isinstance(error, FileNotFoundError):
        return UnreadableFile(f"There is no pack at {path}.", "Make it with: sideman data convert NAME")
    return UnreadableFile(f"{path} is not a readable pack ({error}).", "Make it again: sideman data convert NAME")
