"""Training examples from a pack: mixing, cropping, transposing, token layouts (spec 1.6-1.8, 3).

Batch number s is a function of (seed, s) alone, so resuming needs no state, and every number of
processes and accumulation steps sees the same examples: each takes its rows of the whole batch.
"""

from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from sideman.data.pack import Pack
from sideman.errors import WrongValue
from sideman.music.frames import SILENT
from sideman.music.vocabulary import BOS, CHORD_HOLD, EOS, NOTE_HOLD, NOTE_ON, PAD, SILENCE, PartName, Vocabulary
from sideman.train.recipe import DataConfig

Tokens = NDArray[np.int64]


class Divisible(Protocol):
    """Examples of any kind."""

    def rows(self, which: slice) -> Self:
        """Some of the examples."""


B = TypeVar("B", bound=Divisible)
B_co = TypeVar("B_co", bound=Divisible, covariant=True)


class Drawn(Protocol[B_co]):
    """Where examples come from. Read-only, so threads may share it."""

    def draw(self, seed: int, step: int, batch: int) -> B_co:
        """Batch `step` of a run."""


@dataclass(frozen=True, slots=True)
class Batch:
    """B examples of at most T frames. `melody`, `chords`: frame tokens int64 [B, T], PAD beyond `lengths` int64 [B];
    `form` uint8 [B, T, 3]; `pieces` int64 [B] into the pack."""

    melody: Tokens
    chords: Tokens
    form: NDArray[np.uint8]
    lengths: NDArray[np.int64]
    pieces: NDArray[np.int64]

    @property
    def tokens(self) -> int:
        """Melody and chord tokens."""
        return 2 * int(self.lengths.sum())

    def rows(self, which: slice) -> "Batch":
        """Some of the examples."""
        return Batch(self.melody[which], self.chords[which], self.form[which], self.lengths[which], self.pieces[which])

    def beginning(self, frames: int) -> "Batch":
        """The first `frames` frames of every example."""
        cut = slice(0, frames)
        return Batch(
            self.melody[:, cut], self.chords[:, cut], self.form[:, cut], np.minimum(self.lengths, frames), self.pieces
        )

    def both(self, part: PartName) -> tuple[Tokens, Tokens]:
        """Frame tokens [B, T] of `part` and of the other one."""
        return (self.chords, self.melody) if part == "chord" else (self.melody, self.chords)

    def interleaved(self, part: PartName) -> Tokens:
        """BOS c1 m1 c2 m2 .. EOS (melody first when it is the model part), int64 [B, 2T+2]."""
        rows, frames = self.melody.shape
        out = np.full((rows, 2 * frames + 2), PAD, np.int64)
        out[:, 0] = BOS
        own, other = self.both(part)
        out[:, 1:-1:2], out[:, 2:-1:2] = own, other
        out[np.arange(rows), 2 * self.lengths + 1] = EOS
        return out

    def single(self, part: PartName) -> Tokens:
        """BOS x1 .. xT EOS of one part, int64 [B, T+2]."""
        rows, frames = self.melody.shape
        out = np.full((rows, frames + 2), PAD, np.int64)
        out[:, 0] = BOS
        out[:, 1:-1] = self.both(part)[0]
        out[np.arange(rows), self.lengths + 1] = EOS
        return out


