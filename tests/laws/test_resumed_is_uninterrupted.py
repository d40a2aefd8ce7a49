"""A run that was stopped and resumed has the weights of one that was never stopped, to the last bit."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy_music import toy_recipe

from sideman.train.mle import Run

pytestmark = pytest.mark.usefixtures("one_thread", "no_pictures")
SMALL = ("validate_every=3", "checkpoint_every=2", "sample_every=1000", "validate_pieces=1", "model.stack.dropout=0.2")


def train(folder: Path, stage: str, name: str, *overrides: str, resume: bool = False) -> Run:
    run = Run(toy_recipe(folder, stage, f"run={name}", *SMALL, *overrides), folder, resume)
    run.train()
    return run


@pytest.mark.parametrize(
    ("stage", "overrides"),
    [
        ("online", ("steps=8",)),
        ("offline", ("steps=8", "precision=bf16-mixed")),
        ("online", ("steps=8", "accumulate=2", "data.random_truncate=window")),
    ],
    ids=["online", "offline-bf16", "accumulated"],
)
def test_eight_steps_are_four_and_four(stage: str, overrides: tuple[str, ...], tmp_path: Path):
    torch.manual_seed(99)
    whole = train(tmp_path, stage, "whole", *overrides)
    # The second half is another process; the first ended in the middle of eight planned steps.
    first = Run(toy_recipe(tmp_path, stage, "run=parts", *SMALL, *overrides), tmp_path, False)
    first._why_stop = lambda until: "time" if first.step == 4 else ""
    first.train()
    assert first.step == 4
    half = load_file(tmp_path / "parts" / "last" / "model.safetensors")
    torch.manual_seed(12345)
    second = train(tmp_path, stage, "parts", *overrides, resume=True)
    assert (second.resumed, second.step) == (True, 8)
    assert second.best == pytest.approx(whole.best, abs=0)
    a, b = (load_file(tmp_path / name / "last" / "model.safetensors") for name in ("whole", "parts"))
    assert a.keys() == b.keys()
    for name, tensor in a.items():
        assert torch.equal(tensor, b[name]), name
    assert any(not torch.equal(half[name], b[name]) for name in a)


def test_the_log_is_that_of_one_run(tmp_path: Path):
    """Lines written after the last checkpoint by a process that was killed are written again, not twice."""
    train(tmp_path, "online", "x", "steps=4", "log_every=1")
    log = tmp_path / "x" / "log.jsonl"
    log.write_text(log.read_text() + '{"step": 5, "seconds": 1.0, "loss": 1.0}\n{"step": 6, "sec')
    train(tmp_path, "online", "x", "steps=7", "log_every=1", resume=True)
    steps = [
        json.loads(line)["step"] for line in log.read_text().splitlines() if "loss" in line and "valid" not in line
    ]
    assert steps == [1, 2, 3, 4, 5, 6, 7]
