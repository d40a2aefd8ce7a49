"""What a judge of sheets minimises: telling the views of a piece from those of others and from spoiled ones, and
filling in hidden bars."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from sideman.train.judge_batches import JudgeBatch
from sideman.train.retrieval import retrieval


def contrast(first: Tensor, second: Tensor, spoiled: Tensor, scale: Tensor) -> Tensor:
    """Symmetric InfoNCE in nats of unit vectors [B, D] whose rows belong together, with further wrong answers [N, D]
    for both sides."""
    own = torch.arange(len(first), device=first.device)
    ways = ((first, second), (second, first))
    losses = [F.cross_entropy(scale * asked @ torch.cat((answers, spoiled)).T, own) for asked, answers in ways]
    return (losses[0] + losses[1]) / 2


@dataclass(frozen=True)
class Read:
    """Features of the first and the second views and of spoiled ones [B, D], those without rows if there are none; the
    loss of filling; the factor of the cosine."""

    first: Tensor
    second: Tensor
    spoiled: Tensor
    filled: Tensor
    scale: Tensor


@dataclass(frozen=True)
class Views:
    """InfoNCE of two views plus `fill` times the cross-entropy of a hidden character, nats both."""

    fill: float

    def loss(self, model: nn.Module, whole: JudgeBatch, rows: slice, device: torch.device, draw: Generator) -> Tensor:
        read = self._read(model, whole.rows(rows), device)
        return contrast(read.first, read.second, read.spoiled, read.scale) + self.fill * read.filled

    def weight(self, batch: JudgeBatch) -> int:
        return len(batch.pieces)

    def validate(self, model: nn.Module, batches: list[JudgeBatch], device: torch.device) -> dict[str, float]:
        """Over all views at once, so that figures of runs with other batches compare."""
        read = [self._read(model, batch, device) for batch in batches]
        first, second, spoiled = (
            torch.cat([getattr(r, name) for r in read]) for name in ("first", "second", "spoiled")
        )
        asked = [int(batch.asked.sum()) for batch in batches]
        filled = sum(float(r.filled) * count for r, count in zip(read, asked, strict=True)) / sum(asked)
        apart = float(contrast(first, second, spoiled, read[0].scale))
        figures = {"valid_loss": apart + self.fill * filled, "valid_contrast": apart, "valid_fill": filled}
        if len(spoiled):
            right, wrong = (first * second).sum(1), (first * spoiled).sum(1)
            figures["told_from_spoiled"] = float((right > wrong).float().mean())
        return figures | retrieval(first, second)

    def _read(self, model: nn.Module, batch: JudgeBatch, device: torch.device) -> Read:
        views, mask = torch.from_numpy(batch.views).to(device), torch.from_numpy(batch.mask).to(device)
        shown = torch.cat((torch.from_numpy(batch.hidden).to(device), *views.unbind(1)[1:]))
        asked = torch.from_numpy(batch.asked).to(device)
        places = asked.flatten().nonzero()[:, 0]  # the first views come first
        result: tuple[Any, ...] = model(shown, torch.cat(mask.unbind(1)), places, views[:, 0][asked])
        feature, filled, scale = result
        first, second, *spoiled = feature.split(len(batch.pieces))
        return Read(first, second, spoiled[0] if spoiled else feature[:0], filled, scale)
