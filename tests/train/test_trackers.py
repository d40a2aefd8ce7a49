"""TensorBoard and W&B get what `log.jsonl` gets, at the same steps; both are played by stand-ins here."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from toy_music import RECIPES, toy_recipe

from sideman.errors import MissingExtra
from sideman.train.mle import Run
from sideman.train.recipe import load_recipe
from sideman.train.rl.recipe import RlRecipe
from sideman.train.rl.run import RlRun

QUICK = ("validate_every=2", "validate_pieces=1", "sample_every=100", "log_every=1")
Figures = list[tuple[int, dict[str, float]]]


class Board:
    """Stands in for `torch.utils.tensorboard` and for `wandb`: what was opened, logged and closed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[dict[str, Any]] = []
        self.logged: Figures = []
        self.closed = 0
        board, writer, weights = self, ModuleType("torch.utils.tensorboard"), ModuleType("wandb")

        class SummaryWriter:
            def __init__(self, folder: str, purge_step: int) -> None:
                board.opened.append({"folder": folder, "purge_step": purge_step})

            def add_scalar(self, name: str, value: float, step: int) -> None:
                if not board.logged or board.logged[-1][0] != step or name in board.logged[-1][1]:
                    board.logged.append((step, {}))
                board.logged[-1][1][name] = value

            def close(self) -> None:
                board.closed += 1

        def init(**given: Any) -> SimpleNamespace:
            board.opened.append(given)
            return SimpleNamespace(id=given["id"] or f"id-{len(board.opened)}", log=log, finish=finish)

        def log(values: dict[str, float], step: int) -> None:
            board.logged.append((step, values))

        def finish() -> None:
            board.closed += 1

        writer.SummaryWriter, weights.init = SummaryWriter, init  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, writer.__name__, writer)
        monkeypatch.setitem(sys.modules, weights.__name__, weights)


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Board:
    return Board(monkeypatch)


def in_the_log(folder: Path) -> Figures:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [(line.pop("step"), {k: v for k, v in line.items() if k != "seconds"}) for line in lines]


def by_step(logged: Figures) -> dict[int, dict[str, float]]:
    """All figures of a step together, as TensorBoard draws them."""
    out: dict[int, dict[str, float]] = {}
    for step, values in logged:
        out.setdefault(step, {}).update(values)
    return out


def test_tensorboard(board: Board, tmp_path: Path):
    given = (*QUICK, "tensorboard=true", "checkpoint_every=2")
    Run(toy_recipe(tmp_path, "online", "steps=2", *given), tmp_path, False).train()
    folder = tmp_path / "toy-online"
    assert board.opened == [{"folder": str(folder), "purge_step": 0}]
    assert by_step(board.logged) == by_step(in_the_log(folder))
    assert set(by_step(board.logged)) == {1, 2}
    assert {"loss", "lr", "valid_loss", "note_in_chord"} <= set(by_step(board.logged)[2])
    Run(toy_recipe(tmp_path, "online", "steps=3", *given), tmp_path, True).train()
    assert board.opened[1]["purge_step"] == 3  # steps after the checkpoint are logged anew
    assert by_step(board.logged) == by_step(in_the_log(folder))
    assert board.closed == 2


def test_wandb(board: Board, root: Path):
    """Reinforcement learning, stopped and resumed: one run there too, under the first one's number."""
    folder = root / "runs" / "tracked"
    small = ("data.pack=toy.npz", "run=tracked", "data.window_frames=16", "batch=4", "minibatch=2", "wandb=songs")
    for steps, resume in ((1, False), (2, True)):
        given = (*small, f"steps={steps}", "validate_pieces=1")
        RlRun(load_recipe(RECIPES / "toy" / "rl.yaml", given, RlRecipe), root / "runs", resume).train()
    assert board.logged == in_the_log(folder)
    assert [step for step, values in board.logged if "reward" in values] == [1, 2]
    assert [step for step, values in board.logged if "valid_note_in_chord" in values] == [0, 1, 2]
    first, second = board.opened
    assert (first["project"], first["name"], first["dir"]) == ("songs", "tracked", str(folder))
    assert (first["id"], second["id"], second["resume"]) == (None, "id-1", "allow")
    assert first["config"]["batch"] == 4
    assert first["config"]["start"] == "runs/toy-online"
    assert board.closed == 2


@pytest.mark.parametrize(
    ("asked", "module", "extra"),
    [("tensorboard=true", "torch.utils.tensorboard", "track"), ("wandb=songs", "wandb", "wandb")],
)
def test_without_it_one_is_told_what_to_install(
    asked: str, module: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, module, None)
    run = Run(toy_recipe(tmp_path, "online", "steps=2", *QUICK, asked), tmp_path, False)
    with pytest.raises(MissingExtra, match="needs packages that are not installed") as caught:
        run.train()
    assert f"pip install '.[{extra}]'" in (caught.value.hint or "")
    assert run.step == 0


def test_a_tracker_that_cannot_be_opened_leaves_nothing_open(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingExtra):
        Run(toy_recipe(tmp_path, "online", *QUICK, "tensorboard=true", "wandb=songs"), tmp_path, False).train()
    assert board.closed == 1


def test_nobody_is_told_unasked(board: Board, tmp_path: Path):
    Run(toy_recipe(tmp_path, "online", "steps=1", *QUICK), tmp_path, False).train()
    assert board.opened == []
