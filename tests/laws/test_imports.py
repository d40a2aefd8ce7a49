"""Imports point one way, and playing needs no torch."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import sideman

SOURCE = Path(sideman.__file__).parent
# small modules anybody may use; they use each other alone
GROUND = {"errors", "files", "home", "one_at_a_time", "progress", "wrong_fields"}
PLAYERS = {"music", "formats", "engine"}
# room -> rooms it may import. Models and training check their exports against the engine that will play them.
ARROWS = {
    "music": set(),
    "formats": {"music"},
    "data": {"music", "formats"},
    "models": {"music", "formats", "data", "engine"},
    "train": {"music", "formats", "data", "models", "engine"},
    "engine": {"music"},
    "jam": PLAYERS,
    "options": PLAYERS,
    "compose": PLAYERS,
    "serve": PLAYERS | {"jam", "options", "compose"},
}
TOP = {"evaluate", "cli"}  # may import everything; nobody imports them
TORCH = {"torch", "lightning", "lightning_fabric", "onnxscript"}
TORCH_ROOMS = {"models", "train"} | TOP
OPTIONAL = {"matplotlib", "rich", "verovio", "typst", "soundfile", "rtmidi", "mido", "tensorboard", "wandb"}
FILES = sorted(SOURCE.rglob("*.py"))


def room_of(parts: tuple[str, ...]) -> str:
    """`formats/midi.py` -> formats, `cli_data.py` -> cli, `files.py` -> files."""
    name = parts[0].removesuffix(".py")
    return "cli" if name.startswith(("cli", "__main__")) else name


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """(module, at module level) of every import of a file; those for type checkers alone are left out."""
    waiting = [(ast.parse(path.read_text()).body, True)]
    for statements, outside in waiting:
        for node in statements:
            if isinstance(node, ast.Import):
                yield from ((alias.name, outside) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative import"
                base = node.module or ""
                names = [f"sideman.{alias.name}" for alias in node.names] if base == "sideman" else [base]
                yield from ((name, outside) for name in names)
            elif not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
                within = outside and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                blocks = [node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())]
                for name in ("body", "orelse", "finalbody"):
                    waiting += [(found, within) for each in blocks if (found := getattr(each, name, []))]


def test_the_files_are_found():
    rooms = {room_of(path.relative_to(SOURCE).parts) for path in FILES}
    assert {"music", "formats", "data", "models", "train", "engine", "options", "serve", "evaluate", "cli"} <= rooms
    assert len(FILES) > 60


def test_imports_point_one_way():
    for path in FILES:
        check_imports(path)


def check_imports(path: Path):
    room = room_of(path.relative_to(SOURCE).parts)
    for module, outside in imports(path):
        first, _, rest = module.partition(".")
        if first == "sideman":
            target = room_of(tuple(rest.split("."))) if rest else ""
            if room in TOP or target in {room, "", "__version__"} | GROUND:
                continue
            assert room in ARROWS, f"{path}: {room} is no room of the design, but imports {module}"
            assert target in ARROWS[room], f"{path} may not import {module}"
        elif room == "music":
            assert first == "numpy" or first in sys.stdlib_module_names, f"{path} may not import {module}"
        elif first in TORCH:
            assert room in TORCH_ROOMS, f"{path} may not import {module}, at module level or later"
            assert room not in TOP or not outside, f"{path} must import {module} where it is used"
        elif first in OPTIONAL:
            assert not outside, f"{path}: {module} is optional: import it where it is used"


def test_playing_loads_no_torch():
    script = (
        f"import importlib, sys\nfor name in ('sideman.cli_options', 'sideman.options.offer', 'sideman.serve.app'):\n"
        f"    importlib.import_module(name); assert not {TORCH} & set(sys.modules), name"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
