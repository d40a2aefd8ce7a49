"""Rollouts: the policy plays its part to another that people wrote and that it hears frame by frame (spec 6.2).

B sequences, T frames, V tokens, D width of the policy. With p the part played and h the one heard, the policy acts at
the even positions of BOS p1 h1 p2 h2 ..; a rollout keeps these alone, so index t is the policy's token of frame t
everywhere.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sideman.models.decode import pick
from sideman.models.offline import OfflineModel
from sideman.models.online import OnlineModel
from sideman.models.reward import framed
from sideman.music.grammar import hold_of, part_mask
from sideman.music.vocabulary import BOS, PAD, PartName, Vocabulary
from sideman.train.batches import Batch
from sideman.train.rl.packed import packed

Rows = Tensor | slice
FORBIDDEN = -1e9  # logit of a token the grammar rules out; finite, so that 0 * log 0 stays 0


@dataclass(frozen=True)
class Scene:
    """What is played to. `part`: the part the policy plays; `heard`: the other one; `truth`: what people played in the
    policy's place; int64 [B, T], PAD beyond a piece's end. `form` uint8 [B, T, 3]; `mask` bool [B, T], True where there
    is a frame to play."""

    part: PartName
    heard: Tensor
    truth: Tensor
    form: Tensor
    mask: Tensor

    @classmethod
    def of(cls, batch: Batch, part: PartName, device: torch.device) -> "Scene":
        truth, heard = batch.both(part)
        tensors = (torch.from_numpy(x).to(device) for x in (heard, truth, batch.form, heard != PAD))
        return cls(part, *tensors)

    def to(self, device: torch.device) -> "Scene":
        return Scene(self.part, *(x.to(device) for x in (self.heard, self.truth, self.form, self.mask)))

    def repeated(self, times: int) -> "Scene":
        """Every row `times` times in a row."""
        return Scene(
            self.part, *(x.repeat_interleave(times, 0) for x in (self.heard, self.truth, self.form, self.mask))
        )

    def rows(self, which: Rows) -> "Scene":
        return Scene(self.part, self.heard[which], self.truth[which], self.form[which], self.mask[which])


@dataclass(frozen=True)
class Rollout:
    """What was played. `played` int64 [B, T], PAD beyond the end; `logits` fp32 [B, T, V]: the policy's when it chose
    (FORBIDDEN where the grammar forbids); `states` fp32 [B, T, D]: what the policy knew when it chose."""

    scene: Scene
    played: Tensor
    logits: Tensor
    states: Tensor

    @property
    def melody(self) -> Tensor:
        """[B, T], whoever played it."""
        return self.scene.heard if self.scene.part == "chord" else self.played

    @property
    def chords(self) -> Tensor:
        """[B, T], whoever played them."""
        return self.played if self.scene.part == "chord" else self.scene.heard

    @property
    def log_probs(self) -> Tensor:
        """Log-probability of each token chosen, [B, T]."""
        return chosen(self.logits, self.played)

    def to(self, device: torch.device) -> "Rollout":
        return Rollout(self.scene.to(device), *(x.to(device) for x in (self.played, self.logits, self.states)))

    def with_logits_on(self, device: torch.device) -> "Rollout":
        return Rollout(self.scene, self.played, self.logits.to(device), self.states)

    def rows(self, which: Rows) -> "Rollout":
        return Rollout(self.scene.rows(which), self.played[which], self.logits[which], self.states[which])


class Grammar:
    """Which tokens of a part may follow which (music.grammar), as tables on the device; without one, all may."""

    def __init__(self, vocabulary: Vocabulary, part: PartName, device: torch.device) -> None:
        every = np.arange(vocabulary.size)
        always = part_mask(vocabulary, part, np.array([BOS]))[0]
        self.always = torch.from_numpy(always).to(device)
        self.hold = torch.from_numpy(hold_of(vocabulary, every)).to(device)

    def forbid(self, logits: Tensor, previous: Tensor) -> Tensor:
        """Logits [.., V] with what may not follow `previous` [..] at FORBIDDEN."""
        hold = self.hold[previous][..., None]
        allowed = logits.gather(-1, hold)
        return logits.masked_fill(~self.always, FORBIDDEN).scatter(-1, hold, allowed)


def before(played: Tensor) -> Tensor:
    """The token before each, [B, T]: BOS p1 .. p(T-1)."""
    return torch.cat((torch.full_like(played[:, :1], BOS), played[:, :-1]), 1)


def chosen(logits: Tensor, tokens: Tensor) -> Tensor:
    """Log-probability of `tokens` [B, T] under `logits` [B, T, V]."""
    return logits.gather(-1, tokens[..., None])[..., 0] - logits.logsumexp(-1)


@torch.no_grad()
def play(model: OnlineModel, scene: Scene, grammar: Grammar | None, draws: Tensor) -> Rollout:
    """The policy's part for every row of a scene at temperature 1, frame by frame on a static cache; `draws`: uniform
    float64 [B, T], by which each token is chosen."""
    model.eval()
    rows, frames = scene.heard.shape
    device = scene.heard.device
    cache = model.cache(rows, 2 * frames)
    draws = draws.to(device)
    played = torch.empty_like(scene.heard)
    logits = torch.empty(rows, frames, model.config.tokens, device=device)
    states = torch.empty(rows, frames, model.config.stack.width, device=device)
    last = torch.full((rows,), BOS, device=device)
    feed, at = last[:, None], 0
    everything = torch.ones(model.config.tokens, dtype=torch.bool, device=device)
    inside = [module for module in model.stack.modules() if isinstance(module, nn.Linear)]
    with packed(inside, 2 * rows), packed([model.head] if model.head is not None else [], rows):
        for t in range(frames):
            form = scene.form[:, :1] if t == 0 else scene.form[:, t - 1 : t + 1]
            states[:, t] = model.states(feed, form, cache=cache, at=at)[:, -1]
            scores = model.read(states[:, t]).float()
            logits[:, t] = scores if grammar is None else grammar.forbid(scores, last)
            last = torch.where(scene.mask[:, t], pick(logits[:, t], everything, 1.0, draws[:, t]), PAD)
            played[:, t] = last
            at += feed.shape[1]
            feed = torch.stack((last, scene.heard[:, t]), 1)
    return Rollout(scene, played, logits, states)


def policy_states(model: OnlineModel, scene: Scene, played: Tensor) -> Tensor:
    """States [B, T, D] from which the policy's token of each frame is predicted, in one pass over
    BOS p1 h1 .. p(T-1) h(T-1)."""
    past = torch.stack((played, scene.heard), -1)[:, :-1].flatten(1)
    tokens = torch.cat((torch.full_like(played[:, :1], BOS), past), 1)
    form = scene.form.repeat_interleave(2, 1)[:, : tokens.shape[1]]
    return model.states(tokens, form)[:, ::2]


def policy_logits(model: OnlineModel, states: Tensor, played: Tensor, grammar: Grammar | None) -> Tensor:
    """Logits [B, T, V] in fp32 of the policy's token of each frame."""
    logits = model.read(states).float()
    return logits if grammar is None else grammar.forbid(logits, before(played))


@torch.no_grad()
def anchor_logits(anchor: OfflineModel, scene: Scene, played: Tensor, grammar: Grammar | None) -> Tensor:
    """What the offline model, which knows all of the other part, gives for each frame of the policy's: fp32
    [B, T, V]."""
    given = framed(scene.heard)
    form = F.pad(scene.form, (0, 0, 1, 1))
    real = given != PAD
    logits = anchor(given, before(played), form, None if bool(real.all()) else real).float()
    return logits if grammar is None else grammar.forbid(logits, before(played))
