"""What the README and the pages of docs/ tell people to type can be typed, and the files they name exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from sideman.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "recipes").rglob("*.md"))]
BLOCK = re.compile(r"```(?:sh|bash|console|shell)?\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")
PRODUCED = ("runs/", "~/", "/tmp/", "$")  # places a reader fills by the commands themselves


def commands() -> Iterator[tuple[str, list[str]]]:
    """(page, words) of every command line shown."""
    for page in PAGES:
        for block in BLOCK.findall(page.read_text()):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line.removeprefix("$ "), comments=True)
                if words:
                    yield page.name, words


SIDEMAN = [(page, words[1:]) for page, words in commands() if words[0] == "sideman"]
SCRIPTS = [(page, words[0]) for page, words in commands() if words[0].startswith(("scripts/", "./", ".ci/"))]


def test_there_is_something_to_check():
    shown = [words for page, words in SIDEMAN if page == "README.md"]
    assert len(shown) >= 5, "the README shows hardly a command"
    assert any(words[0] == "options" for words in shown)
    assert "scripts/test" in {script for page, script in SCRIPTS if page == "README.md"}


@pytest.mark.parametrize(("page", "words"), SIDEMAN, ids=lambda value: str(value)[:60])
def test_commands_parse(page: str, words: list[str]):
    for stop in (">", "|", "&&", "2>"):
        words = words[: words.index(stop)] if stop in words else words
    command, arguments, name = parse(words)
    context = command.make_context(name, arguments, resilient_parsing=False)
    for value in context.params.values():
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str | Path) and text is not context.params.get("output"):
                check_file(str(text))


def parse(words: list[str]) -> tuple[click.Command, list[str], str]:
    command: click.Command = cli
    name = "sideman"
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"there is no command {words[0]}"
        command, name, words = found, words[0], words[1:]
    return command, words, name


def check_file(text: str) -> None:
    """A path inside the repository must exist; names that only stand for a reader's file are in no folder of ours."""
    folder = text.partition("/")[0]
    if "/" in text and (ROOT / folder).is_dir() and not text.startswith(PRODUCED):
        assert list(ROOT.glob(text)), f"{text} does not exist"


@pytest.mark.parametrize(("page", "script"), sorted(set(SCRIPTS)))
def test_scripts_exist(page: str, script: str):
    assert (ROOT / script).is_file()


def test_links_lead_somewhere():
    for page in PAGES:
        for target in LINK.findall(page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
