"""Reinforcement learning that dies: by a kill at any moment, on a full disk, of numbers that are none. What is learned
after resuming is what an uninterrupted run learns."""

import errno
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from toy_music import RECIPES

from sideman import files
from sideman.files import CannotWrite
from sideman.train.checkpoint import read_state
from sideman.train.recipe import load_recipe
from sideman.train.rl.recipe import RlRecipe
from sideman.train.rl.run import RlRun
from sideman.train.running import Diverged

# Everything a run has, on rollouts of 16 frames.
SMALL = (
    "data.pack=toy.npz",
    "data.window_frames=16",
    "networks.0.windows=[8]",
    "batch=4",
    "minibatch=2",
    "steps=2",
    "adversary.every=1",
    "checkpoint_every=1",
    "validate_every=1",
    "validate_pieces=1",
    "limits={silence: 1.0, length_entropy: 0.0}",
)
CPU = torch.device("cpu")


def run(name: str, resume: bool = False) -> RlRun:
    return RlRun(load_recipe(RECIPES / "toy" / "rl.yaml", (f"run={name}", *SMALL), RlRecipe), Path("runs"), resume)


@pytest.fixture(scope="module")
def whole(root: Path) -> Path:
    """A run that nothing happened to."""
    run("whole").train()
    return root / "runs" / "whole"


def assert_same(folder: Path, whole: Path) -> None:
    """Weights, critic, adversary, optimisers and figures, to the last bit; nothing else lies about."""
    assert sorted(path.name for path in folder.iterdir()) == ["best", "last", "log.jsonl", "recipe.yaml"]
    for name in ("last", "best"):
        a, b = (load_file(place / name / "model.safetensors") for place in (whole, folder))
        assert all(torch.equal(tensor, b[key]) for key, tensor in a.items()), name
    torch.testing.assert_close(
        read_state(folder / "last", CPU), read_state(whole / "last", CPU), rtol=0, atol=0, equal_nan=True
    )
    timeless = [
        [{k: v for k, v in json.loads(line).items() if k not in ("seconds", "tokens_per_second")} for line in lines]
        for lines in ((place / "log.jsonl").read_text().splitlines() for place in (folder, whole))
    ]
    assert timeless[0] == timeless[1]


def killed_in(root: Path, name: str, function: str, call: int) -> None:
    """Go on with a run; the process is killed at the `call`-th call, of Python or C, made while `function` runs."""
    inside, calls = 0, 0

    def watch(frame: FrameType, event: str, _: Any) -> None:
        nonlocal inside, calls
        if event in ("call", "return") and frame.f_code.co_name == function:
            inside += 1 if event == "call" else -1
        if (inside or not function) and event in ("call", "c_call"):
            calls += 1
            if calls == call:
                os.kill(os.getpid(), signal.SIGKILL)

    os.chdir(root)
    torch.set_num_threads(1)
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    going = run(name, resume=True)
    sys.setprofile(watch)
    going.train()
    sys.setprofile(None)
    Path("calls").write_text(str(calls))


