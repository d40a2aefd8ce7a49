"""Everything that judges a rollout: reward networks over the whole sequence or parts of it, and the rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sideman.models.reward import ContrastiveModel, DiscriminativeModel, framed
from sideman.music.vocabulary import PAD, Vocabulary
from sideman.train.rl import rules
from sideman.train.rl.recipe import Rules
from sideman.train.rl.rollout import Rollout

Rule = Callable[[], Tensor]


@dataclass(frozen=True)
class NetworkTerm:
    """One reward network: its name in the log, its weight, and the lengths of the parts it judges."""

    name: str
    model: ContrastiveModel | DiscriminativeModel
    weight: float
    windows: tuple[int, ...]

    @torch.no_grad()
    def __call__(self, rollout: Rollout) -> Tensor:
        # Networks read melody and chords, whichever of them was played.
        return windowed(self._judge, rollout.scene.heard, (rollout.melody, rollout.chords), self.windows)

    def _judge(self, melody: Tensor, chords: Tensor) -> Tensor:
        judged = self.model(melody, chords)
        return cosine(*judged[:2]) if isinstance(self.model, ContrastiveModel) else matching(judged)


def cosine(melody: Tensor, chords: Tensor) -> Tensor:
    """Of unit vectors [B, D]: [B]."""
    return (melody * chords).sum(-1)


def matching(logits: Tensor) -> Tensor:
    """Probability of class 1 of logits [B, 2]: [B]."""
    return logits.float().softmax(-1)[:, 1]


def windowed(judge: Callable[..., Tensor], measure: Tensor, tokens: Sequence[Tensor], windows: Sequence[int]) -> Tensor:
    """Reward [B, T] of a judge of framed sequences of `tokens` [B, T] each, at the last frame of what it judged: the
    whole (as long as `measure` [B, T] is not PAD), or each part of each of the given lengths (ReaLchords-M)."""
    out = torch.zeros(measure.shape, device=measure.device)
    for length in windows or (measure.shape[1],):
        parts, row, last = cut(measure, tokens, length)
        out.index_put_((row, last), judge(*(framed(part) for part in parts)).float(), accumulate=True)
    return out


def cut(measure: Tensor, tokens: Sequence[Tensor], length: int) -> tuple[list[Tensor], Tensor, Tensor]:
    """Parts [P, length] of each of `tokens` [B, T], the row of each part and its last frame that is not PAD in
    `measure` [B, T]. A part less than half full is left out, unless it is the first."""
    frames = measure.shape[1]
    count = -(-frames // length)
    room = (0, count * length - frames)
    parts = [F.pad(x, room, value=PAD).view(-1, length) for x in (measure, *tokens)]
    filled = (parts[0] != PAD).sum(1)
    first = torch.arange(len(filled), device=measure.device) % count == 0
    kept = torch.where(first, filled > 0, filled * 2 >= length).nonzero()[:, 0]
    last = (kept % count) * length + filled[kept] - 1
    return [part[kept] for part in parts[1:]], kept // count, last


def rule_rewards(rollout: Rollout, weights: Rules, vocabulary: Vocabulary) -> dict[str, Tensor]:
    """Every rule that has a weight, unweighted, [B, T]; those of a whole sequence at its last action."""
    heard, mask, played = rollout.scene.heard, rollout.scene.mask, rollout.played
    alphabet = rules.Alphabet.of(vocabulary, rollout.scene.part)
    whole: dict[str, Rule] = {
        "early_stop": lambda: rules.early_stop(played, mask),
        "invalid": lambda: rules.invalid(played, heard, mask, alphabet),
        "long_note": lambda: rules.long_note(played, mask),
        "repetition": lambda: rules.repetition(played, mask, alphabet),
    }
    each: dict[str, Rule] = {
        "silence": lambda: rules.silence(played, heard, mask),
        "note_in_chord": lambda: _hits(rollout, vocabulary),
    }
    wanted = {name for name in (*whole, *each) if getattr(weights, name)}
    out = {name: at_the_end(rule(), mask) for name, rule in whole.items() if name in wanted}
    return out | {name: rule() for name, rule in each.items() if name in wanted}


def at_the_end(score: Tensor, mask: Tensor) -> Tensor:
    """A score of each sequence [B] at its last action, [B, T]."""
    last = (mask.sum(1) - 1).clamp(min=0)
    return torch.zeros(mask.shape, device=mask.device).scatter(1, last[:, None], score[:, None].float())


def _hits(rollout: Rollout, vocabulary: Vocabulary) -> Tensor:
    table = rules.token_masks(vocabulary, rollout.played.device)
    return rules.note_in_chord(rollout.chords, rollout.melody, rollout.scene.mask, table)[0].float() / 10
