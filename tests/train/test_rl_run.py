"""A run of reinforcement learning from its start to each of its ends, and what it refuses to start with."""

import json
from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load_file
from toy_music import RECIPES, toy_pack

from sideman.engine.bundle import load_bundle
from sideman.errors import SidemanError, UnreadableFile, WrongValue
from sideman.models.build import load_checkpoint, save_checkpoint
from sideman.models.export import export_bundle
from sideman.models.online import OnlineModel
from sideman.music.vocabulary import own_vocabulary
from sideman.train.batches import Source
from sideman.train.mle import Run
from sideman.train.recipe import Recipe, load_recipe
from sideman.train.rl.judges import rule_rewards
from sideman.train.rl.parts import load_terms
from sideman.train.rl.recipe import RlRecipe, Rules
from sideman.train.rl.rollout import Rollout, Scene
from sideman.train.rl.run import RlRun

FEW = ("steps=2", "validate_every=100", "checkpoint_every=100", "validate_pieces=1")
SHORT = ("data.pack=toy.npz", "data.window_frames=16", "networks.0.windows=[4, 8]", "validate_pieces=2")


def recipe(*overrides: str, name: str = "rl") -> RlRecipe:
    return load_recipe(RECIPES / "toy" / f"{name}.yaml", (*SHORT, *overrides), RlRecipe)


def lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_what_a_run_leaves(root: Path):
    run = RlRun(recipe("limits={silence: 1.0, length_entropy: 0.0}"), root / "runs", False)
    result = run.train()
    folder = root / "runs" / "toy-rl"
    assert sorted(p.name for p in folder.iterdir()) == ["best", "last", "log.jsonl", "recipe.yaml"]
    assert load_recipe(folder / "recipe.yaml", (), RlRecipe) == run.recipe
    file, model = load_checkpoint(folder / "last")
    assert isinstance(model, OnlineModel)
    assert (file.trained["step"], file.trained["start"]) == (4, "runs/toy-online")
    assert result["valid_note_in_chord"] >= 0
    steps = [line for line in lines(folder) if "reward" in line]
    assert [line["step"] for line in steps] == [1, 2, 3, 4]
    wanted = {f"reward_{name}" for name in ("contrastive", "discriminative", "contrastive_rhythm", "adversary",
              "discriminative_rhythm", "early_stop", "invalid", "silence", "repetition")}  # fmt: skip
    assert wanted | {"kl", "entropy", "note_in_chord", "value_loss", "tokens_per_second"} <= set(steps[0])
    assert "adversary_loss" in steps[0]  # it learns in the first step, and not in the second
    assert "adversary_loss" not in steps[1]
    assert all(line["reward_invalid"] == 0 for line in steps)  # the grammar sees to it
    started = load_file(root / "runs" / "toy-online" / "best" / "model.safetensors")
    ended = load_file(folder / "last" / "model.safetensors")
    assert any(not torch.equal(tensor, ended[name]) for name, tensor in started.items())


def test_a_melody_partner_is_taught_and_exported(root: Path):
    run = RlRun(recipe("limits={silence: 1.0, length_entropy: 0.0}", name="melody"), root / "runs", False)
    result = run.train()
    folder = root / "runs" / "toy-melody"
    assert {"valid_note_in_chord", "valid_silence", "valid_length_entropy", "truth_density"} <= set(result)
    assert "valid_pitch_classes" not in result  # a note is one
    steps = [line for line in lines(folder) if "reward" in line]
    assert all(line["reward_invalid"] == 0 for line in steps)  # melodies, within the grammar of melodies
    assert "adversary_loss" in steps[0]
    assert load_checkpoint(folder / "last")[0].part == "melody"
    begun, ended = (
        load_file(root / "runs" / name / "model.safetensors") for name in ("toy-melody-online/best", "toy-melody/last")
    )
    assert any(not torch.equal(tensor, ended[name]) for name, tensor in begun.items())
    described = export_bundle(folder / "last", root / "bundle", "melody", int8=False)
    assert (described.kind, described.part) == ("online", "melody")
    assert load_bundle(root / "bundle").file == described
    assert (folder / "best").exists()


def test_a_melody_that_leaps_is_not_called_the_best(root: Path):
    limits = "limits={silence: 1.0, length_entropy: 0.0, conjunct: 1.0}"
    result = RlRun(recipe(limits, "run=leaping", "steps=1", name="melody"), root / "runs", False).train()
    assert result["valid_conjunct"] < 1
    assert not (root / "runs" / "leaping" / "best").exists()


def test_networks_judge_melody_and_chords_whichever_is_played(root: Path):
    """What the data play, both ways round: the same rewards of every network, and the same harmony."""
    networks = recipe().networks
    source = Source(toy_pack(), own_vocabulary(), recipe().data, "train")
    batch = source.draw(1, 0, 6)
    rewards = []
    for part in ("chord", "melody"):
        scene = Scene.of(batch, part, torch.device("cpu"))
        nothing = torch.zeros(*scene.truth.shape, 1)
        rollout = Rollout(scene, scene.truth, nothing, nothing)
        judged = [term(rollout) for term in load_terms(networks, own_vocabulary())]
        harmony = rule_rewards(rollout, Rules(note_in_chord=1.0), own_vocabulary())["note_in_chord"]
        rewards.append(torch.stack([*judged, harmony]))
    assert torch.equal(*rewards)
    assert (rewards[0].abs().sum((1, 2)) > 0).all()


