"""A checkpoint is there whole, whatever happens while it is written."""

import shutil
from pathlib import Path

import pytest
import torch

from sideman.errors import UnreadableFile
from sideman.files import CannotWrite
from sideman.models.build import ModelFile, build, load_checkpoint
from sideman.models.online import OnlineConfig
from sideman.models.transformer import StackConfig
from sideman.train import checkpoint
from sideman.train.checkpoint import read_state, settle, write_checkpoint

FILE = ModelFile("online", online=OnlineConfig(300, StackConfig(8, 1, 1, 8, 8, rotary_width=8)))
CPU = torch.device("cpu")


def write(folder: Path, step: int) -> None:
    """A checkpoint whose every weight and state is its step."""
    model = build(FILE)
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(step)
    write_checkpoint(folder, FILE, model, {"step": step, "best": 0.5, "optimizer": {}})


def assert_holds(folder: Path, step: int) -> None:
    model = load_checkpoint(folder)[1]
    assert {float(w.detach().mean()) for w in model.parameters()} == {float(step)}
    assert read_state(folder, CPU)["step"] == step
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_the_new_one_replaces_the_old(tmp_path: Path):
    write(tmp_path / "last", 1)
    write(tmp_path / "last", 2)
    assert_holds(tmp_path / "last", 2)


@pytest.mark.parametrize("call", range(1, 6))
def test_a_kill_at_any_moment_leaves_one_of_the_two(call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Files and renames are done one after the other; the process dies before number `call`."""
    last = tmp_path / "last"
    write(last, 1)
    count = 0

    class Killed(BaseException):
        pass

    def dying(real):
        def wrapped(*arguments, **keywords):
            nonlocal count
            count += 1
            if count == call:
                raise Killed
            return real(*arguments, **keywords)

        return wrapped

    with monkeypatch.context() as patch:
        patch.setattr("sideman.models.build.write_atomic", dying(checkpoint.write_atomic))
        patch.setattr(checkpoint, "write_atomic", dying(checkpoint.write_atomic))
        patch.setattr(Path, "rename", dying(Path.rename))
        patch.setattr(shutil, "rmtree", lambda *a, **k: None)  # a killed process tidies nothing up
        with pytest.raises(Killed):
            write(last, 2)
    settle(last)
    assert_holds(last, 2 if call == 5 else 1)  # the fifth step is the rename after the old one moved away
    write(last, 3)
    assert_holds(last, 3)


def test_a_full_disk_keeps_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path / "last", 1)

    def full(path: Path, data: bytes) -> None:
        raise CannotWrite(f"Cannot write {path}: No space left on device.")

    monkeypatch.setattr(checkpoint, "write_atomic", full)
    with pytest.raises(CannotWrite, match="No space left"):
        write(tmp_path / "last", 2)
    assert_holds(tmp_path / "last", 1)


def test_a_place_that_cannot_be_renamed_is_no_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(self: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(CannotWrite, match="Permission denied"):
        write(tmp_path / "last", 1)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no archive at all"])
def test_damaged_state(content: bytes, tmp_path: Path):
    write(tmp_path / "last", 1)
    (tmp_path / "last" / "state.pt").write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"state\.pt is damaged"):
        read_state(tmp_path / "last", CPU)


def test_state_of_something_else(tmp_path: Path):
    torch.save([1, 2], tmp_path / "state.pt")
    with pytest.raises(UnreadableFile, match="not the state of a run"):
        read_state(tmp_path, CPU)
