"""The sheet model against numbers of the reference (NotaGen spec 12.7)."""

import pytest
import torch
from sheet_golden import TEXT, TOY, published_shapes, toy_in_double
from torch import Tensor

from sideman.models.sheet import SheetModel
from sideman.music.sheet.patches import PAD, encode


@pytest.fixture(scope="module")
def toy() -> SheetModel:
    return toy_in_double()


@pytest.fixture(scope="module")
def patches() -> Tensor:
    return torch.from_numpy(encode(TEXT))[None]


def everything(patches: Tensor) -> Tensor:
    return torch.ones(patches.shape[:2], dtype=torch.bool)


def near(tensor: Tensor, *expected: float) -> None:
    torch.testing.assert_close(tensor.detach(), torch.tensor(expected, dtype=torch.float64), atol=1e-6, rtol=0)


def test_what_is_counted(patches: Tensor):
    assert patches.shape == (1, 9, 16)
    assert int((patches[:, 1:] != PAD).sum()) == 79
    assert len(published_shapes(TOY)) == 46


def test_patch_states(toy: SheetModel, patches: Tensor):
    states = toy.encode(patches)[0]
    near(states[0, :4], 0.273841, 0.476376, -1.248091, -1.679639)
    near(states[8, :4], 0.064433, 0.293653, -1.367418, -1.804628)


def test_logits(toy: SheetModel, patches: Tensor):
    logits = toy.read(toy.encode(patches)[0, :-1], patches[0, 1:])
    assert logits.shape == (8, 17, 128)
    near(logits[0, 0, :4], 0.0979092, 0.1490376, 0.1028143, -0.0105676)
    near(logits[3, 5, 60:64], -0.2121880, -0.6302040, -0.6365689, -0.2271252)


def test_loss_and_log_probability(toy: SheetModel, patches: Tensor):
    near(toy(patches, everything(patches))[None], 5.027717543)
    near(toy.log_probability(patches, everything(patches)), -397.1896859)


def test_loss_of_a_batch_is_the_mean_over_its_characters(toy: SheetModel, patches: Tensor):
    both, mask = patches.repeat(2, 1, 1), everything(patches).repeat(2, 1)
    both[1, 4:], mask[1, 4:] = PAD, False
    near(toy(both, mask)[None], 5.033033522)


def test_each_character_stands_at_its_place(toy: SheetModel, patches: Tensor):
    """The parts of a batch that are read together by length come back in order."""
    nats, where = toy.characters(patches, everything(patches))
    assert (where.diff() > 0).all()
    logits = toy.read(toy.encode(patches)[0, :-1], patches[0, 1:])[:, :-1]
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), patches[0, 1:].flatten(), reduction="none")
    torch.testing.assert_close(nats, expected[where - 16])
