"""Everything that can put chords to a melody, behind one protocol, and the names they are called by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sideman.errors import UnknownModel
from sideman.evaluate import viterbi
from sideman.evaluate.baselines import KeyPrior, fit_key_prior
from sideman.music.frames import Frames


class System(Protocol):
    """Melodies in, the same melodies with chords out. `seeded` is False where every seed gives the same."""

    @property
    def name(self) -> str: ...

    @property
    def seeded(self) -> bool: ...

    def harmonise(self, melodies: Sequence[Frames], seed: int) -> list[Frames]: ...


@dataclass(frozen=True)
class Truth:
    """The chords the data have: hands out `pieces`, which must be the ones asked for, in their order."""

    pieces: Sequence[Frames]
    name: str = "truth"
    seeded: bool = False

    def harmonise(self, melodies: Sequence[Frames], seed: int) -> list[Frames]:
        if [len(m) for m in melodies] != [len(p) for p in self.pieces]:
            raise ValueError("ground truth was asked for other melodies than it holds")
        return list(self.pieces)


@dataclass(frozen=True)
class KeyPriorSystem:
    """The key-prior floor (`baselines.KeyPrior`); each piece has its own draw."""

    prior: KeyPrior
    name: str = "keyprior"
    seeded: bool = True

    def harmonise(self, melodies: Sequence[Frames], seed: int) -> list[Frames]:
        # Two numbers seed one generator: neighbouring seeds share no draws.
        return [self.prior.harmonise(melody, seed * 1_000_003 + at) for at, melody in enumerate(melodies)]


@dataclass(frozen=True)
class ViterbiSystem:
    """The harmoniser by rule (`viterbi.harmonise`)."""

    name: str = "viterbi"
    seeded: bool = False

    def harmonise(self, melodies: Sequence[Frames], seed: int) -> list[Frames]:
        return [viterbi.harmonise(melody) for melody in melodies]


@dataclass(frozen=True)
class Setting:
    """What a system may be made from: the ground truth of the evaluation, and the training pieces on demand."""

    truth: Sequence[Frames]
    train: Callable[[], Sequence[Frames]]


# Name -> how it is made. Systems that run a trained model are added here.
MAKERS: dict[str, Callable[[Setting], System]] = {
    "truth": lambda setting: Truth(setting.truth),
    "keyprior": lambda setting: KeyPriorSystem(fit_key_prior(setting.train())),
    "viterbi": lambda setting: ViterbiSystem(),
}


def make_system(name: str, setting: Setting) -> System:
    """The system called `name`. Raises UnknownModel."""
    if name not in MAKERS:
        raise UnknownModel(f"There is no system called '{name}'.", f"Known here: {', '.join(MAKERS)}.")
    return MAKERS[name](setting)
