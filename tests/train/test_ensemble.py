"""An ensemble: one recipe, a list of seeds, a run for each."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy_music import RECIPES, save_toy_pack, toy_recipe

from sideman.cli import run
from sideman.errors import SidemanError, WrongValue
from sideman.models.build import load_checkpoint
from sideman.music.vocabulary import own_vocabulary
from sideman.train.ensemble import finished, members, train_all
from sideman.train.mle import Run
from sideman.train.recipe import Recipe, load_recipe
from sideman.train.rl.parts import load_terms
from sideman.train.rl.recipe import NetworkReward, RlRecipe

FEW = ("steps=2", "validate_every=100", "validate_pieces=2")


def ensemble(folder: Path, *overrides: str) -> Recipe:
    return toy_recipe(folder, "contrastive", "run=judge", "seeds=[3, 4]", *FEW, *overrides)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "last" / "model.safetensors")


def test_every_member_is_a_run_of_its_own(tmp_path: Path):
    recipe = ensemble(tmp_path)
    assert not finished(recipe, tmp_path)
    assert train_all(recipe, tmp_path, False) == [tmp_path / "judge-3", tmp_path / "judge-4"]
    assert finished(recipe, tmp_path)
    Run(toy_recipe(tmp_path, "contrastive", "run=alone", "seed=4", *FEW), tmp_path, False).train()
    alone, third, fourth = (weights(tmp_path / name) for name in ("alone", "judge-3", "judge-4"))
    assert all(torch.equal(tensor, fourth[name]) for name, tensor in alone.items())
    assert any(not torch.equal(tensor, third[name]) for name, tensor in alone.items())
    with pytest.raises(SidemanError, match="already holds a run"):
        train_all(recipe, tmp_path, False)


def test_resuming_passes_over_what_is_done(tmp_path: Path):
    first = members(ensemble(tmp_path))[0]
    Run(first, tmp_path, False).train()
    before = (tmp_path / "judge-3" / "last" / "state.pt").stat().st_mtime_ns
    assert train_all(ensemble(tmp_path), tmp_path, True) == [tmp_path / "judge-4"]
    assert (tmp_path / "judge-3" / "last" / "state.pt").stat().st_mtime_ns == before
    assert train_all(ensemble(tmp_path), tmp_path, True) == []


def test_the_time_is_for_all(tmp_path: Path):
    folders = train_all(ensemble(tmp_path, "steps=100000", "max_minutes=0.01"), tmp_path, False)
    assert folders == [tmp_path / "judge-3"]
    assert not (tmp_path / "judge-4").exists()
    assert load_checkpoint(tmp_path / "judge-3" / "last")[0].trained["step"] > 0


def test_by_the_command_and_judging_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """Two members trained by the command line, named once in a recipe of reinforcement learning."""
    monkeypatch.chdir(tmp_path)
    save_toy_pack(tmp_path)
    toy = RECIPES / "toy"
    command = ["train", str(toy / "contrastive.yaml"), "data.pack=toy.npz", "seeds=[3, 4]", *FEW]
    assert run(command) in (0, None)
    assert capsys.readouterr().out.split() == ["runs/toy-contrastive-3", "runs/toy-contrastive-4"]
    terms = load_terms((NetworkReward("runs/toy-contrastive", (3, 4), 0.5, (32,)),), own_vocabulary())
    assert [(term.name, term.weight, term.windows) for term in terms] == [
        ("contrastive", 0.5, (32,)), ("contrastive_2", 0.5, (32,)),
    ]  # fmt: skip
    a, b = (term.model.state_dict() for term in terms)
    assert any(not torch.equal(tensor, b[name]) for name, tensor in a.items())


def test_a_seed_twice(tmp_path: Path):
    with pytest.raises(WrongValue, match="occurs twice"):
        ensemble(tmp_path, "seeds=[3, 3]")
    with pytest.raises(WrongValue, match="occurs twice"):
        load_recipe(RECIPES / "toy" / "rl.yaml", ("seeds=[1, 1]",), RlRecipe)
