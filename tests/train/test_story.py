"""The whole way from made-up songs to a model that plays, by one command; and how a story goes on."""

import json
from pathlib import Path

import pytest
from toy_music import RECIPES, save_toy_pack

from sideman.cli import run
from sideman.data.pack import load_pack
from sideman.engine.bundle import load_bundle
from sideman.errors import WrongValue
from sideman.models.build import load_checkpoint
from sideman.train import story
from sideman.train.recipe import load_recipe, stage_of
from sideman.train.story import Step, Story, StoryRecipe

FEW = ("steps=2", "validate_every=100", "validate_pieces=2", "sample_every=100")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def teller(*steps: Step, max_minutes: float | None = None) -> tuple[Story, list[str]]:
    """A story beside the toy recipes, and the commands it runs; `fail` fails."""
    called: list[str] = []

    def command(words: list[str]) -> int:
        called.append(" ".join(words))
        return 2 if "fail" in words else 0

    return Story(StoryRecipe("story", "tale", steps, max_minutes), RECIPES / "toy", Path("runs"), command), called


def test_each_step_is_done_once(here: Path):
    songs = Step(songs=20, makes="runs/toy.npz")
    training = Step(train="online.yaml", set=FEW)
    steps = (songs, training, Step(command="say 'two words'"), Step(command="fail"), Step(command="after"))
    tale, called = teller(*steps)
    with pytest.raises(WrongValue, match="sideman fail"):
        tale.tell()
    assert called == ["say two words", "fail"]
    assert len(load_pack(Path("runs/toy.npz"))) == 20
    state = (here / "runs/toy-online/last/state.pt").stat().st_mtime_ns
    tale, called = teller(*steps[:3], Step(command="after"))
    assert tale.tell()
    assert called == ["after"]
    assert (here / "runs/toy-online/last/state.pt").stat().st_mtime_ns == state
    notes = [json.loads(line) for line in (here / "runs/tale/log.jsonl").read_text().splitlines()]
    assert [note["step"] for note in notes] == [songs.title, training.title, "say 'two words'", "after"]
    assert tale.tell()
    assert called == ["after"]


def test_what_somebody_else_made_is_done(here: Path):
    (here / "made").touch()
    tale, called = teller(Step(command="a", makes="made"), Step(command="b", makes="missing"))
    tale.tell()
    tale.tell()
    assert called == ["b", "b"]  # what should be there is made until it is


def test_the_time_is_for_all_and_training_goes_on(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "runs").mkdir()
    save_toy_pack(here / "runs")
    long = Step(train="online.yaml", set=("steps=100000", "validate_every=100000", "sample_every=100000"))
    tale, called = teller(long, Step(command="after"), max_minutes=0.01)
    assert not tale.tell()
    first = int(load_checkpoint(here / "runs/toy-online/last")[0].trained["step"])
    assert 0 < first < 100_000
    assert not tale.tell()
    assert int(load_checkpoint(here / "runs/toy-online/last")[0].trained["step"]) > first
    assert called == []
    assert "The time is up during tale 1/2" in capsys.readouterr().err


def test_no_step_begins_after_the_time(here: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    clock = iter([0.0, 0.0, 1.0, 400.0, 400.0])
    monkeypatch.setattr(story.time, "monotonic", lambda: next(clock))
    tale, called = teller(Step(command="a"), Step(command="b"), max_minutes=5)
    assert not tale.tell()
    assert called == ["a"]
    assert "Next is tale 2/2: b" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (("{}",), "one of songs, train and command"),
        (("{train: a.yaml, command: b}",), "one of songs, train and command"),
        (("{songs: 4}",), "path of a pack"),
        (("{sing: 4}",), "sing"),
    ],
)
def test_steps_that_make_no_sense(step: tuple[str], message: str, tmp_path: Path):
    path = tmp_path / "tale.yaml"
    path.write_text(f"stage: story\nrun: tale\nsteps:\n  - {step[0]}\n")
    with pytest.raises(WrongValue, match=message):
        load_recipe(path, (), StoryRecipe)


def test_a_misspelt_field_is_found_before_anything_is_done(here: Path):
    with pytest.raises(WrongValue, match="stepps"):
        teller(Step(songs=20, makes="runs/toy.npz"), Step(train="rl.yaml", set=("stepps=3",)))
    assert not (here / "runs").exists()


@pytest.mark.parametrize("path", [p for p in sorted(RECIPES.rglob("*.yaml")) if stage_of(p) == "story"], ids=str)
def test_stories_name_recipes_that_are_there(path: Path):
    told = Story(load_recipe(path, (), StoryRecipe), path.parent, Path("runs"), lambda words: 0)
    assert len(told.trained) >= 5
    assert told.recipe.run == f"{path.parent.name}-{path.stem}"


@pytest.mark.slow
def test_every_stage_after_the_other(here: Path):
    assert run(["train", str(RECIPES / "toy" / "story.yaml")]) in (0, None)
    for name, part in (("gapt", "chord"), ("melody", "melody")):
        file = load_bundle(here / "runs/toy-story" / name).file
        assert (file.kind, file.part) == ("online", part)
    assert list((here / "runs/toy-story/report").iterdir())
    before = {p: p.stat().st_mtime_ns for p in (here / "runs").rglob("*.safetensors")}
    assert run(["train", str(RECIPES / "toy" / "story.yaml")]) in (0, None)
    assert {p: p.stat().st_mtime_ns for p in (here / "runs").rglob("*.safetensors")} == before


@pytest.mark.slow
def test_what_judges_cannot_be_exported(here: Path, capsys: pytest.CaptureFixture[str]):
    (here / "runs").mkdir()
    save_toy_pack(here / "runs")
    assert run(["train", str(RECIPES / "toy" / "contrastive.yaml"), "steps=2"]) in (0, None)
    assert run(["models", "export", "runs/toy-contrastive", "--name", "x", "--to", "x"]) == 2
    assert "it judges" in capsys.readouterr().err
    assert not (here / "x").exists()
