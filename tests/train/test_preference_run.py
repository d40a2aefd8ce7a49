"""CLaMP-DPO from its start to each of its ends, with a composer that writes made-up sheets."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from toy_music import RECIPES
from toy_sheets import save_toy_sheets, toy_sheet

from sideman import cli
from sideman.errors import SidemanError, WrongValue
from sideman.models.build import load_checkpoint
from sideman.music.sheet.patches import split, tag
from sideman.music.sheet.prompts import Prompt, with_prompt
from sideman.train.ensemble import load_trainable
from sideman.train.mle import Run
from sideman.train.preference.recipe import PreferenceRecipe, SamplingConfig
from sideman.train.preference.rounds import table
from sideman.train.preference.run import PreferenceRun, Stop, best_of, piece_seed
from sideman.train.recipe import load_recipe

PROMPT = ["Romantic", "Nobody, Anna", "Art Song"]


def compose(
    place: Path, prompts: Sequence[Prompt], seeds: Sequence[int], sampling: SamplingConfig, stop: Stop
) -> list[str]:
    """A made-up sheet for each seed, tagged as a model tags it; every fifth seed's has a bar too short."""
    assert (place / "model.safetensors").exists()
    return [] if stop() else list(made_up(prompts, seeds))


def made_up(prompts: Sequence[Prompt], seeds: Sequence[int]) -> Iterator[str]:
    for prompt, seed in zip(prompts, seeds, strict=True):
        header, body = split(toy_sheet(seed % 1000, 4 + seed % 5))
        text = "\n".join([*header, *tag(body), ""])
        yield with_prompt(prompt, text.replace("G,,6", "G,,5", 1) if seed % 5 == 0 else text)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Iterator[Path]:
    """A folder with a pack and two steps of the stages that `recipes/toy/sheet-dpo.yaml` needs."""
    folder = tmp_path_factory.mktemp("dpo")
    (folder / "runs").mkdir()
    save_toy_sheets(folder / "runs", 24)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for stage in ("sheet", "sheet-judge"):
            given = ("steps=2", "validate_every=100", "validate_pieces=2")
            Run(load_trainable(RECIPES / "toy" / f"{stage}.yaml", given), folder / "runs", False).train()
        yield folder


def recipe(*overrides: str) -> PreferenceRecipe:
    return load_recipe(RECIPES / "toy" / "sheet-dpo.yaml", overrides, PreferenceRecipe)


def run(*overrides: str, resume: bool = False) -> PreferenceRun:
    return PreferenceRun(recipe(*overrides), Path("runs"), resume, compose)


def weights(place: str) -> dict[str, torch.Tensor]:
    return load_file(Path("runs") / place / "model.safetensors")


def test_what_a_run_leaves(root: Path):
    figures = run(f"prompts=[{PROMPT}]", "validate_pieces=1").train()
    folder = root / "runs" / "toy-sheet-dpo"
    left = {"best", "last", "log.jsonl", "real", "real.npz", "recipe.yaml", "round-0", "round-1", "round-2", "table.md"}
    assert {path.name for path in folder.iterdir()} == left
    assert load_recipe(folder / "recipe.yaml", (), PreferenceRecipe) == recipe(
        f"prompts=[{PROMPT}]", "validate_pieces=1"
    )
    for number in range(3):
        place = folder / f"round-{number}"
        pieces = sorted(path.name for path in (place / "original").iterdir())
        assert pieces == [f"{n:05}.abc" for n in range(12)]
        assert (place / "original" / "00003.abc").read_text().startswith("%Romantic\n%Nobody, Anna\n%Art Song\n%end\n")
        assert (place / "model").exists() == (number > 0)
        assert (place / "preference.json").exists() == (number < 2)
    wanted = {"score", "score_unseen", "uneven", "perplexity", "diversity", "self_similarity", "overlap", "copied"}
    assert wanted <= set(figures)
    assert 0 < figures["uneven"] < 0.5
    file, _ = load_checkpoint(folder / "last")
    assert (file.kind, file.trained["step"], file.trained["start"]) == ("sheet", 12, "runs/toy-sheet")
    start, middle, end = (
        weights("toy-sheet/best"),
        weights("toy-sheet-dpo/round-1/model"),
        weights("toy-sheet-dpo/last"),
    )
    for before, after in ((start, middle), (middle, end)):
        assert any(not torch.equal(tensor, after[name]) for name, tensor in before.items())
    logged = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in logged if "loss" in line] == [2, 4, 6, 8, 10, 12]
    assert [line["round"] for line in logged if "round" in line] == [0, 1, 2]
    assert (folder / "table.md").read_text().splitlines()[0] == "Scores by: embedded judge (toy-sheet-judge)."
    assert len((folder / "table.md").read_text().splitlines()) == 4 + 3 + 1


