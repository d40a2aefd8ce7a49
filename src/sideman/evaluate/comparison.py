"""Systems by name on one set of pieces: their measures, and how they follow a melody that turns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sideman.engine.bundle import Bundle
from sideman.engine.models import find_model, open_model
from sideman.errors import UnknownModel, WrongValue
from sideman.evaluate.adaptation import Adaptation, adaptation
from sideman.evaluate.baselines import without_chords
from sideman.evaluate.columns import COLUMNS, Column
from sideman.evaluate.duet_systems import Duet
from sideman.evaluate.influence import influence_column
from sideman.evaluate.kept import Kept
from sideman.evaluate.perturb import Perturbation, perturb
from sideman.evaluate.pieces import Pieces
from sideman.evaluate.systems import Setting, System, make_partner, make_system
from sideman.evaluate.table import Result, evaluate
from sideman.music.frames import Frames
from sideman.progress import Advance

# Supervised networks of each part, who listen to the other one for the influence KL.
LISTENERS = {"chord": "online", "melody": "melody"}


@dataclass(frozen=True)
class Question:
    """What is asked of every set of pieces. `columns` stand beside COLUMNS; `partner` names melody models."""

    names: tuple[str, ...]
    seeds: int = 3
    columns: tuple[Column, ...] = ()
    perturbation: Perturbation | None = None
    partner: str | None = None

    def check(self) -> None:
        """Raises WrongValue."""
        if self.partner is not None and self.perturbation is not None:
            raise WrongValue("A partner plays its own melody, which cannot be perturbed.", "Leave one of the two out.")


@dataclass(frozen=True)
class Comparison:
    """`title` names the set of pieces; `adaptations` is empty where no melody was perturbed."""

    title: str
    pieces: Pieces
    results: list[Result]
    adaptations: list[Adaptation]


def compare(
    title: str,
    pieces: Pieces,
    train: Callable[[], Sequence[Frames]],
    question: Question,
    advance: Advance,
    kept: Kept | None = None,
) -> Comparison:
    """Ask all systems; `advance` is told of each one done, and `kept` has what was played before the last call broke
    off. Raises UnknownModel, WrongValue."""
    question.check()
    partner = make_partner(question.partner) if question.partner else None
    setting = Setting(pieces.truth, train, partner)
    systems = [make_system(name, setting) for name in dict.fromkeys(question.names)]
    results, adaptations = [], []
    for system in systems:
        columns = (*COLUMNS, *question.columns, *_influence(system))
        keeping = kept.of(system, pieces.truth) if kept else system
        results.append(evaluate(keeping, pieces.truth, question.seeds, columns))
        if question.perturbation is not None:
            turned = _turned(system.name, setting, question.perturbation, len(results[-1].runs), kept)
            adaptations.append(adaptation(system.name, results[-1].runs, turned, question.perturbation))
        advance(1)
    return Comparison(title, pieces, results, adaptations)


def _turned(
    name: str, setting: Setting, perturbation: Perturbation, seeds: int, kept: Kept | None
) -> list[list[Frames]]:
    """What the system of that name does on perturbed melodies, with the same seeds."""
    truth = [perturb(frames, perturbation) for frames in setting.truth]
    system = make_system(name, Setting(truth, setting.train))
    system = kept.of(system, truth) if kept else system
    return system.harmonise([without_chords(frames) for frames in truth], range(seeds))


def _influence(system: System) -> tuple[Column, ...]:
    """Both directions of the influence KL of two networks that play together, each one network throughout."""
    if not isinstance(system, Duet) or not system.chords or not system.melody:
        return ()
    if len(system.chords) > 1 or len(system.melody) > 1:
        return ()
    chords, melody = system.chords[0].bundle, system.melody[0].bundle
    return (
        influence_column("chord", chords, _listener("melody", melody)),
        influence_column("melody", melody, _listener("chord", chords)),
    )


def _listener(part: str, otherwise: Bundle) -> Bundle:
    """The supervised network of a part where there is one of the same chord list, else who plays it."""
    try:
        found = open_model(find_model(LISTENERS[part], "online"))
    except UnknownModel:
        return otherwise
    fits = (
        found.file.part == part and found.file.kind == "online" and found.vocabulary.names == otherwise.vocabulary.names
    )
    return found if fits else otherwise
