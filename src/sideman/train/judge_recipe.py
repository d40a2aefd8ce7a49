"""The recipe of a judge of sheets (spec 7.3, made small). Every field is explained in docs/preference.md."""

from typing import Literal

import msgspec

from sideman.models.m3 import M3Config
from sideman.models.transformer import Share, Size
from sideman.train.recipe import AtLeastZero, Name, OptimConfig, Positive, Seed, check_seeds
from sideman.train.sheet_recipe import SheetDataConfig

_SMALL = M3Config(width=128, depth=4, heads=4, ff_width=384, length=512, reader_depth=1, dropout=0.0)


class JudgeRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two views of each piece a step, `data.length` patches each; one has `masked` of its patches hidden, of which
    `fills` a step are asked for. `fill`: weight of that loss beside the contrastive one. `spoiled`: the other view is
    told from itself with wrong notes as well. Others as in `Recipe`."""

    stage: Literal["sheet-judge"]
    data: SheetDataConfig
    run: Name
    start: str | None = None
    model: M3Config = _SMALL
    masked: Share = 0.45
    fills: Size = 256
    fill: AtLeastZero = 1.0
    spoiled: bool = True
    optim: OptimConfig = OptimConfig()
    seed: Seed = 42
    seeds: tuple[Seed, ...] = ()
    batch: Size = 32
    accumulate: Literal[1] = 1
    steps: Size = 1000
    precision: Literal["auto", "bf16-mixed", "32-true"] = "auto"
    devices: Literal[1] = 1
    nodes: Literal[1] = 1
    compile: bool = False
    max_minutes: Positive | None = None
    log_every: Size = 10
    validate_every: Size = 250
    validate_pieces: Size = 128
    checkpoint_every: Size = 250
    sample_every: Size = 1000
    tensorboard: bool = False
    wandb: str | None = None

    def __post_init__(self) -> None:
        check_seeds(self.seeds)
        if self.batch < 2:
            raise ValueError("a judge tells pieces of one batch apart: set batch to 2 or more")
        if self.data.length > self.model.length:
            raise ValueError(f"views of {self.data.length} patches do not fit a network of {self.model.length}")
