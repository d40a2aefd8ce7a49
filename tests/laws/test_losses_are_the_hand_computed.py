"""Losses equal tables worked out by hand."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from sideman.models.online import OnlineConfig, OnlineModel
from sideman.models.transformer import StackConfig
from sideman.music.vocabulary import PAD
from sideman.train.batches import Batch
from sideman.train.losses import model_loss, next_token_loss, target_count

# Probabilities of four tokens at three positions, and the token that came.
TABLE = [[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1]]
CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([1, 2, 3], -(math.log(0.2) + math.log(0.25) + math.log(0.1)) / 3),
        ([3, PAD, 2], -(math.log(0.4) + math.log(0.1)) / 2),
        ([PAD, 1, PAD], math.log(4)),
    ],
)
def test_next_token_loss(targets: list[int], expected: float):
    logits = torch.tensor([TABLE], dtype=torch.float64).log() + 3.0  # a constant changes nothing
    assert float(next_token_loss(logits, torch.tensor([targets]))) == pytest.approx(expected, rel=1e-6)


def batch() -> Batch:
    """Two examples of 3 and 2 frames over a list of two chords: tokens 260, 261 hold, 262, 263 on."""
    return Batch(
        melody=np.array([[192, 64, 194], [196, 3, 0]]),
        chords=np.array([[262, 260, 263], [3, 263, 0]]),
        form=np.zeros((2, 3, 3), np.uint8),
        lengths=np.array([3, 2]),
        pieces=np.zeros(2, np.int64),
    )


class Table(torch.nn.Module):
    """A network that gives every token its logit from one table, whatever it sees, and keeps what it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = torch.linspace(-1, 1, 264)

    def forward(self, *inputs: Tensor | None) -> Tensor:
        self.seen = inputs
        read = inputs[1] if len(inputs) == 4 else inputs[0]  # (melody, chords, form, mask) or (tokens, form, mask)
        assert read is not None
        return self.logits.expand(*read.shape, 264)


TARGETS = {
    ("online", "chord"): [262, 192, 260, 64, 263, 194, 2, 3, 196, 263, 3, 2],
    ("online", "melody"): [192, 262, 64, 260, 194, 263, 2, 196, 3, 3, 263, 2],
    ("offline", "chord"): [262, 260, 263, 2, 3, 263, 2],
    ("offline", "melody"): [192, 64, 194, 2, 196, 3, 2],
}


@pytest.mark.parametrize(("stage", "part"), TARGETS)
def test_every_token_after_bos_counts_once(stage: str, part: str):
    """Both parts of an online model, and EOS, count; padding does not."""
    network = Table()
    logits = network.logits.double().numpy()
    surprise = np.log(np.exp(logits).sum()) - logits[TARGETS[stage, part]]
    assert float(model_loss(network, stage, part, batch(), CPU)) == pytest.approx(surprise.mean(), rel=1e-5)
    assert target_count(stage, batch().lengths) == len(TARGETS[stage, part])


def test_the_offline_encoder_is_told_about_padding():
    network = Table()
    model_loss(network, "offline", "chord", batch(), CPU)
    melody, chords, _, mask = network.seen
    assert melody is not None and chords is not None and mask is not None  # noqa: PT018
    assert melody.tolist() == [[1, 192, 64, 194, 2], [1, 196, 3, 2, 0]]
    assert mask.tolist() == [[True] * 5, [True] * 4 + [False]]
    assert chords.tolist() == [[1, 262, 260, 263], [1, 3, 263, 2]]


@pytest.mark.parametrize("blind", [False, True])
def test_the_end_is_seen_unless_as_the_reference(blind: bool):
    """As published, the position before EOS attends to nothing: what came before its own token changes nothing."""
    network = Table()
    model_loss(network, "online", "chord", batch(), CPU, blind_end=blind)
    mask = network.seen[2]
    expected = [[True] * 6 + [False], [True] * 4 + [False] * 3] if blind else None
    assert (mask.tolist() if mask is not None else None) == expected
    torch.manual_seed(0)
    stack = StackConfig(16, 2, 2, 8, 16, rotary_width=8)
    model = OnlineModel(OnlineConfig(264, stack, form=False)).eval()
    tokens = torch.tensor([[1, 262, 192, 260, 64], [1, 263, 196, 261, 64]])
    known = torch.tensor([[True] * 4 + [False]] * 2) if blind else None
    one, other = model(tokens, None, known)[:, -1]
    assert torch.allclose(one, other, atol=1e-6) == blind
