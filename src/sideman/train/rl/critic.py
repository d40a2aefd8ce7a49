"""The critic: what reward is still to come, seen from each of the policy's actions (spec 6.5)."""

import copy

from torch import Tensor, nn

from sideman.models.online import OnlineModel
from sideman.train.rl.rollout import Scene, policy_states


class CriticCopy(nn.Module):
    """A network of its own that begins as the policy, with a fresh linear head: the published critic."""

    def __init__(self, policy: OnlineModel) -> None:
        super().__init__()
        self.body = copy.deepcopy(policy)
        self.body.requires_grad_(True)
        self.head = nn.Linear(policy.config.stack.width, 1, bias=False)

    def forward(self, scene: Scene, played: Tensor, states: Tensor) -> Tensor:
        """Values [B, T]."""
        return self.head(policy_states(self.body, scene, played))[..., 0]  # type: ignore[no-any-return]


class CriticHead(nn.Module):
    """A small head on what the policy knows, of which it changes nothing: next to free."""

    def __init__(self, policy: OnlineModel) -> None:
        super().__init__()
        width = policy.config.stack.width
        self.head = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))

    def forward(self, scene: Scene, played: Tensor, states: Tensor) -> Tensor:
        """Values [B, T] of the policy's `states` [B, T, D]."""
        return self.head(states.detach())[..., 0]  # type: ignore[no-any-return]
