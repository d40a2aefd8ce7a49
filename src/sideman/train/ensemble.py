"""One recipe, one run or several: an ensemble is a list of seeds, and each member a run of its own, `NAME-SEED`."""

import time
from pathlib import Path
from typing import TypeVar

import msgspec

from sideman.models.build import ModelFile
from sideman.train.judge_recipe import JudgeRecipe
from sideman.train.recipe import Recipe, load_recipe, stage_of
from sideman.train.rl.recipe import RlRecipe
from sideman.train.sheet_recipe import SheetRecipe

Trainable = Recipe | RlRecipe | SheetRecipe | JudgeRecipe
R = TypeVar("R", bound=Trainable)


def load_trainable(path: Path, overrides: tuple[str, ...] = ()) -> Trainable:
    """Read the recipe of one stage, whichever it is. Raises as `load_recipe`."""
    stage = stage_of(path, overrides)
    if stage == "rl":
        return load_recipe(path, overrides, RlRecipe)
    if stage == "sheet":
        return load_recipe(path, overrides, SheetRecipe)
    if stage == "sheet-judge":
        return load_recipe(path, overrides, JudgeRecipe)
    return load_recipe(path, overrides, Recipe)


def members(recipe: R) -> tuple[R, ...]:
    """The recipe of each run: itself, or one for every seed."""
    if not recipe.seeds:
        return (recipe,)
    return tuple(
        msgspec.structs.replace(recipe, run=f"{recipe.run}-{seed}", seed=seed, seeds=()) for seed in recipe.seeds
    )


def finished(recipe: Trainable, root: Path) -> bool:
    """Whether every member has come to its last step."""
    return all(_step(root / member.run / "last") >= recipe.steps for member in members(recipe))


def train_all(recipe: Trainable, root: Path, resume: bool) -> list[Path]:
    """Train the members one after the other, within the recipe's `max_minutes` in all; the folders of those begun.

    Raises whatever a run raises. When resuming, members that are done are passed over.
    """
    from sideman.train.mle import Run
    from sideman.train.rl.run import RlRun

    until = None if recipe.max_minutes is None else time.monotonic() + 60 * recipe.max_minutes
    folders: list[Path] = []
    for member in members(recipe):
        if recipe.seeds and resume and finished(member, root):
            continue
        if until is not None and folders:
            left = (until - time.monotonic()) / 60
            if left <= 0:
                break
            member = msgspec.structs.replace(member, max_minutes=left)
        run = RlRun(member, root, resume) if isinstance(member, RlRecipe) else Run(member, root, resume)
        run.train()
        folders.append(run.folder)
    return folders


def _step(checkpoint: Path) -> int:
    """The step a checkpoint was written at, 0 where there is none."""
    try:
        described = msgspec.json.decode((checkpoint / "model.json").read_bytes(), type=ModelFile)
    except (OSError, msgspec.DecodeError):
        return 0
    return int(described.trained.get("step", 0))
