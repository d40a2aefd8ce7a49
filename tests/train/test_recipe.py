"""Recipes: what they inherit, what overrides may say, and one clear line for everything that is wrong."""

from pathlib import Path

import pytest
import yaml

from sideman.errors import SidemanError, UnreadableFile, WrongValue
from sideman.music.vocabulary import own_vocabulary
from sideman.train.ensemble import members
from sideman.train.network import describe, vocabulary_of
from sideman.train.recipe import DataConfig, Recipe, dump_recipe, load_recipe, recipe_of, stage_of
from sideman.train.rl.recipe import RlRecipe

RECIPES = Path(__file__).parents[2] / "recipes"
TOY = RECIPES / "toy" / "online.yaml"


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


STORIES = {path for path in RECIPES.rglob("*.yaml") if stage_of(path) == "story"}
SHEETS = {path for path in RECIPES.rglob("*.yaml") if str(stage_of(path)).startswith("sheet")}
PATHS = sorted(set(RECIPES.rglob("*.yaml")) - STORIES - SHEETS)
KINDS = ("contrastive", "discriminative", "contrastive-rhythm", "discriminative-rhythm")
RL = [path for path in PATHS if stage_of(path) == "rl"]


@pytest.mark.parametrize("path", RL, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_recipe_of_reinforcement_learning_loads(path: Path):
    recipe = load_recipe(path, (), RlRecipe)
    assert recipe.run == f"{path.parent.name}-{path.stem}"
    assert recipe.part == ("melody" if "melody" in (path.parent.name, path.stem) else "chord")
    if path.stem == "ablation-kl":
        assert not recipe.networks
    else:
        assert load_recipe(path, ("networks.0.weight=2",), RlRecipe).networks[0].weight == 2


def test_the_published_settings():
    recipe = load_recipe(RECIPES / "gapt" / "rl.yaml", (), RlRecipe)
    assert (recipe.batch, recipe.minibatch, recipe.steps, recipe.updates) == (384, 48, 1000, 8)
    assert (recipe.optim.lr, recipe.critic_optim.lr, recipe.entropy, recipe.kl) == (5e-6, 9e-5, 0.01, 0.001)
    assert [path for network in recipe.networks for path in network.paths] == [
        f"runs/gapt-{kind}-{seed}" for kind in KINDS for seed in (42, 1234)
    ]
    melody = load_recipe(RECIPES / "melody" / "rl.yaml", (), RlRecipe)
    assert (melody.entropy, melody.validate_every, melody.checkpoint_every) == (0.002, 100, 100)
    assert melody.adversary == recipe.adversary
    assert melody.data.weights == {"hooktheory": 0.5, "wikifonia": 0.2, "pop909": 0.2, "nottingham": 0.1}
    assert recipe.adversary is not None
    assert recipe.adversary.stack.depth == 8
    assert load_recipe(RECIPES / "realchords" / "rl.yaml", (), RlRecipe).adversary is None


@pytest.mark.parametrize("path", [p for p in PATHS if p not in RL], ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_recipe_loads_and_describes_a_network(path: Path):
    recipe = load_recipe(path)
    assert recipe.run == f"{path.parent.name}-{path.stem}"
    assert recipe.stage == path.stem.removeprefix("melody-").partition("-")[0]
    melody = path.stem.startswith("melody-") or (path.parent.name == "melody" and recipe.stage in ("online", "offline"))
    assert recipe.part == ("melody" if melody else "chord")  # reward networks read both
    file = describe(recipe, own_vocabulary())
    assert file.kind == recipe.stage
    assert [file.online is None, file.offline is None, file.reward is None].count(False) == 1
    assert load_recipe(path, (f"run={path.stem}-2", "data.pack=x.npz")).run == f"{path.stem}-2"


@pytest.mark.parametrize("group", ["realchords", "gapt", "melody"])
def test_every_network_that_is_named_is_made_by_a_recipe(group: str):
    """An ensemble is a list of seeds in one recipe, and the same list where it judges."""
    rl = load_recipe(RECIPES / group / "rl.yaml", (), RlRecipe)
    assert len(rl.networks) == 4
    for network in rl.networks:
        made = recipe_of(Path(network.paths[1]).name, RECIPES)
        assert made is not None
        assert [f"runs/{member.run}" for member in members(load_recipe(made))] == list(network.paths)
    for run in (rl.start, rl.anchor):
        assert recipe_of(Path(run).name, RECIPES) == RECIPES / group / f"{run.rpartition('-')[2]}.yaml"
    assert recipe_of("nothing-like-it", RECIPES) is None


def test_a_recipe_extends_another(tmp_path: Path):
    write(tmp_path, f"extends: {TOY}\nbatch: 4\noptim: {{lr: 0.5}}\n", "middle.yaml")
    recipe = load_recipe(write(tmp_path, "extends: middle.yaml\nbatch: 6\n"))
    base = load_recipe(TOY)
    assert (recipe.batch, recipe.optim.lr) == (6, 0.5)
    assert (recipe.optim.warmup, recipe.steps, recipe.model) == (base.optim.warmup, base.steps, base.model)


def test_overrides_win_and_keep_their_types():
    recipe = load_recipe(
        TOY,
        (
            "optim.lr=3e-4", "data.weights.toy=0.5", "data.weights.other=1", "model.encoder.causal=false",
            "model.form=false", "max_minutes=2", "optim.betas=[0.5, 0.6]", "wandb=project=x",
        ),
    )  # fmt: skip
    assert (recipe.optim.lr, recipe.data.weights) == (3e-4, {"toy": 0.5, "other": 1.0})
    assert recipe.model.encoder is not None
    assert (recipe.model.encoder.causal, recipe.model.form) == (False, False)
    assert (recipe.max_minutes, recipe.optim.betas, recipe.wandb) == (2.0, (0.5, 0.6), "project=x")


def test_an_override_reaches_into_a_list():
    recipe = load_recipe(RECIPES / "gapt" / "online.yaml", ("optim.betas.1=0.95",))
    assert recipe.optim.betas == (0.9, 0.95)


def test_what_is_written_back_is_the_same_recipe(tmp_path: Path):
    recipe = load_recipe(RECIPES / "gapt" / "offline.yaml", ("optim.lr=1e-5",))
    again = load_recipe(write(tmp_path, dump_recipe(recipe)))
    assert again == recipe
    assert yaml.safe_load(dump_recipe(recipe))["data"]["weights"]["pop909"] == 0.3


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("optim.rate=1", "rate"), ("nothing=1", "nothing"), ("optim.lr=fast", "optim.lr"), ("batch=0", "batch"),
        ("batch=2.5", "batch"), ("steps=-1", "steps"), ("log_every=0", "log_every"), ("stage=live", "stage"),
        ("run=../elsewhere", "run"), ("run=", "run"), ("batch.size=3", "batch.size"), ("optim.betas.7=0", "betas.7"),
        ("batch", "batch"), ("=3", "field"), ("seed=[", "seed"), ("data.transpose=12", "data.transpose"),
        ("data.weights.toy=-1", "data.weights"), ("max_minutes=0", "max_minutes"), ("extends=x.yaml", "extends"),
        ("accumulate=9", "9"), ("devices=16", "16"), ("model.stack.width=0", "model.stack.width"),
        ("model.stack.norm=batch", "model.stack.norm"), ("data.random_truncate=yes", "random_truncate"),
        ("optim.clip=0", "optim.clip"), ("precision=16", "precision"), ("model=3", "model"),
    ],
)  # fmt: skip
def test_a_wrong_override_names_its_field(override: str, named: str):
    with pytest.raises(WrongValue) as wrong:
        load_recipe(TOY, ("optim.betas=[0.9, 0.99]", override))
    assert named in wrong.value.message
    assert wrong.value.hint


