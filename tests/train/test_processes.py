"""Training over several processes, for real: the weights of one process, and one Ctrl-C for all."""

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

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="process groups are those of Unix")]


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """`sideman train recipes/toy/online.yaml` as a script, which the other processes are copies of."""
    script = folder / "go.py"
    script.write_text("from sideman.cli import main\nmain()\n")
    pack = folder / "toy.npz"
    if not pack.exists():
        save_toy_pack(folder)
    # A batch of seven cannot be divided evenly; a large eps keeps rounding errors from becoming whole steps.
    fixed = ["model.stack.dropout=0", "optim.eps=1e-2", "batch=7", f"data.pack={pack}"]
    return subprocess.Popen(
        [sys.executable, str(script), "train", str(ROOT / "recipes/toy/online.yaml"), *fixed, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    return out


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "toy-online" / "last" / "model.safetensors")


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
