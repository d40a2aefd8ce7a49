"""Many pieces written side by side over one network: each answers for itself, all passes are shared.

Chance is a piece's own: what it draws depends on its seed and on its logits. (With int8 weights the rounding of a
pass depends a little on what else is in it.)
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sideman.compose.actions import Back, Ids, Piece, Read, Say, Write
from sideman.engine.bundle import Bundle
from sideman.engine.sheet_sampling import SheetSampling, cut, draw, softmax
from sideman.engine.sheet_stream import SheetStream
from sideman.music.sheet.patches import EOS, PAD, PATCH_SIZE, VOCABULARY, Patches

NEWLINE = ord("\n")
_TEXT = np.zeros(VOCABULARY, np.bool_)
_TEXT[32:127] = _TEXT[NEWLINE] = True


@dataclass(frozen=True, slots=True)
class Said:
    """Text of piece `row`, or with `why` that it has ended."""

    row: int
    text: str = ""
    why: str = ""


@dataclass
class _Row:
    """One piece on its way. `unread`: patches it wants read before it writes; `write`: what it wants written."""

    number: int
    piece: Piece
    rng: np.random.Generator
    unread: list[Patches] = field(default_factory=list)
    write: Write = field(default_factory=Write)
    written: list[int] = field(default_factory=list)


def play(bundle: Bundle, pieces: Sequence[Piece], seeds: Sequence[int], sampling: SheetSampling,
         stop: Callable[[], str] = lambda: "") -> Iterator[Said]:  # fmt: skip
    """Write all pieces to their ends, telling what they say as they say it. `stop` is asked before every character;
    once it gives a reason all pieces end with it."""
    rows = [_Row(n, p, np.random.default_rng(s)) for n, (p, s) in enumerate(zip(pieces, seeds, strict=True))]
    stream = SheetStream.open(bundle, len(rows))
    answers: list[Ids | None] = [None] * len(rows)
    while rows:
        left, kept = [], []
        for place, (row, answer) in enumerate(zip(rows, answers, strict=True)):
            why = yield from _advance(row, answer, stream, place)
            if why:
                yield Said(row.number, why=why)
            else:
                left.append(row)
                kept.append(place)
        if len(left) < len(rows):
            stream = stream.keep(np.array(kept, np.int64))
        rows = left
        if rows:
            _feed(stream, rows)
            why = _write(stream, rows, sampling, stop)
            if why:
                yield from (Said(row.number, why=why) for row in rows)
                return
            answers = [tuple(row.written + [PAD] * (PATCH_SIZE - len(row.written))) for row in rows]


def _advance(row: _Row, answer: Ids | None, stream: SheetStream, place: int) -> Generator[Said, None, str]:
    """Let a piece go on until it wants something written; returns why it ended, if it did."""
    try:
        while True:
            request = row.piece.send(answer)
            answer = None
            if isinstance(request, Say):
                yield Said(row.number, request.text)
            elif isinstance(request, Read):
                row.unread.append(request.patches)
            elif isinstance(request, Back):
                _go_back(row, stream, place, request.length)
            else:
                row.write = request
                return ""
    except StopIteration as ended:
        return str(ended.value)


def _go_back(row: _Row, stream: SheetStream, place: int, length: int) -> None:
    """Forget patches, those first that have not even been read."""
    unread = np.concatenate([np.zeros((0, PATCH_SIZE), np.int64), *row.unread])
    read = int(stream.lengths[place])
    row.unread = [unread[: max(0, length - read)]]
    if length < read:
        stream.rollback(place, length)


def _feed(stream: SheetStream, rows: list[_Row]) -> None:
    nothing = np.zeros((0, PATCH_SIZE), np.int64)
    stream.feed([np.concatenate([nothing, *row.unread]) for row in rows])
    for row in rows:
        row.unread = []


def _write(stream: SheetStream, rows: list[_Row], sampling: SheetSampling, stop: Callable[[], str]) -> str:
    """One patch of each piece, character by character; why it was stopped, if it was."""
    for row in rows:
        row.written = list(row.write.opened)
    logits = stream.begin([row.write.opened for row in rows])
    while True:
        if why := stop():
            return why
        ids = np.full(len(rows), PAD, np.int64)
        for place, row in enumerate(rows):
            if not _done(row):
                chosen = _choose(logits[place], row, sampling)
                row.written.append(chosen)
                ids[place] = chosen
        going = np.array([not _done(row) for row in rows])
        if not going.any():
            return ""
        logits = stream.write(ids, going)


def _choose(logits: NDArray[np.float32], row: _Row, sampling: SheetSampling) -> int:
    p = softmax(logits)
    if row.write.text:
        allowed = _TEXT.copy()
        allowed[EOS] = bool(row.written)
        p = np.where(allowed, p, 0.0)
    return draw(cut(p, sampling), row.rng)


def _done(row: _Row) -> bool:
    """A patch ends with its first EOS, whatever would follow is no text; and a line ends its last patch."""
    written = row.written
    if len(written) == PATCH_SIZE:
        return True
    if not written or len(written) == len(row.write.opened):
        return False
    return written[-1] == EOS or (row.write.text and written[-1] == NEWLINE)
