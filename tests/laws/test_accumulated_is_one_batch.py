"""The gradient of a batch is the same in one piece, in several, and over several processes."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from toy_music import toy_recipe

from sideman.train.batches import share
from sideman.train.losses import model_loss, target_count
from sideman.train.mle import Run

pytestmark = pytest.mark.usefixtures("one_thread")
# A large eps keeps Adam from blowing rounding errors of tiny gradients up to whole steps.
PLAIN = ("model.stack.dropout=0", "optim.clip=1e9", "optim.eps=1e-2", "optim.lr=1e-2", "steps=3", "validate_every=100")
NO_DROPOUT = {"offline": (*PLAIN, "model.encoder.dropout=0")}


def weights(run: Run) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in run.raw.named_parameters()}


@pytest.mark.parametrize("stage", ["online", "offline", "discriminative", "discriminative-rhythm"])
@pytest.mark.parametrize("accumulate", [2, 3])
def test_accumulated_steps_give_the_same_weights(stage: str, accumulate: int, tmp_path: Path):
    """Eight examples of different lengths; three parts do not even have the same number of them."""
    results = []
    for parts in (1, accumulate):
        recipe = toy_recipe(tmp_path, stage, f"run=parts-{parts}", f"accumulate={parts}", *NO_DROPOUT.get(stage, PLAIN))
        run = Run(recipe, tmp_path, False)
        before = weights(run)
        losses = [run._update(run.source.draw(recipe.seed, step, recipe.batch))[0] for step in range(3)]
        results.append((losses, weights(run), before))
    (losses, one, before), (other_losses, several, _) = results
    assert losses == pytest.approx(other_losses, abs=1e-5)
    assert max(float((one[n] - before[n]).abs().max()) for n in one) > 1e-3
    for name in one:
        torch.testing.assert_close(several[name], one[name], atol=1e-6, rtol=1e-5, msg=name)


@pytest.mark.parametrize("stage", ["online", "offline"])
def test_two_processes_average_to_the_gradient_of_the_whole(stage: str, tmp_path: Path):
    run = Run(toy_recipe(tmp_path, stage, "batch=7"), tmp_path, False)
    run.raw.eval()
    whole, device = run.source.draw(0, 0, 7), torch.device("cpu")
    run.raw.zero_grad()
    model_loss(run.raw, stage, "chord", whole, device).backward()
    expected = {n: w.grad.clone() for n, w in run.raw.named_parameters()}
    run.raw.zero_grad()
    for rank in range(2):
        for rows in share(rank, world=2, accumulate=2):
            part = whole.rows(rows)
            weight = target_count(stage, part.lengths) / target_count(stage, whole.lengths)
            (model_loss(run.raw, stage, "chord", part, device) * (weight * 2) / 2).backward()
    for name, parameter in run.raw.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name], atol=1e-6, rtol=1e-5, msg=name)
