"""`sideman train`: one clear line for what is wrong, Ctrl-C in a real process, and the page that explains it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load_file
from toy_music import save_toy_pack, toy_recipe

from sideman.cli import run
from sideman.models.transformer import StackConfig
from sideman.train.mle import Run
from sideman.train.recipe import DataConfig, ModelConfig, OptimConfig, Recipe
from sideman.train.rl.recipe import AdversaryConfig, Limits, NetworkReward, RlRecipe, Rules
from sideman.train.sheet_objective import KINDS
from sideman.train.sheet_recipe import SheetDataConfig, SheetRecipe

ROOT = Path(__file__).parents[2]
TOY = str(ROOT / "recipes/toy/online.yaml")
SIDEMAN = [sys.executable, "-c", "from sideman.cli import main; main()"]


def error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on stderr of a call that is wrong."""
    assert run(["train", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"sideman: .+\n", err), err
    return err


def test_a_missing_pack_names_the_commands_that_make_it(capsys: pytest.CaptureFixture[str]):
    line = error(capsys, str(ROOT / "recipes/release/online.yaml"), "data.pack=runs/nowhere.npz")
    assert "sideman data convert pop909; sideman data convert nottingham" in line
    assert "sideman data pack pop909 nottingham -o runs/nowhere.npz" in line
    assert "sideman data pack nottingham -o runs/nowhere.npz" in error(capsys, TOY, "data.pack=runs/nowhere.npz")


def test_wrong_calls(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    pack = f"data.pack={save_toy_pack(tmp_path)}"
    assert "nowhere.yaml" in error(capsys, "nowhere.yaml")
    assert "optim: object contains unknown field rate" in error(capsys, TOY, "optim.rate=3")
    assert "pop909" in error(capsys, TOY, pack, "data.weights.pop909=1", "--runs", str(tmp_path))
    (tmp_path / "toy.npz").write_bytes(b"PK not a pack")
    assert "not a readable pack" in error(capsys, TOY, pack, "--runs", str(tmp_path))
    assert not (tmp_path / "toy-online").exists()


def test_without_torch_it_says_what_to_install(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "pip install '.[train]'" in error(capsys, TOY)
    assert run(["models", "export", "runs/x", "--name", "x"]) == 2
    assert "pip install '.[train]'" in capsys.readouterr().err


def start(folder: Path) -> subprocess.Popen[str]:
    pack = save_toy_pack(folder)
    command = ["train", TOY, f"data.pack={pack}", "steps=1000000", "optim.schedule=constant", "log_every=1"]
    return subprocess.Popen(
        [*SIDEMAN, *command, "checkpoint_every=100000", "validate_every=100000", "--runs", str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def wait_for(path: Path, text: str, process: subprocess.Popen[str]) -> None:
    limit = time.monotonic() + 120
    while not (path.exists() and text in path.read_text()):
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < limit
        time.sleep(0.02)


@pytest.mark.live
@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on Unix")
def test_ctrl_c_writes_a_checkpoint_and_resuming_goes_on_exactly(tmp_path: Path):
    folder = tmp_path / "stopped"
    folder.mkdir()
    process = start(folder)
    wait_for(folder / "toy-online" / "log.jsonl", '"step": 3,', process)
    assert not (folder / "toy-online" / "last").exists()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    stopped = re.search(
        r"sideman: Stopped at step (\d+) of 1000000; the checkpoint is in .+ Go on with --resume\.\n$", err
    )
    assert stopped, err
    assert "Traceback" not in err
    step = int(stopped[1])
    shutil.copy(folder / "toy.npz", tmp_path / "toy.npz")
    constant = ("optim.schedule=constant", f"steps={step + 2}", "validate_every=100000", "sample_every=100000")
    resumed = Run(toy_recipe(folder, "online", *constant), folder, True)
    assert resumed.step == step
    for each in (resumed, Run(toy_recipe(tmp_path, "online", *constant), tmp_path, False)):
        each._validate = lambda progress: {}
        each.train()
    a, b = (load_file(root / "toy-online/last/model.safetensors") for root in (folder, tmp_path))
    assert all(torch.equal(a[name], b[name]) for name in a)


PAGE = (ROOT / "docs/training.md").read_text()
SUPERVISED, _, REST = PAGE.partition("## All fields of an `rl` recipe")
RL, _, SHEETS = REST.partition("## Sheet music")


def test_the_page_explains_every_field_and_every_figure():
    """docs/training.md has a row for each field of a recipe, with its default, and for each logged figure."""
    rows = rows_of(SUPERVISED)
    wanted = fields_of(
        {"": Recipe, "data.": DataConfig, "model.": ModelConfig, "optim.": OptimConfig, "model.stack.": StackConfig}
    )
    figures = {"loss", "grad_norm", "lr", "tokens_per_second", "valid_loss", "note_in_chord", "silence"}
    figures |= {"truth_note_in_chord", "step", "seconds", "map_at_10", "accuracy"}
    stages = {"online", "offline", "rl", "sheet"}
    assert set(rows) == wanted.keys() | figures | stages
    assert {name: rows[name] for name in wanted} == wanted
    for figure in ("recall_at_1", "recall_at_5", "recall_at_10", "precision", "recall", "f1"):
        assert f"`{figure}`" in SUPERVISED


def test_the_page_explains_reinforcement_learning():
    rows = rows_of(RL)
    parts = {"": RlRecipe, "networks.*.": NetworkReward, "rules.": Rules, "adversary.": AdversaryConfig,
             "limits.": Limits}  # fmt: skip
    wanted = fields_of(parts)
    assert {name: rows.get(name) for name in wanted} == wanted


def test_the_page_explains_sheet_models():
    rows = rows_of(SHEETS)
    wanted = fields_of({"": SheetRecipe, "data.": SheetDataConfig})
    assert {name: rows.get(name) for name in wanted} == wanted
    for figure in ("bits", "valid_bits", *(f"valid_bits_{kind}" for kind in KINDS)):
        assert f"`{figure}`" in SHEETS


def rows_of(page: str) -> dict[str, str]:
    return dict(re.findall(r"^\| `([\w.*]+)` \| (.+?) \|", page, re.MULTILINE))


def fields_of(parts: dict[str, type[msgspec.Struct]]) -> dict[str, str]:
    """Every field that holds no fields of its own, with its default."""
    out: dict[str, str] = {}
    for prefix, kind in parts.items():
        for field in msgspec.structs.fields(kind):
            if not (isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)):
                out[prefix + field.encode_name] = default_of(field)
    return {name: value for name, value in out.items() if not value.startswith(("StackConfig", "OptimConfig"))}


def default_of(field: msgspec.structs.FieldInfo) -> str:
    """As YAML writes it; `needed` if there is none."""
    if field.default is not msgspec.NODEFAULT:
        value = field.default
    elif field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    else:
        return "needed"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    return f"{list(value)}" if isinstance(value, tuple) else f"{value}"
