"""Recipes: YAML with one `extends`, dotted overrides, strict types, written back resolved.

    extends: base.yaml          # relative to this file; this file's keys win
    batch: 16
    optim: {lr: 1e-3}

and on the command line `optim.lr=3e-4 data.weights.pop909=0.5`.
"""

from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import yaml

from sideman.errors import UnreadableFile, WrongValue
from sideman.models.transformer import StackConfig


class DataConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is trained on. `weights`: share of each collection in the mix (spec 3); all pieces alike if empty.
    `transpose`: augmentation range in semitones; `form_dropout`: share of examples without form features."""

    pack: str
    weights: dict[str, float] = {}
    window_frames: int = 256
    transpose: int = 6
    form_dropout: float = 0.1
    vocabulary: str = "own"


class ModelConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`stack` is the online model or the offline decoder; `encoder` the offline encoder."""

    stack: StackConfig = StackConfig()
    encoder: StackConfig | None = None
    form: bool = True
    tied: bool = True
    aligned: bool = True


class OptimConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """AdamW. `warmup` steps up, then constant or a cosine down to `final` times the rate."""

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    weight_decay: float = 0.01
    clip: float = 1.0
    schedule: Literal["constant", "cosine"] = "cosine"
    warmup: int = 50
    final: float = 0.05


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One supervised stage (spec 5). `batch` is global, over all processes and accumulation steps.
    Times: every `*_every` in steps; `max_minutes` stops cleanly with a checkpoint."""

    stage: Literal["online", "offline"]
    data: DataConfig
    run: str
    part: Literal["chord", "melody"] = "chord"
    model: ModelConfig = ModelConfig()
    optim: OptimConfig = OptimConfig()
    seed: int = 42
    batch: int = 16
    accumulate: int = 1
    steps: int = 1000
    precision: Literal["auto", "bf16-mixed", "32-true"] = "auto"
    devices: int = 1
    compile: bool = False
    max_minutes: float | None = None
    log_every: int = 10
    validate_every: int = 250
    validate_pieces: int = 64
    checkpoint_every: int = 250
    sample_every: int = 1000
    tensorboard: bool = False
    wandb: str | None = None


T = TypeVar("T", bound=msgspec.Struct)


def load_recipe(path: Path, overrides: tuple[str, ...] = (), kind: type[T] = Recipe) -> T:  # type: ignore[assignment]
    """Read a recipe, apply `a.b=value` overrides. Raises UnreadableFile or WrongValue naming the field."""
    tree = _read_tree(path, depth=0)
    for override in overrides:
        _override(tree, override)
    try:
        return msgspec.convert(tree, kind, strict=False)
    except msgspec.ValidationError as error:
        raise WrongValue(f"{path.name}: {error}.", "See the recipe's fields in docs/training.md.") from None


def dump_recipe(recipe: msgspec.Struct) -> str:
    """The resolved recipe as YAML."""
    return yaml.safe_dump(msgspec.to_builtins(recipe), sort_keys=False)


def _read_tree(path: Path, depth: int) -> dict[str, Any]:
    if depth > 8:
        raise WrongValue(f"{path} extends itself.")
    try:
        tree = yaml.safe_load(path.read_text())
    except OSError as error:
        hint = "Give the path of a recipe, e.g. recipes/toy/online.yaml."
        raise UnreadableFile(f"Cannot read the recipe {path}: {error.strerror}.", hint) from None
    except yaml.YAMLError as error:
        raise UnreadableFile(f"{path} is not valid YAML: {error}.") from None
    if not isinstance(tree, dict):
        raise UnreadableFile(f"{path} is not a recipe: it holds no fields.")
    parent = tree.pop("extends", None)
    return tree if parent is None else _merge(_read_tree(path.parent / parent, depth + 1), tree)


def _merge(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in top.items():
        old = out.get(key)
        out[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return out


def _override(tree: dict[str, Any], override: str) -> None:
    dotted, equals, text = override.partition("=")
    if not equals:
        raise WrongValue(f"'{override}' is not an override.", "Write KEY=VALUE, e.g. optim.lr=3e-4.")
    *parents, last = dotted.split(".")
    node: Any = tree
    for key in parents:
        node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
        if not isinstance(node, dict | list):
            raise WrongValue(f"'{dotted}' does not name a field.")
    value = yaml.safe_load(text)
    if isinstance(node, list):
        node[int(last)] = value
    else:
        node[last] = value
