"""Rollouts: the policy plays chords to real melodies that it hears frame by frame (spec 6.2).

B sequences, T frames, V tokens, D width of the policy. In the interleaved sequence BOS c1 m1 c2 m2 .. the policy acts
at the even positions; a rollout keeps these alone, so index t is the chord of frame t everywhere.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sideman.models.decode import pick
from sideman.models.offline import OfflineModel
from sideman.models.online import OnlineModel
from sideman.models.reward import framed
from sideman.music.grammar import chord_mask, hold_of
from sideman.music.vocabulary import BOS, PAD, Vocabulary
from sideman.train.batches import Batch

Rows = Tensor | slice
FORBIDDEN = -1e9  # logit of a token the grammar rules out; finite, so that 0 * log 0 stays 0


@dataclass(frozen=True)
class Scene:
    """What is played to. `melody`, `truth` (the chords people wrote): int64 [B, T], PAD beyond a piece's end;
    `form` uint8 [B, T, 3]; `mask` bool [B, T], True where there is a frame to play."""

    melody: Tensor
    truth: Tensor
    form: Tensor
    mask: Tensor

    @classmethod
    def of(cls, batch: Batch, device: torch.device) -> "Scene":
        melody, truth, form = (torch.from_numpy(x).to(device) for x in (batch.melody, batch.chords, batch.form))
        return cls(melody, truth, form, melody != PAD)

    def repeated(self, times: int) -> "Scene":
        """Every row `times` times in a row."""
        return Scene(*(x.repeat_interleave(times, 0) for x in (self.melody, self.truth, self.form, self.mask)))

    def rows(self, which: Rows) -> "Scene":
        return Scene(self.melody[which], self.truth[which], self.form[which], self.mask[which])


@dataclass(frozen=True)
class Rollout:
    """What was played. `chords` int64 [B, T], PAD beyond the end; `logits` fp32 [B, T, V]: the policy's when it chose
    (FORBIDDEN where the grammar forbids); `states` fp32 [B, T, D]: what the policy knew when it chose."""

    scene: Scene
    chords: Tensor
    logits: Tensor
    states: Tensor

    @property
    def log_probs(self) -> Tensor:
        """Log-probability of each chord token chosen, [B, T]."""
        return chosen(self.logits, self.chords)

    def rows(self, which: Rows) -> "Rollout":
        return Rollout(self.scene.rows(which), self.chords[which], self.logits[which], self.states[which])


class Grammar:
    """Which chord tokens may follow which (music.grammar), as tables on the device; without one, all may."""

    def __init__(self, vocabulary: Vocabulary, device: torch.device) -> None:
        every = np.arange(vocabulary.size)
        always = chord_mask(vocabulary, np.array([BOS]))[0]
        self.always = torch.from_numpy(always).to(device)
        self.hold = torch.from_numpy(hold_of(vocabulary, every)).to(device)

    def forbid(self, logits: Tensor, previous: Tensor) -> Tensor:
        """Logits [.., V] with what may not follow `previous` [..] at FORBIDDEN."""
        hold = self.hold[previous][..., None]
        allowed = logits.gather(-1, hold)
        return logits.masked_fill(~self.always, FORBIDDEN).scatter(-1, hold, allowed)


def before(chords: Tensor) -> Tensor:
    """The chord token before each, [B, T]: BOS c1 .. c(T-1)."""
    return torch.cat((torch.full_like(chords[:, :1], BOS), chords[:, :-1]), 1)


def chosen(logits: Tensor, tokens: Tensor) -> Tensor:
    """Log-probability of `tokens` [B, T] under `logits` [B, T, V]."""
    return logits.gather(-1, tokens[..., None])[..., 0] - logits.logsumexp(-1)


@torch.no_grad()
def play(model: OnlineModel, scene: Scene, grammar: Grammar | None, draw: torch.Generator) -> Rollout:
    """Chords for every melody of a scene at temperature 1, frame by frame on a static cache."""
    model.eval()
    rows, frames = scene.melody.shape
    device = scene.melody.device
    cache = model.cache(rows, 2 * frames)
    draws = torch.rand(rows, frames, generator=draw, dtype=torch.float64).to(device)
    chords = torch.empty_like(scene.melody)
    logits = torch.empty(rows, frames, model.config.tokens, device=device)
    states = torch.empty(rows, frames, model.config.stack.width, device=device)
    last = torch.full((rows,), BOS, device=device)
    feed, at = last[:, None], 0
    everything = torch.ones(model.config.tokens, dtype=torch.bool, device=device)
    for t in range(frames):
        form = scene.form[:, :1] if t == 0 else scene.form[:, t - 1 : t + 1]
        states[:, t] = model.states(feed, form, cache=cache, at=at)[:, -1]
        scores = model.read(states[:, t]).float()
        logits[:, t] = scores if grammar is None else grammar.forbid(scores, last)
        last = torch.where(scene.mask[:, t], pick(logits[:, t], everything, 1.0, draws[:, t]), PAD)
        chords[:, t] = last
        at += feed.shape[1]
        feed = torch.stack((last, scene.melody[:, t]), 1)
    return Rollout(scene, chords, logits, states)


def policy_states(model: OnlineModel, scene: Scene, chords: Tensor) -> Tensor:
    """States [B, T, D] from which the chord of each frame is predicted, in one pass over BOS c1 m1 .. c(T-1) m(T-1)."""
    heard = torch.stack((chords, scene.melody), -1)[:, :-1].flatten(1)
    tokens = torch.cat((torch.full_like(chords[:, :1], BOS), heard), 1)
    form = scene.form.repeat_interleave(2, 1)[:, : tokens.shape[1]]
    return model.states(tokens, form)[:, ::2]


def policy_logits(model: OnlineModel, states: Tensor, chords: Tensor, grammar: Grammar | None) -> Tensor:
    """Logits [B, T, V] in fp32 of the chord of each frame."""
    logits = model.read(states).float()
    return logits if grammar is None else grammar.forbid(logits, before(chords))


@torch.no_grad()
def anchor_logits(anchor: OfflineModel, scene: Scene, chords: Tensor, grammar: Grammar | None) -> Tensor:
    """What the offline model, which knows the whole melody, gives for the chord of each frame: fp32 [B, T, V]."""
    melody = framed(scene.melody)
    form = F.pad(scene.form, (0, 0, 1, 1))
    real = melody != PAD
    logits = anchor(melody, before(chords), form, None if bool(real.all()) else real).float()
    return logits if grammar is None else grammar.forbid(logits, before(chords))
