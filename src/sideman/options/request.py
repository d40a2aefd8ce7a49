"""What can be asked of the options room, checked."""

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from sideman.errors import EmptyMelody, TooLarge, WrongValue
from sideman.music.cadence import Target
from sideman.music.frames import frame_count
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.song import ChordSpan, Song
from sideman.options.likeness import Style

Complexity = Literal["triads", "sevenths", "extensions"]
Tonality = Literal["lock", "free"]

MAX_OPTIONS = 16
MAX_FRAMES = 4096
DENSITIES = (0.05, 16.0)
# Nothing shorter than a frame can be kept or filled.
SHORTEST_BEATS = 1 / FRAMES_PER_BEAT
# Thirds of a beat, which floats cannot hold, stay in the frame they belong to.
SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Request:
    """N progressions for a melody. Beats are quarter notes from its start.

    `keep`: chords every option must have. `between`: only chords from the first to the second beat are
    made; outside, the song's own chords stay, or silence. `density`: chords a bar to aim at. `bass` and `surprise` are
    dials from 0 to 1; None is as it comes, for them and for all that follow `between`.
    """

    melody: Song
    n: int = 5
    seed: int = 0
    temperature: float = 1.0
    keep: tuple[ChordSpan, ...] = ()
    density: float | None = None
    between: tuple[float, float] | None = None
    complexity: Complexity | None = None
    bass: float | None = None
    key: Tonality | None = None
    cadence: Target | None = None
    like: Style | None = None
    surprise: float | None = None
    model: str | None = None

    @property
    def wanted_density(self) -> float | None:
        """Chords a bar to aim at: as said, else as in the example."""
        if self.density is not None or self.like is None:
            return self.density
        return min(max(self.like.density, DENSITIES[0]), DENSITIES[1])

    def check(self) -> None:
        """Raises WrongValue, EmptyMelody or TooLarge, saying which field is wrong."""
        if not self.melody.notes:
            raise EmptyMelody("The melody has no notes.", "Give a melody with at least one note.")
        self._check_notes()
        frames = frame_count(replace(self.melody, chords=()))
        if frames > MAX_FRAMES:
            raise TooLarge(
                f"The melody is {frames / 4:g} beats long; the limit is {MAX_FRAMES // 4}.",
                "Cut it into parts and ask for each.",
            )
        _within("n", self.n, 1, MAX_OPTIONS)
        _within("temperature", self.temperature, 0, 3)
        if self.density is not None:
            _within("density", self.density, *DENSITIES)
        for name, dial in (("bass", self.bass), ("surprise", self.surprise)):
            if dial is not None:
                _within(name, dial, 0, 1)
        if not 0 <= self.seed < 2**63:
            raise WrongValue(f"seed is {self.seed}.", "Give a whole number from 0 up.")
        if self.between is not None:
            self._check_between(frames / 4, *self.between)
        self._check_keeps(frames / 4)

    def _check_notes(self) -> None:
        for note in self.melody.notes:
            if not (math.isfinite(note.onset) and note.onset >= 0 and 0 < note.duration < math.inf):
                raise WrongValue(
                    f"A note starts at beat {note.onset:g} and lasts {note.duration:g}.",
                    "Notes need an onset from 0 up and a length above 0.",
                )
            _within("pitch", note.pitch, 0, 127)

    def _check_between(self, beats: float, first: float, last: float) -> None:
        if not (math.isfinite(first) and math.isfinite(last) and 0 <= first < last):
            raise WrongValue(f"between is {first:g} to {last:g}.", "Give two beats, the earlier one first.")
        start, stop = frames_between(first, last)
        if start >= stop:
            raise WrongValue(f"between is {first:g} to {last:g}.", "Leave room for a chord: a whole 16th, 0.25 beats.")
        if first >= beats:
            raise WrongValue(
                f"between starts at beat {first:g}, after the melody's end at {beats:g}.", "Begin before the end."
            )

    def _check_keeps(self, beats: float) -> None:
        spans = sorted(self.keep, key=lambda span: span.onset)
        for span in spans:
            if not (math.isfinite(span.onset) and span.onset >= 0 and 0 < span.duration < math.inf):
                raise WrongValue(
                    f"A kept chord starts at beat {span.onset:g} and lasts {span.duration:g}.",
                    "Kept chords need an onset from 0 up and a length above 0.",
                )
            if span.onset >= beats:
                raise WrongValue(
                    f"The kept {span.chord.name()} at beat {span.onset:g} lies after the melody's end at {beats:g}.",
                    "Leave it out, or give it an onset before the end.",
                )
            if span.duration < SHORTEST_BEATS - SLACK:
                raise WrongValue(
                    f"The kept {span.chord.name()} at beat {span.onset:g} lasts {span.duration:g} beats.",
                    "The shortest chord is a 16th, 0.25 beats.",
                )
        for one, two in pairwise(spans):
            if two.onset < one.offset - SLACK:
                raise WrongValue(
                    f"The kept chords {one.chord.name()} and {two.chord.name()} overlap at beat {two.onset:g}.",
                    "Shorten one of them.",
                )


def frames_between(first: float, last: float) -> tuple[int, int]:
    """(first, one past the last) of the whole frames between two beats."""
    return math.ceil(first * FRAMES_PER_BEAT - SLACK), int(last * FRAMES_PER_BEAT + SLACK)


def _within(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise WrongValue(f"{name} is {value:g}; it must be from {low:g} to {high:g}.")
