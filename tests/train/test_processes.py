"""Training over several processes, for real: the weights of one process, and one Ctrl-C for all."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy_music import save_toy_pack

from sideman.models.build import load_checkpoint
from sideman.train.mle import Run
from sideman.train.recipe import load_recipe

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="process groups are those of Unix")]


def start(folder: Path, *arguments: str, stage: str = "online", **environment: str) -> subprocess.Popen[str]:
    """`sideman train` of a toy recipe as a script, which the other processes are copies of."""
    script = folder / "go.py"
    script.write_text("from sideman.cli import main\nmain()\n")
    pack = folder / "toy.npz"
    if not pack.exists():
        save_toy_pack(folder)
    # A batch of seven cannot be divided evenly; a large eps keeps rounding errors from becoming whole steps.
    fixed = ["model.stack.dropout=0", "optim.eps=1e-2", "batch=7", f"data.pack={pack}"]
    return subprocess.Popen(
        [sys.executable, str(script), "train", str(ROOT / f"recipes/toy/{stage}.yaml"), *fixed, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    return out


def weights(folder: Path, stage: str = "online") -> dict[str, torch.Tensor]:
    return load_file(folder / f"toy-{stage}" / "last" / "model.safetensors")


def figures(folder: Path, stage: str) -> list[dict[str, float]]:
    lines = (folder / f"toy-{stage}" / "log.jsonl").read_text().splitlines()
    timed = ("seconds", "tokens_per_second")
    return [{name: value for name, value in json.loads(line).items() if name not in timed} for line in lines]


def test_two_processes_and_two_machines_train_the_same_weights(tmp_path: Path):
    finish(start(tmp_path, "--runs", str(tmp_path / "one")))
    assert finish(start(tmp_path, "devices=2", "--runs", str(tmp_path / "two"))).count("toy-online") == 1
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29533"}
    runs = ("nodes=2", "--runs", str(tmp_path / "machines"))
    nodes = [start(tmp_path, *runs, NODE_RANK=str(rank), **place) for rank in range(2)]
    for node in nodes:
        finish(node)
    expected = weights(tmp_path / "one")
    for name in ("two", "machines"):
        for key, tensor in weights(tmp_path / name).items():
            torch.testing.assert_close(tensor, expected[key], atol=1e-6, rtol=0, msg=f"{name}: {key}")


def torchrun(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Two processes of `sideman train` of the toy recipe, as torchrun starts them on a machine."""
    fixed = ["model.stack.dropout=0", "optim.eps=1e-2", "batch=7", f"data.pack={folder / 'toy.npz'}"]
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "sideman",
         "train", str(ROOT / "recipes/toy/online.yaml"), *fixed, *arguments],
        capture_output=True, text=True, timeout=200, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def test_torchrun_trains_the_same_weights(tmp_path: Path):
    short = ("steps=4", "validate_every=100", "sample_every=100")
    finish(start(tmp_path, *short, "--runs", str(tmp_path / "one")))
    done = torchrun(tmp_path, *short, "--runs", str(tmp_path / "two"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "two" / "toy-online")]
    assert "2 x cpu" in done.stderr
    expected = weights(tmp_path / "one")
    for key, tensor in weights(tmp_path / "two").items():
        torch.testing.assert_close(tensor, expected[key], atol=1e-6, rtol=0, msg=key)


def test_torchrun_and_the_recipe_must_agree(tmp_path: Path):
    save_toy_pack(tmp_path)
    done = torchrun(tmp_path, "devices=3", "--runs", str(tmp_path / "three"))
    assert done.returncode != 0
    assert "torchrun has started 1 x 2 processes, the recipe asks for 1 x 3" in done.stderr
    assert not (tmp_path / "three").exists()


@pytest.mark.parametrize("stage", ["contrastive", "discriminative", "contrastive-rhythm", "discriminative-rhythm"])
def test_two_processes_tell_the_same_pairs_apart(stage: str, tmp_path: Path):
    """What does not match comes from the whole batch, wherever it was read."""
    short = ("steps=4", "log_every=1", "validate_every=2", "optim.lr=1e-2")
    for devices in (1, 2):
        finish(start(tmp_path, f"devices={devices}", "--runs", str(tmp_path / f"by-{devices}"), *short, stage=stage))
    one, two = (weights(tmp_path / f"by-{n}", stage) for n in (1, 2))
    for key, tensor in one.items():
        torch.testing.assert_close(two[key], tensor, atol=1e-6, rtol=1e-5, msg=key)
    for first, second in zip(*(figures(tmp_path / f"by-{n}", stage) for n in (1, 2)), strict=True):
        assert second == pytest.approx(first, rel=1e-4, abs=1e-5)


STAGES = ("online", "offline", "contrastive", "discriminative", "contrastive-rhythm", "discriminative-rhythm")


@pytest.mark.parametrize(
    "given", [("epochs=2",), ("estimator=to_go", "group=2", "kl_loss=0.1", "accumulate=2")], ids=["gae", "to_go"]
)
def test_two_processes_are_taught_the_same(given: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Rollouts, judges, critic and adversary: the weights and figures of one process. In the second pass over the
    rollouts the processes have unequal shares of a minibatch."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    save_toy_pack(tmp_path / "runs")
    for stage in STAGES:
        few = ("steps=2", "validate_every=100", "sample_every=100", "validate_pieces=1")
        Run(load_recipe(ROOT / "recipes/toy" / f"{stage}.yaml", few), tmp_path / "runs", False).train()
    (tmp_path / "go.py").write_text("from sideman.cli import main\nmain()\n")
    exact = (
        "optim.eps=1e-2",
        "critic_optim.eps=1e-2",
        "adversary.optim.eps=1e-2",
        "adversary.stack.dropout=0",
        "steps=3",
        "validate_every=100",
    )
    for devices in (1, 2):
        words = ["train", str(ROOT / "recipes/toy/rl.yaml"), f"run=by-{devices}", f"devices={devices}", *exact, *given]
        done = subprocess.run(
            [sys.executable, "go.py", *words], capture_output=True, text=True, timeout=250, check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == [f"runs/by-{devices}"]
    one, two = (load_file(tmp_path / f"runs/by-{n}/last/model.safetensors") for n in (1, 2))
    for key, tensor in one.items():
        torch.testing.assert_close(two[key], tensor, atol=1e-5, rtol=0, msg=key)
    logs = [(tmp_path / f"runs/by-{n}/log.jsonl").read_text().splitlines() for n in (1, 2)]
    for first, second in zip(*(map(json.loads, log) for log in logs), strict=True):
        assert first.keys() == second.keys()
        for name in first.keys() - {"seconds", "tokens_per_second"}:
            assert first[name] == pytest.approx(second[name], rel=1e-3, abs=1e-4), name


def test_ctrl_c_stops_all_at_one_step(tmp_path: Path):
    process = start(
        tmp_path, "devices=2", "steps=1000000", "validate_every=1000000", "log_every=1", "--runs", str(tmp_path)
    )
    log, limit = tmp_path / "toy-online" / "log.jsonl", time.monotonic() + 120
    while not (log.exists() and '"step": 3,' in log.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    err = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    step = load_checkpoint(tmp_path / "toy-online" / "last")[0].trained["step"]
    assert err.count(f"Stopped at step {step} of") == 1
    assert "Traceback" not in err
