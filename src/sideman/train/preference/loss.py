"""Direct preference optimisation with the penalty of DPO-Positive (spec 6.3). Log-probabilities are sums in nats."""

import torch
from torch import Tensor
from torch.nn import functional as F


def dpo_loss(chosen: Tensor, rejected: Tensor, before: tuple[Tensor, Tensor], beta: float, lambda_: float) -> Tensor:
    """Loss [B] of pairs, from the policy's log-probabilities of the chosen and the rejected piece [B] each; `before`:
    the reference's of both.

    A chosen piece that has become less likely than it was before is paid for `lambda_` times.
    """
    return -F.logsigmoid(beta * (margin(chosen, rejected, before) - lambda_ * fallen(chosen, before[0])))


def margin(chosen: Tensor, rejected: Tensor, before: tuple[Tensor, Tensor]) -> Tensor:
    """By how much more the policy prefers the chosen piece than the reference does [B]."""
    return (chosen - rejected) - (before[0] - before[1])


def fallen(chosen: Tensor, before: Tensor) -> Tensor:
    """By how much chosen pieces have become less likely [B]; 0 where they have not."""
    return torch.clamp(before - chosen, min=0)
