"""`sideman models`: what can play here, and what each model is."""

import json

import click

from sideman.cli import LazyGroup
from sideman.errors import UnknownModel

PLACES = {
    "list": ("sideman.cli_models:list_command", "Name the models on this machine."),
    "show": ("sideman.cli_models:show", "Print the card of one model."),
    "export": ("sideman.cli_train:export", "Turn a training run into a model that plays."),
}


@click.group(cls=LazyGroup, places=PLACES, epilog="\b\nExamples:\n  sideman models list\n  sideman models show NAME")
def models() -> None:
    """List, show and export models."""


@click.command("list", epilog="\b\nExamples:\n  sideman models list\n  sideman models list --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def list_command(as_json: bool) -> None:
    """Name the models on this machine, those that ship and those you made; marked: who answers when none is named."""
    from sideman.engine.models import DEFAULTS, find_model, list_models

    found = list_models()
    if as_json:
        rows = [
            {
                "name": m.name,
                "kind": m.kind,
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
    click.echo(f"{'name':<{width}}  kind      weights      files")
    for m in found:
        mark = {"offline": "  options", "online": "  jam"}[m.kind] if m.path in chosen else ""
        click.echo(f"{m.name:<{width}}  {m.kind:<8}  {m.parameters / 1e6:5.1f} M  {m.size_bytes / 1e6:6.1f} MB{mark}")


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
