"""Everything that can put chords to a melody, behind one protocol, and the names they are called by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sideman.errors import WrongValue
from sideman.evaluate import viterbi
from sideman.evaluate.baselines import KeyPrior, fit_key_prior
from sideman.evaluate.duet import Seat
from sideman.evaluate.duet_systems import Duet
from sideman.evaluate.model_systems import ModelSystem, OptionsSystem
from sideman.evaluate.seats import parse_seats
from sideman.music.frames import Frames


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
    """What a system may be made from: the ground truth of the evaluation, the training pieces on demand, and the melody
    networks that play with it (none: the melodies are the data's)."""

    truth: Sequence[Frames]
    train: Callable[[], Sequence[Frames]]
    partner: tuple[Seat, ...] | None = None


GIVEN = "given"
# Name -> how it is made. Any other name is a model's; see `make_system`.
MAKERS: dict[str, Callable[[Setting], System]] = {
    "truth": lambda setting: Truth(setting.truth),
    "keyprior": lambda setting: KeyPriorSystem(fit_key_prior(setting.train())),
    "viterbi": lambda setting: ViterbiSystem(),
    "options": lambda setting: OptionsSystem(),
}


def make_system(name: str, setting: Setting) -> System:
    """The system called `name`: one of MAKERS, or samples of models: `MODEL` or `MODEL@TEMPERATURE`, a folder in place
    of a name, and `MODEL:FRAMES,MODEL:FRAMES` for models that take turns. With a partner, `given` are the data's
    chords. Raises UnknownModel, WrongValue."""
    if setting.partner is not None:
        return _with_partner(name, setting)
    if name in MAKERS:
        return MAKERS[name](setting)
    seats = parse_seats(name, "chord", tuple(MAKERS))
    if len(seats) == 1 and not seats[0].frames:
        return ModelSystem(seats[0].bundle, name, seats[0].temperature)
    _check_online(name, seats)
    return Duet(name, setting.truth, seats, None)


def make_partner(name: str) -> tuple[Seat, ...]:
    """The melody networks called `name`. Raises UnknownModel, WrongValue."""
    seats = parse_seats(name, "melody")
    _check_online(name, seats)
    return seats


def _with_partner(name: str, setting: Setting) -> System:
    if name == "truth":
        return Truth(setting.truth)
    if name == GIVEN:
        return Duet(name, setting.truth, None, setting.partner)
    if name in MAKERS:
        raise WrongValue(f"'{name}' needs the whole melody before it plays.", "A partner plays with online models.")
    seats = parse_seats(name, "chord", ("truth", GIVEN))
    _check_online(name, seats)
    return Duet(name, setting.truth, seats, setting.partner)


def _check_online(name: str, seats: tuple[Seat, ...]) -> None:
    if any(seat.bundle.file.kind != "online" for seat in seats):
        raise WrongValue(f"'{name}' names a model that needs the whole melody.", "Name online models, such as gapt.")
