"""The judge of sheets."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sideman.errors import BadSheet
from sideman.models.m3_features import features
from sideman.models.music_encoders import load_tower
from sideman.music.sheet.judged import Reader, judged
from sideman.music.sheet.patches import split
from sideman.train.checkpoint import checkpoint_in


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
            if not split(text)[1]:
                continue
            try:
                patches.append(judged(text, self.reader))
            except BadSheet:
                continue
            places.append(place)
        return features(self.tower, patches), places