@pytest.mark.parametrize(
    "given",
    [
        (),
        ("critic=head", "kl_loss=0.1", "epochs=2"),
        ("estimator=grpo", "group=4", "adversary=null", "grammar=false"),
        ("estimator=to_go", "group=2", "accumulate=2"),
    ],
    ids=["copy", "head", "grpo", "to_go"],
)
def test_resumed_is_uninterrupted(given: tuple[str, ...], root: Path, request: pytest.FixtureRequest):
    name = request.node.callspec.id
    common = ("steps=3", "checkpoint_every=1", "validate_every=3", "data.window_frames=8", *given)
    RlRun(recipe(f"run=whole-{name}", *common), root / "runs", False).train()
    first = RlRun(recipe(f"run=parts-{name}", *common), root / "runs", False)
    step = first._step

    def one_step() -> dict[str, float]:
        first.signals.came = True  # as if asked to stop while the first step runs
        return step()

    first._step = one_step
    with pytest.raises(SidemanError, match="at step 1 of 3"):
        first.train()
    torch.manual_seed(12345)
    second = RlRun(recipe(f"run=parts-{name}", *common), root / "runs", True)
    assert second.step == 1
    second.train()
    a, b = (load_file(root / "runs" / f"{which}-{name}" / "last" / "model.safetensors") for which in ("whole", "parts"))
    for key, tensor in a.items():
        assert torch.equal(tensor, b[key]), key
    logged = [line["step"] for line in lines(root / "runs" / f"parts-{name}") if "reward" in line]
    assert logged == [1, 2, 3]


def test_saving_memory_changes_nothing(root: Path):
    """Where things wait has no part in what is learned."""
    options = ("reward_vram_swap", "logits_vram_swap", "trainer_empty_cache", "buffer_cpu_offload")
    for name, given in (("wide", ()), ("narrow", tuple(f"{option}=true" for option in options))):
        RlRun(recipe(f"run={name}", *FEW, *given), root / "runs", False).train()
    wide, narrow = (load_file(root / "runs" / name / "last" / "model.safetensors") for name in ("wide", "narrow"))
    assert all(torch.equal(tensor, narrow[key]) for key, tensor in wide.items())


def test_the_adversary_learns_when_it_is_deceived(root: Path):
    run = RlRun(recipe("run=due", *FEW), root / "runs", False)
    adversary = run.adversary
    assert adversary is not None
    assert [step for step in range(1, 12) if adversary.due(step)] == [1, 5, 10]
    assert not adversary.due(200)
    adversary.history.extend([9.0, 0.9, 1.0, 1.4])  # the last three count
    assert adversary.due(7)
    assert adversary.due(300)
    adversary.history.extend([0.5])
    assert not adversary.due(7)


@pytest.mark.parametrize(
    ("override", "stage"),
    [
        ("start=runs/nowhere", "stage online"),
        ("networks.0.seeds=[1, 2]", "stage contrastive"),
        ("anchor=runs/nowhere", "stage offline"),
        ("networks.1.path=runs/nowhere", "stage contrastive or discriminative"),
    ],
)
def test_a_missing_checkpoint_names_itself_and_what_makes_it(override: str, stage: str, root: Path):
    with pytest.raises(UnreadableFile, match=r"runs/(nowhere|toy-contrastive-1).*model\.json") as caught:
        RlRun(recipe("run=x", override), root / "runs", False)
    assert stage in caught.value.hint


@pytest.mark.parametrize("field", ["start", "anchor"])
def test_a_network_of_the_other_part_is_refused(field: str, root: Path):
    place = {"start": "runs/toy-melody-online", "anchor": "runs/toy-melody-offline"}[field]
    with pytest.raises(WrongValue, match=f"{field}: .*melody part.*part is chord"):
        RlRun(recipe("run=x", f"{field}={place}"), root / "runs", False)


def test_a_network_of_another_kind_is_refused(root: Path):
    with pytest.raises(WrongValue, match="kind offline, not online"):
        RlRun(recipe("run=x", "start=runs/toy-offline"), root / "runs", False)


def test_other_chord_numbers_are_refused(root: Path):
    """A reward network that learned another chord list would judge other chords than those played."""
    file, _ = load_checkpoint(root / "runs" / "toy-discriminative" / "last")
    assert file.reward is not None
    names = ("C", "G", "Am")
    other = msgspec.structs.replace(
        file, chords=names, reward=msgspec.structs.replace(file.reward, tokens=260 + 2 * len(names))
    )
    from sideman.models.build import build

    save_checkpoint(root / "other", other, build(other))
    with pytest.raises(WrongValue, match=r"networks\.1\.path.*3 chords"):
        RlRun(recipe("run=x", "networks.1.path=other"), root / "runs", False)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("batch=9",), "minibatches"),
        (("estimator=grpo", "group=3"), "groups"),
        (("adversary.strength=2",), "strength"),
        (("rules.nice=1",), "nice"),
    ],
)
def test_recipes_that_make_no_sense(overrides: tuple[str, ...], message: str):
    with pytest.raises(WrongValue, match=message):
        recipe(*overrides)


def test_a_run_may_start_from_a_checkpoint(root: Path):
    given = (f"data.pack={root / 'toy.npz'}", "run=begun")
    plain = load_recipe(RECIPES / "toy" / "online.yaml", (*given, "start=runs/toy-online/last"), Recipe)
    run = Run(plain, root / "runs", False)
    stored = load_file(root / "runs" / "toy-online" / "last" / "model.safetensors")
    assert all(torch.equal(tensor, stored[name]) for name, tensor in run.raw.state_dict().items())
    wider = load_recipe(
        RECIPES / "toy" / "online.yaml", (*given, "start=runs/toy-online/last", "model.stack.width=16"), Recipe
    )
    with pytest.raises(WrongValue, match="another network"):
        Run(wider, root / "runs", False)
