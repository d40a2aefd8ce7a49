"""A pack of sheets: pieces as reduced interleaved ABC in one small `.npz`, all a training machine needs.

Packs hold text in the key it was written in and never token ids; keys, crops and patches are made while training.
Layout: `text` the ASCII of all pieces end to end, `starts` [n+1] where each begins, and for each piece `ids`,
`works`, `titles`, `prompts`, `split` and `collection`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sideman.data.pack import SPLITS
from sideman.errors import UnreadableFile
from sideman.files import write_atomic
from sideman.music.sheet.keys import KEYS, fifths_of, pitch_class
from sideman.music.sheet.patches import EncodedPiece, Patches, encode_piece
from sideman.music.sheet.prompts import Prompt, with_prompt
from sideman.music.sheet.transpose import global_key, transpose

_ARRAYS = ("text", "starts", "ids", "works", "titles", "prompts", "split", "collection", "collections")
# Names for a pitch class a piece is moved to, and how often each is taken (spec 5.3).
_NAMES = {1: (("Db", 0.8), ("C#", 0.2)), 6: (("F#", 0.5), ("Gb", 0.5)), 11: (("B", 0.8), ("Cb", 0.2))}
_KEPT_BYTES = 1 << 28
_NEAR = np.array([1, 2, 3, 4, 3, 2, 1]) / 16  # three semitones down to three up

KeyChoice = Literal["all", "near", "own"]


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One piece on its way into a pack."""

    id: str
    split: str
    work: str
    title: str
    prompt: Prompt
    text: str


