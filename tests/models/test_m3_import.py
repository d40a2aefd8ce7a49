"""`sideman models import clamp2|m3`: the published layout with random weights, and files that must not get in."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from m3_states import clamp2_shapes, filled, m3_shapes, save_as_published
from torch import Tensor

from sideman.cli import run
from sideman.errors import WrongValue
from sideman.models.build import load_checkpoint
from sideman.models.m3 import M3Config, M3Model
from sideman.models.m3_features import features
from sideman.models.music_encoders import load_tower
from sideman.models.published_m3 import read_clamp2
from sideman.music.sheet.m3_patches import encode

SHEET = "L:1/8\nM:3/4\nK:G\n" + "[V:1]G2 A2 B2|[V:2]G,6|\n" * 12


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def text_side() -> dict[str, Tensor]:
    names = ("embeddings.word_embeddings.weight", "encoder.layer.0.output.dense.weight", "pooler.dense.bias")
    return {f"text_model.{name}": torch.zeros(2) for name in names} | {"text_proj.weight": torch.zeros(2)}


def test_clamp2_becomes_a_judge(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """With its text side, `position_ids` and the prefix of several GPUs, all of which are passed over."""
    state = filled(clamp2_shapes(width=128, depth=3, length=32, inner=256)) | text_side()
    state["music_model.base.embeddings.position_ids"] = torch.arange(32)[None]
    file = save_as_published({f"module.{name}": tensor for name, tensor in state.items()}, tmp_path / "clamp2.pth")
    assert run(["models", "import", "clamp2", str(file), "--name", "theirs"]) == 0
    said = capsys.readouterr().err
    assert "encoder 3 x 128, 2 heads, 32 patches" in said
    assert "passed over: 4 of music_model, 3 of text_model, 1 of text_proj" in said
    assert "The text side is left out" in said
    described, tower = load_tower(home / "checkpoints" / "theirs")
    assert described.kind == "clamp2"
    assert described.trained["source"] == "clamp2.pth"
    assert described.music == M3Config(128, 3, 2, 256, 32, reader_depth=0)
    direct, _ = read_clamp2(file)
    pieces = [encode(SHEET)]
    assert np.array_equal(features(tower, pieces), features(direct, pieces))
    assert not tower.training


def test_m3_comes_with_its_decoder(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = save_as_published(filled(m3_shapes(reader=2)), tmp_path / "m3.pth")
    assert run(["models", "import", "m3", str(file), "--name", "theirs"]) == 0
    assert "decoder of 2 layers" in capsys.readouterr().err
    described, model = load_checkpoint(home / "checkpoints" / "theirs")
    assert described.kind == "m3"
    assert isinstance(model, M3Model)
    with pytest.raises(WrongValue, match="kind m3"):
        load_tower(home / "checkpoints" / "theirs")


def change(state: dict[str, Tensor], what: str) -> dict[str, Tensor]:
    layer = "music_model.base.encoder.layer.1"
    if what == "missing":
        return {name: tensor for name, tensor in state.items() if name != f"{layer}.output.dense.weight"}
    if what == "misshapen":
        return state | {f"{layer}.intermediate.dense.bias": torch.zeros(7)}
    if what == "not finite":
        return state | {"music_proj.bias": torch.full((64,), torch.nan)}
    if what == "odd width":
        return filled(clamp2_shapes(width=96))
    return filled(m3_shapes())


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("missing", "1 missing: music_model.base.encoder.layer.1.output.dense.weight"),
        ("misshapen", r"intermediate.dense.bias is \[7\] instead of \[256\]"),
        ("not finite", "music_proj.bias holds numbers that are not finite"),
        ("odd width", "is 96 wide"),
        ("the other family", "Import it as m3"),
    ],
)
def test_what_does_not_fit_is_named(what: str, message: str, home: Path, tmp_path: Path,
                                    capsys: pytest.CaptureFixture[str]):  # fmt: skip
    file = save_as_published(change(filled(clamp2_shapes()), what), tmp_path / "clamp2.pth")
    assert run(["models", "import", "clamp2", str(file), "--name", "theirs"]) == 2
    said = capsys.readouterr().err
    assert re.search(message, said)
    assert len(said.splitlines()) == 1
    assert not (home / "checkpoints").exists()


class Harm:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run!",)


def test_a_file_that_wants_to_run_code_is_refused(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "bad.pth"
    torch.save({"model": Harm()}, file)
    assert run(["models", "import", "m3", str(file), "--name", "theirs"]) == 2
    out = capsys.readouterr()
    assert "run!" not in out.out
    assert "wants to run code" in out.err


def test_chord_networks_still_ask_for_their_list(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["models", "import", "realchords-online", "x.pth", "--name", "theirs"]) == 2
    assert "--chord-names" in capsys.readouterr().err
