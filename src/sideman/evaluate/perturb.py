"""Melodies that turn to another key in the middle: how soon does an accompanist follow (spec 7)?"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from sideman.errors import WrongValue
from sideman.music.frames import SILENT, WINDOW_FRAMES, Frames
from sideman.music.metre import FRAMES_PER_BEAT


@dataclass(frozen=True, slots=True)
class Turn:
    """At beat `beat` (from 0) the melody moves by `step` semitones and stays there up to beat `until`."""

    beat: int
    until: int
    step: int


@dataclass(frozen=True)
class Perturbation:
    """`shifts`: (beat, semitones above the original from there on), ascending."""

    name: str
    shifts: tuple[tuple[int, int], ...]

    @property
    def turns(self) -> list[Turn]:
        ends = [*self.shifts, (WINDOW_FRAMES // FRAMES_PER_BEAT, 0)]
        before = [0, *(shift for _, shift in self.shifts)]
        return [
            Turn(beat, until, shift - last)
            for ((beat, shift), (until, _)), last in zip(pairwise(ends), before, strict=False)
        ]


PERTURBATIONS = {
    one.name: one
    for one in (
        Perturbation("single_transpose_6", ((16, 6),)),
        Perturbation("multiple_transpose", ((8, 6), (16, 4), (24, -10), (32, 0))),
    )
}


def find_perturbation(name: str) -> Perturbation:
    """Raises WrongValue."""
    if name not in PERTURBATIONS:
        raise WrongValue(f"There is no perturbation '{name}'.", f"There are: {', '.join(PERTURBATIONS)}.")
    return PERTURBATIONS[name]


def perturb(frames: Frames, perturbation: Perturbation) -> Frames:
    """The melody moved, and the chords of the data with it: what people would have played.

    What sounds across a turn is struck again there, as nothing can be held that is something else (the reference
    leaves a hold of another pitch). Pitches that leave 0..127 fold by an octave.
    """
    shift = np.zeros(len(frames), np.int64)
    for beat, semitones in perturbation.shifts:
        shift[beat * FRAMES_PER_BEAT :] = semitones
    turned = np.diff(shift, prepend=0) != 0
    pitch = frames.melody + shift
    pitch += 12 * (pitch < 0) - 12 * (pitch > 127)
    sounding, chorded = frames.melody != SILENT, frames.chord != SILENT
    pairs, index = np.unique(np.stack([frames.chord, shift], 1)[chorded], axis=0, return_inverse=True)
    moved = [frames.chords[chord].transpose(int(semitones)) for chord, semitones in pairs.tolist()]
    table = {chord: number for number, chord in enumerate(dict.fromkeys(moved))}
    chord = np.full(len(frames), SILENT, np.int16)
    chord[chorded] = np.array([table[one] for one in moved], np.int16)[index.ravel()]
    return replace(
        frames,
        melody=np.where(sounding, pitch, SILENT).astype(np.int16),
        melody_onset=frames.melody_onset | (turned & sounding),
        chord=chord,
        chord_onset=frames.chord_onset | (turned & chorded),
        chords=tuple(table),
    )
