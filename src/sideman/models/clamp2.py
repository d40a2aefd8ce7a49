"""CLaMP 2's music side: the M3 encoder, the mean over the patches of a window, a linear layer (spec 7.4).

Nothing is normalised. The feature of a piece is put together from its windows in `models.m3_features`.
"""

from typing import cast

import torch
from torch import Tensor, nn

from sideman.models.m3 import M3Config, M3Encoder


class MusicTower(nn.Module):
    """Patches int64 [B, T, 64] and mask bool [B, T] -> features [B, D]."""

    def __init__(self, config: M3Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = M3Encoder(config)
        self.project = nn.Linear(config.width, config.width)

    def forward(self, patches: Tensor, mask: Tensor) -> Tensor:
        return cast(Tensor, self.project(masked_mean(self.encoder(patches, mask), mask)))


def masked_mean(states: Tensor, mask: Tensor) -> Tensor:
    """The mean over the patches of each piece, special ones included: [B, T, D] -> [B, D]."""
    real = mask[..., None].to(states.dtype)
    return (states * real).sum(1) / real.sum(1).clamp(min=torch.finfo(states.dtype).tiny)