def interleaved_form(form: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Frame form [B, T, 3] -> form of the *next* token of BOS a1 b1 a2 .., [B, 2T+1, 3]; the last (EOS) is unknown."""
    rows, frames, columns = form.shape
    out = np.zeros((rows, 2 * frames + 1, columns), np.uint8)
    out[:, :-1] = np.repeat(form, 2, axis=1)
    return out


def single_form(form: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Frame form [B, T, 3] -> form of each token of BOS x1 .. xT EOS, [B, T+2, 3]; BOS and EOS are unknown."""
    rows, frames, columns = form.shape
    out = np.zeros((rows, frames + 2, columns), np.uint8)
    out[:, 1:-1] = form
    return out


class Source:
    """Examples of one split of a pack under one vocabulary. Read-only after construction, so threads may share it."""

    def __init__(self, pack: Pack, vocabulary: Vocabulary, config: DataConfig, split: str) -> None:
        self.pack, self.config, self.vocabulary = pack, config, vocabulary
        if config.turns and not vocabulary.transposable:
            raise WrongValue("data.turns needs a chord list closed under transposition.", "Set data.vocabulary: own.")
        everything = pack.pieces(split)
        odds = _mix(pack, everything, config.weights)
        self.pieces, self.odds = everything[odds > 0], odds[odds > 0]
        if not len(self.pieces):
            raise WrongValue(
                f"The pack holds no {split} pieces of the collections in data.weights.",
                f"It holds: {', '.join(pack.collections.tolist())}.",
            )
        self.index, self.unknown = _chord_index(pack, vocabulary, config.transpose if split == "train" else 0)

    def draw(self, seed: int, step: int, batch: int) -> Batch:
        """Batch `step` of a training run: pieces by weight, random crop on a beat, random transposition, and now and
        then only the beginnings."""
        rng = np.random.default_rng([seed, step])
        pieces = self.pieces[rng.choice(len(self.pieces), size=batch, p=self.odds)]
        lengths = np.diff(self.pack.starts)[pieces]
        window = int(rng.choice(self.config.lengths)) if self.config.lengths else self.config.window_frames
        room = np.maximum(0, lengths - window) // 4
        starts = 4 * rng.integers(0, room + 1)
        shifts = rng.integers(-self.config.transpose, self.config.transpose + 1, size=batch)
        out = self.collect(pieces, starts, shifts, window)
        out.form[rng.random(batch) < self.config.form_dropout] = 0
        if self.config.turns:
            self._turn(out, rng)
        return out.beginning(self._kept_frames(rng, batch))

    def _kept_frames(self, rng: np.random.Generator, batch: int) -> int:
        """Length all examples of a batch are cut to (spec 5.1, random truncation): a fifth of the batches to 28
        frames, a fifth to some length from 28 up to the window, or as the reference has it, up to the batch size."""
        window = self.config.window_frames
        if self.config.random_truncate is None:
            return window
        chance = rng.random()
        below = window if self.config.random_truncate == "window" else batch
        some = int(rng.integers(28, max(29, below)))
        return 28 if chance < 0.2 else some if chance < 0.4 else window

    def _turn(self, batch: Batch, rng: np.random.Generator) -> None:
        """Some of the examples go on in another key from some beat on, a bar or more from either end; what sounds
        across the turn is struck again."""
        for row in np.flatnonzero(rng.random(len(batch.pieces)) < self.config.turns):
            beats, away = int(batch.lengths[row]) // 4, int(rng.integers(1, 7)) * int(rng.choice((-1, 1)))
            if beats < 9:
                continue
            at = 4 * int(rng.integers(4, beats - 3))
            for tokens in (batch.melody[row], batch.chords[row]):
                moved = self.vocabulary.transpose(tokens[at:], away)
                tokens[at:] = moved
                tokens[at] = self.vocabulary.struck(moved[:1])[0]

    def fixed(self, count: int) -> Batch:
        """The first window of up to `count` pieces spread evenly over the split; the same ones every time."""
        chosen = self.pieces[np.linspace(0, len(self.pieces) - 1, min(count, len(self.pieces))).astype(int)]
        nothing = np.zeros(len(chosen), np.int64)
        return self.collect(chosen, nothing, nothing)

    def collect(
        self,
        pieces: NDArray[np.int64],
        starts: NDArray[np.int64],
        shifts: NDArray[np.int64],
        window: int | None = None,
    ) -> Batch:
        """Cut, transpose and pad windows of up to `window` frames."""
        window = window or self.config.window_frames
        lengths = np.minimum(np.diff(self.pack.starts)[pieces] - starts, window)
        frames = int(lengths.max())
        melody, chords = np.full((2, len(pieces), frames), PAD, np.int64)
        form = np.zeros((len(pieces), frames, 3), np.uint8)
        for row, (piece, start, shift, length) in enumerate(zip(pieces, starts, shifts, lengths, strict=True)):
            at = int(self.pack.starts[piece] + start)
            cut = slice(at, at + int(length))
            melody[row, :length] = _melody_tokens(self.pack, cut, int(shift))
            chords[row, :length] = self._chord_tokens(cut, int(shift))
            form[row, :length] = self.pack.form[cut]
        return Batch(melody, chords, form, lengths, pieces)

    def _chord_tokens(self, cut: slice, shift: int) -> Tokens:
        table = self.index[shift + (len(self.index) - 1) // 2]
        index = table[self.pack.chord[cut]]
        base = np.where(self.pack.chord_onset[cut], self.vocabulary.chord_on, CHORD_HOLD)
        return np.where(index < 0, SILENCE, base + index)


def batches(source: Drawn[B], seed: int, first: int, last: int, batch: int) -> Generator[B]:
    """Batches first..last-1, each prepared while the one before trains."""
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(source.draw, seed, first, batch)
        for step in range(first, last):
            ready = ahead.result()
            ahead = pool.submit(source.draw, seed, step + 1, batch)
            yield ready


def share(rank: int, world: int, accumulate: int) -> list[slice]:
    """Rows of the `accumulate` parts of a batch that process `rank` of `world` works on, one after the other."""
    return [slice(rank + world * k, None, world * accumulate) for k in range(accumulate)]


def _melody_tokens(pack: Pack, cut: slice, shift: int) -> Tokens:
    pitch = pack.melody[cut].astype(np.int64) + shift
    pitch = np.where(pitch > 127, pitch - 12, np.where(pitch < 0, pitch + 12, pitch))
    tokens = np.where(pack.melody_onset[cut], NOTE_ON, NOTE_HOLD) + pitch
    return np.where(pack.melody[cut] == SILENT, SILENCE, tokens)


def _chord_index(pack: Pack, vocabulary: Vocabulary, reach: int) -> tuple[NDArray[np.int64], Counter[str]]:
    """Vocabulary index of every chord of the pack in every transposition, [2*reach+1, K+1], -1 = silence or unknown."""
    index = np.full((2 * reach + 1, len(pack.symbols) + 1), -1, np.int64)
    unknown: Counter[str] = Counter()
    for row, shift in enumerate(range(-reach, reach + 1)):
        for k, chord in enumerate(pack.symbols):
            found = vocabulary.lookup(chord.transpose(shift))
            if found is None:
                unknown[chord.transpose(shift).name()] += 1
            else:
                index[row, k] = found
    return index, unknown


def _mix(pack: Pack, pieces: NDArray[np.int64], weights: dict[str, float]) -> NDArray[np.float64]:
    """Probability of each piece: the collection's weight shared among its pieces (spec 3); zeros if none is left."""
    if not weights or not len(pieces):
        return np.full(len(pieces), 1 / len(pieces))
    names = pack.collections.tolist()
    unknown = sorted(set(weights) - set(names))
    if unknown:
        raise WrongValue(f"The pack has no collection {', '.join(unknown)}.", f"It holds: {', '.join(names)}.")
    odds = np.zeros(len(pieces), np.float64)
    for name, weight in weights.items():
        mine = pack.collection[pieces] == names.index(name)
        if mine.any():
            odds[mine] = weight / mine.sum()
    odds /= max(odds.sum(), np.finfo(np.float64).tiny)
    return odds
