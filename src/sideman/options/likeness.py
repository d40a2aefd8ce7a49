"""Style by example: what is typical of some chords, and how much of it others have."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sideman.errors import WrongValue
from sideman.music.chord import Chord
from sideman.music.song import ChordSpan

MAX_CHORDS = 4096
# How alike two kinds of chords are falls by this factor with every tone that only one of them has.
_A_TONE = 0.3


@dataclass(frozen=True)
class Style:
    """`kinds`: share of each set of tones (12-bit masks over the root); `motions` [12]: share of each step from root
    to root, in semitones up; `density`: changes a bar."""

    kinds: dict[int, float]
    motions: NDArray[np.float64]
    density: float

    @classmethod
    def of(cls, chords: Sequence[Chord], bars: float) -> "Style":
        """The style of chords, each other than the one before, that last so many bars."""
        changes = [chord for at, chord in enumerate(chords) if at == 0 or chord != chords[at - 1]]
        steps = np.zeros(12)
        for one, two in pairwise(changes):
            steps[(two.root - one.root) % 12] += 1
        total = max(1, len(changes))
        kinds = {mask: count / total for mask, count in Counter(chord.mask for chord in changes).items()}
        return cls(kinds, steps / max(1.0, steps.sum()), len(changes) / max(bars, 1e-6))

    @classmethod
    def of_spans(cls, spans: Sequence[ChordSpan], bar_beats: float) -> "Style":
        """The style of chords in time, silences left out. Raises WrongValue for none."""
        if not spans:
            raise WrongValue("like: there is no chord in it.", 'Give a chart such as "Dm9 | G13 | Cmaj9".')
        return cls.of([span.chord for span in spans], sum(span.duration for span in spans) / bar_beats)

    def kinship(self, mask: int) -> float:
        """How typical a kind of chord is, 0..1: its own share, and part of those of its relatives."""
        return sum(share * _A_TONE ** (mask ^ kind).bit_count() for kind, share in self.kinds.items())

    def likeness(self, other: "Style") -> float:
        """1 for the same density, steps and kinds of chords, 0 for nothing in common."""
        kinds = sum(share * other.kinship(mask) / max(self.kinship(mask), 1e-9) for mask, share in self.kinds.items())
        motions = float(np.minimum(self.motions, other.motions).sum()) if self.motions.any() else 1.0
        density = max(0.0, 1.0 - abs(math.log2(max(other.density, 1e-3) / max(self.density, 1e-3))))
        return (min(1.0, kinds) + motions + density) / 3


def read_chart(text: str) -> Style:
    """The style of a chart such as `Dm9 | G13 . Cmaj9 . | %`. Raises UnknownChord, WrongValue."""
    bars: list[list[str]] = []
    for bar in text.replace("\n", "|").split("|"):
        if bar.strip():
            bars.append(bars[-1] if bar.strip() == "%" and bars else bar.split())
    spans: list[ChordSpan] = []
    for number, places in enumerate(bars):
        for at, place in enumerate(places):
            _write(spans, place, number + at / len(places), 1 / len(places))
    if len(spans) > MAX_CHORDS:
        raise WrongValue(f"like has {len(spans)} chords; {MAX_CHORDS} is the most.")
    return Style.of_spans(spans, 1.0)


def _write(spans: list[ChordSpan], place: str, onset: float, length: float) -> None:
    """One place of a chart; `.` prolongs what sounds."""
    if place in (".", "/"):
        if spans and math.isclose(spans[-1].offset, onset, abs_tol=1e-6):
            last = spans.pop()
            spans.append(ChordSpan(last.onset, last.duration + length, last.chord))
        return
    chord = Chord.parse(place)
    if chord is not None:
        spans.append(ChordSpan(onset, length, chord))
