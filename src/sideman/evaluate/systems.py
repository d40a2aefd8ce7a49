"""Everything that can put chords to a melody, behind one protocol, and the names they are called by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sideman.engine.models import find_model, list_models, open_model
from sideman.errors import UnknownModel, WrongValue
from sideman.evaluate import viterbi
from sideman.evaluate.baselines import KeyPrior, fit_key_prior
from sideman.evaluate.model_systems import ModelSystem, OptionsSystem
from sideman.music.frames import Frames

MAX_TEMPERATURE = 3.0


class System(Protocol):
    """Melodies in, the same melodies with chords out. `seeded` is False where every seed gives the same."""

    @property
    def name(self) -> str: ...

    @property
    def seeded(self) -> bool: ...

    def harmonise(self, melodies: Sequence[Frames], seeds: Sequence[int]) -> list[list[Frames]]:
        """One run over all melodies for each seed."""
        ...


@dataclass(frozen=True)
class Truth:
    """The chords the data have: hands out `pieces`, which must be the ones asked for, in their order."""

    pieces: Sequence[Frames]
    name: str = "truth"
    seeded: bool = False

    def harmonise(self, melodies: Sequence[Frames], seeds: Sequence[int]) -> list[list[Frames]]:
        if [len(m) for m in melodies] != [len(p) for p in self.pieces]:
            raise ValueError("ground truth was asked for other melodies than it holds")
        return [list(self.pieces) for _ in seeds]


@dataclass(frozen=True)
class KeyPriorSystem:
    """The key-prior floor (`baselines.KeyPrior`); each piece has its own draw."""

    prior: KeyPrior
    name: str = "keyprior"
    seeded: bool = True

    def harmonise(self, melodies: Sequence[Frames], seeds: Sequence[int]) -> list[list[Frames]]:
        # Two numbers seed one generator: neighbouring seeds share no draws.
        return [[self.prior.harmonise(m, seed * 1_000_003 + at) for at, m in enumerate(melodies)] for seed in seeds]


@dataclass(frozen=True)
class ViterbiSystem:
    """The harmoniser by rule (`viterbi.harmonise`)."""

    name: str = "viterbi"
    seeded: bool = False

    def harmonise(self, melodies: Sequence[Frames], seeds: Sequence[int]) -> list[list[Frames]]:
        return [[viterbi.harmonise(melody) for melody in melodies] for _ in seeds]


@dataclass(frozen=True)
class Setting:
    """What a system may be made from: the ground truth of the evaluation, and the training pieces on demand."""

    truth: Sequence[Frames]
    train: Callable[[], Sequence[Frames]]


# Name -> how it is made. Any other name is a model's; see `make_system`.
MAKERS: dict[str, Callable[[Setting], System]] = {
    "truth": lambda setting: Truth(setting.truth),
    "keyprior": lambda setting: KeyPriorSystem(fit_key_prior(setting.train())),
    "viterbi": lambda setting: ViterbiSystem(),
    "options": lambda setting: OptionsSystem(),
}


def make_system(name: str, setting: Setting) -> System:
    """The system called `name`: one of MAKERS, or `MODEL` or `MODEL@TEMPERATURE` for samples of a model at a
    temperature of 1 or as given. Raises UnknownModel, WrongValue."""
    if name in MAKERS:
        return MAKERS[name](setting)
    model, at, text = name.partition("@")
    models = [info.name for info in list_models()]
    if model not in models:
        raise UnknownModel(f"There is no system called '{name}'.", f"Known here: {', '.join([*MAKERS, *models])}.")
    bundle = open_model(find_model(model))
    if bundle.file.part != "chord":
        raise UnknownModel(f"The model '{model}' makes melodies, not chords.", "Name a chord model.")
    return ModelSystem(bundle, name, _temperature(name, text) if at else 1.0)


def _temperature(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MAX_TEMPERATURE:
        raise WrongValue(
            f"'{name}' asks for a temperature of '{text}'.", f"Give 0 to {MAX_TEMPERATURE:g}, as in offline@0.8."
        )
    return value
