"""The published recipes make the published networks (spec 4.2), counted without their weights."""

from pathlib import Path

import pytest
import torch

from sideman.models.build import build, parameters
from sideman.models.transformer import published_stack
from sideman.music.vocabulary import own_vocabulary
from sideman.train.network import describe
from sideman.train.recipe import load_recipe

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.mark.parametrize("folder", ["realchords", "gapt"])
@pytest.mark.parametrize(("stage", "fixed", "a_token"), [("online", 33_599_488, 1_024), ("offline", 75_596_288, 1_536)])
def test_parameters(folder: str, stage: str, fixed: int, a_token: int):
    vocabulary = own_vocabulary()
    file = describe(load_recipe(RECIPES / folder / f"{stage}.yaml"), vocabulary)
    with torch.device("meta"):
        assert parameters(build(file)) == fixed + a_token * vocabulary.size


def test_the_switches_are_the_published_ones():
    online = load_recipe(RECIPES / "gapt/online.yaml").model
    assert online.stack == published_stack(512, 8, 8, causal=True)
    offline = load_recipe(RECIPES / "gapt/offline.yaml").model
    assert offline.stack == published_stack(512, 8, 8, causal=True, t5=True, cross=True)
    assert offline.encoder == published_stack(512, 8, 8, causal=False, t5=True)


def test_the_published_settings():
    for folder, mix in (
        ("realchords", {"hooktheory": 1.0}),
        ("gapt", {"hooktheory": 0.6, "pop909": 0.3, "nottingham": 0.1}),
    ):
        for stage in ("online", "offline"):
            recipe = load_recipe(RECIPES / folder / f"{stage}.yaml")
            optim = recipe.optim
            assert (recipe.stage, recipe.batch, recipe.steps, recipe.seed) == (stage, 64, 30_000, 42)
            assert (optim.lr, optim.betas, optim.weight_decay, optim.clip) == (1e-4, (0.9, 0.999), 0.0, 1.0)
            assert (optim.schedule, optim.warmup) == ("constant", 0)
            assert recipe.data.weights == mix
            assert (recipe.data.transpose, recipe.data.random_truncate, recipe.model.form) == (6, None, False)
