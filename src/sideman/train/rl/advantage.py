"""Advantages of what was played: interleaved GAE with a critic (spec 6.5); without, comparison within a group.

The reference keeps one value a transition of the interleaved sequence and uses the even ones, the policy's; here index
t is the policy's action at frame t, which is the same. All float [B, T]; `mask` bool, True where there was an action.
"""

import torch
from torch import Tensor


def gae(rewards: Tensor, values: Tensor, mask: Tensor, gamma: float, lambda_: float) -> tuple[Tensor, Tensor]:
    """Advantages and returns: delta_t = r_t + gamma V_(t+1) - V_t, A_t = delta_t + gamma lambda A_(t+1)."""
    values, rewards = values * mask, rewards * mask
    following = torch.cat((values[:, 1:], torch.zeros_like(values[:, :1])), 1)
    delta = rewards + gamma * following - values
    out = torch.zeros_like(values)
    ahead = torch.zeros_like(values[:, 0])
    for t in range(values.shape[1] - 1, -1, -1):
        ahead = (delta[:, t] + gamma * lambda_ * ahead) * mask[:, t]
        out[:, t] = ahead
    return out, out + values


def grpo(rewards: Tensor, mask: Tensor, group: int) -> Tensor:
    """Each sequence's total reward against those of the other rollouts to its melody, in standard deviations, at
    every action. Rows of a group stand side by side."""
    total = (rewards * mask).sum(1).view(-1, group)
    apart = (total - total.mean(1, keepdim=True)) / (total.std(1, keepdim=True, correction=0) + 1e-6)
    return apart.view(-1, 1) * mask


def to_go(rewards: Tensor, mask: Tensor, group: int, discount: float) -> Tensor:
    """The discounted reward from each action on, against the mean of the group at that frame. Where rewards come often
    this says which action earned them, without a critic that would have to be learned first."""
    ahead = torch.zeros_like(rewards[:, 0])
    sums = []
    for reward in (rewards * mask).unbind(1)[::-1]:
        ahead = reward + discount * ahead
        sums.append(ahead)
    total = torch.stack(sums[::-1], 1).view(-1, group, rewards.shape[1])
    return (total - total.mean(1, keepdim=True)).view_as(rewards) * mask


def standardised(advantages: Tensor, mask: Tensor) -> Tensor:
    """Mean 0 and population variance 1 over all actions."""
    count = mask.sum()
    mean = (advantages * mask).sum() / count
    variance = ((advantages - mean).square() * mask).sum() / count
    return (advantages - mean) * variance.clamp(min=1e-8).rsqrt() * mask
