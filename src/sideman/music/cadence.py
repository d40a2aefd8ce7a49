"""How a progression ends: the cadence its last two harmonies make."""

from collections.abc import Sequence
from typing import Literal, get_args

from sideman.music.chord import Chord
from sideman.music.pitch import Key

# What can be asked for, and what can be found: a progression may also arrive at home from anywhere.
Target = Literal["authentic", "half", "plagal", "deceptive", "open"]
Cadence = Literal["authentic", "half", "plagal", "deceptive", "open", "tonic"]
TARGETS: tuple[Target, ...] = get_args(Target)


def cadence_of(chords: Sequence[Chord], key: Key) -> Cadence:
    """The cadence at the end of `chords`; a chord struck again, or turned over, is the same harmony."""
    if not chords:
        return "open"
    last = chords[-1]
    before = next((chord for chord in reversed(chords) if chord.root != last.root), None)
    if last.root == key.tonic:  # a major chord ends a piece in minor as well
        if before is not None and is_fifth(before, key):
            return "authentic"
        return "plagal" if before is not None and is_fourth(before, key) else "tonic"
    if is_fifth(last, key):
        return "half"
    return "deceptive" if is_sixth(last, key) and before is not None and is_fifth(before, key) else "open"


def is_fifth(chord: Chord, key: Key) -> bool:
    """A dominant of the key: on the fifth degree with the leading note or without a third."""
    return chord.root == (key.tonic + 7) % 12 and 3 not in chord.tones


def is_fourth(chord: Chord, key: Key) -> bool:
    """A chord on the fourth degree."""
    return chord.root == (key.tonic + 5) % 12


def is_sixth(chord: Chord, key: Key) -> bool:
    """The chord that stands in for the tonic: vi in major, VI in minor."""
    if key.mode == "major":
        return chord.root == (key.tonic + 9) % 12 and 4 not in chord.tones
    return chord.root == (key.tonic + 8) % 12 and 3 not in chord.tones
