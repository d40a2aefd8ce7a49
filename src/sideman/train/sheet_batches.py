"""Training examples from a pack of sheets: mixing, keys, crops (NotaGen spec 2.4, 5).

Batch number s is a function of (seed, s) alone, as in `batches`. Within an epoch every piece comes as often as its
weight says, rounded up or down, so nothing is left out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sideman.data.sheets import SheetPack, SheetPieces
from sideman.errors import WrongValue
from sideman.music.sheet.patches import PAD, PATCH_SIZE, Patches
from sideman.train.sheet_recipe import SheetDataConfig


@dataclass(frozen=True, slots=True)
class SheetBatch:
    """B examples of at most T patches: `patches` int64 [B, T, 16], PAD beyond `lengths` int64 [B]; `pieces` int64 [B]
    into the pack."""

    patches: NDArray[np.int64]
    lengths: NDArray[np.int64]
    pieces: NDArray[np.int64]

    def rows(self, which: slice) -> "SheetBatch":
        """Some of the examples, no longer than they are."""
        lengths = self.lengths[which]
        return SheetBatch(self.patches[which, : int(lengths.max(initial=1))], lengths, self.pieces[which])

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Which patches are there, [B, T]."""
        return np.asarray(np.arange(self.patches.shape[1]) < self.lengths[:, None])

    @property
    def tokens(self) -> int:
        """Characters to predict: all but padding and the first patch."""
        return int((self.patches[:, 1:] != PAD).sum())


class SheetSource:
    """Examples of one split of a pack. Read-only after construction, so threads may share it."""

    def __init__(self, pack: SheetPack, config: SheetDataConfig, split: str) -> None:
        self.pack = pack
        self.sheets = SheetPieces(pack, split, config.length, (), config.composers, config.keys, config.prompts)
        odds = _mix(pack, self.sheets.indices, config.weights)
        self.pieces, self.odds = np.flatnonzero(odds > 0), odds[odds > 0]
        if not len(self.pieces) and split == "train":
            raise WrongValue(
                "The pack holds no sheets that data.weights and data.composers ask for.",
                f"It holds: {', '.join(pack.collections.tolist())}.",
            )

    @property
    def prompts(self) -> tuple[tuple[str, str, str], ...]:
        """Those that examples begin with, in order."""
        if not self.sheets.prompts:
            return ()
        found = {tuple(row) for row in self.pack.prompts[self.sheets.indices[self.pieces]].tolist() if all(row)}
        return tuple((period, composer, kind) for period, composer, kind in sorted(found))

    def draw(self, seed: int, step: int, batch: int) -> SheetBatch:
        """Batch `step` of a training run."""
        rng = np.random.default_rng([seed, step])
        pieces = self.order(seed, step * batch, batch)
        return self._collected(pieces, [self.sheets.patches(piece, rng) for piece in pieces.tolist()])

    def fixed(self, count: int) -> SheetBatch:
        """The beginnings of up to `count` pieces spread evenly over the split, in their own keys; the same ones every
        time, the longest first so that those read together are alike."""
        chosen = self.pieces[np.linspace(0, len(self.pieces) - 1, min(count, len(self.pieces))).astype(int)]
        rows = [self.sheets.patches(piece) for piece in chosen.tolist()]
        order = sorted(range(len(rows)), key=lambda row: -len(rows[row]))
        return self._collected(chosen[order], [rows[row] for row in order])

    def _collected(self, pieces: NDArray[np.int64], rows: list[Patches]) -> SheetBatch:
        lengths = np.array([len(row) for row in rows], np.int64)
        patches = np.full((len(rows), int(lengths.max()), PATCH_SIZE), PAD, np.int64)
        for out, row in zip(patches, rows, strict=True):
            out[: len(row)] = row
        return SheetBatch(patches, lengths, self.sheets.indices[pieces])

    def order(self, seed: int, first: int, count: int) -> NDArray[np.int64]:
        """Pieces number first.. of the endless order of a run."""
        size = len(self.pieces)
        epochs = range(first // size, (first + count - 1) // size + 1)
        order = np.concatenate([self._epoch(seed, epoch) for epoch in epochs])
        return order[first - size * epochs[0] :][:count]

    def _epoch(self, seed: int, epoch: int) -> NDArray[np.int64]:
        """As many pieces as there are, each as often as its odds say, in random order."""
        size, rng = len(self.pieces), np.random.default_rng([seed, epoch, 1])
        marks = (rng.random() + np.arange(size)) / size
        chosen = np.searchsorted(np.cumsum(self.odds), marks * self.odds.sum(), side="right")
        return rng.permutation(self.pieces[np.minimum(chosen, size - 1)])


def _mix(pack: SheetPack, pieces: NDArray[Any], weights: dict[str, float]) -> NDArray[np.float64]:
    """Probability of each piece: the collection's weight shared among its pieces; zeros if none is left."""
    odds = np.full(len(pieces), 0.0 if weights else 1.0)
    names = pack.collections.tolist()
    unknown = sorted(set(weights) - set(names))
    if unknown:
        raise WrongValue(f"The pack has no collection {', '.join(unknown)}.", f"It holds: {', '.join(names)}.")
    for name, weight in weights.items():
        mine = pack.collection[pieces] == names.index(name)
        odds[mine] = weight / max(1, mine.sum())
    return np.asarray(odds / max(odds.sum(), np.finfo(np.float64).tiny))
