"""The real sheets that generated ones are held against: those a judge ranks by, and those nobody learned from."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sideman.data.sheets import SheetPack
from sideman.errors import WrongValue
from sideman.files import write_atomic
from sideman.music.sheet.measures import judged_figures, written_figures
from sideman.music.sheet.shingles import Shingled
from sideman.train.preference.judge import Judge
from sideman.train.sheet_recipe import SheetDataConfig


class RealSheets:
    """The pieces of a pack that a recipe asks for, as they were written. Features are read from `kept` or written
    there. Raises WrongValue where the training split has none."""

    def __init__(self, pack: SheetPack, data: SheetDataConfig, judge: Judge, kept: Path) -> None:
        self.pack, self.judge, self.kept = pack, judge, kept
        names = [name for name, weight in data.weights.items() if weight > 0]
        splits = {split: pack.pieces(split, names, data.composers) for split in ("train", "valid", "test")}
        self.seen, self.unseen = splits["train"], np.concatenate([splits["valid"], splits["test"]])
        if not len(self.seen):
            raise WrongValue("The pack holds no sheets that data.weights and data.composers ask for.", "Name others.")

    def texts(self, pieces: NDArray[np.int64]) -> list[str]:
        return [self.pack.sheet(int(piece)) for piece in pieces]

    @cached_property
    def features(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of seen and of unseen pieces, [M, D] and [U, D]."""
        if not self.kept.exists():
            seen, unseen = (self.judge.features(self.texts(pieces))[0] for pieces in (self.seen, self.unseen))
            write_atomic(self.kept, lambda stream: np.savez_compressed(stream, seen=seen, unseen=unseen))
        with np.load(self.kept) as stored:
            return stored["seen"], stored["unseen"]

    @cached_property
    def shingled(self) -> Shingled:
        """Of seen pieces."""
        return Shingled.of(self.texts(self.seen))

    def figures(self, features: NDArray[np.float32], texts: Sequence[str]) -> dict[str, float]:
        """Of generated pieces that could be judged."""
        return judged_figures(features, *self.features) | written_figures(texts, self.shingled)

    def own_figures(self) -> dict[str, float]:
        """The same of the unseen pieces: what real music gets. Their `overlap` is with other works of the same
        composer. Empty where there are fewer than two."""
        seen, unseen = self.features
        if len(unseen) < 2:
            return {}
        composers = self.pack.prompts[:, 1]
        among = composers[self.unseen][:, None] == composers[self.seen]
        written = written_figures(self.texts(self.unseen), self.shingled, among)
        return judged_figures(unseen, seen) | written | {"pieces": len(unseen)}
