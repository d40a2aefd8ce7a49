"""The container file builds from what is in the tree, and starts a command there is."""

import json
import re
import subprocess
from pathlib import Path

import click

from sideman.cli import cli

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")
STEPS = [line.split(None, 1) for line in TEXT.replace("\\\n", " ").splitlines() if line.strip() and line[0] != "#"]


def said(word: str) -> list[str]:
    return [rest for name, rest in STEPS if name == word]


def test_what_it_copies_is_tracked_and_sent():
    copied = [path for rest in said("COPY") if not rest.startswith("--from") for path in rest.split()[:-1]]
    assert {"pyproject.toml", "src", "recipes"} <= set(copied)
    tracked = subprocess.run(["git", "ls-files", *copied], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for path in copied:
        assert any(file == path or file.startswith(f"{path}/") for file in tracked.splitlines()), path
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == set(copied)
    stages = re.findall(r"^FROM \S+ AS (\w+)$", TEXT, re.MULTILINE)
    assert all(rest.split()[0].removeprefix("--from=") in stages for rest in said("COPY") if rest.startswith("--from"))


def test_what_the_package_is_built_from_is_copied():
    copied = {path for rest in said("COPY") for path in rest.split()[:-1]}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = {"readme": "README.md", "license-files": "LICENSE", "force-include": "recipes"}
    for field, path in named.items():
        assert field in project
        assert path in copied
    (install,) = [step for step in said("RUN") if "pip install" in step]
    assert install.endswith("-c constraints.txt .")


def test_it_starts_a_command_there_is_on_the_port_it_shows():
    (line,) = said("CMD")
    program, name, *arguments = json.loads(line)
    assert program == "sideman"
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None
    parsed = command.make_context(name, arguments, parent=context, resilient_parsing=False).params
    assert parsed["host"] == "0.0.0.0"
    assert said("EXPOSE") == [str(parsed["port"])]


def test_nobody_in_it_is_root():
    last = TEXT.rindex("\nFROM ")
    (user,) = re.findall(r"^USER (\S+)$", TEXT[last:], re.MULTILINE)
    assert user != "root"
    assert f"useradd --create-home --shell /usr/sbin/nologin {user}\n" in TEXT[last:]
    assert TEXT.index("\nUSER ") < TEXT.index("\nCMD ")
