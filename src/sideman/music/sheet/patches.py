"""Text <-> patches of 16 characters (spec 2): what sheet models read and write.

A token is an ASCII code; 0, 1 and 2 stand for nothing (PAD), the beginning (BOS) and the end (EOS). A unit of
text - a metadata line, or what lies between two barlines - starts a patch and ends with EOS, unless it fills
its last patch. Body lines carry the stream tag `[r:i/j]`: line i, and j lines to go.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sideman.errors import WrongValue

PATCH_SIZE = 16
VOCABULARY = 128
PAD, BOS, EOS = 0, 1, 2

BOS_PATCH = np.array([BOS] * (PATCH_SIZE - 1) + [EOS], np.int64)
EOS_PATCH = np.array([BOS] + [EOS] * (PATCH_SIZE - 1), np.int64)

Patches = NDArray[np.int64]
_Starts = Callable[[str], tuple[list[int], list[int]]]

_BARLINE = r"\|:|::|:\||\[\||\|\||\|\]|\|"
# A barline opens a chunk, but the last one of a line closes it where no voice follows (2.3).
_CHUNK = re.compile(rf"(?:{_BARLINE})(?!(?:(?!{_BARLINE})[^V\n])*(?:\n|\Z))")
_LINE = re.compile(r"\n(?!\Z)")
_BODY = re.compile(r"^\[(?:V|r):", re.MULTILINE)
_TOKEN = re.compile(f"({_BARLINE})")


@dataclass(frozen=True, slots=True)
class EncodedPiece:
    """A whole piece in patches: `head` uint8 [m, 16] (BOS patch and metadata), `body` uint8 [b, 16], and the patches of
    the body at which its lines begin."""

    head: NDArray[np.uint8]
    body: NDArray[np.uint8]
    line_starts: NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        return self.head.nbytes + self.body.nbytes + self.line_starts.nbytes

    def patches(self, length: int | None = None, rng: np.random.Generator | None = None) -> Patches:
        """[n, 16] with the EOS patch at the end; of a piece that is too long a part, see `encode`."""
        total = len(self.head) + len(self.body) + 1
        start = 0 if length is None or total <= length else crop_start(self.line_starts, total - length, rng)
        whole = np.concatenate([self.head, self.body[start:], EOS_PATCH[None].astype(np.uint8)])
        return whole[:length].astype(np.int64)


def encode(text: str, length: int | None = None, rng: np.random.Generator | None = None) -> Patches:
    """A whole piece -> [n, 16], between the BOS and the EOS patch (spec 2.4).

    Lines are tagged unless they are already. Of a piece of more than `length` patches `length` are kept: all
    metadata, and its head; or, where `rng` is given, its head, tail or middle by chance. Tags keep counting
    the lines of the whole piece. Raises WrongValue for text beyond ASCII.
    """
    return encode_piece(text).patches(length, rng)


def encode_piece(text: str) -> EncodedPiece:
    """A whole piece, to be taken in parts. Raises WrongValue for text beyond ASCII."""
    metadata, body = split(text)
    if body and not body[0].startswith("[r:"):
        body = tag(body)
    head, _ = _cut("\n".join([*metadata, ""]), _line_starts)
    notes, line_starts = _cut("\n".join([*body, ""]), _body_starts)
    return EncodedPiece(np.concatenate([BOS_PATCH[None], head]).astype(np.uint8), notes.astype(np.uint8), line_starts)


def crop_start(line_starts: ArrayLike, excess: int, rng: np.random.Generator | None) -> int:
    """Body patch at which a piece that is `excess` patches too long begins: head, tail or middle (spec 2.4, 4).

    `line_starts` are the patches at which body lines begin, ascending from 0.
    """
    starts = np.asarray(line_starts)
    kept = starts[: int(np.searchsorted(starts, excess)) + 1]
    if rng is None or len(kept) < 2:
        return 0
    choice = int(rng.integers(min(len(kept), 3)))
    where = (0, len(kept) - 1, 1 + int(rng.integers(max(len(kept) - 2, 1))))[choice]
    return int(kept[where])


def encode_prefix(text: str, length: int | None = None, reference: bool = False) -> tuple[Patches, tuple[int, ...]]:
    """The beginning of a piece -> [n, 16] and the ids of a patch that is still open (spec 2.5).

    Lines keep the tags they have. The last chunk stays open, so the model goes on inside it; a text that ends
    in metadata ends there closed. At most `length` patches, the open one included. `reference` drops a last line
    that ends in a barline without a voice behind it, and ends an unfinished metadata line.
    """
    metadata, body = split(text)
    end = "\n" if text.endswith("\n") else ""
    if reference:
        kept = _without_swallowed([*body[:-1], *(line + end for line in body[-1:])])
        end = end if len(kept) == len(body) and body else "\n"
        body = body[: len(kept)]
    heading = "\n".join(metadata) + ("\n" if body else end)
    head, _ = _cut(heading, _line_starts, is_open=not heading.endswith("\n"))
    notes, _ = _cut("\n".join(body) + end, _body_starts, is_open=True)
    patches = np.concatenate([BOS_PATCH[None], head, notes])[:length]
    last = patches[-1]
    if last[-1] != PAD or EOS in last:
        return patches, ()
    return patches[:-1], tuple(last[last != PAD].tolist())


def decode(patches: ArrayLike, reference: bool = False) -> str:
    """Patches [n, 16], or one [16] -> text: of each patch what comes before its first EOS.

    `reference` also writes out PAD and BOS ids that come before it, as characters.
    """
    ids = np.atleast_2d(np.asarray(patches, np.int64))
    keep = np.cumsum(ids == EOS, axis=1) == 0
    if not reference:
        keep &= ids > EOS
    return bytes(ids[keep].tolist()).decode("ascii", errors="replace")


def split(text: str) -> tuple[list[str], list[str]]:
    """Metadata lines and body lines, without blank ones; the body begins with the first `[V:` or `[r:` line."""
    found = _BODY.search(text)
    start = found.start() if found else len(text)
    return [*filter(None, text[:start].split("\n"))], [*filter(None, text[start:].split("\n"))]


def tag(lines: Sequence[str]) -> list[str]:
    """Body lines with their stream tags."""
    last = len(lines) - 1
    return [f"[r:{i}/{last - i}]{line}" for i, line in enumerate(lines)]


def untag(line: str) -> str:
    """A body line without its stream tag, if it has one."""
    return line[line.find("]") + 1 :] if line.startswith("[r:") else line


def _line_starts(text: str) -> tuple[list[int], list[int]]:
    starts = [0, *(m.end() for m in _LINE.finditer(text))]
    return starts, starts


def _body_starts(text: str) -> tuple[list[int], list[int]]:
    """Where units begin, and where lines do."""
    lines, _ = _line_starts(text)
    return [*lines, *(m.start() for m in _CHUNK.finditer(text))], lines


def _cut(text: str, starts_of: _Starts, is_open: bool = False) -> tuple[Patches, NDArray[np.int64]]:
    """Patches of `text`, and the patches at which its lines begin. The last unit of an open text gets no EOS."""
    if not text.strip("\n"):
        return np.zeros((0, PATCH_SIZE), np.int64), np.zeros(0, np.int64)
    characters = _ascii(text)
    units, lines = starts_of(text)
    starts = np.unique(np.array(units, np.int64))
    sizes = np.diff(starts, append=len(characters))
    counts = -(-sizes // PATCH_SIZE)
    firsts = np.cumsum(counts) - counts
    flat = np.zeros(int(counts.sum()) * PATCH_SIZE, np.int64)
    flat[np.arange(len(characters)) + np.repeat(firsts * PATCH_SIZE - starts, sizes)] = characters
    ends = (firsts * PATCH_SIZE + sizes)[sizes % PATCH_SIZE != 0]
    if is_open and sizes[-1] % PATCH_SIZE:
        ends = ends[:-1]
    flat[ends] = EOS
    return flat.reshape(-1, PATCH_SIZE), firsts[np.searchsorted(starts, lines)]


def _ascii(text: str) -> NDArray[np.uint8]:
    try:
        return np.frombuffer(text.encode("ascii"), np.uint8)
    except UnicodeEncodeError as error:
        raise WrongValue(
            f"Sheet text is plain ASCII, but holds '{text[error.start]}'.", "Clean it first: music.sheet.clean."
        ) from None


def _without_swallowed(lines: list[str]) -> list[str]:
    """Body lines up to the first one that the reference loses to an index error (spec 2.3)."""
    for i, line in enumerate(lines):
        pieces = [*filter(None, _TOKEN.split(line if i == len(lines) - 1 else line + "\n"))]
        begins_with_barline = bool(_TOKEN.fullmatch(pieces[0]))
        if len(pieces) > 1 and len(pieces) % 2 == begins_with_barline:
            return lines[:i]
    return lines
