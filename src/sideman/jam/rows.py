"""The cache of one player: rows of decoding state, each over a stretch of the jam that fits the network's window.

A network hears W frames at most. Row k predicts frames [turn(k), turn(k + 1)) and hears
from frame start(k) on, after a BOS, as if the piece began there (which is how training crops pieces). The
next row is filled while the one before is in use, so no single request pays for the change; and since
which row predicts a frame depends on the frame alone, a plan never depends on when it was asked for.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle
from sideman.engine.stream import Stream

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Windows:
    """Which row predicts a frame, and where rows begin; of a window of frames `hop` are forgotten at once."""

    window: int
    hop: int

    def row_of(self, frame: int) -> int:
        return max(0, (frame - self.window) // self.hop + 1)

    def turn(self, row: int) -> int:
        """First frame that a row predicts."""
        return 0 if row == 0 else self.window + (row - 1) * self.hop

    def start(self, row: int) -> int:
        """First frame that a row hears."""
        return 0 if row == 0 else self.turn(row) - self.window + self.hop

    def heard_from(self, frame: int) -> int:
        """First frame that the row hears which predicts a frame."""
        return self.start(self.row_of(frame))


@dataclass
class Row:
    """One row of cache. Places count the tokens of the whole jam: 0 is BOS, 1 + 2t what the partner plays in frame t
    and 2 + 2t what the player does (parts.py). The slot of a place is place - 2 * start; slot 0 holds BOS."""

    stream: Stream
    start: int

    @classmethod
    def open(cls, bundle: Bundle, start: int) -> "Row":
        return cls(Stream.open(bundle, 1), start)

    @property
    def end(self) -> int:
        """First place that is not fed; 2 * start if nothing is."""
        return int(self.stream.lengths[0]) + 2 * self.start

    def rollback(self, place: int) -> None:
        """Forget everything from `place` on."""
        if place < self.end:
            self.stream.rollback(np.array([max(0, place - 2 * self.start)]))

    def reserve(self, more: int, most: int) -> None:
        """Have room for so many slots more, up to `most` in all."""
        self.stream.reserve(min(int(self.stream.lengths[0]) + more, most))


@dataclass(frozen=True, slots=True)
class Pass:
    """What a planning asks for next: feed tokens [S] with form [S, 3] to a row and return the logits [R, V] at the
    `read` positions among them."""

    row: Row
    tokens: Ints
    form: NDArray[np.uint8]
    read: Ints
