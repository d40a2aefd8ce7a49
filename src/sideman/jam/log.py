"""The record of a jam: what was done to its session, in order, and what came of it.

Lines of JSON, the first a `begun`. Doing the same again (replay.py) makes the same plans. A session keeps
its own record in memory, packed, at some tens of bytes a beat.
"""

import zlib
from collections.abc import Callable, Iterator

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sideman.errors import UnreadableFile
from sideman.jam.messages import Notes, Set, Start

PACK_LINES = 64


class Begun(Struct, tag="begun"):
    """A session was opened with `start`, over the model of this name and checkpoint (sha256)."""

    start: Start
    model: str
    checkpoint: str
    at: float


class Heard(Struct, tag="heard"):
    """`message` came in `at` seconds; without a `planned` after it, a newer one took its place."""

    message: Notes
    at: float


class Changed(Struct, tag="changed"):
    """`message` was obeyed, with the model of this name and checkpoint."""

    message: Set
    model: str
    checkpoint: str
    at: float


class Introduced(Struct, tag="introduced"):
    """What was listened to was harmonised by an offline model: the chord tokens, and their `digest`."""

    model: str
    checkpoint: str
    digest: int
    chords: list[int] = []


class Planned(Struct, tag="planned"):
    """A plan was made for the last message and promised from `frame` on (null: too late for all of it). Durations in
    milliseconds; the chord tokens promised (none: only silence lies ahead), and their `digest`."""

    frame: int | None
    digest: int
    queued: float
    computed: float
    chords: list[int] = []


class Prepared(Struct, tag="prepared"):
    """Work was done ahead: passes of the network, for the next window."""

    passes: int


Entry = Begun | Heard | Changed | Introduced | Planned | Prepared
_DECODER: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


class Log:
    """Entries of one session, packed as they come. `text`: what an earlier process wrote of it; `keep`: gets each line
    as well, so that the session can outlive this one."""

    def __init__(self, text: bytes = b"", keep: Callable[[bytes], None] | None = None) -> None:
        self._packs: list[bytes] = [zlib.compress(text.rstrip(b"\n"))] if text else []
        self._lines: list[bytes] = []
        self._keep = keep

    def append(self, entry: Entry) -> None:
        self._lines.append(msgspec.json.encode(entry))
        if self._keep is not None:
            self._keep(self._lines[-1] + b"\n")
        if len(self._lines) == PACK_LINES:
            self._packs.append(zlib.compress(b"\n".join(self._lines)))
            self._lines = []

    def text(self) -> bytes:
        """All entries so far, a line each."""
        packs = [zlib.decompress(pack) for pack in self._packs]
        return b"\n".join([*packs, *self._lines]) + b"\n"


def read_log(text: bytes) -> Iterator[Entry]:
    """Entries of a log. Raises UnreadableFile naming the line."""
    for number, line in enumerate(text.splitlines(), 1):
        try:
            yield _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnreadableFile(
                f"Line {number} is not of a jam's log: {error}.", "Give the file as it was saved."
            ) from None


def digest(tokens: NDArray[np.integer]) -> int:
    """A number that differs for different tokens."""
    return zlib.crc32(tokens.astype("<i8").tobytes())