def test_the_chosen_keep_the_rules_and_are_learned(root: Path):
    run("run=rules", "rounds=1", "updates=40", "optim.lr=1e-3", "log_every=1").train()
    folder = root / "runs" / "rules"
    sides = json.loads((folder / "round-0" / "preference.json").read_text())
    assert [len(sides["chosen"]), len(sides["rejected"])] == [3, 3]
    assert not set(sides["chosen"]) & set(sides["rejected"])
    assert not any("G,,5" in Path(path).read_text() for path in sides["chosen"])
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    margins = [line["margin"] for line in lines if "margin" in line]
    assert margins[0] == pytest.approx(0, abs=1e-3)  # policy and reference are the same network
    assert np.mean(margins[-10:]) > np.mean(margins[:10]) + 1
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[0] == pytest.approx(np.log(2), abs=1e-3)
    assert np.mean(losses[-10:]) < np.mean(losses[:10])


@pytest.mark.parametrize("stopped", ["generating", "learning"])
def test_resumed_is_uninterrupted(root: Path, stopped: str):
    run(f"run=whole-{stopped}").train()
    first = run(f"run=parts-{stopped}", "together=4")
    count = 0
    name = {"generating": "compose", "learning": "_update"}[stopped]
    real = getattr(first, name)

    def third(*arguments: object) -> object:  # as if asked to stop while it is done for the fifth time
        nonlocal count
        count += 1
        first.signals.came = count == 5
        return real(*arguments)

    setattr(first, name, third)
    with pytest.raises(SidemanError, match="Go on with --resume"):
        first.train()
    with pytest.raises(SidemanError, match="already holds a run"):
        run(f"run=parts-{stopped}")
    torch.manual_seed(12345)
    second = run(f"run=parts-{stopped}", resume=True)
    assert second.step == {"generating": 6, "learning": 5}[stopped]
    if stopped == "generating":
        assert len(second.round(1).missing(12)) == 8  # the four that were being written are not kept
    second.train()
    whole, parts = (weights(f"{which}-{stopped}/last") for which in ("whole", "parts"))
    assert all(torch.equal(tensor, parts[key]) for key, tensor in whole.items())
    figures = [
        (root / "runs" / f"{which}-{stopped}" / "round-2" / "figures.json").read_text() for which in ("whole", "parts")
    ]
    assert figures[0] == figures[1]


def test_the_time_is_up(root: Path):
    stopped = run("run=short", "max_minutes=1e-9")
    assert stopped.train() == {}
    assert not (root / "runs" / "short" / "round-0").exists()
    assert run("run=short", resume=True).train()["pieces"] == 12


def test_what_cannot_be_chosen_from_is_said(root: Path):
    for text, message in (("", "None of the pieces"), (toy_sheet(1).replace("G,,6", "G,,5", 1), "0 pass")):

        def same(place: Path, prompts: object, seeds: Sequence[int], sampling: object, stop: object) -> list[str]:
            return [text] * len(seeds)  # noqa: B023

        with pytest.raises(WrongValue, match=message):
            PreferenceRun(recipe(f"run=same-{len(text)}"), Path("runs"), False, same).train()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("start=runs/toy-sheet-judge", "kind judge, not sheet"),
        ("judge=runs/toy-sheet", "kind sheet, which gives no features"),
        ("data.composers=[Somebody]", "The pack holds no sheets"),
        ("portion=0.01", "none to choose"),
        ("lambda=-1", "lambda"),
    ],
)
def test_recipes_that_make_no_sense(root: Path, override: str, message: str):
    with pytest.raises(WrongValue, match=message):
        run("run=x", override).train()


def test_the_best_round_stays_diverse():
    rows = [{"score": s, "diversity": d} for s, d in ((0.3, 0.5), (0.4, 0.45), (0.6, 0.3), (0.5, 0.41))]
    assert best_of(rows, 0.8) == 3
    assert best_of(rows[:1], 0.8) == 0
    assert best_of(rows, 0.0) == 2


def test_a_table_leaves_out_what_is_not_known():
    rows = {"round 0": {"score": 0.3237, "uneven": 0.0213, "perplexity": float("nan")}, "real": {"score": 0.5}, "x": {}}
    lines = table(rows, "CLaMP 2 (x)").splitlines()
    assert lines[-2].startswith("| round 0 | 0.324 |  |  | 2.13 |  |")
    assert lines[-1].startswith("| real | 0.500 |  |  |")


def test_seeds_differ_by_round_and_piece():
    seeds = {piece_seed(s, n, p) for s in range(3) for n in range(3) for p in range(50)}
    assert len(seeds) == 450
    assert max(seeds) < 2**31


def test_by_the_command_a_user_types(root: Path, capsys: pytest.CaptureFixture[str]):
    """With what the start model really writes: after two steps nothing that ends, which is said."""
    words = ["train", str(RECIPES / "toy" / "sheet-dpo.yaml"), "run=typed", "pieces=4", "sampling.longest=200"]
    assert cli.run(words) == 2
    assert "None of the pieces in runs/typed/round-0 can be judged" in capsys.readouterr().err
    assert len(list((root / "runs" / "typed" / "round-0" / "original").iterdir())) == 4
