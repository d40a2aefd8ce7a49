"""What an update minimises (spec 6.4, 6.5). B sequences, T frames, V tokens; `mask` bool [B, T]."""

import torch
from torch import Tensor


def over_sequences(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the actions of each sequence, then over the sequences that have any."""
    count = mask.sum(1)
    each = (values * mask).sum(1) / count.clamp(min=1)
    return each.sum() / (count > 0).sum().clamp(min=1)


def policy_loss(log_probs: Tensor, old: Tensor, advantages: Tensor, mask: Tensor, clip: float) -> Tensor:
    """PPO's clipped objective, to be lowered; all [B, T]."""
    ratio = (log_probs - old).exp()
    gain = torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)
    return -over_sequences(gain, mask)


def value_loss(values: Tensor, returns: Tensor, mask: Tensor) -> Tensor:
    """Half the squared error of values [B, T] where `mask` holds, averaged by sequence: []."""
    return 0.5 * over_sequences((values - returns).square(), mask)


def entropy(logits: Tensor) -> Tensor:
    """Entropy in nats of each distribution: [B, T, V] -> [B, T]."""
    log_p = logits.log_softmax(-1)
    return -(log_p.exp() * log_p).sum(-1)


def kl(logits: Tensor, anchor: Tensor, reverse: bool = False) -> Tensor:
    """Full KL of the policy from the anchor in nats, sum_v pi (log pi - log anchor), [B, T]; or reversed."""
    p, q = logits.log_softmax(-1), anchor.log_softmax(-1)
    if reverse:
        p, q = q, p
    return (p.exp() * (p - q)).sum(-1)
