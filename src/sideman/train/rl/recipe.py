"""The recipe of the `rl` stage. Every field is explained in docs/training.md."""

from typing import Annotated, Literal

import msgspec

from sideman.models.transformer import Size, StackConfig
from sideman.music.vocabulary import PartName
from sideman.train.recipe import AtLeastZero, DataConfig, Name, OptimConfig, Positive, Seed, check_seeds

Unit = Annotated[float, msgspec.Meta(ge=0, le=1)]
SLOW = OptimConfig(lr=9e-5, weight_decay=0.0, warmup=800, final=0.1)


class NetworkReward(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trained reward network, or an ensemble of them: with `seeds`, one at `path-SEED` for each, and each with
    `weight`. `windows`: lengths in frames of the parts it judges; the whole sequence if empty."""

    path: str
    seeds: tuple[Seed, ...] = ()
    weight: float = 1.0
    windows: tuple[Size, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Where each network is."""
        return tuple(f"{self.path}-{seed}" for seed in self.seeds) or (self.path,)


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights of the rule rewards (spec 6.3). `note_in_chord` is no part of the method: it is what is measured."""

    early_stop: float = 1.0
    invalid: float = 1.0
    silence: float = 1.0
    long_note: float = 0.0
    repetition: float = 1.0
    note_in_chord: float = 0.0


class AdversaryConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A discriminator that learns to tell our chords from people's, and the reward for deceiving it (spec 6.6).

    Updated in steps that are a multiple of `every` (and in the first) up to step `until`; with `average`, later too
    whenever its reward over the last `memory` steps was above `threshold`.
    """

    stack: StackConfig = StackConfig(causal=False)
    optim: OptimConfig = SLOW
    weight: float = 1.0
    windows: tuple[Size, ...] = ()
    reward: Literal["logits_prob_log", "prob", "logits"] = "logits_prob_log"
    smoothing: Unit = 0.1
    strategy: Literal["average", "steps"] = "average"
    every: Size = 5
    memory: Size = 3
    threshold: float = 1.0
    until: Size = 200
    pitch_classes: bool = False


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a checkpoint must keep to be called the best, however well its notes fit."""

    silence: Unit = 0.04
    length_entropy: AtLeastZero = 1.6
    density: AtLeastZero | None = None
    conjunct: Unit = 0.0


class RlRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """PPO from an online model towards an offline one and what reward networks and rules ask for, with a critic
    (gae) or without (grpo, to_go).

    `steps` counts rollouts of `batch` sequences; each is learned from in `epochs` passes of `minibatch` sequences.
    """

    stage: Literal["rl"]
    data: DataConfig
    run: Name
    start: str
    anchor: str
    part: PartName = "chord"
    networks: tuple[NetworkReward, ...] = ()
    rules: Rules = Rules()
    adversary: AdversaryConfig | None = None
    grammar: bool = False
    estimator: Literal["gae", "grpo", "to_go"] = "gae"
    critic: Literal["copy", "head"] = "copy"
    group: Size = 8
    kl: AtLeastZero = 0.001
    kl_loss: AtLeastZero = 0.0
    reverse_kl: bool = False
    entropy: AtLeastZero = 0.0
    clip: Positive = 0.2
    gamma: Unit = 1.0
    lambda_: Unit = msgspec.field(name="lambda", default=0.95)
    optim: OptimConfig = OptimConfig(lr=5e-6, weight_decay=0.0, warmup=800, final=0.1)
    critic_optim: OptimConfig = SLOW
    seed: Seed = 42
    seeds: tuple[Seed, ...] = ()
    batch: Size = 384
    minibatch: Size = 48
    epochs: Size = 1
    accumulate: Size = 1
    steps: Size = 1000
    precision: Literal["auto", "bf16-mixed", "32-true"] = "32-true"
    devices: Size = 1
    nodes: Size = 1
    max_minutes: Positive | None = None
    log_every: Size = 1
    validate_every: Size = 200
    validate_pieces: Size = 64
    checkpoint_every: Size = 100
    limits: Limits = Limits()
    reward_vram_swap: bool = False
    logits_vram_swap: bool = False
    trainer_empty_cache: bool = False
    buffer_cpu_offload: bool = False
    tensorboard: bool = False
    wandb: str | None = None

    def __post_init__(self) -> None:
        check_seeds(self.seeds)
        if self.batch % self.minibatch:
            raise ValueError(f"a batch of {self.batch} cannot be divided into minibatches of {self.minibatch}")
        parts = self.accumulate * self.devices * self.nodes
        if self.minibatch < parts:
            raise ValueError(
                f"a minibatch of {self.minibatch} cannot be divided into {parts} (accumulate x devices x nodes)"
            )
        if self.estimator != "gae" and (self.batch % self.group or self.group < 2):
            raise ValueError(f"a batch of {self.batch} cannot be divided into groups of {self.group} (2 or more)")

    @property
    def updates(self) -> int:
        """Optimiser steps a rollout."""
        return self.epochs * (self.batch // self.minibatch)
