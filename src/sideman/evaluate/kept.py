"""What models have played is kept until an evaluation is done: one that broke off goes on where it stopped."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sideman import __version__
from sideman.data.pack import Pack, load_pack, make_pack
from sideman.engine.bundle import BundleFile
from sideman.engine.models import list_models
from sideman.errors import UnreadableFile
from sideman.evaluate.duet_systems import Duet
from sideman.evaluate.model_systems import ModelSystem, OptionsSystem
from sideman.evaluate.systems import System
from sideman.files import CannotWrite
from sideman.music.frames import Frames


@dataclass
class Kept:
    """A folder with a file for each system and set of pieces; `say` is told of what is taken over from there.

    A file is named by all that what was played depends on: models, temperatures, turns, pieces, seeds, version.
    """

    folder: Path
    say: Callable[[str], object]
    used: list[Path] = field(default_factory=list)

    def of(self, system: System, truth: Sequence[Frames]) -> System:
        """The system itself where it has no model (it is quick then), else one that keeps what it plays."""
        models = _models(system)
        return KeptSystem(system, [*models, _digest(_packed(truth))], self) if models else system

    def forget(self) -> None:
        """The evaluation is done."""
        for path in self.used:
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class KeptSystem:
    """Plays what `system` plays, or what it played before. `facts`: what that depends on, beside the seeds."""

    system: System
    facts: list[str]
    kept: Kept

    @property
    def name(self) -> str:
        return self.system.name

    @property
    def seeded(self) -> bool:
        return self.system.seeded

    def harmonise(self, melodies: Sequence[Frames], seeds: Sequence[int]) -> list[list[Frames]]:
        facts = [__version__, self.name, str(list(seeds)), *self.facts]
        path = self.kept.folder / f"{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}.npz"
        self.kept.used.append(path)
        try:
            pack = load_pack(path)
            self.kept.say(f"{self.name}: {len(melodies)} pieces taken over from an evaluation that broke off.")
        except UnreadableFile:
            pack = self._play(melodies, seeds, path)
        # Read from the pack in both cases: figures are then alike to the last digit.
        frames = [pack.frames(at) for at in range(len(pack))]
        return [frames[at : at + len(melodies)] for at in range(0, len(frames), len(melodies))]

    def _play(self, melodies: Sequence[Frames], seeds: Sequence[int], path: Path) -> Pack:
        runs = self.system.harmonise(melodies, seeds)
        pack = _packed([frames for run in runs for frames in run])
        try:
            pack.save(path)
        except CannotWrite as error:
            self.kept.say(f"{self.name}: what it played is not kept. {error.message}")
        return pack


def _models(system: System) -> list[str]:
    """The networks of a system and how they are asked."""
    if isinstance(system, ModelSystem):
        return [_weights(system.bundle.file), str(system.temperature)]
    if isinstance(system, OptionsSystem):
        return [(info.path / "bundle.json").read_text(encoding="utf-8") for info in list_models()]
    if isinstance(system, Duet):
        parts = (system.chords or (), system.melody or ())
        return [f"{_weights(seat.bundle.file)} {seat.temperature} {seat.frames}" for part in parts for seat in (*part,)]
    return []


def _weights(file: BundleFile) -> str:
    """What a network is and how much of a piece it hears."""
    return f"{file.checkpoint} {sorted(file.files.items())} {file.window} {file.follows_turns}"


def _packed(pieces: Sequence[Frames]) -> Pack:
    return make_pack("kept", [(str(number), "test", frames) for number, frames in enumerate(pieces)])


def _digest(pack: Pack) -> str:
    arrays = (pack.melody, pack.melody_onset, pack.chord, pack.chord_onset, pack.form, pack.chords, pack.starts)
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()
