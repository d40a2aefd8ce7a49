"""The published recipes run at full size: a few steps on the CPU, on made-up music under the collections' names."""

from pathlib import Path

import numpy as np
import pytest
from toy_music import save_toy_pack

from sideman.models.build import load_checkpoint, parameters
from sideman.train.mle import Run
from sideman.train.recipe import load_recipe

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size", "precision"),
    [("online", 33_599_488, "auto"), ("offline", 75_596_288, "32-true"), ("offline", 75_596_288, "bf16-mixed")],
)
def test_a_few_steps(name: str, size: int, precision: str, tmp_path: Path):
    pack = save_toy_pack(tmp_path, ("hooktheory", "pop909", "nottingham"))
    small = ("batch=4", "steps=3", "log_every=1", "validate_pieces=1")
    recipe = load_recipe(RECIPES / f"gapt/{name}.yaml", (f"data.pack={pack}", f"precision={precision}", *small))
    run = Run(recipe, tmp_path, False)
    result = run.train()
    assert run.step == 3
    assert np.isfinite(result["valid_loss"])
    assert 0 <= result["note_in_chord"] <= 1
    file, model = load_checkpoint(tmp_path / f"gapt-{name}" / "last")
    assert parameters(model) == size + (1_024 if name == "online" else 1_536) * file.vocabulary.size
    assert file.trained["step"] == 3
