"""Losses as small pure functions (spec 5.1)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from sideman.music.vocabulary import EOS, PAD, PartName
from sideman.train.batches import Batch, interleaved_form, single_form


def next_token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats over targets that are not PAD: logits [B, S, V], targets int64 [B, S]."""
    return F.cross_entropy(logits.float().flatten(0, -2), targets.flatten(), ignore_index=PAD)


def model_loss(
    model: nn.Module, stage: str, part: PartName, batch: Batch, device: torch.device, blind_end: bool = False
) -> Tensor:
    """Teacher-forced next-token loss of a batch, nats a token. `blind_end`: an online model predicts EOS from a
    position that is masked, and so attends to nothing, as published."""
    if stage == "online":
        tokens = torch.from_numpy(batch.interleaved(part)).to(device)
        form = torch.from_numpy(interleaved_form(batch.form)).to(device)
        inputs, targets = tokens[:, :-1], tokens[:, 1:]
        mask = (targets != PAD) & (targets != EOS) if blind_end else None
        return next_token_loss(model(inputs, form, mask), targets)
    context = torch.from_numpy(batch.single("melody" if part == "chord" else "chord")).to(device)
    targets = torch.from_numpy(batch.single(part)).to(device)
    form = torch.from_numpy(single_form(batch.form)).to(device)
    mask = context != PAD
    padded = None if bool(mask.all()) else mask
    # Only the encoder sees later positions, so only it needs to be told about padding.
    return next_token_loss(model(context, targets[:, :-1], form, padded), targets[:, 1:])


def target_count(stage: str, lengths: NDArray[np.int64]) -> int:
    """How many targets a batch of pieces of these lengths (frames) has: every token of the model's sequence and EOS."""
    return (2 if stage == "online" else 1) * int(lengths.sum()) + len(lengths)
