"""Every recipe of sheets loads, and what it names is made by a recipe."""

from pathlib import Path

import pytest

from sideman.train.ensemble import load_trainable
from sideman.train.judge_recipe import JudgeRecipe
from sideman.train.preference.recipe import PreferenceRecipe
from sideman.train.recipe import recipe_of, stage_of

RECIPES = Path(__file__).parents[2] / "recipes"
SHEETS = sorted(path for path in RECIPES.rglob("*.yaml") if str(stage_of(path)).startswith("sheet"))
TUNED = [path for path in SHEETS if stage_of(path) == "sheet-dpo"]


def test_there_are_some():
    assert {path.parent.name for path in TUNED} == {"notagen", "release", "toy"}


@pytest.mark.parametrize("path", SHEETS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_it_loads_under_its_name(path: Path):
    assert load_trainable(path).run == f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", TUNED, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_its_start_and_its_judge_can_be_made(path: Path):
    recipe = load_trainable(path)
    assert isinstance(recipe, PreferenceRecipe)
    for place in (recipe.start, recipe.judge):
        folder, _, name = place.partition("/")
        assert folder == ("checkpoints" if path.parent.name == "notagen" else "runs")  # published ones are imported
        assert folder == "checkpoints" or recipe_of(name, RECIPES) is not None


def test_the_published_settings():
    """Spec 6.2 to 6.4 and 9."""
    recipe = load_trainable(RECIPES / "notagen" / "clamp-dpo.yaml")
    assert isinstance(recipe, PreferenceRecipe)
    assert (recipe.rounds, recipe.pieces, recipe.portion, recipe.copied) == (3, 1000, 0.1, 0.95)
    assert (recipe.beta, recipe.lambda_, recipe.updates, recipe.batch) == (0.1, 10.0, 10_000, 1)
    assert (recipe.optim.lr, recipe.optim.clip, recipe.optim.schedule, recipe.optim.warmup) == (
        1e-6,
        1.0,
        "constant",
        0,
    )
    assert (recipe.sampling.top_k, recipe.sampling.top_p, recipe.sampling.temperature) == (9, 0.9, 1.2)
    assert recipe.data.length == 1024


def test_the_judge_that_ships_is_small():
    recipe = load_trainable(RECIPES / "release" / "sheet-judge.yaml")
    assert isinstance(recipe, JudgeRecipe)
    assert recipe.masked == 0.45
