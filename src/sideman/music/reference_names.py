"""Chord names as the published checkpoints know them (spec 1.3): lossy, and kept for them alone.

`name_of` turns a root and intervals into such a name, `read_name` turns a name into pitch classes.
Both keep the habits the weights were trained with: added tones vanish on some roots, and a written
`(add7)` reads as the minor seventh. Our own spelling, without loss, is in `chord.py`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise, product
from typing import Literal

import numpy as np

from sideman.errors import UnknownChord
from sideman.music.chord import Chord
from sideman.music.pitch import FLAT_NAMES, parse_pitch_class
from sideman.music.vocabulary import Vocabulary, from_names, own_vocabulary

Spelling = Literal["own", "reference"]

# Kinds in order of precedence: spellings (the first is written, all are read) and degrees.
_MINOR_MAJOR = "mmaj7 mM7 minmaj7 minM7 -maj7 -M7 m(maj7) m(M7) min(maj7) min(M7) -(maj7) -(M7)"
_KINDS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = tuple(
    (tuple(spellings.split(" ")), tuple(degrees.split(" ")))
    for spellings, degrees in (
        (" maj M", "1 3 5"), ("m min -", "1 b3 5"), ("+ aug", "1 3 #5"), ("o dim", "1 b3 b5"), ("7", "1 3 5 b7"),
        ("maj7 M7", "1 3 5 7"), ("m7 min7 -7", "1 b3 5 b7"), ("o7 dim7", "1 b3 b5 bb7"), ("+7 aug7", "1 3 #5 b7"),
        ("m7b5 -7b5 /o /o7", "1 b3 b5 b7"), (_MINOR_MAJOR, "1 b3 5 7"), ("6", "1 3 5 6"), ("m6 min6 -6", "1 b3 5 6"),
        ("9", "1 3 5 b7 9"), ("maj9 M9", "1 3 5 7 9"), ("m9 min9 -9", "1 b3 5 b7 9"), ("+9 aug9", "1 3 #5 b7 9"),
        ("6/9", "1 3 5 6 9"), ("11", "1 3 5 b7 9 11"), ("maj11 M11", "1 3 5 7 9 11"),
        ("m11 min11 -11", "1 b3 5 b7 9 11"), ("13", "1 3 5 b7 9 11 13"), ("maj13 M13", "1 3 5 7 9 11 13"),
        ("m13 min13 -13", "1 b3 5 b7 9 11 13"), ("sus2", "1 2 5"), ("sus sus4", "1 4 5"), ("sus7 7sus", "1 4 5 b7"),
        ("ped", "1"), ("5", "1 5"),
    )
)  # fmt: skip

# Degree names a semitone distance from the root may have, in order of preference.
_DEGREES = (
    ("1",), ("b2", "b9"), ("2", "9"), ("b3", "#9"), ("3",), ("4", "11"), ("b5", "#11"), ("5",), ("#5", "b13"),
    ("6", "bb7", "13"), ("b7",), ("7",),
)  # fmt: skip
_MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)

_ROOT = r"[A-G](?:#*|b*)(?![#b])"
_MODIFIER = r"\(?(?:add#|addb|add|no|#|b)\d+\)?"
_SPELLINGS = "|".join(re.escape(spelling) for spellings, _ in _KINDS for spelling in spellings)
_NAME = re.compile(rf"({_ROOT})({_SPELLINGS})((?:{_MODIFIER})*)(?:/({_ROOT}))?")
_EDIT = re.compile(r"(add#|addb|add|no|#|b)(\d+)")
_ALTERATION = {"add#": 1, "addb": -1, "add": 0, "#": 1, "b": -1}


@dataclass(frozen=True, slots=True)
class ReadName:
    """What a name means: pitch classes (root first, the bass not among them unless it is a tone) and the bass."""

    pitch_classes: tuple[int, ...]
    bass: int

    @property
    def pitches(self) -> tuple[int, ...]:
        """What sounds, as MIDI pitches: the bass from C2 (36), all tones folded into the octave from C3 (48)."""
        return (36 + self.bass, *sorted(48 + p for p in self.pitch_classes))


@lru_cache(maxsize=16384)
def name_of(root: int, intervals: tuple[int, ...]) -> str:
    """Root pitch class and successive intervals in semitones -> name, e.g. (9, (3, 4)) -> `Am`.

    Raises UnknownChord where no kind fits.
    """
    pitches = list(accumulate(intervals, initial=root))
    bass = min(pitches) % 12
    # The order in which CPython walks these sets decides ties, so it must be these sets, built like this.
    pitch_classes = [bass, *({pitch % 12 for pitch in pitches} - {bass})]
    best: _Reading | None = None
    best_root = bass
    for candidate in pitch_classes:
        reading = _read_as(tuple({(p - candidate) % 12 for p in pitch_classes}))
        if reading and (best is None or len(reading.degrees) > len(best.degrees)):
            best, best_root = reading, candidate
    if best is None:
        raise UnknownChord(f"The reference has no name for {sorted(pitch_classes)} over {bass}.")
    suffix = "".join(_suffix(degree, best.degrees) for degree in _after_bass_rule(best, bass))
    slash = "" if bass == best_root else f"/{FLAT_NAMES[bass]}"
    return FLAT_NAMES[best_root] + best.kind + suffix + slash


@dataclass(frozen=True, slots=True)
class _Reading:
    """A kind, its degrees, and the names all tones got (the kind's degrees are among them)."""

    kind: str
    degrees: tuple[str, ...]
    names: tuple[str, ...]


@lru_cache(maxsize=16384)
def _read_as(tones: tuple[int, ...]) -> _Reading | None:
    """The largest kind within `tones` (semitones above the root, in the order given)."""
    best: _Reading | None = None
    for names in product(*(_DEGREES[tone] for tone in tones)):
        if len({_number(name) for name in names}) < len(names):
            continue
        for spellings, degrees in _KINDS:
            if (best is None or len(degrees) > len(best.degrees)) and set(degrees) <= set(names):
                best = _Reading(spellings[0], degrees, names)
    return best


def _after_bass_rule(reading: _Reading, bass: int) -> tuple[str, ...]:
    """The names without those that the *absolute* bass pitch class would have as a degree (a slip of the reference)."""
    of_bass = _DEGREES[bass]
    if set(of_bass) & set(reading.degrees):
        return reading.names
    return tuple(name for name in reading.names if name not in of_bass)


def _suffix(name: str, degrees: tuple[str, ...]) -> str:
    """How a tone outside the kind is written; the kind's own tones need nothing."""
    if name in degrees:
        return ""
    altered_extension = name[0] in "#b" and _number(name) > 7
    return f"({name})" if altered_extension else f"(add{name})"


def _number(degree: str) -> int:
    return int(degree.lstrip("#b"))


def read_name(name: str) -> ReadName:
    """Name -> pitch classes and bass. Raises UnknownChord for what the reference cannot read."""
    found = _NAME.fullmatch(name)
    if not found:
        raise UnknownChord(f"'{name}' is not a chord name of the reference.")
    root = parse_pitch_class(found[1])
    degrees = next(degrees for spellings, degrees in _KINDS if found[2] in spellings)
    alterations = {_number(d): d.count("#") - d.count("b") for d in degrees}
    for verb, number in _EDIT.findall(found[3]):
        _edit(alterations, verb, int(number), name)
    pitch_classes = tuple(
        (root + _MAJOR_SCALE[(number - 1) % 7] + alteration) % 12 for number, alteration in alterations.items()
    )
    return ReadName(pitch_classes, parse_pitch_class(found[4]) if found[4] else root)


def _edit(alterations: dict[int, int], verb: str, number: int, name: str) -> None:
    """Apply one modifier to degree number -> alteration. An added seventh is read a semitone low (a slip)."""
    if number == 0:
        raise UnknownChord(f"'{name}' names a degree 0.")
    if verb == "no":
        if number not in alterations:
            raise UnknownChord(f"'{name}' takes away a degree it does not have.")
        del alterations[number]
    elif verb.startswith("add"):
        if number in alterations:
            raise UnknownChord(f"'{name}' adds a degree it already has.")
        alterations[number] = _ALTERATION[verb] - (number == 7)
    else:
        alterations[number] = alterations.get(number, 0) + _ALTERATION[verb]


def root_position_intervals(chord: Chord) -> tuple[int, ...]:
    """Successive semitone steps of a chord stacked as musicians do: third, fifth, seventh, then 9, 11, 13.

    `Am7` -> (3, 4, 3); `C9` -> (4, 3, 3, 4). The root is always the first tone; the bass plays no part.
    """
    tones = {0, *chord.tones}
    third, fifth, seventh = bool(tones & {3, 4}), 7 in tones, bool(tones & {10, 11})
    above = {1: third or 5 in tones, 2: third or 5 in tones, 3: 4 in tones, 5: third}
    above |= {6: fifth, 8: fifth, 9: seventh}
    stacked = sorted(tone + 12 * above.get(tone, False) for tone in tones)
    return tuple(high - low for low, high in pairwise(stacked))


def reference_vocabulary(names: Sequence[str]) -> Vocabulary:
    """The vocabulary of a foreign checkpoint: ids in the order of `names`; lookup by derived name, or None.

    Raises UnknownChord where a name cannot be read.
    """
    read = [read_name(name) for name in names]
    number = {name: i for i, name in enumerate(names)}

    def lookup(chord: Chord) -> int | None:
        try:
            return number.get(name_of(chord.root, root_position_intervals(chord)))
        except UnknownChord:
            return None

    return Vocabulary(
        names=tuple(names),
        masks=np.array([sum({1 << p for p in r.pitch_classes}) for r in read], np.uint16),
        basses=np.array([r.bass for r in read], np.int8),
        lookup=lookup,
    )


def stored_vocabulary(names: Sequence[str], spelling: Spelling) -> Vocabulary:
    """The vocabulary a model was stored with: our own list if no names are given, else names in either spelling."""
    if not names:
        return own_vocabulary()
    return reference_vocabulary(names) if spelling == "reference" else from_names(names)
