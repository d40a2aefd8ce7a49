"""Two parts played together, frame by frame, by networks or from the data (spec 6.7); batched, without torch.

In every frame both parts are chosen from strictly earlier frames of both; neither sees the other's new token. A
network holds the history with its own part first, as it was trained: BOS o1 x1 o2 x2 .., and is fed what it has not
read yet. So another network can take its place at any frame: it begins with an empty cache and reads the whole history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle, Floats
from sideman.engine.sampling import Sampling, pick
from sideman.engine.stream import Ints, Stream
from sideman.music.grammar import chord_mask, melody_mask
from sideman.music.vocabulary import BOS, Vocabulary

PartName = Literal["chord", "melody"]
Draws = NDArray[np.float64]


@dataclass(frozen=True)
class Seat:
    """A network that plays for so many `frames` before the next one takes over; 0 = to the end."""

    bundle: Bundle
    temperature: float = 1.0
    frames: int = 0


class Player(Protocol):
    """Chooses one part: `own`, `other` int64 [B, T] hold both parts up to frame `t`; answers the tokens [B] of `t`."""

    def choose(self, t: int, own: Ints, other: Ints, draws: Draws) -> Ints: ...


@dataclass(frozen=True)
class Given:
    """Tokens int64 [B, T] that are known."""

    tokens: Ints

    def choose(self, t: int, own: Ints, other: Ints, draws: Draws) -> Ints:
        return self.tokens[:, t]


class Network:
    """Networks that play one part of B rows in turn, each in its seat. `form` [B, T, 3]. Holds caches: use it once."""

    def __init__(self, part: PartName, seats: Sequence[Seat], form: NDArray[np.uint8]) -> None:
        self.part, self.seats, self.form = part, seats, form
        self._seat: int | None = None
        self._fed = 0
        self._stream: Stream

    def choose(self, t: int, own: Ints, other: Ints, draws: Draws) -> Ints:
        seat = seat_at(self.seats, t)
        if seat != self._seat:
            self._sit(seat, t)
        bundle = self.seats[seat].bundle
        logits = self._read(t, own, other)
        previous = own[:, t - 1] if t else np.full(len(own), BOS, np.int64)
        allowed = (chord_mask if self.part == "chord" else melody_mask)(bundle.vocabulary, previous)
        scores = np.where(allowed, logits, np.float32(-np.inf))
        return pick(scores, draws, Sampling(self.seats[seat].temperature))

    def _sit(self, seat: int, t: int) -> None:
        """Give the part to a network with an empty cache, which will read as much history as its window holds."""
        bundle = self.seats[seat].bundle
        self._seat, self._stream = seat, Stream.open(bundle, len(self.form))
        self._fed = max(0, 2 * t + 1 - _slots(bundle.file.window))
        self._stream.dropped[:] = self._fed

    def _read(self, t: int, own: Ints, other: Ints) -> Floats:
        """Logits [B, V] of the part's token of frame `t`, after everything before it was fed."""
        bundle = self.seats[self._seat or 0].bundle
        window = bundle.file.window
        at = np.arange(self._fed, 2 * t + 1)
        tokens = interleaved(own[:, :t], other[:, :t])[:, at]
        self._stream.slide(_slots(window) - len(at), _slots(window - bundle.hop))
        logits = self._stream.feed(tokens, self.form[:, at // 2], read=np.array([len(at) - 1]))
        self._fed = 2 * t + 1
        return logits[:, 0]


def play(chords: Player, melody: Player, draws: NDArray[np.float64]) -> tuple[Ints, Ints]:
    """(chords, melody) int64 [B, T] of two players; `draws` [2, B, T] in [0, 1): the first for the chords."""
    _, rows, frames = draws.shape
    played, sung = np.zeros((2, rows, frames), np.int64)
    for t in range(frames):
        chord = chords.choose(t, played, sung, draws[0, :, t])
        note = melody.choose(t, sung, played, draws[1, :, t])
        played[:, t], sung[:, t] = chord, note
    return played, sung


def interleaved(own: Ints, other: Ints) -> Ints:
    """BOS o1 x1 o2 x2 .., int64 [B, 2T+1], of two parts [B, T]."""
    rows, frames = own.shape
    out = np.full((rows, 2 * frames + 1), BOS, np.int64)
    out[:, 1::2], out[:, 2::2] = own, other
    return out


def seat_at(seats: Sequence[Seat], t: int) -> int:
    """Whose turn frame `t` is; after the last seat the first one begins again."""
    if not all(seat.frames for seat in seats):
        ends = np.cumsum([seat.frames or np.iinfo(np.int32).max for seat in seats])
        return int(np.searchsorted(ends, t, side="right"))
    ends = np.cumsum([seat.frames for seat in seats])
    return int(np.searchsorted(ends, t % ends[-1], side="right"))


def vocabulary_of(seats: Sequence[Seat]) -> Vocabulary:
    """What all of them speak. Raises ValueError where they do not."""
    first = seats[0].bundle.vocabulary
    if any(seat.bundle.vocabulary.names != first.names for seat in seats):
        raise ValueError("networks that play together must share their chord list")
    return first


def _slots(frames: int) -> int:
    """Slots filled when the token of the last of so many frames is to be chosen."""
    return 2 * frames - 1
