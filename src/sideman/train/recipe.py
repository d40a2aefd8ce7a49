"""Recipes: YAML with one `extends`, dotted overrides, strict types, written back resolved.

    extends: base.yaml          # relative to this file; this file's keys win
    batch: 16
    optim: {lr: 1e-3}

and on the command line `optim.lr=3e-4 data.weights.pop909=0.5`. Every field is explained in docs/training.md.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import yaml

from sideman.errors import UnreadableFile, WrongValue
from sideman.models.transformer import Share, Size, StackConfig
from sideman.music.vocabulary import PartName
from sideman.wrong_fields import in_words

Positive = Annotated[float, msgspec.Meta(gt=0)]
AtLeastZero = Annotated[float, msgspec.Meta(ge=0)]
Seed = Annotated[int, msgspec.Meta(ge=0)]
Name = Annotated[str, msgspec.Meta(pattern=r"^\w[\w.-]*$")]


class DataConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is trained on. `weights`: share of each collection in the mix (spec 3); all pieces alike if empty.
    `transpose`: augmentation range in semitones; `turns`: share of examples that change key on the way;
    `form_dropout`: share of examples without form features.
    `lengths`: every batch is cut to one of these lengths in frames, drawn by chance; `random_truncate`: now and then
    a batch of short beginnings (spec 5.1), as a window allows or as the reference did; `vocabulary`: own, or a JSON
    file of the reference's chord names."""

    pack: str
    weights: dict[str, AtLeastZero] = {}
    window_frames: Annotated[int, msgspec.Meta(ge=4)] = 256
    transpose: Annotated[int, msgspec.Meta(ge=0, le=11)] = 6
    turns: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    form_dropout: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.1
    lengths: tuple[Annotated[int, msgspec.Meta(ge=4)], ...] = ()
    random_truncate: Literal["window", "reference"] | None = None
    vocabulary: str = "own"


class ModelConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`stack` is the online model, the offline decoder or each encoder of a reward network; `encoder` the offline
    encoder (like `stack` if absent). `rhythm` and `pitch_classes` are for reward networks."""

    stack: StackConfig = StackConfig()
    encoder: StackConfig | None = None
    form: bool = True
    tied: bool = True
    aligned: bool = True
    rhythm: bool = False
    pitch_classes: bool = False


class OptimConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """AdamW. `warmup` steps up, then constant or a cosine down to `final` times the rate."""

    lr: Positive = 1e-3
    betas: tuple[Share, Share] = (0.9, 0.95)
    eps: Positive = 1e-8
    weight_decay: AtLeastZero = 0.01
    clip: Positive = 1.0
    schedule: Literal["constant", "cosine"] = "cosine"
    warmup: Annotated[int, msgspec.Meta(ge=0)] = 50
    final: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.05


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One supervised stage (spec 5). `batch` is global, over all processes and accumulation steps.
    `start`: a checkpoint whose weights the run begins with; `negatives`: how non-matching pairs are made; `eos`: from
    what an online model predicts the end; `seeds`: an ensemble, one run `NAME-SEED` for each.
    Times: every `*_every` in steps; `max_minutes` stops cleanly with a checkpoint."""

    stage: Literal["online", "offline", "contrastive", "discriminative"]
    data: DataConfig
    run: Name
    start: str | None = None
    negatives: Literal["equal", "reference"] = "equal"
    eos: Literal["seen", "reference"] = "seen"
    part: PartName = "chord"
    model: ModelConfig = ModelConfig()
    optim: OptimConfig = OptimConfig()
    seed: Seed = 42
    seeds: tuple[Seed, ...] = ()
    batch: Size = 16
    accumulate: Size = 1
    steps: Size = 1000
    precision: Literal["auto", "bf16-mixed", "32-true"] = "auto"
    devices: Size = 1
    nodes: Size = 1
    compile: bool = False
    max_minutes: Positive | None = None
    log_every: Size = 10
    validate_every: Size = 250
    validate_pieces: Size = 64
    checkpoint_every: Size = 250
    sample_every: Size = 1000
    tensorboard: bool = False
    wandb: str | None = None

    def __post_init__(self) -> None:
        check_seeds(self.seeds)
        parts = self.accumulate * self.devices * self.nodes
        check_parts(self.batch, parts)
        if self.stage in ("contrastive", "discriminative") and self.batch < 2:
            raise ValueError("a reward network takes what does not match from its batch: set batch to 2 or more")
        if self.stage == "contrastive" and self.accumulate > 1:
            raise ValueError(
                "a contrastive network compares all pairs of a batch with each other, which cannot be done in parts: "
                "set accumulate to 1 (and devices to N where memory is short)"
            )


