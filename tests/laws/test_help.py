"""Help answers at once and teaches by example."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from sideman.cli import COMMANDS, cli

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "onnxruntime", "torch", "symusic", "starlette", "uvicorn", "yaml", "matplotlib", "rich", "msgspec")


def walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from walk(inner, (*path, name))


def find(path: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return command


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["options", "--help"], ["serve", "--help"]])
def test_help_needs_no_heavy_import(arguments: list[str]):
    script = (
        "import sys; from sideman.cli import run; code = run(sys.argv[1:]); "
        f"print([m for m in {HEAVY!r} if m in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_every_command_teaches_with_an_example():
    paths = list(walk(cli, ()))
    assert len(paths) > len(COMMANDS)
    for path in paths:
        name = " ".join(("sideman", *path))
        text = find(path).get_help(click.Context(find(path), info_name=name))
        examples = text.partition("Example")[2]
        assert name in examples, f"{name} --help shows no example of itself"


def test_the_examples_it_names_exist():
    texts = [find(path).get_help(click.Context(find(path))) for path in walk(cli, ())]
    named = {name for text in texts for name in re.findall(r"\b(?:examples|recipes|benchmarks)/[\w./-]*\w", text)}
    assert "examples/greensleeves.mid" in named
    assert not [name for name in named if not (ROOT / name).exists()]


def test_the_table_says_what_the_commands_say():
    for name, (_, summary) in COMMANDS.items():
        assert summary.endswith(".")
        assert find((name,)).help, name
