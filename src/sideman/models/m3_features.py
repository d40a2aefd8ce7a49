"""Features of whole pieces by a music encoder, read window by window (spec 7.6).

Pieces come as M3 patches [n, 64], special ones included and uncut; the line `L:1/8` stays where it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sideman.models.clamp2 import MusicTower
from sideman.models.m3 import M3Encoder
from sideman.music.sheet.m3_patches import PAD, PATCH, Patches

BATCH_PATCHES = 4096  # read at once, padding included


@dataclass(frozen=True, slots=True)
class Window:
    """Patches `start` to `stop` of a piece, of which the last `fresh` were in no window before."""

    piece: int
    start: int
    stop: int
    fresh: int

    def __len__(self) -> int:
        return self.stop - self.start


def windows(count: int, size: int, piece: int = 0) -> list[Window]:
    """A piece of `count` patches one window after the other; the last one is the last `size` patches, or them all."""
    whole = [Window(piece, start, start + size, size) for start in range(0, count - size + 1, size)]
    rest = count % size
    return [*whole, Window(piece, max(0, count - size), count, rest)] if rest else whole


@torch.no_grad()
def features(tower: MusicTower, pieces: Sequence[Patches]) -> NDArray[np.float32]:
    """One feature a piece [n, D]: the mean of its windows, each counting by its fresh patches. Not of unit length.

    The tower should be in eval mode.
    """
    device = tower.project.weight.device
    total = np.zeros((len(pieces), tower.config.width))
    for some in _batches(pieces, tower.config.length):
        patches, mask = _padded([pieces[w.piece][w.start : w.stop] for w in some])
        for window, row in zip(some, tower(patches.to(device), mask.to(device)).float().cpu().numpy(), strict=True):
            total[window.piece] += window.fresh * row.astype(np.float64)
    return np.asarray(total / np.array([[len(piece)] for piece in pieces]).reshape(-1, 1), np.float32)


@torch.no_grad()
def states(encoder: M3Encoder, piece: Patches) -> NDArray[np.float32]:
    """The encoder's outputs for every patch of a piece [n, D], each as its first window has it (linear probes)."""
    device = encoder.table_bias.device
    out = []
    for window in windows(len(piece), encoder.config.length):
        patches, mask = _padded([piece[window.start : window.stop]])
        out.append(encoder(patches.to(device), mask.to(device))[0, -window.fresh :].float().cpu().numpy())
    return np.concatenate(out)


def _batches(pieces: Sequence[Patches], size: int) -> Iterator[list[Window]]:
    """Windows of all pieces, the long ones first, in batches that fit."""
    todo = [window for number, piece in enumerate(pieces) for window in windows(len(piece), size, number)]
    todo.sort(key=len, reverse=True)
    while todo:
        count = max(1, BATCH_PATCHES // len(todo[0]))
        yield todo[:count]
        todo = todo[count:]


def _padded(rows: Sequence[Patches]) -> tuple[torch.Tensor, torch.Tensor]:
    """Patches of different numbers in one batch [B, T, 64], and the mask [B, T]."""
    longest = max(len(row) for row in rows)
    patches = np.full((len(rows), longest, PATCH), PAD, np.int64)
    for number, row in enumerate(rows):
        patches[number, : len(row)] = row
    mask = np.arange(longest) < np.array([[len(row)] for row in rows])
    return torch.from_numpy(patches), torch.from_numpy(mask)
