"""One run from its start to each of its ends."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_music import toy_pack, toy_recipe

from sideman.data.pack import Pack, make_pack
from sideman.errors import SidemanError, WrongValue
from sideman.files import CannotWrite
from sideman.models.build import load_checkpoint
from sideman.music.frames import encode
from sideman.music.song import Meter, Song
from sideman.train import mle
from sideman.train.mle import Diverged, Run, learning_rate
from sideman.train.recipe import OptimConfig, load_recipe

QUIET = ("steps=3", "validate_every=100", "sample_every=100", "validate_pieces=1")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    """Folder of a toy run to its end, pictures and all; the root holds toy.npz."""
    root = tmp_path_factory.mktemp("finished")
    run = Run(toy_recipe(root, "online", "steps=12", "validate_every=5", "log_every=4"), root, False)
    result = run.train()
    assert result["valid_loss"] == pytest.approx(run.best)
    return root / "toy-online"


def lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_what_a_run_leaves(finished: Path):
    assert sorted(p.name for p in finished.iterdir()) == ["best", "last", "log.jsonl", "recipe.yaml", "samples"]
    assert load_recipe(finished / "recipe.yaml").steps == 12
    file, model = load_checkpoint(finished / "last")
    assert (file.trained["step"], file.trained["window"], file.trained["pack"]) == (12, 64, "toy.npz")
    best = min(line["valid_loss"] for line in lines(finished) if "valid_loss" in line)
    assert file.trained["best_valid_loss"] == pytest.approx(best, abs=1e-4)
    assert not model.training
    made = sorted(p.name for p in (finished / "samples" / "step-000012").iterdir())
    assert made == ["0.mid", "0.png", "1.mid", "1.png"]


def test_what_is_logged(finished: Path):
    steps = [line for line in lines(finished) if "loss" in line]
    assert [line["step"] for line in steps] == [4, 8, 12]
    assert set(steps[0]) == {"step", "seconds", "loss", "grad_norm", "lr", "tokens_per_second"}
    optim = OptimConfig(lr=3e-3, warmup=5)
    assert [line["lr"] for line in steps] == [round(learning_rate(optim, s - 1, 12), 6) for s in (4, 8, 12)]
    checks = [line for line in lines(finished) if "valid_loss" in line]
    assert [line["step"] for line in checks] == [5, 10, 12]
    assert checks[-1]["valid_loss"] < checks[0]["valid_loss"]
    assert set(checks[-1]) >= {"note_in_chord", "silence", "truth_note_in_chord"}


def test_a_second_run_of_the_same_name_is_refused(finished: Path):
    before = (finished / "log.jsonl").read_bytes()
    with pytest.raises(SidemanError, match="already holds a run"):
        Run(toy_recipe(finished.parent, "online"), finished.parent, False)
    assert (finished / "log.jsonl").read_bytes() == before


def test_another_network_is_not_resumed(finished: Path):
    for override in ("model.stack.width=16", "model.form=false", "stage=offline"):
        with pytest.raises(WrongValue, match="another network"):
            Run(toy_recipe(finished.parent, "online", override), finished.parent, True)


def test_resuming_at_the_last_step_changes_nothing(finished: Path, capsys: pytest.CaptureFixture[str]):
    before = {path: path.read_bytes() for path in (finished / "log.jsonl", *(finished / "last").iterdir())}
    run = Run(toy_recipe(finished.parent, "online", "steps=12"), finished.parent, True)
    assert run.train() == {}
    assert "Nothing is left to do" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before


def test_resuming_nothing_begins_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    Run(toy_recipe(tmp_path, "online", *QUIET), tmp_path, True).train()
    assert "nothing to resume" in capsys.readouterr().err


def test_the_time_budget_stops_with_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The clock moves a second a look; half a minute is over long before 10,000 steps."""
    clock = iter(range(10**6))
    monkeypatch.setattr(mle.time, "monotonic", lambda: float(next(clock)))
    recipe = toy_recipe(tmp_path, "online", "steps=10000", "max_minutes=0.5", "validate_every=9999", "log_every=5000")
    run = Run(recipe, tmp_path, False)
    assert "valid_loss" in run.train()
    assert 5 < run.step < 60
    assert load_checkpoint(tmp_path / "toy-online" / "last")[0].trained["step"] == run.step
    assert "The time is up" in capsys.readouterr().err


