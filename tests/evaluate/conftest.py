"""Where the commands of these tests run: a folder without checkpoints; and a home with a melody model."""

import shutil
from pathlib import Path

import pytest

from sideman.engine.bundle import Bundle, load_bundle


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def tiny_melody(tiny_melody_folder: Path) -> Bundle:
    return load_bundle(tiny_melody_folder / "bundle", threads=1)


@pytest.fixture
def duet_home(own_home: Path, tiny_melody_folder: Path) -> Path:
    """A home with the models `online`, `offline` and `melody`."""
    shutil.copytree(tiny_melody_folder / "bundle", own_home / "models" / "melody")
    return own_home
