"""Export refuses what it cannot reproduce, and says what a bundle is; int8 is checked like fp32."""

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from sideman.cli import run
from sideman.engine.bundle import BundleFile, load_bundle
from sideman.errors import SidemanError, UnknownModel
from sideman.models import export
from sideman.models.build import ModelFile, build, load_checkpoint, save_checkpoint
from sideman.models.export import ParityError, bundle_logits, export_bundle
from sideman.models.offline import OfflineConfig
from sideman.models.online import OnlineConfig
from sideman.models.transformer import StackConfig
from sideman.music.vocabulary import own_vocabulary

STACK = StackConfig(width=32, depth=1, heads=1, head_width=32, ff_width=32, rotary_width=32)
FILE = ModelFile(
    "online", online=OnlineConfig(own_vocabulary().size, STACK), trained={"step": 7, "window": 64, "pack": "toy.npz"}
)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose best checkpoint is one layer of width 32."""
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(1)
    save_checkpoint(folder / "best", FILE, build(FILE))
    return folder


@pytest.fixture
def exported(run_folder: Path, tmp_path: Path) -> Path:
    """The int8 bundle that `sideman models export` makes of it, called `tiny`."""
    target = tmp_path / "bundle"
    assert run(["models", "export", str(run_folder), "--name", "tiny", "--to", str(target)]) == 0
    return target


def test_the_command_takes_the_best_checkpoint_and_describes_the_bundle(exported: Path, run_folder: Path):
    file = load_bundle(exported).file
    assert (file.name, file.kind, file.precision, file.depth, file.window) == ("tiny", "online", "int8", 1, 64)
    assert file.trained == FILE.trained
    assert sorted(p.name for p in exported.iterdir()) == ["bundle.json", "card.md", "step.onnx"]


def test_a_model_may_hear_less_than_it_was_trained_on(run_folder: Path, tmp_path: Path):
    target = tmp_path / "short"
    words = ["models", "export", str(run_folder), "--name", "short", "--to", str(target), "--window", "16"]
    assert run(words) == 0
    short = load_bundle(target)
    assert (short.file.window, short.hop, short.file.trained) == (16, 8, FILE.trained)


def test_a_model_may_follow_turns(run_folder: Path, tmp_path: Path):
    target = tmp_path / "follower"
    words = ["models", "export", str(run_folder), "--name", "follower", "--to", str(target), "--follow-turns"]
    assert run(words) == 0
    follower = load_bundle(target).file
    assert (follower.follows_turns, follower.window) == (True, 64)


def test_who_reads_the_whole_melody_follows_no_turns(tiny_folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    checkpoint, target = tiny_folders["offline"] / "checkpoint", tmp_path / "x"
    assert run(["models", "export", str(checkpoint), "--name", "x", "--to", str(target), "--follow-turns"]) == 2
    assert "Export it without --follow-turns." in capsys.readouterr().err
    assert not target.exists()


def test_the_card_holds_the_facts_and_is_not_written_over(exported: Path, run_folder: Path):
    card = exported / "card.md"
    text = card.read_text()
    assert text.startswith("# tiny\n")
    assert "| pack | toy.npz |" in text
    assert load_bundle(exported).file.checkpoint in text
    card.write_text("# Mine\n")
    assert run(["models", "export", str(run_folder / "best"), "--name", "tiny", "--to", str(exported), "--fp32"]) == 0
    assert card.read_text() == "# Mine\n"
    assert load_bundle(exported).file.precision == "fp32"


@pytest.mark.parametrize("name", ["../tiny", "a/b", "", ".hidden"])
def test_a_name_is_no_path(
    name: str, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path / "home"))
    assert run(["models", "export", str(run_folder), "--name", name]) == 2
    assert "name of a model" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_an_exported_model_joins_the_others(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path / "home"))
    assert run(["models", "export", str(run_folder), "--name", "mine"]) == 0
    assert run(["models", "show", "mine"]) == 0
    assert "# mine" in capsys.readouterr().out


def test_graphs_of_another_network_are_refused(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """One weight of thousands differs from the exported graph by a tenth."""
    write = export._write_graphs

    def with_a_slip(model: Any, folder: Path, int8: bool) -> None:
        weight = model.stack.blocks[0].ff.fall.weight
        with torch.no_grad():
            weight[3, 3] += 0.1
            write(model, folder, int8)
            weight[3, 3] -= 0.1

    monkeypatch.setattr(export, "_write_graphs", with_a_slip)
    with pytest.raises(ParityError, match="differs from the checkpoint"):
        export_bundle(run_folder / "best", tmp_path / "bundle", "tiny")
    assert not (tmp_path / "bundle").exists()


def test_int8_weights_that_play_something_else_are_refused(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import onnx

    write = export._write_graphs

    def with_a_slip(model: Any, folder: Path, int8: bool) -> None:
        write(model, folder, int8)
        if int8:
            graphs = onnx.load(folder / "step.onnx")
            weight = max((w for w in graphs.graph.initializer if w.data_type == onnx.TensorProto.INT8), key=onnx_size)
            weight.raw_data = bytes(onnx_size(weight))
            onnx.save(graphs, folder / "step.onnx")

    monkeypatch.setattr(export, "_write_graphs", with_a_slip)
    with pytest.raises(ParityError, match="Int8 weights change"):
        export_bundle(run_folder / "best", tmp_path / "bundle", "tiny")
    assert not (tmp_path / "bundle").exists()


def onnx_size(weight: Any) -> int:
    return len(weight.raw_data)


def test_what_the_engine_cannot_play_is_refused_at_once(tmp_path: Path):
    listening = msgspec.structs.replace(STACK, causal=False)
    file = ModelFile("offline", part="melody", offline=OfflineConfig(300, listening, STACK))
    save_checkpoint(tmp_path / "last", file, build(file))
    with pytest.raises(SidemanError) as refused:
        export_bundle(tmp_path / "last", tmp_path / "bundle", "x")
    assert refused.value.code == "not_exportable"
    assert not (tmp_path / "bundle").exists()


def damage(folder: Path, how: str) -> None:
    weights, described = folder / "model.safetensors", folder / "model.json"
    if how == "truncated":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif how == "missing":
        weights.unlink()
    elif how == "other sizes":
        described.write_bytes(described.read_bytes().replace(b'"depth": 1', b'"depth": 2'))
    elif how == "unknown field":
        described.write_bytes(described.read_bytes().replace(b'"kind"', b'"sort"'))
    else:
        shutil.rmtree(folder)


@pytest.mark.parametrize("how", ["truncated", "missing", "other sizes", "unknown field", "nothing there"])
def test_a_damaged_checkpoint_gets_one_line(how: str, run_folder: Path, tmp_path: Path):
    shutil.copytree(run_folder / "best", tmp_path / "last")
    damage(tmp_path / "last", how)
    with pytest.raises(UnknownModel):
        load_checkpoint(tmp_path / "last")


def test_stored_reference_names_are_read_as_the_reference_does(tmp_path: Path):
    """`(add7)` is a minor seventh there; a bundle must not read it by our grammar."""
    names = ("C", "C(add7)", "Gbo7")
    stack = StackConfig(width=16, depth=1, heads=1, head_width=16, ff_width=16, rotary_width=16)
    file = ModelFile("online", online=OnlineConfig(266, stack), chords=names, spelling="reference")
    save_checkpoint(tmp_path, file, build(file))
    for vocabulary in (load_checkpoint(tmp_path)[0].vocabulary, bundle_vocabulary(file)):
        assert vocabulary.masks[1] == 1 << 0 | 1 << 4 | 1 << 7 | 1 << 10
        assert vocabulary.symbols[2].name() == "F#dim7"


def bundle_vocabulary(file: ModelFile):
    from sideman.engine.bundle import Bundle

    described = BundleFile(
        "x", "online", "chord", "fp32", 1, 1, 16, 0, {}, "", chords=file.chords, spelling="reference"
    )
    return Bundle(Path(), described, 1, 1).vocabulary


def test_int8_keeps_to_its_limit(exported: Path, run_folder: Path):
    """The weights are int8, and the distribution is within the limit of the network's own."""
    import onnx

    kinds = {w.data_type for w in onnx.load(exported / "step.onnx").graph.initializer}
    assert onnx.TensorProto.INT8 in kinds
    model = load_checkpoint(run_folder / "best")[1]
    a = torch.log_softmax(torch.from_numpy(export.torch_logits(model)), -1)
    b = torch.log_softmax(torch.from_numpy(bundle_logits(load_bundle(exported))), -1)
    assert 0 < float((a.exp() * (a - b)).sum(-1).mean()) < export.MAX_INT8_KL
