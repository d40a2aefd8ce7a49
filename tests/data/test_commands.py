"""`sideman data` as a user types it, on the toy collection."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from sideman.cli_data import data
from sideman.data.collections import Collection
from sideman.data.pack import load_pack
from sideman.errors import UnreadableFile, WrongValue


@pytest.fixture
def command(
    toy: Callable[..., Collection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    row = toy()
    monkeypatch.setattr("sideman.data.stats.collections", lambda: {"toy": row})
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path / "home"))

    def run(*words: object) -> tuple[int, str]:
        result = CliRunner().invoke(data, [str(word) for word in words])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout

    return run


def test_the_whole_path(command: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    assert json.loads(command("list", "--json")[1])[0]["state"] == "not here"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.abc").write_text("X:1")
    assert command("fetch", "toy", "--source", tmp_path / "in")[1].strip().endswith("source")
    assert "fetched" in command("list")[1]
    code, said = command("convert", "toy", "--workers", 1, "--jsonl", tmp_path / "lines", "--augment")
    assert (code, "51 of 60" in said) == (0, True)
    assert (tmp_path / "lines" / "train_augmented.jsonl").is_file()
    assert "converted" in command("list")[1]
    (stats,) = json.loads(command("stats", "--json")[1])
    assert (stats["pieces"], stats["discarded"], stats["notes"], stats["chords"]) == (51, 9, 153, 204)
    assert (stats["chord_beats"], stats["no_chord"], stats["silence"]) == (2.0, 0.0, 0.0)
    assert sum(stats["chord_lengths"]) == stats["chord_lengths"][8] == 204
    assert "| pieces | 51 |" in command("stats", "toy")[1]
    command("pack", "toy", "toy", "-o", tmp_path / "all.npz")
    assert len(load_pack(tmp_path / "all.npz")) == 51


def test_a_picture_of_the_statistics(command: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    command("convert", "toy", "--source", tmp_path, "--workers", 1)
    command("stats", "--plot", tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_wrong_calls_say_what_to_do(command: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    with pytest.raises(WrongValue, match="pop808"):
        command("convert", "pop808")
    with pytest.raises(WrongValue, match="sideman data convert"):
        command("stats")
    with pytest.raises(UnreadableFile, match="sideman data convert toy"):
        command("stats", "toy")
    with pytest.raises(UnreadableFile, match="sideman data"):
        command("pack", "toy", "-o", tmp_path / "x.npz")
    assert command("convert", "toy", "--augment")[0] == 2
    assert not (tmp_path / "x.npz").exists()


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; import sideman.cli_data; print({'numpy', 'msgspec', 'rich', 'matplotlib'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
