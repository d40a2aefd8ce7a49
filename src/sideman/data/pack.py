"""A pack: pieces as frames in one compact `.npz`, all a training machine needs.

Packs hold pitches and chords, never token ids, so they outlive every vocabulary. Layout: frame
arrays of all pieces end to end, `starts` [n+1] where each begins, `chords` [K, 3] the distinct
(root, mask, bass) that `chord` points into, and for each piece `ids`, `split` and `collection`.
"""

import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sideman.errors import UnreadableFile
from sideman.files import write_atomic
from sideman.music.chord import Chord
from sideman.music.frames import SILENT, Frames

SPLITS = ("train", "valid", "test")
_FRAME_ARRAYS = ("melody", "melody_onset", "chord", "chord_onset", "form")
ARRAYS = (*_FRAME_ARRAYS, "chords", "starts", "ids", "split", "collection", "collections")
# What reading a damaged .npz file raises.
DAMAGED = (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Pack:
    """n pieces, F frames in all. `melody` int16 [F], `melody_onset` bool [F], `chord` int16 [F] into
    `chords` int16 [K, 3], `chord_onset` bool [F], `form` uint8 [F, 3], `starts` int64 [n+1],
    `ids` str [n], `split` uint8 [n] into SPLITS, `collection` uint8 [n] into `collections`."""

    melody: NDArray[np.int16]
    melody_onset: NDArray[np.bool_]
    chord: NDArray[np.int16]
    chord_onset: NDArray[np.bool_]
    form: NDArray[np.uint8]
    chords: NDArray[np.int16]
    starts: NDArray[np.int64]
    ids: NDArray[np.str_]
    split: NDArray[np.uint8]
    collection: NDArray[np.uint8]
    collections: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def symbols(self) -> tuple[Chord, ...]:
        return tuple(Chord(int(r), int(m), int(b)) for r, m, b in self.chords)

    def frames(self, index: int) -> Frames:
        """Piece `index` as Frames; its `chords` are those of the whole pack."""
        cut = slice(int(self.starts[index]), int(self.starts[index + 1]))
        return Frames(
            self.melody[cut], self.melody_onset[cut], self.chord[cut], self.chord_onset[cut], self.symbols,
            self.form[cut],
        )  # fmt: skip

    def pieces(self, split: str | None = None, collection: str | None = None) -> NDArray[np.int64]:
        """Indices of the pieces of one split and collection."""
        keep = np.ones(len(self), np.bool_)
        if split is not None:
            keep &= self.split == SPLITS.index(split)
        if collection is not None:
            known = self.collections.tolist()
            keep &= self.collection == (known.index(collection) if collection in known else 255)
        return np.flatnonzero(keep)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays by name, in the order in which they are stored."""
        return {name: getattr(self, name) for name in ARRAYS}

    def save(self, path: Path) -> None:
        """Write the pack; nothing is left behind when that fails."""
        save_arrays(path, self.arrays())


def save_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Write an .npz file whole or not at all. Raises CannotWrite."""
    write_atomic(path, lambda stream: np.savez_compressed(stream, **arrays))


def make_pack(collection: str, pieces: Iterable[tuple[str, str, Frames]]) -> Pack:
    """Pack (id, split, frames) of one collection, in the given order."""
    rows = list(pieces)
    table: dict[Chord, int] = {}
    chord = []
    for _, _, frames in rows:
        index = np.array([table.setdefault(c, len(table)) for c in frames.chords] + [SILENT], np.int16)
        chord.append(index[frames.chord])
    return Pack(
        melody=_join([f.melody for _, _, f in rows], np.int16),
        melody_onset=_join([f.melody_onset for _, _, f in rows], np.bool_),
        chord=_join(chord, np.int16),
        chord_onset=_join([f.chord_onset for _, _, f in rows], np.bool_),
        form=np.concatenate([np.zeros((0, 3), np.uint8), *[f.form for _, _, f in rows]]),
        chords=np.array([(c.root, c.mask, c.bass) for c in table], np.int16).reshape(-1, 3),
        starts=np.cumsum([0, *[len(f) for _, _, f in rows]]).astype(np.int64),
        ids=np.array([i for i, _, _ in rows], np.str_),
        split=np.array([SPLITS.index(s) for _, s, _ in rows], np.uint8),
        collection=np.zeros(len(rows), np.uint8),
        collections=np.array([collection], np.str_),
    )


def merge_packs(packs: Sequence[Pack]) -> Pack:
    """Several packs as one, in order."""
    names: list[str] = []
    for pack in packs:
        names += [name for name in pack.collections.tolist() if name not in names]
    table: dict[tuple[int, ...], int] = {}
    chord, collection = [], []
    for pack in packs:
        index = [table.setdefault(tuple(row), len(table)) for row in pack.chords.tolist()]
        chord.append(np.array([*index, SILENT], np.int16)[pack.chord])
        collection.append(np.array([names.index(n) for n in pack.collections.tolist()], np.uint8)[pack.collection])
    lengths = np.concatenate([np.diff(pack.starts) for pack in packs])
    joined = {
        name: np.concatenate([getattr(pack, name) for pack in packs])
        for name in ("melody", "melody_onset", "chord_onset", "form", "ids", "split")
    }
    return Pack(
        chord=np.concatenate(chord),
        chords=np.array(list(table), np.int16).reshape(-1, 3),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        collection=np.concatenate(collection),
        collections=np.array(names, np.str_),
        **joined,
    )


def load_pack(path: Path) -> Pack:
    """Read a pack. Raises UnreadableFile."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return Pack(**{name: stored[name] for name in ARRAYS})
    except FileNotFoundError:
        raise UnreadableFile(
            f"There is no pack at {path}.", "Make one with: sideman data pack NAME... -o FILE"
        ) from None
    except DAMAGED as error:
        raise UnreadableFile(
            f"{path} is not a readable pack ({error}).", "Make it again with: sideman data pack"
        ) from None


def _join(arrays: Sequence[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *arrays])