def test_a_gradient_that_is_no_number_stops_the_run(tmp_path: Path):
    run = Run(toy_recipe(tmp_path, "online", *QUIET), tmp_path, False)
    with torch.no_grad():
        run.raw.embed.weight[192] = torch.nan
    with pytest.raises(Diverged, match="of step 1 is not a number"):
        run.train()
    assert not (tmp_path / "toy-online" / "last").exists()


def test_a_full_disk_ends_the_run_and_keeps_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    recipe = toy_recipe(tmp_path, "online", "steps=4", "checkpoint_every=2", "validate_every=100")
    writes = []

    def full_at_the_second(folder: Path, *arguments: object) -> None:
        writes.append(folder.name)
        if writes.count("last") == 2:
            raise CannotWrite("Cannot write it: No space left on device.")
        real(folder, *arguments)

    real = mle.write_checkpoint
    monkeypatch.setattr(mle, "write_checkpoint", full_at_the_second)
    with pytest.raises(CannotWrite):
        Run(recipe, tmp_path, False).train()
    assert load_checkpoint(tmp_path / "toy-online" / "last")[0].trained["step"] == 2
    monkeypatch.setattr(mle, "write_checkpoint", real)
    resumed = Run(recipe, tmp_path, True)
    assert resumed.step == 2
    resumed.train()
    assert resumed.step == 4


def save(pack: Pack, folder: Path) -> None:
    pack.save(folder / "toy.npz")


def test_a_pack_without_validation_pieces(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    pack = toy_pack()
    save(make_pack("toy", [(str(n), "train", pack.frames(n)) for n in range(6)]), tmp_path)
    assert Run(toy_recipe(tmp_path, "online", *QUIET), tmp_path, False).train() == {}
    assert "no pieces to validate on" in capsys.readouterr().err
    assert not (tmp_path / "toy-online" / "best").exists()


def test_a_validation_piece_without_a_note_is_no_reason_to_stop(tmp_path: Path):
    pack = toy_pack()
    nothing = encode(Song((), (), (Meter(0.0, 4, 4),)), 32)
    pieces = [(str(n), "train", pack.frames(n)) for n in range(6)] + [("silent", "valid", nothing)]
    save(make_pack("toy", pieces), tmp_path)
    result = Run(toy_recipe(tmp_path, "offline", *QUIET), tmp_path, False).train()
    assert np.isfinite(result["valid_loss"])


@pytest.mark.parametrize("stage", ["online", "offline"])
def test_melody_models_train_too(stage: str, tmp_path: Path):
    result = Run(toy_recipe(tmp_path, f"melody-{stage}", *QUIET), tmp_path, False).train()
    assert set(result) == {"valid_loss", "note_in_chord", "silence", "truth_note_in_chord"}
    assert 0 <= result["note_in_chord"] <= 1
    assert load_checkpoint(tmp_path / f"toy-melody-{stage}" / "last")[0].part == "melody"


def test_learning_rates():
    optim = OptimConfig(lr=1.0, warmup=4, final=0.1)
    assert [learning_rate(optim, s, 12) for s in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert learning_rate(optim, 4, 12) == 1.0
    assert learning_rate(optim, 8, 12) == pytest.approx(0.55)
    assert learning_rate(optim, 12, 12) == pytest.approx(0.1)
    flat = OptimConfig(lr=2.0, warmup=0, schedule="constant")
    assert {learning_rate(flat, s, 12) for s in range(12)} == {2.0}
