"""What a supervised stage minimises and how it is judged; the loop around it is `mle.Run`'s."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from lightning_fabric import Fabric
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from sideman.models.reward import framed
from sideman.music.vocabulary import PartName
from sideman.train.batches import Batch
from sideman.train.losses import model_loss, target_count
from sideman.train.negatives import permuted, shifted_or_permuted
from sideman.train.processes import all_rows
from sideman.train.recipe import Recipe
from sideman.train.retrieval import hits, info_nce, retrieval

ALL = slice(None)
B = TypeVar("B")


class Objective(Protocol[B]):
    """What to lower, and how to judge."""

    def loss(self, model: nn.Module, whole: B, rows: slice, device: torch.device, draw: Generator) -> Tensor:
        """What an optimiser step lowers, of some rows of a batch. Chance that concerns the whole batch comes from
        `draw`, which is the same for all of its parts, and dropout from torch's own generator."""

    def weight(self, batch: B) -> int:
        """By what a part counts in its batch."""

    def validate(self, model: nn.Module, batches: list[B], device: torch.device) -> dict[str, float]:
        """Figures of fixed batches; `valid_loss` decides which checkpoint is the best."""


def objective(recipe: Recipe, size: int, fabric: Fabric) -> Objective[Batch]:
    """The objective of a recipe's stage for a vocabulary of `size` tokens."""
    if recipe.stage == "contrastive":
        return Contrast(fabric)
    if recipe.stage == "discriminative":
        return Match(recipe.model.rhythm, recipe.negatives == "reference", size, recipe.seed)
    return NextToken(recipe.stage, recipe.part, recipe.eos == "reference")


@dataclass(frozen=True)
class NextToken:
    """Cross-entropy of an online or offline model."""

    stage: str
    part: PartName
    blind_end: bool

    def loss(self, model: nn.Module, whole: Batch, rows: slice, device: torch.device, draw: Generator) -> Tensor:
        return self._loss(model, whole.rows(rows), device)

    def weight(self, batch: Batch) -> int:
        return target_count(self.stage, batch.lengths)

    def validate(self, model: nn.Module, batches: list[Batch], device: torch.device) -> dict[str, float]:
        total = sum(float(self._loss(model, batch, device)) * len(batch.pieces) for batch in batches)
        return {"valid_loss": total / sum(len(batch.pieces) for batch in batches)}

    def _loss(self, model: nn.Module, batch: Batch, device: torch.device) -> Tensor:
        return model_loss(model, self.stage, self.part, batch, device, self.blind_end)


@dataclass(frozen=True)
class Contrast:
    """InfoNCE among the pairs of a batch, whichever process read them."""

    fabric: Fabric

    def loss(self, model: nn.Module, whole: Batch, rows: slice, device: torch.device, draw: Generator) -> Tensor:
        melody, chords, scale = model(*(framed(x[rows]) for x in parts(whole, device)))
        count = len(whole.pieces)
        melodies, all_chords = (all_rows(self.fabric, own.float(), rows, count) for own in (melody, chords))
        return info_nce(melodies, all_chords, scale, rows)

    def weight(self, batch: Batch) -> int:
        return len(batch.pieces)

    def validate(self, model: nn.Module, batches: list[Batch], device: torch.device) -> dict[str, float]:
        """Over all windows at once, so that figures of runs with other batches compare."""
        outputs: list[Any] = [model(*(framed(x) for x in parts(batch, device))) for batch in batches]
        melody, chords = (torch.cat([out[n].float() for out in outputs]) for n in range(2))
        return {"valid_loss": float(info_nce(melody, chords, outputs[0][2])), **retrieval(melody, chords)}


@dataclass(frozen=True)
class Match:
    """Telling pairs that match (class 1) from as many that do not."""

    rhythm: bool
    reference: bool
    size: int
    seed: int

    def loss(self, model: nn.Module, whole: Batch, rows: slice, device: torch.device, draw: Generator) -> Tensor:
        logits, labels = self._judge(model, whole, rows, device, draw)
        return F.cross_entropy(logits, labels)

    def weight(self, batch: Batch) -> int:
        return len(batch.pieces)

    def validate(self, model: nn.Module, batches: list[Batch], device: torch.device) -> dict[str, float]:
        draw = torch.Generator().manual_seed(self.seed)
        judged = [self._judge(model, batch, ALL, device, draw) for batch in batches if len(batch.pieces) > 1]
        if not judged:
            return {"valid_loss": float("nan")}
        logits, labels = (torch.cat([x[n] for x in judged]) for n in range(2))
        figures = hits(labels == 1, logits[:, 1] > logits[:, 0])
        return {"valid_loss": float(F.cross_entropy(logits, labels)), **figures}

    def _judge(
        self, model: nn.Module, whole: Batch, rows: slice, device: torch.device, draw: Generator
    ) -> tuple[Tensor, Tensor]:
        """Logits [2b, 2] in fp32 and labels [2b] of b rows of a batch followed by their negatives, which are made of
        the whole of it."""
        melody, chords = parts(whole, device)
        if self.rhythm:
            wrong = shifted_or_permuted(melody, chords, self.size, draw, self.reference)
        else:
            wrong = permuted(melody, chords, draw, self.reference)
        both = [torch.cat((right[rows], other[rows])) for right, other in zip((melody, chords), wrong, strict=True)]
        labels = torch.arange(2, device=device).flip(0).repeat_interleave(len(both[0]) // 2)
        return model(*(framed(x) for x in both)).float(), labels


def parts(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor]:
    """Melody and chords of a batch, frame tokens [B, T]."""
    return torch.from_numpy(batch.melody).to(device), torch.from_numpy(batch.chords).to(device)
