"""Losses as small pure functions (spec 5.1)."""

from torch import Tensor
from torch.nn import functional as F

from sideman.music.vocabulary import PAD


def next_token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats over targets that are not PAD: logits [B, S, V], targets int64 [B, S]."""
    return F.cross_entropy(logits.float().flatten(0, -2), targets.flatten(), ignore_index=PAD)
