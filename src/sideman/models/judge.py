"""Our own judge of sheets: a small M3 that fills in bars, and whose features tell two views of one piece from others.

What is asked of it afterwards is its tower alone, as of CLaMP 2's; scores of the two are not to be compared.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sideman.models.clamp2 import MusicTower, masked_mean
from sideman.models.m3 import M3Config, M3Decoder


class JudgeModel(nn.Module):
    """The tower that is kept, and what teaches it: the decoder of M3, and the factor of the cosine."""

    def __init__(self, config: M3Config) -> None:
        super().__init__()
        self.config = config
        self.tower = MusicTower(config)
        self.decoder = M3Decoder(config)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self, inputs: Tensor, mask: Tensor, asked: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Unit features [B, D] of views `inputs` [B, T, 64] with `mask` [B, T], the loss of filling in `wanted` [N, 64]
        at the flat indices `asked` [N] into the views, and the factor of the cosine."""
        states = self.tower.encoder(inputs, mask)
        feature = F.normalize(self.tower.project(masked_mean(states, mask)).float(), dim=-1)
        loss = self.decoder.loss(states.flatten(0, 1)[asked], wanted)
        return feature, loss, self.logit_scale.clamp(max=math.log(100)).exp()
