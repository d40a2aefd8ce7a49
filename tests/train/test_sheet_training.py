"""Training sheet models: what examples are drawn, what is measured, and that stopping changes nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from toy_sheets import PROMPT, save_toy_sheets, toy_sheet_pack

from sideman.data.sheets import SheetPack
from sideman.errors import WrongValue
from sideman.models.build import ModelFile, load_checkpoint, save_checkpoint
from sideman.models.sheet import SheetModel
from sideman.music.sheet.patches import EOS, PAD, encode
from sideman.train.ensemble import load_trainable
from sideman.train.mle import Run
from sideman.train.sheet_batches import SheetSource
from sideman.train.sheet_objective import KINDS, Characters, labels
from sideman.train.sheet_recipe import SheetDataConfig, SheetRecipe

RECIPE = Path(__file__).parents[2] / "recipes" / "toy" / "sheet.yaml"
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pack() -> SheetPack:
    return toy_sheet_pack()


def toy(folder: Path, *overrides: str) -> SheetRecipe:
    path = folder / "toy-sheets.npz"
    recipe = load_trainable(RECIPE, (f"data.pack={path if path.exists() else save_toy_sheets(folder)}", *overrides))
    assert isinstance(recipe, SheetRecipe)
    return recipe


def source(pack: SheetPack, **fields: object) -> SheetSource:
    return SheetSource(pack, SheetDataConfig("x", **fields), "train")  # type: ignore[arg-type]


def test_an_epoch_has_every_piece_once(pack: SheetPack):
    drawn = source(pack, length=64)
    seen = np.concatenate([drawn.draw(1, step, 3).pieces for step in range(6)])
    assert len(drawn.pieces) == 9
    for epoch in (seen[:9], seen[9:]):
        assert sorted(epoch) == sorted(pack.pieces("train"))
    assert seen[:9].tolist() != seen[9:].tolist()


def test_a_batch_follows_from_seed_and_step(pack: SheetPack):
    a, b = (source(pack, length=64).draw(7, 5, 4) for _ in range(2))
    np.testing.assert_array_equal(a.patches, b.patches)
    assert (a.pieces == b.pieces).all()
    assert (
        source(pack, length=64).draw(8, 5, 4).patches.shape != a.patches.shape
        or (source(pack, length=64).draw(8, 5, 4).patches != a.patches).any()
    )


def test_examples_are_cropped_padded_and_counted(pack: SheetPack):
    batch = source(pack, length=40, keys="own").draw(0, 0, 9)
    assert batch.patches.shape[1] <= 40
    for row, length in zip(batch.patches, batch.lengths, strict=True):
        assert (row[length:] == PAD).all()
        assert (row[:length] != PAD).any(1).all()
    assert batch.tokens == int((batch.patches[:, 1:] != PAD).sum())
    assert (batch.mask.sum(1) == batch.lengths).all()
    first = batch.rows(slice(0, 2))
    assert first.patches.shape[1] == first.lengths.max()


def test_shares_of_the_mix(pack: SheetPack):
    with pytest.raises(WrongValue, match="no collection lieder"):
        source(pack, weights={"lieder": 1.0})
    with pytest.raises(WrongValue, match="no sheets"):
        source(pack, composers=("Somebody, Else",))
    only = source(pack, composers=("Nobody, Anna",))
    assert {pack.prompts[piece, 1] for piece in only.draw(0, 0, 16).pieces} == {"Nobody, Anna"}
    assert only.prompts == ((PROMPT.period, PROMPT.composer, PROMPT.instrumentation),)


def test_what_each_character_belongs_to(pack: SheetPack):
    sheet = "%Romantic\n%end\nK:G\nV:1 treble \n[V:1]G2|[V:12]F2|\n"
    patches = encode(sheet)
    kinds, voices = labels(patches)
    text = dict.fromkeys(KINDS, "")
    for kind, char in zip(kinds.reshape(-1), patches.reshape(-1), strict=True):
        text[KINDS[kind]] += chr(char) if char > EOS else ""
    assert text == {
        "prompt": "%Romantic\n%end\n", "header": "K:G\nV:1 treble \n", "tags": "[r:0/0][V:1][V:12]",
        "music": "G2|F2|\n", "ends": "",
    }  # fmt: skip
    sung = [chr(c) for c, v in zip(patches.reshape(-1), voices.reshape(-1), strict=True) if v == 12]
    assert "".join(sung) == "F2|\n"


def test_tables_add_up_to_the_whole(pack: SheetPack, tmp_path: Path):
    torch.manual_seed(0)
    recipe = toy(tmp_path)
    model = SheetModel(recipe.model).eval()
    held_out = SheetSource(pack, recipe.data, "valid").fixed(3)
    parts = [held_out.rows(slice(0, 2)), held_out.rows(slice(2, 3))]
    objective = Characters(pack)
    with torch.no_grad():
        figures = objective.validate(model, parts, CPU)
        objective.tables(model, parts, CPU, tmp_path / "tables")
    tables = json.loads((tmp_path / "tables" / "bits.json").read_text())
    for title in ("Kind of text", "Size of the score", "Collection"):
        rows = tables[title].values()
        assert sum(count for _, count in rows) == held_out.tokens
        mean = sum(value * count for value, count in rows) / held_out.tokens
        assert mean == pytest.approx(figures["valid_bits"], abs=1e-3)
    assert "| V:1 |" in (tmp_path / "tables" / "bits.md").read_text()


@pytest.mark.parametrize("overrides", [(), ("accumulate=2", "precision=bf16-mixed")], ids=["plain", "in parts, bf16"])
def test_six_steps_are_three_and_three(overrides: tuple[str, ...], tmp_path: Path):
    wanted = ("steps=6", "validate_every=3", "checkpoint_every=3", "log_every=3", "sample_every=6",
              "model.patches.residual_dropout=0.1", *overrides)  # fmt: skip
    Run(toy(tmp_path, "run=whole", *wanted), tmp_path, False).train()
    first = Run(toy(tmp_path, "run=parts", *wanted), tmp_path, False)
    first._why_stop = lambda until: "time" if first.step == 3 else ""  # type: ignore[method-assign]
    first.train()
    torch.manual_seed(12345)
    second = Run(toy(tmp_path, "run=parts", *wanted), tmp_path, True)
    assert second.step == 3
    second.train()
    a, b = (load_file(tmp_path / name / "last" / "model.safetensors") for name in ("whole", "parts"))
    assert a.keys() == b.keys()
    assert all(torch.equal(tensor, b[name]) for name, tensor in a.items())
    file, _ = load_checkpoint(tmp_path / "parts" / "last")
    assert (file.kind, file.trained["step"], file.trained["window"]) == ("sheet", 6, 64)
    assert file.prompts == ((PROMPT.period, PROMPT.composer, PROMPT.instrumentation),)
    assert (tmp_path / "parts" / "samples" / "step-000006" / "bits.md").exists()


def test_parts_of_a_batch_give_the_gradient_of_the_whole(tmp_path: Path):
    gradients = []
    for parts in (1, 4):
        run = Run(toy(tmp_path, f"run=a{parts}", f"accumulate={parts}"), tmp_path, False)
        run._update(run.source.draw(3, 0, 4))
        gradients.append({name: weight.detach().clone() for name, weight in run.raw.named_parameters()})
    for name, weight in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], weight, atol=2e-5, rtol=1e-4)


def test_fine_tuning_begins_with_other_weights_and_another_pack(tmp_path: Path):
    Run(toy(tmp_path, "run=base", "steps=1", "validate_every=9"), tmp_path, False).train()
    base = tmp_path / "base"
    begun = Run(toy(tmp_path, "run=tuned", f"start={base}", "data.prompts=false"), tmp_path, False)
    stored = load_file(tmp_path / "base" / "last" / "model.safetensors")
    assert all(torch.equal(tensor, stored[name]) for name, tensor in begun.raw.state_dict().items())
    with pytest.raises(WrongValue, match="another network"):
        Run(toy(tmp_path, "run=other", f"start={base}", "model.length=32"), tmp_path, False)


def test_a_trained_network_may_be_given_a_clock(tmp_path: Path):
    """It begins as what it was, and learns to hear it."""
    before = Run(toy(tmp_path, "run=base", "steps=1", "validate_every=9"), tmp_path, False)
    before.train()
    heard = toy(tmp_path, "run=heard", f"start={tmp_path / 'base'}", "model.clock=true", "steps=2")
    after = Run(heard, tmp_path, False)
    batch = before.source.draw(1, 0, 2)
    losses = [run.objective.loss(run.raw, batch, slice(0, 2), CPU, torch.Generator()).item() for run in (before, after)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    after.train()
    _, model = load_checkpoint(tmp_path / "heard" / "last")
    assert isinstance(model, SheetModel)
    weights = model.state_dict()
    assert all(weights[f"{stack}_clock.table.weight"].abs().max() > 0 for stack in ("patch", "char"))


def test_fine_tuned_it_still_knows_the_prompts_of_before(tmp_path: Path):
    recipe, before = toy(tmp_path), ("Baroque", "Nobody, Else", "Organ")
    save_checkpoint(
        tmp_path / "before", ModelFile("sheet", sheet=recipe.model, prompts=(before,)), SheetModel(recipe.model)
    )
    words = (f"start={tmp_path / 'before'}", "steps=1", "run=after", "checkpoint_every=1")
    Run(toy(tmp_path, *words), tmp_path, False).train()
    Run(toy(tmp_path, *words, "steps=2"), tmp_path, True).train()
    known = load_checkpoint(tmp_path / "after" / "last")[0].prompts
    assert known == (before, (PROMPT.period, PROMPT.composer, PROMPT.instrumentation))
