"""The whole way from made-up songs to a model that plays, by the commands a user types."""

from pathlib import Path

import pytest
from toy_music import RECIPES, save_toy_pack

from sideman.cli import run
from sideman.engine.bundle import load_bundle

STAGES = ("online", "offline", "contrastive", "discriminative", "contrastive-rhythm", "discriminative-rhythm", "rl")


@pytest.mark.slow
def test_every_stage_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    save_toy_pack(tmp_path / "runs")
    for stage in STAGES:
        assert run(["train", str(RECIPES / "toy" / f"{stage}.yaml")]) in (0, None), stage
    # A few steps do not make a model that int8 leaves alone, so the exact one is exported.
    assert run(["models", "export", "runs/toy-rl/last", "--name", "story", "--fp32", "--to", "story"]) in (0, None)
    bundle = load_bundle(tmp_path / "story")
    assert (bundle.file.kind, bundle.file.trained["recipe"]) == ("online", "toy-rl")


@pytest.mark.slow
def test_what_judges_cannot_be_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    save_toy_pack(tmp_path / "runs")
    assert run(["train", str(RECIPES / "toy" / "contrastive.yaml"), "steps=2"]) in (0, None)
    assert run(["models", "export", "runs/toy-contrastive", "--name", "x", "--to", "x"]) == 2
    assert "it judges" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
