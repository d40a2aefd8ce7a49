"""What supervised runs differ in: examples, network, loss, figures. The loop around it is `mle.Run`'s."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import nn

from sideman.data.pack import load_pack
from sideman.data.sheets import load_sheet_pack
from sideman.models.build import ModelFile
from sideman.models.offline import OfflineModel
from sideman.models.online import OnlineModel
from sideman.train.batches import Drawn, Source
from sideman.train.judge_batches import JudgeSource
from sideman.train.judge_objective import Views
from sideman.train.judge_recipe import JudgeRecipe
from sideman.train.network import describe, vocabulary_of
from sideman.train.objective import Objective, objective
from sideman.train.recipe import Recipe
from sideman.train.samples import sample_scores
from sideman.train.sheet_batches import SheetSource
from sideman.train.sheet_objective import Characters, bits
from sideman.train.sheet_recipe import SheetRecipe

Supervised = Recipe | SheetRecipe | JudgeRecipe
# A network and the folder for what it makes -> figures of that.
Sampler = Callable[[nn.Module, Path], dict[str, float]]


@dataclass(frozen=True)
class Work:
    """`valid`: fixed batches; `trained`: what a checkpoint should remember; `notes`: what the user should know before
    it begins; `figures`: a loss as it is logged; `sample`: what the network makes, if it makes anything."""

    title: str
    file: ModelFile
    source: Drawn[Any]
    pieces: int
    valid: list[Any]
    objective: Callable[[Fabric], Objective[Any]]
    trained: dict[str, str | int | float]
    notes: Sequence[str] = ()
    figures: Callable[[float], dict[str, float]] = lambda loss: {"loss": loss}
    sample: Sampler | None = None


def work_of(recipe: Supervised) -> Work:
    """The work a recipe describes. Raises WrongValue, UnreadableFile."""
    if isinstance(recipe, JudgeRecipe):
        return _views(recipe)
    return _sheets(recipe) if isinstance(recipe, SheetRecipe) else _songs(recipe)


def _songs(recipe: Recipe) -> Work:
    vocabulary = vocabulary_of(recipe.data)
    file = describe(recipe, vocabulary)
    pack = load_pack(Path(recipe.data.pack))
    source = Source(pack, vocabulary, recipe.data, "train")
    valid = []
    if len(pack.pieces("valid")):
        valid = _parts(Source(pack, vocabulary, recipe.data, "valid").fixed(recipe.validate_pieces), recipe.batch)
    notes = []
    if source.unknown:
        names = ", ".join(sorted(source.unknown)[:8])
        notes = [f"{len(source.unknown)} chords are not in the chord list and are learned as silence: {names} .."]

    def sample(model: nn.Module, folder: Path) -> dict[str, float]:
        assert isinstance(model, OnlineModel | OfflineModel)
        return sample_scores(model, vocabulary, valid[0], recipe.seed, folder, recipe.part)

    plays = recipe.stage in ("online", "offline")
    return Work(
        f"{recipe.stage} {recipe.part}", file, source, len(source.pieces), valid,
        partial(objective, recipe, vocabulary.size),
        {"window": recipe.data.window_frames}, notes, sample=sample if plays else None,
    )  # fmt: skip


def _sheets(recipe: SheetRecipe) -> Work:
    pack = load_sheet_pack(Path(recipe.data.pack))
    source = SheetSource(pack, recipe.data, "train")
    held_out = SheetSource(pack, recipe.data, "valid")
    valid = _parts(held_out.fixed(recipe.validate_pieces), recipe.batch) if len(held_out.pieces) else []
    characters = Characters(pack)

    def tables(model: nn.Module, folder: Path) -> dict[str, float]:
        return characters.tables(model, valid, next(model.parameters()).device, folder)

    file = ModelFile("sheet", sheet=recipe.model, prompts=source.prompts)
    return Work(
        "sheet", file, source, len(source.pieces), valid, lambda fabric: characters,
        {"window": recipe.data.length}, figures=bits, sample=tables,
    )  # fmt: skip


def _views(recipe: JudgeRecipe) -> Work:
    pack = load_sheet_pack(Path(recipe.data.pack))
    source = SheetSource(pack, recipe.data, "train")
    held_out = SheetSource(pack, recipe.data, "valid")
    valid = JudgeSource(held_out, recipe).fixed(recipe.validate_pieces) if len(held_out.pieces) else None
    return Work(
        "judge of sheets", ModelFile("judge", music=recipe.model), JudgeSource(source, recipe), len(source.pieces),
        _parts(valid, recipe.batch) if valid else [], lambda fabric: Views(recipe.fill), {"window": recipe.data.length},
    )  # fmt: skip


def _parts(whole: Any, size: int) -> list[Any]:
    """Fixed examples in batches of the training size."""
    return [whole.rows(slice(at, at + size)) for at in range(0, len(whole.pieces), size)]