def check_parts(batch: int, parts: int) -> None:
    """Raises ValueError for a batch that is smaller than the number of its parts."""
    if batch < parts:
        raise ValueError(f"a batch of {batch} cannot be divided into {parts} (accumulate x devices x nodes)")


def check_seeds(seeds: tuple[int, ...]) -> None:
    """Raises ValueError for a seed given twice: its two runs would be one."""
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"a seed occurs twice in {list(seeds)}")


T = TypeVar("T", bound=msgspec.Struct)
_FIELDS = "See the recipe's fields in docs/training.md."
# libyaml reads and writes the same ten times as fast, where PyYAML was built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def load_recipe(path: Path, overrides: tuple[str, ...] = (), kind: type[T] = Recipe) -> T:  # type: ignore[assignment]
    """Read a recipe, apply `a.b=value` overrides. Raises UnreadableFile or WrongValue naming the field."""
    tree = _resolved(path, overrides)
    try:
        return msgspec.convert(tree, kind, strict=False)
    except msgspec.ValidationError as error:
        field, what = in_words(error, kind)
        raise WrongValue(f"{path.name}: {f'{field}: ' if field else ''}{what}.", _FIELDS) from None


def stage_of(path: Path, overrides: tuple[str, ...] = ()) -> object:
    """What the recipe says its stage is, unchecked."""
    return _resolved(path, overrides).get("stage")


def recipe_of(run: str, folder: Path) -> Path | None:
    """The recipe below `folder` that makes the run of a name, with a seed at its end or not."""
    for path in sorted(folder.rglob("*.yaml")):
        tree = _resolved(path, ())
        if run in {tree.get("run"), *(f"{tree.get('run')}-{seed}" for seed in tree.get("seeds") or ())}:
            return path
    return None


def dump_recipe(recipe: msgspec.Struct) -> str:
    """The resolved recipe as YAML."""
    return yaml.dump(msgspec.to_builtins(recipe), Dumper=_DUMPER, sort_keys=False)


def _resolved(path: Path, overrides: tuple[str, ...]) -> dict[str, Any]:
    tree = _read_tree(path, depth=0)
    for override in overrides:
        _override(tree, override)
    return tree


def _read_tree(path: Path, depth: int) -> dict[str, Any]:
    if depth > 8:
        raise WrongValue(f"{path} extends itself.", "Let one recipe of the chain stand on its own.")
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), _LOADER)
    except OSError as error:
        hint = "Give the path of a recipe, e.g. recipes/toy/online.yaml."
        raise UnreadableFile(f"Cannot read the recipe {path}: {error.strerror}.", hint) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnreadableFile(f"{path} is not valid YAML: {error}.") from None
    if not isinstance(tree, dict):
        raise UnreadableFile(f"{path} is not a recipe: it holds no fields.", _FIELDS)
    parent = tree.pop("extends", None)
    if parent is None:
        return tree
    if not isinstance(parent, str):
        raise WrongValue(f"{path.name}: `extends` is not the path of one recipe.", "Write extends: base.yaml.")
    return _merge(_read_tree(path.parent / parent, depth + 1), tree)


def _merge(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in top.items():
        old = out.get(key)
        out[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return out


def _override(tree: dict[str, Any], override: str) -> None:
    """Set one `a.b=value`; a number as a key means a place in a list that the recipe gives."""
    dotted, equals, text = override.partition("=")
    if not equals:
        raise WrongValue(f"'{override}' is not an override.", "Write KEY=VALUE, e.g. optim.lr=3e-4.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise WrongValue(f"'{text}' in '{override}' is not a value.", "Write it as in YAML.") from None
    *parents, last = dotted.split(".")
    node: Any = tree
    for key in parents:
        if isinstance(node, dict) and node.get(key) is None:
            node[key] = {}
        node = node[_place(node, key, dotted)]
    node[_place(node, last, dotted)] = value


def _place(node: Any, key: str, dotted: str) -> str | int:
    """The key of a mapping or the index into a list. Raises WrongValue for anything else."""
    if isinstance(node, dict):
        return key
    if isinstance(node, list) and key.isdecimal() and int(key) < len(node):
        return int(key)
    raise WrongValue(f"'{dotted}' does not name a field: there is no '{key}' there.", _FIELDS)