def in_a_process(*arguments: object) -> int | None:
    """Exit code of `killed_in`; processes are copies of one that has PyTorch loaded and has not used it."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["sideman.train.rl.run"])
    process = processes.Process(target=killed_in, args=arguments, daemon=True)
    process.start()
    process.join()
    return process.exitcode


on_unix = pytest.mark.skipif(os.name == "nt", reason="processes are copied and killed as on Unix")
# While it learns, teaches the adversary, writes weights, and writes the optimisers beside them.
MOMENTS = (("_descend", 20), ("learn", 50), ("write_checkpoint", 300), ("write_checkpoint", 12_000))


@on_unix
@pytest.mark.live
def test_killed_over_and_over(root: Path, whole: Path):
    for function, call in MOMENTS:
        assert in_a_process(root, "killed", function, call) == -signal.SIGKILL, function
    run("killed", resume=True).train()
    assert_same(root / "runs" / "killed", whole)


@pytest.fixture(scope="module")
def calls(root: Path, whole: Path) -> dict[str, int]:
    """How many calls a run makes in all, and while it writes checkpoints."""
    counted = {}
    for function in ("", "write_checkpoint"):
        assert in_a_process(root, "counted", function, -1) == 0
        counted[function] = int(Path("calls").read_text())
        shutil.rmtree("runs/counted")
    return counted


@on_unix
@pytest.mark.slow
@pytest.mark.parametrize("number", range(40))
def test_killed_at_any_moment(number: int, root: Path, whole: Path, calls: dict[str, int]):
    """Two in five of the moments while a checkpoint is written."""
    function = "write_checkpoint" if number % 5 < 2 else ""
    call = random.Random(number).randint(1, calls[function])
    assert in_a_process(root, f"any-{number}", function, call) == -signal.SIGKILL
    run(f"any-{number}", resume=True).train()
    assert_same(root / "runs" / f"any-{number}", whole)


def test_a_full_disk(root: Path, whole: Path, monkeypatch: pytest.MonkeyPatch):
    """The disk takes the first step's checkpoint and a part of the second's."""
    written = sum(path.stat().st_size for path in (whole / "last").iterdir()) * 3 // 2
    left = [written + sum(path.stat().st_size for path in (whole / "best").iterdir()) * 2]

    class Disk:
        def __init__(self, stream: Any) -> None:
            self.stream = stream

        def __enter__(self) -> "Disk":
            return self

        def __exit__(self, *_: object) -> None:
            self.stream.close()

        def write(self, data: bytes) -> int:
            left[0] -= len(data)
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return self.stream.write(data)

    full, opened = run("full"), os.fdopen
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fdopen", lambda descriptor, mode: Disk(opened(descriptor, mode)))
        with pytest.raises(CannotWrite, match="No space left on device") as caught:
            full.train()
    assert caught.value.hint
    assert read_state(root / "runs" / "full" / "last", CPU)["step"] == 1
    again = run("full", resume=True)
    assert again.step == 1
    again.train()
    assert_same(root / "runs" / "full", whole)


def spoil(model: torch.nn.Module | None) -> None:
    assert model is not None
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(torch.nan)


SPOILED: dict[str, Callable[[RlRun], torch.nn.Module | None]] = {
    "policy": lambda run: run.policy,
    "critic": lambda run: run.critic,
    "adversary": lambda run: run.adversary and run.adversary.model,
    "judge": lambda run: run.terms[0].model,
}


@pytest.mark.parametrize("which", SPOILED)
def test_numbers_that_are_none(which: str, root: Path, whole: Path):
    """Whatever network they come from, the run stops in that step, and what was saved before is whole."""
    name = f"nan-{which}"
    broken = run(name)
    step = broken._step

    def spoiled() -> dict[str, float]:
        if broken.step == 1:
            spoil(SPOILED[which](broken))
        return step()

    broken._step = spoiled
    with pytest.raises(Diverged, match="of step 2 is not a number") as caught:
        broken.train()
    assert "--resume" in (caught.value.hint or "")
    assert read_state(root / "runs" / name / "last", CPU)["step"] == 1
    if which == "policy":  # what was saved is the same whatever went wrong after it
        run(name, resume=True).train()
        assert_same(root / "runs" / name, whole)


def test_an_adversary_that_diverges_is_not_saved(root: Path, whole: Path):
    """Its own gradient is no number while those of the policy and the critic are."""
    broken = run("nan-gradient")
    assert broken.adversary is not None
    learn = broken.adversary.learn

    def spoiled(*arguments: Any) -> float:
        if broken.step == 1:
            spoil(broken.adversary and broken.adversary.model)
        return learn(*arguments)

    broken.adversary.learn = spoiled
    with pytest.raises(Diverged, match="adversary's gradient of step 2 is not a number"):
        broken.train()
    run("nan-gradient", resume=True).train()
    assert_same(root / "runs" / "nan-gradient", whole)
