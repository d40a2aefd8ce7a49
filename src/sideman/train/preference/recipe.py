"""The recipe of the `sheet-dpo` stage. Every field is explained in docs/preference.md."""

from typing import Annotated, Literal

import msgspec

from sideman.models.transformer import Size
from sideman.music.sheet.features import COPIED
from sideman.music.sheet.prompts import Prompt
from sideman.train.recipe import AtLeastZero, Name, OptimConfig, Positive, Seed, check_seeds
from sideman.train.sheet_recipe import SheetDataConfig

Unit = Annotated[float, msgspec.Meta(ge=0, le=1)]
Portion = Annotated[float, msgspec.Meta(gt=0, le=0.5)]
SLOW = OptimConfig(lr=1e-6, betas=(0.9, 0.999), weight_decay=0.01, schedule="constant", warmup=0)


class SamplingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How characters are drawn (spec 4.1). `bars`: how many a piece is told to have, or as it likes; `longest`:
    characters after which it is given up; `constrained`: voice bars that do not fit together are written again, as
    `sideman compose` has it, without which a young model has no piece to choose."""

    top_k: Annotated[int, msgspec.Meta(ge=0, le=128)] = 9
    top_p: Unit = 0.9
    temperature: Positive = 1.2
    bars: Size | None = None
    longest: Size = 102_400
    constrained: bool = False


class PreferenceRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """CLaMP-DPO: `rounds` times generate `pieces`, have `judge` rank them, learn `updates` steps from the best and the
    worst `portion`. `data`: the real pieces that the judge compares with; `prompts`: what pieces are asked for, one
    after the other, or no prompt."""

    stage: Literal["sheet-dpo"]
    data: SheetDataConfig
    run: Name
    start: str
    judge: str
    prompts: tuple[tuple[str, str, str], ...] = ()
    sampling: SamplingConfig = SamplingConfig()
    rounds: Size = 3
    pieces: Size = 1000
    together: Size = 16
    portion: Portion = 0.1
    copied: Unit = COPIED
    beta: Positive = 0.1
    lambda_: AtLeastZero = msgspec.field(name="lambda", default=10.0)
    updates: Size = 10_000
    batch: Size = 1
    optim: OptimConfig = SLOW
    diversity: Unit = 0.8
    seed: Seed = 42
    seeds: tuple[Seed, ...] = ()
    precision: Literal["auto", "bf16-mixed", "32-true"] = "32-true"
    max_minutes: Positive | None = None
    log_every: Size = 10
    validate_pieces: Size = 16
    checkpoint_every: Size = 100
    tensorboard: bool = False
    wandb: str | None = None

    def __post_init__(self) -> None:
        check_seeds(self.seeds)
        if int(self.pieces * self.portion) < 1:
            raise ValueError(f"{self.pieces} pieces with portion {self.portion:g} are none to choose")

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return self.rounds * self.updates

    def prompt(self, number: int) -> Prompt:
        """What piece `number` of a round is asked to be."""
        return Prompt(*self.prompts[number % len(self.prompts)]) if self.prompts else Prompt()
