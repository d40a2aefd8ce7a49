"""What there is to learn from rollouts: how each action did, and what the anchor would have done."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from sideman.train.rl.rollout import Rollout


@dataclass(frozen=True)
class Lesson:
    """B rollouts of T frames with the `anchor`'s logits fp32 [B, T, V], and `advantages` and `returns` float [B, T]."""

    rollout: Rollout
    anchor: Tensor
    advantages: Tensor
    returns: Tensor

    def to(self, device: torch.device) -> "Lesson":
        tensors = (x.to(device) for x in (self.anchor, self.advantages, self.returns))
        return Lesson(self.rollout.to(device), *tensors)

    def rows(self, which: Tensor) -> "Lesson":
        return Lesson(self.rollout.rows(which), self.anchor[which], self.advantages[which], self.returns[which])

    def pieces(self, count: int) -> Iterator["Lesson"]:
        """`count` parts of about the same number of rows, none of them empty: fewer if there are fewer rows."""
        numbers = torch.arange(len(self.rollout.played), device=self.anchor.device)
        for some in numbers.tensor_split(count):
            if len(some):
                yield self.rows(some)
