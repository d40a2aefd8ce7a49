"""`sideman compose`: what goes where, and one clear line with exit code 2 for everything that is wrong."""

import shutil
from pathlib import Path

import mido
import pytest

from sideman.cli import run
from sideman.engine.bundle import Bundle
from sideman.formats.score_abc import from_abc

SHORT = ["compose", "--bars", "2", "--key", "G", "--meter", "2/4"]


@pytest.fixture(autouse=True)
def sheet_home(tiny_sheet: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home whose only model is a random one that writes sheets."""
    shutil.copytree(tiny_sheet.folder, tmp_path / "home" / "models" / "sheet")
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sideman.engine.models.SHIPPED", tmp_path / "nothing")


def test_the_abc_on_stdout_is_the_abc_in_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(SHORT) == 0
    streamed = capsys.readouterr().out
    assert streamed.startswith("X:1\n")
    assert run([*SHORT, "-o", str(tmp_path / "a.abc")]) == 0
    assert (tmp_path / "a.abc").read_text() == streamed
    assert len(from_abc(streamed).bars) == 2


def test_several_pieces_are_numbered(tmp_path: Path):
    assert run([*SHORT, "--count", "2", "-o", str(tmp_path / "a.mid")]) == 0
    assert sorted(path.name for path in tmp_path.glob("*.mid")) == ["a-1.mid", "a-2.mid"]
    assert mido.MidiFile(tmp_path / "a-1.mid").type == 1


def test_one_piece_in_several_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run([*SHORT, "-o", str(tmp_path / "a.mid"), "-o", str(tmp_path / "a.abc")]) == 0
    assert mido.MidiFile(tmp_path / "a.mid").type == 1
    assert run(SHORT) == 0
    assert capsys.readouterr().out == (tmp_path / "a.abc").read_text()


def test_a_beginning_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    start = tmp_path / "start.abc"
    start.write_text("X:1\nT:Mine\nL:1/8\nM:2/4\nK:G\nG2 A2|B4|]\n")
    assert run(["compose", "--bars", "3", "--begin", str(start)]) == 0
    body = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[V:1]")]
    assert body[:2] == ["[V:1]G2 A2|", "[V:1]B4|"]
    assert len(body) == 3


def test_the_prompts_are_listed(capsys: pytest.CaptureFixture[str]):
    assert run(["compose", "--list"]) == 0
    assert "Romantic\tSchubert, Franz\tArt Song\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--bars", "0"], "bars"),
        (["--bars", "10000"], "bars"),
        (["--count", "0"], "count"),
        (["--period", "Romantic"], "all three"),
        (["--period", "Romantic", "--composer", "Shubert", "--instrumentation", "Art Song"], "Schubert, Franz"),
        (["--key", "H"], "no key"),
        (["--free", "--bars", "2"], "constrained"),
        (["--model", "nobody"], "nobody"),
        (["--begin", "nowhere.abc"], "nowhere.abc"),
        (["-o", "song.xyz"], "ending"),
    ],
)
def test_what_is_wrong_is_one_line(flags: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert run(["compose", *flags]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1), err
    assert said in err


@pytest.mark.parametrize("name", ["a.mxl", "a.mid", "a.musicxml", "a.abc"])
def test_a_damaged_beginning_writes_nothing(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    start = tmp_path / name
    start.write_bytes(
        {"a.mxl": b"PK\x03\x04..", "a.mid": b"MThd", "a.musicxml": b"<x/>"}.get(name, b"%%abc-include x\nC|")
    )
    target = tmp_path / "song.mid"
    assert run(["compose", "--begin", str(start), "-o", str(target)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not target.exists()


def test_a_missing_extra_is_said_before_writing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("sideman.formats.score_engrave.find_spec", lambda name: None)
    monkeypatch.setattr("sideman.compose.compose.compose_with", lambda *_: pytest.fail("it began to write"))
    assert run([*SHORT, "-o", "song.pdf"]) == 2
    assert "pip install '.[pdf]'" in capsys.readouterr().err
