"""The judge of generated sheets, and the real ones it compares them with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sideman.data.sheets import SheetPack
from sideman.errors import BadSheet, WrongValue
from sideman.files import write_atomic
from sideman.models.m3_features import features
from sideman.models.music_encoders import load_tower
from sideman.music.sheet.judged import Reader, judged
from sideman.train.checkpoint import checkpoint_in
from sideman.train.sheet_recipe import SheetDataConfig


@dataclass(frozen=True)
class Real:
    """Features of real pieces: `seen` [M, D], which generated ones are ranked by, and `unseen` [U, D], of no part in
    any training."""

    seen: NDArray[np.float32]
    unseen: NDArray[np.float32]


class Judge:
    """A tower and how it is given sheets. One thread at a time."""

    def __init__(self, place: str, device: torch.device) -> None:
        self.file, tower = load_tower(checkpoint_in(Path(place)))
        self.tower = tower.to(device)
        self.reader: Reader = "clamp2" if self.file.kind == "clamp2" else "judge"

    @property
    def name(self) -> str:
        """What a table calls it: scores of one judge mean nothing to another."""
        trained = self.file.trained
        known = trained.get("recipe", trained.get("source", "unknown"))
        return f"CLaMP 2 ({known})" if self.reader == "clamp2" else f"embedded judge ({known})"

    def features(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], list[int]]:
        """Features [n, D] of the sheets that can be judged, and their places in `texts`."""
        patches, places = [], []
        for place, text in enumerate(texts):
            try:
                patches.append(judged(text, self.reader))
            except BadSheet:
                continue
            places.append(place)
        return features(self.tower, patches), places

    def real(self, pack: SheetPack, data: SheetDataConfig, kept: Path) -> Real:
        """The real pieces of a recipe; read from `kept` or written there. Raises WrongValue where there are none."""
        if kept.exists():
            with np.load(kept) as stored:
                return Real(stored["seen"], stored["unseen"])
        seen = self.features(real_sheets(pack, data, ("train",)))[0]
        if not len(seen):
            raise WrongValue("The pack holds no sheets that data.weights and data.composers ask for.", "Name others.")
        found = Real(seen, self.features(real_sheets(pack, data, ("valid", "test")))[0])
        write_atomic(kept, lambda stream: np.savez_compressed(stream, seen=found.seen, unseen=found.unseen))
        return found


def real_sheets(pack: SheetPack, data: SheetDataConfig, splits: Sequence[str]) -> list[str]:
    """The pieces of some splits that a recipe asks for, as they were written."""
    names = [name for name, weight in data.weights.items() if weight > 0]
    return [pack.sheet(int(i)) for split in splits for i in pack.pieces(split, names, data.composers)]