@dataclass(frozen=True)
class SheetPack:
    """n pieces, C characters in all. `text` uint8 [C], `starts` int64 [n+1], `ids`, `works`, `titles` str [n],
    `prompts` str [n, 3] (period, composer, instrumentation, empty where not known), `split` uint8 [n] into SPLITS,
    `collection` uint8 [n] into `collections`."""

    text: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ids: NDArray[np.str_]
    works: NDArray[np.str_]
    titles: NDArray[np.str_]
    prompts: NDArray[np.str_]
    split: NDArray[np.uint8]
    collection: NDArray[np.uint8]
    collections: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.ids)

    def sheet(self, index: int) -> str:
        """Piece `index` as reduced interleaved ABC, without its prompt."""
        return self.text[self.starts[index] : self.starts[index + 1]].tobytes().decode("ascii")

    def prompt(self, index: int) -> Prompt:
        return Prompt(*self.prompts[index].tolist())

    def pieces(
        self, split: str | None = None, collections: Sequence[str] = (), composers: Sequence[str] = ()
    ) -> NDArray[np.int64]:
        """Indices of the pieces of one split, of any of the `collections` and by any of the `composers` given."""
        keep = np.ones(len(self), np.bool_)
        if split is not None:
            keep &= self.split == SPLITS.index(split)
        if collections:
            keep &= np.isin(self.collections[self.collection], list(collections))
        if composers:
            keep &= np.isin(self.prompts[:, 1], list(composers))
        return np.flatnonzero(keep)

    def save(self, path: Path) -> None:
        """Write the pack; nothing is left behind when that fails."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        write_atomic(path, lambda stream: np.savez_compressed(stream, **arrays))


class SheetPieces:
    """Pieces of one split of a pack, encoded as they are asked for: [patches, 16] of at most `length` patches.

    `keys` says where pieces are moved to: `all` fifteen keys alike (pre-training), `near` ones, the nearer the
    likelier (fine-tuning, spec 5.3), or none but their `own`. `prompts` puts the prompt lines and `%end` before
    pieces that have all three. What was moved and encoded once is kept, up to 256 MB; threads may share one.
    """

    def __init__(
        self,
        pack: SheetPack,
        split: str,
        length: int,
        collections: Sequence[str] = (),
        composers: Sequence[str] = (),
        keys: KeyChoice = "all",
        prompts: bool = True,
    ) -> None:
        self.pack = pack
        self.indices = pack.pieces(split, collections, composers)
        self.length = length
        self.keys = keys
        self.prompts = prompts
        self._encoded: dict[tuple[int, str], EncodedPiece] = {}
        self._kept_bytes = 0

    def __len__(self) -> int:
        return len(self.indices)

    def text(self, i: int, key: str = "") -> str:
        """Piece `i` of this split as text, moved to `key` if one is given."""
        sheet = self.pack.sheet(int(self.indices[i]))
        if key:
            sheet = transpose(sheet, key)
        return with_prompt(self.pack.prompt(int(self.indices[i])), sheet) if self.prompts else sheet

    def patches(self, i: int, rng: np.random.Generator | None = None) -> Patches:
        """Piece `i` as patches; with `rng` in a random key and, where it is too long, cropped by chance; without it
        always the same: as written, from its head."""
        key = (
            "" if rng is None or self.keys == "own" else draw_key(self.pack.sheet(int(self.indices[i])), self.keys, rng)
        )
        return self._piece(i, key).patches(self.length, rng)

    def _piece(self, i: int, key: str) -> EncodedPiece:
        found = self._encoded.get((i, key))
        if found is None:
            found = encode_piece(self.text(i, key))
            if self._kept_bytes < _KEPT_BYTES:
                self._encoded[i, key] = found
                self._kept_bytes += found.nbytes
        return found

    def epoch(self, rng: np.random.Generator) -> Iterator[Patches]:
        """Every piece once, in random order."""
        for i in rng.permutation(len(self)).tolist():
            yield self.patches(i, rng)


def draw_key(sheet: str, keys: KeyChoice, rng: np.random.Generator) -> str:
    """One of the fifteen names, for a piece whose key is in `sheet`."""
    if keys == "all":
        return KEYS[int(rng.integers(len(KEYS)))]
    home = pitch_class(global_key(sheet).signature)
    place = (home + int(rng.choice(7, p=_NEAR)) - 3) % 12
    plain = next(name for name in KEYS if pitch_class(fifths_of(name)) == place)
    names, shares = zip(*_NAMES.get(place, ((plain, 1.0),)), strict=True)
    return str(rng.choice(names, p=shares))


def make_sheet_pack(collection: str, rows: Iterable[SheetRow]) -> SheetPack:
    """Pack the pieces of one collection, in the given order."""
    kept = list(rows)
    texts = [row.text.encode("ascii") for row in kept]
    prompts = [(row.prompt.period, row.prompt.composer, row.prompt.instrumentation) for row in kept]
    return SheetPack(
        text=np.frombuffer(b"".join(texts), np.uint8),
        starts=np.cumsum([0, *map(len, texts)]).astype(np.int64),
        ids=np.array([row.id for row in kept], np.str_),
        works=np.array([row.work for row in kept], np.str_),
        titles=np.array([row.title for row in kept], np.str_),
        prompts=np.array(prompts, np.str_).reshape(-1, 3),
        split=np.array([SPLITS.index(row.split) for row in kept], np.uint8),
        collection=np.zeros(len(kept), np.uint8),
        collections=np.array([collection], np.str_),
    )


def merge_sheet_packs(packs: Sequence[SheetPack]) -> SheetPack:
    """Several packs as one, in order."""
    names = list(dict.fromkeys(name for pack in packs for name in pack.collections.tolist()))
    places = [np.array([names.index(name) for name in pack.collections.tolist()], np.uint8) for pack in packs]
    lengths = np.concatenate([np.diff(pack.starts) for pack in packs])
    joined = {
        name: np.concatenate([getattr(pack, name) for pack in packs])
        for name in ("text", "ids", "works", "titles", "prompts", "split")
    }
    return SheetPack(
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        collection=np.concatenate([place[pack.collection] for place, pack in zip(places, packs, strict=True)]),
        collections=np.array(names, np.str_),
        **joined,
    )


def load_sheet_pack(path: Path) -> SheetPack:
    """Read a pack of sheets. Raises UnreadableFile."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return SheetPack(**{name: stored[name] for name in _ARRAYS})
    except FileNotFoundError:
        raise UnreadableFile(
            f"There is no pack of sheets at {path}.", "Make one with: sideman data pack --sheets NAME... -o FILE"
        ) from None
    except (OSError, KeyError, ValueError, EOFError) as error:
        raise UnreadableFile(
            f"{path} is not a readable pack of sheets ({error}).", "Make it again with: sideman data pack --sheets"
        ) from None
