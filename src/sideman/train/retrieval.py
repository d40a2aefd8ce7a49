"""How well a reward network tells what matches: retrieval for contrastive ones, a table of hits for discriminative."""

import torch
from torch import Tensor
from torch.nn import functional as F


def info_nce(melody: Tensor, chords: Tensor, scale: Tensor, rows: slice = slice(None)) -> Tensor:
    """Symmetric InfoNCE in nats of unit vectors [B, D] whose rows belong together (spec 5.1), as the mean over `rows`:
    each of them has to be told from all others."""
    own = torch.arange(len(melody), device=melody.device)[rows]
    of_melodies, of_chords = scale * melody[rows] @ chords.T, scale * chords[rows] @ melody.T
    return (F.cross_entropy(of_melodies, own) + F.cross_entropy(of_chords, own)) / 2


def retrieval(melody: Tensor, chords: Tensor) -> dict[str, float]:
    """Finding the chords of each melody among all n by cosine: recall at 1, 5, 10 and mean average precision at 10.

    There is one right answer, so the average precision is 1 / rank, and 0 beyond rank 10.
    """
    cosine = melody @ chords.T
    rank = 1 + (cosine > cosine.diagonal()[:, None]).sum(1)
    found = {f"recall_at_{k}": float((rank <= k).float().mean()) for k in (1, 5, 10)}
    return {**found, "map_at_10": float(torch.where(rank <= 10, 1 / rank, 0.0).mean())}


def hits(matches: Tensor, predicted: Tensor) -> dict[str, float]:
    """Accuracy, and precision, recall and F1 of finding the matching pairs; bool [n] each. 0 where nothing is found."""
    found = int((matches & predicted).sum())
    precision = found / max(1, int(predicted.sum()))
    recall = found / max(1, int(matches.sum()))
    f1 = 2 * precision * recall / max(1e-12, precision + recall)
    accuracy = float((matches == predicted).float().mean())
    return {"accuracy": accuracy, "precision": precision, "recall": recall, "f1": f1}
