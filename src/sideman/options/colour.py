"""Chords coloured after they were found: the same function in the kind of chord that was asked for.

The networks learned from tunes in which a ninth is rare. So a chord keeps its root and its third and takes, from a
palette, the tones that belong to the key, serve its function and go with the melody.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sideman.music.chord import QUALITIES, Chord
from sideman.music.frames import Frames
from sideman.music.measures import chord_events, inside_chord
from sideman.music.pitch import Key
from sideman.music.roman import in_key
from sideman.options.plan import Plan
from sideman.options.request import Complexity, Request

# Kinds of chords and how dear they are; of those that serve a chord equally well the first is taken.
_SEVENTHS = ("maj7", "m7", "7", "m7b5", "dim7", "6", "m6", "7sus4", "7#5")
_EXTENSIONS = ("maj9", "m9", "9", "13", "6/9", "m11", "9sus4", "7b9", "add9", "m(add9)", "maj7#11", "7#9")
_MASKS = {quality.name: quality.mask for quality in QUALITIES}
PALETTES: dict[Complexity, dict[int, float]] = {
    "triads": {},
    "sevenths": {_MASKS[name]: 0.0 for name in _SEVENTHS},
    "extensions": {_MASKS[name]: 0.0 for name in _EXTENSIONS},
}
# What a tone of the melody inside, all tones in the key, and the seventh of a dominant are worth.
_MELODY, _KEY, _DOMINANT, _EARLIER = 1.0, 1.5, 2.0, 0.01
_THIRD, _FIFTH = 0b11000, 0b111000000


def palette_of(request: Request) -> dict[int, float]:
    """Sets of tones to choose from, and what each is worth; empty where nothing is to be coloured."""
    own = PALETTES[request.complexity] if request.complexity else {}
    return own or ({} if request.like is None or request.complexity else dict(request.like.kinds))


def colour(frames: Frames, plan: Plan, keys: Sequence[Key], palette: dict[int, float], locked: bool) -> Frames:
    """Frames whose free chords are of the palette, where it has a kind that serves. `keys`: that of each frame, which
    is not left where it is `locked`."""
    start, stop, index = chord_events(frames)
    chords = [frames.chords[i] for i in index]
    made = []
    for at, (first, last) in enumerate(zip(start.tolist(), stop.tolist(), strict=True)):
        following = chords[at + 1] if at + 1 < len(chords) else None
        melody, key = frames.melody[first:last], keys[first]
        made.append(_colour(chords[at], following, melody, key, palette, locked) if plan.free[first] else chords[at])
    return with_chords(frames, start, stop, made)


def with_chords(
    frames: Frames, start: NDArray[np.integer], stop: NDArray[np.integer], chords: Sequence[Chord]
) -> Frames:
    """Frames with other `chords` from frames `start` to `stop`."""
    table = {chord: number for number, chord in enumerate(dict.fromkeys(chords))}
    out = frames.chord.copy()
    for first, last, chord in zip(start, stop, chords, strict=True):
        out[first:last] = table[chord]
    return replace(frames, chord=out, chords=tuple(table))


def _colour(
    chord: Chord,
    following: Chord | None,
    melody: NDArray[np.int16],
    key: Key,
    palette: dict[int, float],
    locked: bool,
) -> Chord:
    dominant = 4 in chord.tones and (
        chord.root == (key.tonic + 7) % 12 or (following is not None and (following.root - chord.root) % 12 == 5)
    )
    best, found = -np.inf, chord
    for order, (mask, share) in enumerate(palette.items()):
        if not _serves(chord.mask, mask):
            continue
        made = replace(chord, mask=mask, bass=chord.bass if mask >> chord.bass_interval & 1 else chord.root)
        belongs = in_key(made, key)
        if locked and not belongs:
            continue
        inside, both = inside_chord(melody, np.full(len(melody), made.pitch_class_mask))
        worth = share - _EARLIER * order + _KEY * belongs
        worth += _DOMINANT * (dominant == (mask >> 10 & 1 == 1 and mask >> 4 & 1 == 1)) * (mask >> 4 & 1)
        worth += _MELODY * float(inside.sum()) / max(1, int(both.sum()))
        if worth > best:
            best, found = worth, made
    return found


def _serves(chord: int, kind: int) -> bool:
    """Whether a kind has the third and the fifth of a chord, or does without them."""
    thirds, fifths = chord & _THIRD, chord & _FIFTH
    same_third = not kind & _THIRD or not thirds or kind & thirds == thirds
    same_fifth = not kind & _FIFTH or not fifths or bool(kind & fifths)
    suspended = bool(kind & 0b100100) and not kind & _THIRD and bool(thirds)
    return same_third and same_fifth and not suspended
