"""All tests of this room run on one thread and draw no pictures (`test_run.finished` does); reinforcement learning
begins with networks of every other stage."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from toy_music import RECIPES, save_toy_pack

from sideman.train import samples
from sideman.train.mle import Run
from sideman.train.recipe import Recipe, load_recipe

STAGES = ("online", "offline", "contrastive", "discriminative", "contrastive-rhythm", "discriminative-rhythm",
          "melody-online", "melody-offline")  # fmt: skip


@pytest.fixture(autouse=True)
def _quick(one_thread: None, no_pictures: None) -> None:
    pass


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    """A folder with toy.npz and two steps of every stage that `recipes/toy/rl.yaml` needs."""
    folder = tmp_path_factory.mktemp("rl")
    pack = save_toy_pack(folder)
    given = (f"data.pack={pack}", "steps=2", "validate_every=100", "sample_every=100", "validate_pieces=2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "find_spec", lambda name: None)  # no pictures
        for stage in STAGES:
            Run(load_recipe(RECIPES / "toy" / f"{stage}.yaml", given, Recipe), folder / "runs", False).train()
    return folder


@pytest.fixture(scope="module")
def root(stages: Path) -> Iterator[Path]:
    """The folder of `stages`, as the place where relative paths begin."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(stages)
        yield stages
