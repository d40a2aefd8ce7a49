"""GAPT's adversary (spec 6.6): learns to tell what the policy plays from what people play; deceiving it is rewarded."""

import math
from collections import deque
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.nn import functional as F

from sideman.models.reward import DiscriminativeModel, RewardConfig, framed
from sideman.music.vocabulary import EOS, PAD, PartName, Vocabulary
from sideman.train.processes import sum_gradients, summed
from sideman.train.rl.judges import cut, windowed
from sideman.train.rl.recipe import AdversaryConfig
from sideman.train.rl.rollout import Rollout
from sideman.train.rl.rules import Alphabet
from sideman.train.running import Diverged, learning_rate


def deception(logits: Tensor, kind: str) -> Tensor:
    """Reward [B] of logits [B, 2] (ours, people's): with p = softmax of the latter, -ln(1 - p), or p, or its logit."""
    if kind == "logits":
        return logits[:, 1]
    p = logits.softmax(-1)[:, 1]
    return p if kind == "prob" else -(1 - p + 1e-12).log()


class Adversary:
    """The discriminator, its optimiser, and when it learns. Steps are counted from 1."""

    def __init__(
        self,
        config: AdversaryConfig,
        vocabulary: Vocabulary,
        part: PartName,
        grammar: bool,
        updates: int,
        device: torch.device,
    ) -> None:
        self.config, self.grammar, self.updates, self.done = config, grammar, updates, 0
        self.alphabet = Alphabet.of(vocabulary, part)
        network = RewardConfig(vocabulary.size, config.stack, pitch_classes=config.pitch_classes)
        self.model = DiscriminativeModel(network, vocabulary).to(device).eval()
        optim = config.optim
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=optim.lr, betas=optim.betas, eps=optim.eps, weight_decay=optim.weight_decay
        )
        self.history: deque[float] = deque(maxlen=config.memory)

    @torch.no_grad()
    def reward(self, rollout: Rollout) -> Tensor:
        """[B, T]."""
        return windowed(self._judge, rollout.scene.heard, (rollout.played,), self.config.windows)

    def remember(self, reward: float) -> None:
        """Note the mean reward of the whole rollouts of a step, for `due`."""
        self.history.append(reward)

    def due(self, step: int) -> bool:
        """Whether to learn in this step, before its own reward is remembered."""
        config = self.config
        early = (step < config.until) and (step % config.every == 0 or step == 1)
        if config.strategy == "steps":
            return early
        return early or (bool(self.history) and sum(self.history) / len(self.history) > config.threshold)

    def learn(self, rollout: Rollout, fabric: Fabric, step: int) -> float:
        """One update in `step` on a minibatch, of which this process has `rollout`, and on what people played in the
        policy's place; this process' share of the loss. Raises Diverged before anything is changed."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config.optim, self.done, self.updates)
        self.model.train()
        lengths = self.config.windows or (rollout.played.shape[1],)
        loss = torch.stack([self._loss(rollout, length, fabric) for length in lengths]).mean()
        self.optimizer.zero_grad()
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
        sum_gradients(fabric, self.model)
        norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.optim.clip))
        if not math.isfinite(norm):
            hint = "Lower adversary.optim.lr, and go back to the last checkpoint with --resume."
            raise Diverged(f"The adversary's gradient of step {step} is not a number; its loss is {loss:.3g}.", hint)
        self.optimizer.step()
        self.model.eval()
        self.done += 1
        return float(loss.detach())

    def _loss(self, rollout: Rollout, length: int, fabric: Fabric) -> Tensor:
        truth = self.opened(rollout.scene.truth) if self.grammar else rollout.scene.truth
        pair, _, _ = cut(rollout.scene.heard, (rollout.played, truth), length)
        labels = torch.arange(2, device=truth.device).repeat_interleave(len(pair[0]))
        count = summed(fabric, torch.tensor(float(len(labels)), device=truth.device)).clamp(min=1)
        if not len(labels):
            return torch.zeros((), device=truth.device)
        logits = self.model(None, self._alone(framed(torch.cat(pair))))
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=self.config.smoothing, reduction="sum")
        return loss / count

    def opened(self, truth: Tensor) -> Tensor:
        """The data as our grammar would write it: a crop that begins in the middle of an event begins with an onset.
        Otherwise the first token alone would tell data from rollouts."""
        out = truth.clone()
        first = truth[:, 0]
        held = self.alphabet.has(first) & (first < self.alphabet.on)
        out[:, 0] = torch.where(held, first - self.alphabet.hold + self.alphabet.on, first)
        return out

    def _alone(self, played: Tensor) -> Tensor:
        """Sequences without EOS, as the adversary reads them."""
        return torch.where(played == EOS, PAD, played)

    def _judge(self, played: Tensor) -> Tensor:
        return deception(self.model(None, self._alone(played)).float(), self.config.reward)

    def state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
            "history": list(self.history), "done": self.done,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.history.extend(state["history"])
        self.done = int(state["done"])
