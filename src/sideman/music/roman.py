"""Chords as musicians name them within a key: Roman numerals, and which chords a key has.

Lower case for a minor third; `V7/ii` is applied to the second degree; `I/3` has the third degree in the bass. In
minor the degrees are those of natural minor, so that `VI` in A minor is F.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sideman.music.chord import Chord, quality_name
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan
from sideman.music.tonality import KEYS, correlations, pitch_class_frames

# Scales on C as sets of pitch classes (bit 0 = C). Minor also has the leading note, but not beside the seventh degree.
MAJOR_SCALES = (0b101010110101,)
MINOR_SCALES = (0b010110101101, 0b100110101101)

_MAJOR_DEGREES = ("I", "bII", "II", "bIII", "III", "IV", "#IV", "V", "bVI", "VI", "bVII", "VII")
_MINOR_DEGREES = ("I", "bII", "II", "III", "#III", "IV", "#IV", "V", "VI", "#VI", "VII", "#VII")
_MAJOR_BASSES = ("1", "b2", "2", "b3", "3", "4", "#4", "5", "b6", "6", "b7", "7")
_MINOR_BASSES = ("1", "b2", "2", "3", "#3", "4", "#4", "5", "6", "#6", "7", "#7")
_SUFFIXES = {"m": "", "dim": "°", "dim7": "°7", "m7b5": "ø7", "aug": "+", "mMaj7": "maj7", "mMaj9": "maj9"}
# What it costs to leave a key, in chords that are foreign to it; and a chord that is not the tonic.
_CHANGE_OF_KEY, _NOT_TONIC = 3.0, 0.1


def scales(key: Key) -> tuple[int, ...]:
    """The pitch-class sets of a key, any of which may hold a chord of it."""
    plain = MAJOR_SCALES if key.mode == "major" else MINOR_SCALES
    return tuple((scale << key.tonic | scale << key.tonic >> 12) & 0xFFF for scale in plain)


def in_key(chord: Chord, key: Key) -> bool:
    """Whether all tones of a chord and its bass belong to the key."""
    tones = chord.pitch_class_mask | 1 << chord.bass
    return any(tones & ~scale == 0 for scale in scales(key))


def numeral(chord: Chord, key: Key, following: Chord | None = None) -> str:
    """Roman numeral of a chord in a key; a foreign dominant that resolves to the `following` chord is applied to it."""
    name = _applied(chord, key, following) or _degree(chord, key) + _suffix(chord)
    if chord.bass == chord.root:
        return name
    basses = _MAJOR_BASSES if key.mode == "major" else _MINOR_BASSES
    return f"{name}/{basses[(chord.bass - key.tonic) % 12]}"


def estimate_home(melody: NDArray[np.integer], spans: Sequence[ChordSpan]) -> Key:
    """The key of `melody`, int [F] (pitch or -1), under chords: the one that its tones and theirs fit best, less the
    share of the time that foreign chords take. Without chords as `estimate_key`."""
    weight, foreign, beats = pitch_class_frames(melody).astype(np.float64), np.zeros(len(KEYS)), 0.0
    for span in spans:
        tones = list(span.chord.pitch_classes)
        weight[tones] += span.duration * FRAMES_PER_BEAT / len(tones)
        foreign += span.duration * np.array([not in_key(span.chord, key) for key in KEYS])
        beats += span.duration
    return KEYS[int(np.argmax(correlations(weight) - foreign / (beats or 1.0)))]


def local_keys(chords: Sequence[Chord], home: Key) -> list[Key]:
    """The key of each chord: `home` unless several chords in a row speak for another one.

    The cheapest path: a foreign chord costs one, changing the key three, starting elsewhere than at home as well.
    """
    if not chords:
        return []
    foreign = np.array([_foreign(chord) for chord in chords])
    cost = np.where([key == home for key in KEYS], 0.0, _CHANGE_OF_KEY) + foreign[0]
    back = np.zeros(foreign.shape, np.int64)
    for at in range(1, len(chords)):
        best = int(cost.argmin())
        leave = cost[best] + _CHANGE_OF_KEY < cost
        back[at] = np.where(leave, best, np.arange(len(KEYS)))
        cost = np.where(leave, cost[best] + _CHANGE_OF_KEY, cost) + foreign[at]
    path = [int(cost.argmin())]
    for at in range(len(chords) - 1, 0, -1):
        path.append(int(back[at, path[-1]]))
    return [KEYS[number] for number in reversed(path)]


@lru_cache(maxsize=4096)
def _foreign(chord: Chord) -> NDArray[np.float64]:
    """What a chord costs in each of KEYS, [24]."""
    return np.array([
        (0.0 if in_key(chord, key) else 1.0) + (0.0 if is_tonic(chord, key) else _NOT_TONIC) for key in KEYS
    ])  # fmt: skip


def is_tonic(chord: Chord, key: Key) -> bool:
    """A chord on the first degree, without the third of the other mode."""
    wrong_third = 4 if key.mode == "minor" else 3
    right_third = 7 - wrong_third
    return chord.root == key.tonic and (wrong_third not in chord.tones or right_third in chord.tones)


def is_dominant(chord: Chord) -> bool:
    """A chord that wants to resolve a fifth down: a major triad, or with a minor seventh."""
    return (
        4 in chord.tones and 11 not in chord.tones and 9 not in chord.tones and (7 in chord.tones or 10 in chord.tones)
    )


def _applied(chord: Chord, key: Key, following: Chord | None) -> str:
    """`V7/ii` or `vii°7/V` for a foreign chord that resolves to a chord of the key other than its tonic."""
    if following is None or in_key(chord, key) or following.root == key.tonic or not in_key(following, key):
        return ""
    target = _degree(following, key)
    if is_dominant(chord) and (following.root - chord.root) % 12 == 5:
        return f"V{_suffix(chord)}/{target}"
    if {3, 6} <= set(chord.tones) and (following.root - chord.root) % 12 == 1:
        return f"vii{_suffix(chord)}/{target}"
    return ""


def _degree(chord: Chord, key: Key) -> str:
    degrees = _MAJOR_DEGREES if key.mode == "major" else _MINOR_DEGREES
    degree = degrees[(chord.root - key.tonic) % 12]
    if key.mode == "minor" and degree == "#VII" and 6 in chord.tones:
        degree = "VII"  # the leading-note chord, as everybody writes it
    return degree.lower() if 3 in chord.tones and 4 not in chord.tones else degree


def _suffix(chord: Chord) -> str:
    name = quality_name(chord.mask)
    if name in _SUFFIXES:
        return _SUFFIXES[name]
    minor = 3 in chord.tones and 4 not in chord.tones
    return name.removeprefix("m") if minor and not name.startswith("maj") else name