@pytest.mark.parametrize(
    ("stage", "override", "says"),
    [("contrastive", "accumulate=2", "cannot be done in parts"), ("discriminative", "batch=1", "batch to 2 or more")],
)
def test_what_does_not_match_comes_from_the_batch(stage: str, override: str, says: str):
    with pytest.raises(WrongValue, match=says):
        load_recipe(RECIPES / "toy" / f"{stage}.yaml", (override,))
    load_recipe(RECIPES / "toy" / f"{stage}.yaml", ("devices=2",))
    load_recipe(RECIPES / "toy" / "discriminative.yaml", ("accumulate=2",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no fields"), ("just words", "no fields"), ("a: [1", "not valid YAML"), ("\x00", "not valid YAML"),
        ("stage: online\nrun: x\n", "data"), ("extends: nowhere.yaml\n", "nowhere.yaml"),
        ("extends: [a, b]\n", "extends"), ("extends: mine.yaml\n", "extends itself"),
    ],
)  # fmt: skip
def test_a_damaged_recipe_gets_one_line(text: str, says: str, tmp_path: Path):
    with pytest.raises(SidemanError, match=says):
        load_recipe(write(tmp_path, text))


def test_bytes_that_are_no_text(tmp_path: Path):
    (tmp_path / "mine.yaml").write_bytes(b"stage: \xff\xfe\n")
    with pytest.raises(UnreadableFile, match="not valid YAML"):
        load_recipe(tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    ("recipe", "overrides", "says"),
    [
        ("toy/online", ("model.stack.causal=false",), "model.stack.causal"),
        ("toy/online", ("model.stack.cross=true",), "no encoder"),
        ("toy/online", ("model.stack.rotary_width=7",), "even number"),
        ("toy/online", ("model.stack.rotary_width=18",), "even number"),
        ("toy/offline", ("model.encoder.causal=true",), "model.encoder.causal"),
        ("toy/offline", ("model.encoder.cross=true",), "model.encoder.cross"),
        ("toy/offline", ("model.aligned=false",), "aligned or has cross-attention"),
        ("toy/offline", ("model.stack.cross=true",), "aligned or has cross-attention"),
        ("gapt/offline", ("model.encoder.width=256",), "as wide"),
    ],
)
def test_switches_that_exclude_each_other(recipe: str, overrides: tuple[str, ...], says: str):
    with pytest.raises(WrongValue) as wrong:
        describe(load_recipe(RECIPES / f"{recipe}.yaml", overrides), own_vocabulary())
    assert says in str(wrong.value)


def test_an_encoder_that_is_not_described_is_like_the_decoder():
    recipe = load_recipe(RECIPES / "toy" / "online.yaml", ("stage=offline",))
    file = describe(recipe, own_vocabulary())
    assert file.offline is not None
    assert not file.offline.encoder.causal
    assert file.offline.encoder.width == file.offline.decoder.width


def test_a_list_of_reference_names(tmp_path: Path):
    write(tmp_path, '["Am", "C", "C(add7)"]', "names.json")
    data = DataConfig(pack="", vocabulary=str(tmp_path / "names.json"))
    vocabulary = vocabulary_of(data)
    assert vocabulary.names == ("Am", "C", "C(add7)")
    file = describe(Recipe("online", data, "x"), vocabulary)
    assert (file.chords, file.spelling) == (vocabulary.names, "reference")
    assert (file.vocabulary.masks == vocabulary.masks).all()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '["C", "H7"]'])
def test_a_damaged_list_of_names(text: str, tmp_path: Path):
    with pytest.raises(SidemanError):
        vocabulary_of(DataConfig(pack="", vocabulary=str(write(tmp_path, text, "names.json"))))
    with pytest.raises(UnreadableFile):
        vocabulary_of(DataConfig(pack="", vocabulary=str(tmp_path / "absent.json")))
