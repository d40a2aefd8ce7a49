"""A conversion in parts: each is a file of its own, written whole, so that a conversion goes on where it was stopped.

They lie in `parts-<digest>` beside the cache until that is written. The digest is over all that the result
depends on (the ids, the place and age of the source, our own code), so parts of another conversion are never taken.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

import sideman
from sideman.data.pack import DAMAGED, Pack, save_arrays
from sideman.data.tally import Tally
from sideman.errors import UnreadableFile
from sideman.music.song import Song

# About 64 parts, so that every core has work to the end, of at most so many pieces that a kill costs little.
_PARTS = 64
_FEWEST, _MOST = 16, 512

NamedSong = tuple[str, str, Song]


@dataclass(frozen=True, slots=True)
class Part:
    """Some pieces of a collection, those called `ids`, and the file for what comes of them."""

    path: Path
    ids: list[str]

    def done(self) -> bool:
        """Whether the file is there and can be read."""
        try:
            self.tally()
        except UnreadableFile:
            return False
        return True

    def save(self, pack: Pack, works: Sequence[str], tally: Tally, songs: list[NamedSong]) -> None:
        """Write what came of the pieces: those kept, the work of each, and what happened. Raises CannotWrite."""
        arrays = {
            **pack.arrays(),
            "works": np.array([_number_of(work) for work in works], np.uint64),
            "tally": np.frombuffer(msgspec.msgpack.encode(tally), np.uint8),
            "songs": np.frombuffer(msgspec.msgpack.encode(songs), np.uint8),
        }
        save_arrays(self.path, arrays)

    def tally(self) -> Tally:
        """What happened to the pieces. Raises UnreadableFile."""
        return msgspec.msgpack.decode(self._array("tally").tobytes(), type=Tally)

    def works(self) -> NDArray[np.uint64]:
        """A number for the work of each piece kept, the same for the same work."""
        return self._array("works")

    def songs(self) -> list[NamedSong]:
        """(id, split, song) of each piece kept, where songs were asked for."""
        return msgspec.msgpack.decode(self._array("songs").tobytes(), type=list[NamedSong])

    def _array(self, name: str) -> NDArray[Any]:
        try:
            # A stream of our own: numpy leaves its file open where what is in it is damaged.
            with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                found: NDArray[Any] = stored[name]
        except DAMAGED as error:
            hint = "Convert again, and no collection twice at the same time."
            raise UnreadableFile(f"{self.path} is not a readable part ({error}).", hint) from None
        return found


@dataclass(frozen=True, slots=True)
class PartSongs:
    """(id, split, song) of all pieces, one part in memory at a time; may be gone through again."""

    parts: Sequence[Part]

    def __iter__(self) -> Iterator[NamedSong]:
        for part in self.parts:
            yield from part.songs()


def parts_of(name: str, folder: Path, root: Path, ids: Sequence[str], songs: bool) -> list[Part]:
    """The parts of a conversion of the pieces `ids` of the source in `root` to `folder`, done or not."""
    digest = sha256(f"{name}\n{root.resolve()}\n{root.stat().st_mtime_ns}\n{songs}\n{_code()}".encode())
    for piece_id in ids:
        digest.update(f"\n{piece_id}".encode(errors="surrogateescape"))
    place = folder / f"parts-{digest.hexdigest()[:16]}"
    size = min(max(len(ids) // _PARTS, _FEWEST), _MOST)
    starts = range(0, len(ids), size)
    return [Part(place / f"{number:06}.npz", list(ids[at : at + size])) for number, at in enumerate(starts)]


def forget_parts(folder: Path) -> None:
    """Remove the parts of all conversions to `folder`."""
    for place in folder.glob("parts-*"):
        shutil.rmtree(place, ignore_errors=True)


def count_works(parts: Sequence[Part]) -> int:
    """How many different works the pieces kept are versions of."""
    return len(np.unique(np.concatenate([part.works() for part in parts])))


def _number_of(work: str) -> int:
    return int.from_bytes(sha256(work.encode(errors="surrogateescape")).digest()[:8], "big")


@lru_cache(maxsize=1)
def _code() -> str:
    """A digest of the code that conversion depends on."""
    digest = sha256()
    package = Path(sideman.__file__).parent
    for path in sorted(path for room in ("data", "formats", "music") for path in (package / room).rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
