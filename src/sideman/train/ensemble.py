"""One recipe, one run or several: an ensemble is a list of seeds, and each member a run of its own, `NAME-SEED`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from sideman.models.build import ModelFile
from sideman.train.judge_recipe import JudgeRecipe
from sideman.train.preference.recipe import PreferenceRecipe
from sideman.train.preference.rounds import RoundFolder
from sideman.train.recipe import Recipe, load_recipe, stage_of
from sideman.train.rl.recipe import RlRecipe
from sideman.train.sheet_recipe import SheetRecipe

if TYPE_CHECKING:
    from sideman.train.mle import Run
    from sideman.train.preference.run import Composer, PreferenceRun
    from sideman.train.rl.run import RlRun

Trainable = Recipe | RlRecipe | SheetRecipe | JudgeRecipe | PreferenceRecipe
R = TypeVar("R", bound=Trainable)


def load_trainable(path: Path, overrides: tuple[str, ...] = ()) -> Trainable:
    """Read the recipe of one stage, whichever it is. Raises as `load_recipe`."""
    kinds: dict[object, type[Trainable]] = {
        "rl": RlRecipe, "sheet": SheetRecipe, "sheet-judge": JudgeRecipe, "sheet-dpo": PreferenceRecipe,
    }  # fmt: skip
    return load_recipe(path, overrides, kinds.get(stage_of(path, overrides), Recipe))


def members(recipe: R) -> tuple[R, ...]:
    """The recipe of each run: itself, or one for every seed."""
    if not recipe.seeds:
        return (recipe,)
    return tuple(
        msgspec.structs.replace(recipe, run=f"{recipe.run}-{seed}", seed=seed, seeds=()) for seed in recipe.seeds
    )


def finished(recipe: Trainable, root: Path) -> bool:
    """Whether every member has come to its last step, and what it then makes has been judged."""
    return all(_finished(member, root / member.run) for member in members(recipe))


def train_all(recipe: Trainable, root: Path, resume: bool, compose: "Composer | None" = None) -> list[Path]:
    """Train the members one after the other, within the recipe's `max_minutes` in all; the folders of those begun.
    `compose`: who writes the pieces of a preference recipe.

    Raises whatever a run raises. When resuming, members that are done are passed over.
    """
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
        run = _run(member, root, resume, compose)
        run.train()
        folders.append(run.folder)
    return folders


def _run(recipe: Trainable, root: Path, resume: bool, compose: "Composer | None") -> "Run | RlRun | PreferenceRun":
    from sideman.train.mle import Run
    from sideman.train.preference.run import PreferenceRun
    from sideman.train.rl.run import RlRun

    if isinstance(recipe, PreferenceRecipe):
        assert compose is not None, "a preference recipe needs somebody who composes"
        return PreferenceRun(recipe, root, resume, compose)
    return RlRun(recipe, root, resume) if isinstance(recipe, RlRecipe) else Run(recipe, root, resume)


def _finished(recipe: Trainable, folder: Path) -> bool:
    if isinstance(recipe, PreferenceRecipe):
        return RoundFolder(folder / f"round-{recipe.rounds}").figures() is not None
    return _step(folder / "last") >= recipe.steps


def _step(checkpoint: Path) -> int:
    """The step a checkpoint was written at, 0 where there is none."""
    try:
        described = msgspec.json.decode((checkpoint / "model.json").read_bytes(), type=ModelFile)
    except (OSError, msgspec.DecodeError):
        return 0
    return int(described.trained.get("step", 0))
