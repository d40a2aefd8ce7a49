"""`sideman bench`: run the scripts of benchmarks/, which come with a checkout and not with the package."""

import subprocess
import sys
from pathlib import Path

import click

from sideman.errors import WrongValue

FOLDER = Path(__file__).parents[2] / "benchmarks"


@click.command(epilog="\b\nExamples:\n  sideman bench\n  sideman bench options")
@click.argument("name", required=False)
def bench(name: str | None) -> None:
    """Time the claims of the README on this machine.

    Without NAME, list the benchmarks; with it, run that one. Needs a checkout of the project.
    """
    scripts = {path.stem: path for path in sorted(FOLDER.glob("*.py"))}
    if not scripts:
        raise WrongValue(
            "There are no benchmarks here.", "They come with a checkout of the project, not with the package."
        )
    if name is None:
        for stem, path in scripts.items():
            click.echo(f"{stem:<16} {_first_line(path)}")
        return
    if name not in scripts:
        raise WrongValue(f"There is no benchmark '{name}'.", f"Choose one of: {', '.join(scripts)}.")
    code = subprocess.run([sys.executable, str(scripts[name])], check=False).returncode
    if code:
        raise click.exceptions.Exit(code)


def _first_line(script: Path) -> str:
    return script.read_text(encoding="utf-8").partition("\n")[0].strip('"# ')
