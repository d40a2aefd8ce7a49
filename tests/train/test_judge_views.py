"""Views of pieces and what is hidden of them; the loss against a table worked out by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from toy_sheets import toy_sheet_pack

from sideman.music.sheet.m3_patches import BOS, EOS, MASK, PAD, decode, encode
from sideman.train.judge_batches import JudgeSource, hide
from sideman.train.judge_objective import Views
from sideman.train.judge_recipe import JudgeRecipe
from sideman.train.recipe import load_recipe
from sideman.train.sheet_batches import SheetSource

RECIPES = Path(__file__).parents[2] / "recipes"


def source(*overrides: str) -> JudgeSource:
    recipe = load_recipe(RECIPES / "toy" / "sheet-judge.yaml", overrides, JudgeRecipe)
    return JudgeSource(SheetSource(toy_sheet_pack(), recipe.data, "train"), recipe)


def test_a_batch_is_two_views_of_each_piece():
    batch = source("fills=6", "spoiled=false").draw(1, 0, 4)
    assert batch.views.shape[:2] == (4, 2)
    assert batch.views.shape[2] == batch.lengths.max() <= 24
    assert batch.asked.sum() == 6
    assert (batch.mask.sum(2) == batch.lengths).all()
    assert not batch.views[~batch.mask].any()
    for pair, lengths in zip(batch.views, batch.lengths, strict=True):
        for view, length in zip(pair, lengths, strict=True):
            text = decode(view[:length])
            assert [line[:2] for line in text[1:4]] == ["L:", "M:", "K:"]
            assert all(bar.startswith("[V:") for bar in text[4:-1])
    keys = {decode(view)[3] for view in batch.views.reshape(-1, *batch.views.shape[2:])}
    assert len(keys) > 3  # views are moved apart
    assert (batch.hidden[~batch.asked] == batch.views[:, 0][~batch.asked]).mean() > 0.5


def test_a_batch_is_a_function_of_seed_and_step():
    first, again, other = source().draw(1, 5, 4), source().draw(1, 5, 4), source().draw(1, 6, 4)
    assert np.array_equal(first.views, again.views)
    assert np.array_equal(first.hidden, again.hidden)
    assert not np.array_equal(first.views[..., :4, :], other.views[..., :4, :])
    some = first.rows(slice(1, 3))
    assert np.array_equal(some.views, first.views[1:3])


def test_hiding():
    piece = encode("L:1/8\n" + "[V:1]abcdefgab|\n" * 39, special=False)
    ways = {"masked": 0, "shuffled": 0, "kept": 0}
    for seed in range(400):
        shown, chosen = hide(piece, np.random.default_rng(seed))
        assert chosen.sum() == math.ceil(0.45 * 40)
        assert np.array_equal(shown[~chosen], piece[~chosen])
        if (shown[chosen] == MASK).all():
            ways["masked"] += 1
        elif np.array_equal(shown, piece):
            ways["kept"] += 1
        else:
            ways["shuffled"] += 1
            assert (np.sort(shown, 1) == np.sort(piece, 1)).all()
            assert (shown[:, 0] == BOS).all()
            assert np.array_equal(shown == EOS, piece == EOS)
            assert np.array_equal(shown == PAD, piece == PAD)
    assert ways["masked"] / 400 == pytest.approx(0.8, abs=0.06)
    assert ways["shuffled"] / 400 == pytest.approx(0.1, abs=0.05)


def test_the_third_view_is_the_second_one_spoiled():
    batch = source().draw(1, 0, 6)
    assert batch.views.shape[1] == 3
    for piece, lengths in zip(batch.views, batch.lengths, strict=True):
        whole, spoiled = (decode(piece[n, : lengths[n]]) for n in (1, 2))
        assert whole[:4] == spoiled[:4]
        assert whole != spoiled


class Fixed(nn.Module):
    """Gives the views of two pieces features of its own, and keeps what it was asked."""

    def __init__(self, spoiled: list[list[float]]) -> None:
        super().__init__()
        self.features = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.0, 1.0], *spoiled])

    def forward(self, inputs: Tensor, mask: Tensor, asked: Tensor, wanted: Tensor) -> tuple[Tensor, ...]:
        self.seen = inputs, mask, asked, wanted
        return self.features, torch.tensor(3.0), torch.tensor(2.0)


def test_the_loss_is_the_hand_computed_one():
    network, batch = Fixed([]), source("fills=4", "spoiled=false").draw(1, 0, 2)
    # Twice the cosines of first views (rows) and second views: [1.2, 0], [1.6, 2].
    rows = [math.log(1 + math.exp(-1.2)), math.log(1 + math.exp(1.6 - 2))]
    columns = [math.log(1 + math.exp(1.6 - 1.2)), math.log(1 + math.exp(0 - 2))]
    contrast = (sum(rows) + sum(columns)) / 4
    assert float(Views(0.5).loss(network, batch, slice(None), torch.device("cpu"), torch.Generator())) == pytest.approx(
        contrast + 1.5
    )
    inputs, mask, asked, wanted = network.seen
    assert torch.equal(inputs[:2], torch.from_numpy(batch.hidden))
    assert torch.equal(inputs[2:], torch.from_numpy(batch.views[:, 1]))
    assert torch.equal(mask[2:], torch.from_numpy(batch.mask[:, 1]))
    views = torch.from_numpy(batch.views[:, 0]).flatten(0, 1)
    assert torch.equal(views[asked], wanted)  # and never what is shown there
    assert len(asked) == 4
    figures = Views(0.5).validate(network, [batch], torch.device("cpu"))
    assert figures["valid_loss"] == pytest.approx(contrast + 1.5)
    assert figures["recall_at_1"] == 1.0
    assert "told_from_spoiled" not in figures


def test_spoiled_views_are_wrong_answers_for_both_sides():
    network, batch = Fixed([[0.8, 0.6], [0.0, -1.0]]), source("fills=4").draw(1, 0, 2)
    # Twice the cosines: of first views with second and spoiled ones, and of second views with first and spoiled ones.
    ways = [([1.2, 0, 1.6, 0], 0), ([1.6, 2, 1.2, -2], 1), ([1.2, 1.6, 1.92, -1.6], 0), ([0, 2, 1.2, -2], 1)]
    losses = [math.log(sum(math.exp(x - row[own]) for x in row)) for row, own in ways]
    assert float(Views(0.0).loss(network, batch, slice(None), torch.device("cpu"), torch.Generator())) == pytest.approx(
        sum(losses) / 4, rel=1e-5
    )
    figures = Views(0.0).validate(network, [batch], torch.device("cpu"))
    assert figures["told_from_spoiled"] == 0.5  # 0.6 against 0.8, and 1 against -1
