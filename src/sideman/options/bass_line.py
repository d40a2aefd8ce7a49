"""A smoother bass: chords turned over so that the lowest notes step instead of leap."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sideman.music.chord import Chord
from sideman.music.frames import Frames
from sideman.music.measures import chord_events
from sideman.options.colour import with_chords
from sideman.options.plan import Plan

# What a tone in the bass costs beside the motion, in semitones: the third is the natural one, six-four chords hang.
_INVERSION = {0: 0.0, 3: 0.6, 4: 0.6, 6: 1.5, 7: 1.5, 8: 1.5}
_OTHER_TONE = 1.2
_ALWAYS, _ROOTS = 1.0, 2.0  # of these costs at 1, and what is added towards 0
_UP = (np.arange(12) - np.arange(12)[:, None]) % 12
_STEPS = np.minimum(_UP, 12 - _UP)  # [12, 12]: semitones between two pitch classes, the shorter way

# What each of these steps costs: a bass that stays is no line.
_PRICES = np.array([1.0, 0.5, 0.5, 2.0, 3.0, 4.0, 5.0])


def lead_bass(frames: Frames, plan: Plan, smoothness: float) -> Frames:
    """Frames with a bass for every chord that was not given: at 0 its root, at 1 the cheapest path of steps through the
    chords. The last one stands on its root."""
    start, stop, chord = chord_events(frames)
    if not len(start):
        return frames
    chords = [frames.chords[i] for i in chord]
    free = plan.free[start]
    choices = [_inversions(each) if open_ else (each,) for each, open_ in zip(chords, free.tolist(), strict=True)]
    if free[-1]:
        choices[-1] = choices[-1][:1]
    chosen = _cheapest(choices, smoothness)
    return with_chords(frames, start, stop, chosen)


def smoothness_of(chords: list[Chord], wanted: float) -> float:
    """How well a bass line does what the dial asks for, 0..1: basses that step at 1, roots at 0."""
    if len(chords) < 2:
        return 1.0
    basses = np.array([chord.bass for chord in chords])
    step = 1.0 - float(_STEPS[basses[:-1], basses[1:]].mean()) / 6
    roots = sum(chord.bass == chord.root for chord in chords) / len(chords)
    return wanted * step + (1 - wanted) * roots


def _inversions(chord: Chord) -> tuple[Chord, ...]:
    """The chord over its root first, then over each other tone."""
    return tuple(replace(chord, bass=(chord.root + tone) % 12) for tone in sorted(chord.tones))


def _cheapest(choices: list[tuple[Chord, ...]], smoothness: float) -> list[Chord]:
    """One of each, so that motion and inversions together cost least (Viterbi)."""
    weight = _ALWAYS + _ROOTS * (1 - smoothness)
    cost = np.array([weight * _price(chord) for chord in choices[0]])
    back: list[NDArray[np.int64]] = []
    for before, here in pairwise(choices):
        total = cost[:, None] + smoothness * _PRICES[_STEPS[np.ix_([a.bass for a in before], [b.bass for b in here])]]
        back.append(total.argmin(0))
        cost = total.min(0) + np.array([weight * _price(chord) for chord in here])
    at = int(cost.argmin())
    path = [choices[-1][at]]
    for here, came in zip(reversed(choices[:-1]), reversed(back), strict=True):
        at = int(came[at])
        path.append(here[at])
    return path[::-1]


def _price(chord: Chord) -> float:
    return _INVERSION.get(chord.bass_interval, _OTHER_TONE)
