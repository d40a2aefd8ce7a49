"""One optimiser step of CLaMP-DPO: pairs of a chosen and a rejected piece, the policy against its reference (spec 6.4).

Both networks stay in eval mode: dropout in either would be noise in what is compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sideman.models.sheet import SheetModel
from sideman.music.sheet.patches import PAD, PATCH_SIZE, encode
from sideman.train.preference.loss import dpo_loss, fallen, margin


@dataclass(frozen=True)
class Pairs:
    """Original texts of both sides; a pair is any of one with any of the other."""

    chosen: Sequence[str]
    rejected: Sequence[str]
    length: int

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Patches [2, T, 16] and mask [2, T] of a chosen and a rejected piece, each cropped by chance."""
        sides = (self.chosen, self.rejected)
        rows = [encode(side[int(rng.integers(len(side)))], self.length, rng) for side in sides]
        patches = np.full((2, max(map(len, rows)), PATCH_SIZE), PAD, np.int64)
        for out, row in zip(patches, rows, strict=True):
            out[: len(row)] = row
        return patches, np.arange(patches.shape[1]) < np.array([[len(row)] for row in rows])


@dataclass(frozen=True)
class Terms:
    """What the loss of a pair weighs (spec 6.3)."""

    beta: float
    lambda_: float

    def backward(self, policy: SheetModel, reference: SheetModel, pairs: Pairs, count: int,
                 rng: np.random.Generator) -> dict[str, float]:  # fmt: skip
        """Add the gradient of the mean loss of `count` pairs to the policy's; what happened, as figures."""
        total: dict[str, float] = {}
        for _ in range(count):
            patches, mask = (torch.from_numpy(x).to(policy.embed.weight.device) for x in pairs.draw(rng))
            with torch.no_grad():
                before = reference.log_probability(patches, mask).double()
            now = policy.log_probability(patches, mask).double()
            loss = dpo_loss(now[:1], now[1:], (before[:1], before[1:]), self.beta, self.lambda_)
            (loss.sum() / count).backward()  # type: ignore[no-untyped-call]
            for name, value in _figures(loss, now.detach(), before).items():
                total[name] = total.get(name, 0.0) + value / count
        return total


def _figures(loss: Tensor, now: Tensor, before: Tensor) -> dict[str, float]:
    apart = margin(now[:1], now[1:], (before[:1], before[1:]))
    return {
        "loss": float(loss.detach().sum()),
        "margin": float(apart.sum()),
        "preferred": float((apart > 0).sum()),
        "chosen_change": float((now[0] - before[0]).sum()),
        "rejected_change": float((now[1] - before[1]).sum()),
        "fallen": float(fallen(now[:1], before[:1]).sum()),
    }
