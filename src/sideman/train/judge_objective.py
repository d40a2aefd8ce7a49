"""What a judge of sheets minimises: telling the views of a piece from those of others, and filling in hidden bars."""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Generator, Tensor, nn

from sideman.train.judge_batches import JudgeBatch
from sideman.train.retrieval import info_nce, retrieval


@dataclass(frozen=True)
class Views:
    """InfoNCE of two views plus `fill` times the cross-entropy of a hidden character, nats both."""

    fill: float

    def loss(self, model: nn.Module, whole: JudgeBatch, rows: slice, device: torch.device, draw: Generator) -> Tensor:
        first, second, filled, scale = self._read(model, whole.rows(rows), device)
        return info_nce(first, second, scale) + self.fill * filled

    def weight(self, batch: JudgeBatch) -> int:
        return len(batch.pieces)

    def validate(self, model: nn.Module, batches: list[JudgeBatch], device: torch.device) -> dict[str, float]:
        """Over all views at once, so that figures of runs with other batches compare."""
        read: list[Any] = [self._read(model, batch, device) for batch in batches]
        first, second = (torch.cat([out[n] for out in read]) for n in range(2))
        asked = [int(batch.asked.sum()) for batch in batches]
        filled = sum(float(out[2]) * count for out, count in zip(read, asked, strict=True)) / sum(asked)
        contrast = float(info_nce(first, second, read[0][3]))
        figures = {"valid_loss": contrast + self.fill * filled, "valid_contrast": contrast, "valid_fill": filled}
        return figures | retrieval(first, second)

    def _read(self, model: nn.Module, batch: JudgeBatch, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features of both views [B, D], the loss of filling, the factor of the cosine."""
        count = len(batch.pieces)
        views, mask = torch.from_numpy(batch.views).to(device), torch.from_numpy(batch.mask).to(device)
        shown = torch.cat((torch.from_numpy(batch.hidden).to(device), views[:, 1]))
        asked = torch.from_numpy(batch.asked).to(device)
        places = asked.flatten().nonzero()[:, 0]  # the first views come first
        feature, filled, scale = model(shown, torch.cat((mask[:, 0], mask[:, 1])), places, views[:, 0][asked])
        return cast(Tensor, feature[:count]), feature[count:], filled, scale
