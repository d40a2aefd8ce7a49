"""`sideman models`: what can play here, what each model is, and where more come from."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sideman.cli import LazyGroup
from sideman.errors import MissingExtra, UnknownModel, UnreadableFile

if TYPE_CHECKING:
    from sideman.models.published import Part

PLACES = {
    "list": ("sideman.cli_models:list_command", "Name the models on this machine."),
    "show": ("sideman.cli_models:show", "Print the card of one model."),
    "pull": ("sideman.cli_models:pull", "Fetch a published model and make it play here."),
    "import": ("sideman.cli_models:import_command", "Make a published weight file play here."),
    "push": ("sideman.cli_models:push", "Upload a model to a repository of a hub."),
    "export": ("sideman.cli_train:export", "Turn a training run into a model that plays."),
}


@click.group(cls=LazyGroup, places=PLACES, epilog="\b\nExamples:\n  sideman models list\n  sideman models show NAME")
def models() -> None:
    """List, show, fetch, import, export and publish models."""


# (kind, part) -> the command a model answers to.
USES = {
    ("offline", "chord"): "options",
    ("online", "chord"): "jam: chords to your melody",
    ("online", "melody"): "jam: a melody to your chords",
    ("sheet", "score"): "compose",
}


@click.command("list", epilog="\b\nExamples:\n  sideman models list\n  sideman models list --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def list_command(as_json: bool) -> None:
    """Name the models on this machine, those that ship and those you made, and what each plays; the one with a star
    answers when none is named."""
    from sideman.engine.models import DEFAULTS, find_model, list_models

    found = list_models()
    if as_json:
        rows = [
            {
                "name": m.name,
                "kind": m.kind,
                "part": m.part,
                "parameters": m.parameters,
                "size_bytes": m.size_bytes,
                "path": str(m.path),
            }
            for m in found
        ]
        click.echo(json.dumps(rows))
        return
    kinds = {m.kind for m in found if m.name in DEFAULTS.get(m.kind, ())}
    chosen = {find_model(None, kind) for kind in kinds}
    width = max([4, *(len(m.name) for m in found)])
    click.echo(f"{'name':<{width}}  kind      weights      files  plays")
    for m in found:
        plays = USES.get((m.kind, m.part), "") + (" *" if m.path in chosen else "")
        weights = f"{m.parameters / 1e6:5.1f} M  {m.size_bytes / 1e6:6.1f} MB"
        click.echo(f"{m.name:<{width}}  {m.kind:<8}  {weights}  {plays}".rstrip())


@click.command(epilog="\b\nExample:\n  sideman models show NAME")
@click.argument("name")
def show(name: str) -> None:
    """Print the card of the model NAME: what it learned from, what it does well and badly."""
    from sideman.engine.models import find_model, list_models

    path = find_model(name)
    model = next((m for m in list_models() if m.path == path), None)
    if model is None:
        raise UnknownModel(f"The model '{name}' is damaged: {path}/bundle.json.", "Export or fetch it again.")
    click.echo(
        f"{model.name}: {model.kind}, {model.parameters / 1e6:.1f} M parameters, {model.size_bytes / 1e6:.1f} MB"
    )
    click.echo(f"{model.path}\n\n{model.card}".rstrip())


FAMILIES = ("realchords-online", "realchords-offline", "realchords-reward")
COMPOSERS = ("notagen",)
ENCODERS = ("clamp2", "m3")
PUBLISHED = ("realchords", "gapt", "online", "offline")
_FP32 = click.option("--fp32", is_flag=True, help="Keep full precision: four times the size, and exact.")


@click.command(
    "import",
    epilog="\b\nExamples:\n"
    "  sideman models import realchords-online gapt/actor.pth \\\n"
    "      --chord-names chord_names_augmented.json --name their-gapt\n"
    "  sideman jam --model their-gapt\n"
    "  sideman models import realchords-offline step=20000.ckpt --chord-names names.json --name theirs\n"
    "  sideman options melody.mid --model theirs\n"
    "  sideman models import realchords-reward step=8000.ckpt --chord-names names.json --name judge-1\n"
    "  sideman models import notagen weights_notagenx_p_size_16.pth --name notagen-x\n"
    "  sideman models import clamp2 weights_clamp2_h_size_768.pth --name clamp2",
)
@click.argument("kind", metavar="KIND", type=click.Choice((*FAMILIES, *COMPOSERS, *ENCODERS)))
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--chord-names", "names", type=click.Path(path_type=Path), metavar="FILE",
    help="JSON list of the chord names it was trained with; tokens are numbered by it. Needed for realchords-*.",
)  # fmt: skip
@click.option("--name", required=True, help="What the model will be called here.")
@click.option(
    "--part", type=click.Choice(("chord", "melody")), default="chord", show_default=True,
    help="What the network writes; the file does not say.",
)  # fmt: skip
@_FP32
@click.option(
    "--checkpoint", type=click.Path(path_type=Path), metavar="DIR",
    help="Also keep the network there for training, as `start` or `anchor` of a recipe. For a network that plays "
    "nothing: where to write it.",
)  # fmt: skip
def import_command(
    kind: str, file: Path, names: Path | None, name: str, part: "Part", fp32: bool, checkpoint: Path | None
) -> None:
    """Make a published weight FILE play or judge here.

    KIND is one of ReaLchords, GAPT or ReaLJam: realchords-online (plays along), realchords-offline (harmonises whole
    melodies) or realchords-reward (judges, in training and evaluation); notagen, which composes; or a music encoder,
    clamp2 or m3, which judges sheets. FILE is a checkpoint as published: step=N.ckpt, actor.pth or weights_*.pth.
    Nothing in it is run, every tensor is checked, and a model is written only if it is shown to play what the file
    plays.
    """
    _need_torch()
    if kind in ENCODERS:
        _import_encoder(kind, file, name, checkpoint)
        return
    if kind in COMPOSERS:
        _import_composer(file, name, fp32, checkpoint)
        return
    if names is None:
        raise click.UsageError(f"{kind} needs --chord-names FILE, the list the network was trained with.")
    from sideman.engine.models import own_folder
    from sideman.home import home
    from sideman.models.published_import import import_checkpoint, read_chord_names

    own_folder(name)
    chords = read_chord_names(names)
    if kind == "realchords-online" or (kind == "realchords-offline" and part == "chord"):
        _import_bundle(kind, file, chords, name, fp32, checkpoint, part)
        return
    if fp32:
        raise click.UsageError("--fp32 is for models that play; the others are always kept in full precision.")
    folder = checkpoint or home() / "checkpoints" / name
    described = import_checkpoint(file, kind, chords, folder, part)
    click.echo(f"{name}: {described.kind}: {folder}")
    field = "networks.0.path" if kind == "realchords-reward" else "anchor"
    click.echo(f"In a recipe of stage rl: {field}={folder} data.vocabulary={names}", err=True)


@click.command(
    epilog="\b\nExamples:\n  sideman models pull gapt\n  sideman jam --model published-gapt\n"
    "  sideman models pull offline --name theirs\n  sideman options melody.mid --model theirs\n"
    "  sideman models pull somebody/bossa\n  sideman jam --model bossa"
)
@click.argument("what", metavar="WHAT")
@click.option("--name", help="What the model will be called here; `published-WHAT` if not given.")
@_FP32
def pull(what: str, name: str | None, fp32: bool) -> None:
    """Fetch a published model and make it play here.

    WHAT is realchords, gapt or online (they play along), or offline (harmonises whole melodies); or OWNER/NAME, a
    repository that `models push` has made. The files stay in `published` under the Sideman home with their sha256; what
    broke off is resumed by the next call.
    """
    if "/" in what:
        _pull_pushed(what, name)
        return
    if what not in PUBLISHED:
        raise click.BadParameter(f"'{what}' is neither {', '.join(PUBLISHED)} nor OWNER/NAME.", param_hint="WHAT")
    _need_torch()
    from sideman.engine.models import own_folder
    from sideman.home import home
    from sideman.models.published_hub import PUBLISHED as ROWS
    from sideman.models.published_hub import fetch
    from sideman.models.published_import import read_chord_names

    name = name or f"published-{what}"
    own_folder(name)
    weights, names = fetch(what, home() / "published")
    try:
        _import_bundle(ROWS[what].family, weights, read_chord_names(names), name, fp32, None, "chord")
    except UnreadableFile:  # the next call fetches them again
        weights.unlink()
        names.unlink()
        raise


@click.command(epilog="\b\nExamples:\n  sideman models push bossa me/bossa\n  sideman models pull me/bossa")
@click.argument("name")
@click.argument("repository", metavar="REPO")
@click.option(
    "--checkpoint", type=click.Path(path_type=Path), metavar="DIR",
    help="Run or checkpoint whose exact weights go along for training; without it those that the bundle holds.",
)  # fmt: skip
@click.option("--private", is_flag=True, help="A repository that is made is not public.")
def push(name: str, repository: str, checkpoint: Path | None, private: bool) -> None:
    """Upload the model NAME to the repository REPO, OWNER/NAME of a hub: bundle, safetensors and card.

    Log in with `hf auth login` first, or set HF_TOKEN. `models show NAME` prints the card; its file is card.md beside
    the bundle.
    """
    _need_torch()
    from sideman.engine.models import find_model
    from sideman.models.hub import check_repository, push_model
    from sideman.train.checkpoint import checkpoint_in

    check_repository(repository)
    network = None if checkpoint is None else checkpoint_in(checkpoint)
    click.echo(push_model(find_model(name), repository, network, private))
    click.echo(f"Fetch it anywhere: sideman models pull {repository}", err=True)


def _pull_pushed(repository: str, name: str | None) -> None:
    from sideman.engine.models import own_folder
    from sideman.home import home
    from sideman.models.hub import check_repository, pull_model

    name = name or check_repository(repository).partition("/")[2]
    folder = own_folder(name)
    described = pull_model(repository, folder, home() / "published" / repository)
    click.echo(f"{name}: {described.kind}, {described.precision}: {folder}")


def _import_encoder(kind: str, file: Path, name: str, checkpoint: Path | None) -> None:
    from sideman.engine.models import own_folder
    from sideman.home import home
    from sideman.models.music_encoders import import_music

    own_folder(name)
    folder = checkpoint or home() / "checkpoints" / name
    report = import_music(file, kind, folder)
    click.echo(f"{name}: {kind}: {folder}")
    for line in report.lines:
        click.echo(line, err=True)
    if kind == "clamp2":
        click.echo("The text side is left out: it needs the tokenizer files of XLM-R, which are not here.", err=True)
        click.echo(f"In a recipe of stage sheet-dpo: judge={folder}", err=True)


def _import_composer(file: Path, name: str, fp32: bool, checkpoint: Path | None) -> None:
    import tempfile

    from sideman.engine.models import own_folder
    from sideman.files import write_atomic
    from sideman.models.export import export_bundle
    from sideman.models.published_sheet import import_sheet, sheet_card

    folder = own_folder(name)
    with tempfile.TemporaryDirectory() as scratch:
        kept = checkpoint or Path(scratch)
        report = import_sheet(file, kept)
        described = export_bundle(kept, folder, name, int8=not fp32)
    write_atomic(folder / "card.md", sheet_card(described, report).encode())
    size = sum(part.stat().st_size for part in folder.iterdir())
    click.echo(f"{name}: {described.kind}, {described.precision}, {size / 1e6:.1f} MB: {folder}")
    for line in report.lines:
        click.echo(line, err=True)
    told = f"knows {len(described.prompts)} prompts" if described.prompts else "takes no prompts: it was not fine-tuned"
    click.echo(f"It {told}. Compose with it: sideman compose --model {name}", err=True)


def _import_bundle(
    kind: str, file: Path, chords: tuple[str, ...], name: str, fp32: bool, checkpoint: Path | None, part: "Part"
) -> None:
    from sideman.engine.models import own_folder
    from sideman.models.published_import import import_bundle

    folder = own_folder(name)
    described = import_bundle(file, kind, chords, folder, name, int8=not fp32, checkpoint=checkpoint, part=part)
    size = sum(part.stat().st_size for part in folder.iterdir())
    click.echo(f"{name}: {described.kind}, {described.precision}, {size / 1e6:.1f} MB: {folder}")
    play = "options MELODY" if described.kind == "offline" else "jam"
    click.echo(f"Play it: sideman {play} --model {name}. Measure it: sideman evaluate {name}", err=True)


def _need_torch() -> None:
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError:
        raise MissingExtra("Reading published weights", "train") from None
