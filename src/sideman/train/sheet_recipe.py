"""The recipe of a sheet model (NotaGen spec 5). Every field is explained in docs/training.md."""

from typing import Annotated, Literal

import msgspec

from sideman.models.sheet import SheetConfig
from sideman.models.transformer import Size, StackConfig
from sideman.train.recipe import AtLeastZero, Name, OptimConfig, Positive, Seed, check_parts, check_seeds

_PATCHES = StackConfig(width=256, depth=6, heads=4, ff_width=704, dropout=0.0, norm="layer")
_CHARS = StackConfig(
    width=128, depth=2, heads=4, head_width=32, ff_width=352, dropout=0.0, norm="layer", positions="learned", span=17
)


class SheetDataConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is trained on. `weights`: share of each collection in the mix; all pieces alike if empty. `composers`: whose
    pieces, named as in the prompts; everybody's if empty. `keys`: each piece in any of 15 keys, in one near to its own
    (spec 5.3), or in its own. `length`: most patches of an example; of longer pieces the head, the tail or a middle is
    taken. `prompts`: begin with period, composer and instrumentation where they are known."""

    pack: str
    weights: dict[str, AtLeastZero] = {}
    composers: tuple[str, ...] = ()
    keys: Literal["all", "near", "own"] = "all"
    length: Annotated[int, msgspec.Meta(ge=8)] = 1024
    prompts: bool = True


class SheetRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stage of a sheet model: pre-training, or with `start` fine-tuning. Fields as in `Recipe`."""

    stage: Literal["sheet"]
    data: SheetDataConfig
    run: Name
    start: str | None = None
    model: SheetConfig = SheetConfig(_PATCHES, _CHARS)
    optim: OptimConfig = OptimConfig()
    seed: Seed = 42
    seeds: tuple[Seed, ...] = ()
    batch: Size = 4
    accumulate: Size = 1
    steps: Size = 1000
    precision: Literal["auto", "bf16-mixed", "32-true"] = "auto"
    devices: Size = 1
    nodes: Size = 1
    compile: bool = False
    max_minutes: Positive | None = None
    log_every: Size = 10
    validate_every: Size = 250
    validate_pieces: Size = 32
    checkpoint_every: Size = 250
    sample_every: Size = 1000
    tensorboard: bool = False
    wandb: str | None = None

    def __post_init__(self) -> None:
        check_seeds(self.seeds)
        check_parts(self.batch, self.accumulate * self.devices * self.nodes)
