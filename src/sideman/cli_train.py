"""`sideman train` and `sideman models export`: from a pack of songs to a model that plays."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sideman.errors import MissingExtra, UnreadableFile

if TYPE_CHECKING:
    from sideman.engine.bundle import BundleFile


@click.command(
    epilog="\b\nExamples, from nothing to a model that plays:\n"
    "  sideman data fetch nottingham\n"
    "  sideman data convert nottingham\n"
    "  sideman data pack nottingham -o runs/toy.npz\n"
    "  sideman train recipes/toy/online.yaml\n"
    "  sideman train recipes/toy/online.yaml steps=200 --resume\n"
    "  sideman models export runs/toy-online --name toy\n"
    "\b\nFields of a recipe are given as they are nested:\n"
    "  sideman train recipes/release/online.yaml run=slow optim.lr=3e-4 max_minutes=30\n"
    "\b\nEvery stage after the other, each once:\n"
    "  sideman train recipes/toy/story.yaml"
)
@click.argument("recipe", metavar="RECIPE.yaml", type=click.Path(path_type=Path))
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint of the run.")
@click.option(
    "--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, metavar="DIR",
    help="Where runs are kept, each in a folder of its own.",
)  # fmt: skip
def train(recipe: Path, overrides: tuple[str, ...], resume: bool, runs: Path) -> None:
    """Train a model by a recipe: what to learn from, how large, how long.

    Ctrl-C stops after the running step with a checkpoint; --resume goes on exactly as if nothing had happened.
    """
    _need_torch("Training")
    from sideman.evaluate.sheet_writer import SheetWriter
    from sideman.train.ensemble import load_trainable, train_all
    from sideman.train.processes import is_first_process
    from sideman.train.recipe import stage_of

    if stage_of(recipe, overrides) == "story":
        _tell(recipe, overrides, runs)
        return
    loaded = load_trainable(recipe, overrides)
    _check_pack(Path(loaded.data.pack), loaded.data.weights, sheets=loaded.stage.startswith("sheet"))
    for run in train_all(loaded, runs, resume, SheetWriter()):
        if is_first_process():
            click.echo(run)


def _tell(path: Path, overrides: tuple[str, ...], runs: Path) -> None:
    """A recipe of recipes; it always goes on from where it stopped."""
    from sideman.cli import run
    from sideman.evaluate.sheet_writer import SheetWriter
    from sideman.train.processes import is_first_process
    from sideman.train.recipe import load_recipe
    from sideman.train.story import Story, StoryRecipe

    recipe = load_recipe(path, overrides, StoryRecipe)
    Story(recipe, path.parent, runs, run, SheetWriter()).tell()
    if is_first_process():
        click.echo(runs / recipe.run)


@click.command(
    epilog="\b\nExamples:\n  sideman models export runs/toy-online --name toy\n"
    "  sideman models export runs/toy-online/last --name toy --fp32 --to bundles/toy"
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the model will be called, as in `sideman options --model NAME`.")
@click.option("--fp32", is_flag=True, help="Keep full precision: four times the size, and exact.")
@click.option(
    "--window",
    type=click.IntRange(8),
    metavar="FRAMES",
    help="Hear no more than the last FRAMES 16ths: it follows a player who turns sooner. Default: as trained.",
)
@click.option(
    "--follow-turns",
    is_flag=True,
    help="Where the melody has turned to another key, hear only what came since: its harmony is back sooner.",
)
@click.option(
    "--to", "target", type=click.Path(path_type=Path), metavar="DIR",
    help="Folder to write; by default the model joins those that `sideman models list` shows.",
)  # fmt: skip
def export(run: Path, name: str, fp32: bool, window: int | None, follow_turns: bool, target: Path | None) -> None:
    """Turn the training run in folder RUN into a model that plays without torch.

    RUN is the folder of a run (its best checkpoint is taken) or of one checkpoint. Nothing is written
    unless the exported model is shown to play what the checkpoint plays.
    """
    _need_torch("Exporting a model")
    from sideman.engine.models import own_folder
    from sideman.files import write_atomic
    from sideman.models.export import export_bundle
    from sideman.train.checkpoint import checkpoint_in

    folder = target or own_folder(name)
    described = export_bundle(checkpoint_in(run), folder, name, int8=not fp32, window=window, follow_turns=follow_turns)
    if not (folder / "card.md").exists():
        write_atomic(folder / "card.md", _card(described).encode())
    size = sum(part.stat().st_size for part in folder.iterdir())
    click.echo(f"{name}: {described.kind}, {described.precision}, {size / 1e6:.1f} MB: {folder}")


def _need_torch(what: str) -> None:
    try:
        import lightning_fabric  # noqa: F401
        import torch  # noqa: F401
    except ImportError:
        raise MissingExtra(what, "train") from None


def _check_pack(pack: Path, weights: dict[str, float], sheets: bool) -> None:
    """A pack that is not there is the first thing a new user meets: say the commands that make it."""
    if not pack.exists():
        names = list(weights) or ["openscore-lieder" if sheets else "nottingham"]
        convert = "; ".join(f"sideman data convert {name}" for name in names)
        kind = "--sheets " if sheets else ""
        raise UnreadableFile(
            f"There is no pack at {pack}.",
            f"Make it with: {convert}; sideman data pack {kind}{' '.join(names)} -o {pack}",
        )


def _card(described: "BundleFile") -> str:
    """A model card with what is known from the bundle, for its maker to complete."""
    facts = {
        "kind": described.kind, "part": described.part, "parameters": f"{described.parameters:,}",
        "precision": described.precision, **described.trained, "checkpoint (sha256)": described.checkpoint,
    }  # fmt: skip
    rows = "\n".join(f"| {name.replace('_', ' ')} | {value} |" for name, value in facts.items())
    return f"""# {described.name}

| fact | |
|---|---|
{rows}

## Data and licence

To be written by the maker of the model: what it learned from, and under which licence it may be used.

## Quality

To be measured: `sideman evaluate {described.name}`.
"""
