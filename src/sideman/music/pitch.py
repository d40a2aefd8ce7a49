"""Pitch classes, their spelling, and keys.

A pitch class is an int 0..11 (0 = C); a pitch is a MIDI number 0..127 (60 = middle C, C4).
"""

from dataclasses import dataclass
from typing import Literal

from sideman.errors import WrongValue

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# The spelling musicians meet most often when no key is known.
PLAIN_NAMES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

Mode = Literal["major", "minor"]


@dataclass(frozen=True, slots=True)
class Key:
    """A key: tonic pitch class and mode."""

    tonic: int
    mode: Mode = "major"

    @property
    def fifths(self) -> int:
        """Sharps (positive) or flats (negative) of the signature, -5..6."""
        major_tonic = self.tonic if self.mode == "major" else (self.tonic + 3) % 12
        fifths = major_tonic * 7 % 12
        return fifths if fifths <= 6 else fifths - 12

    @classmethod
    def from_fifths(cls, fifths: int, mode: Mode = "major") -> "Key":
        tonic = fifths * 7 % 12
        return cls(tonic if mode == "major" else (tonic + 9) % 12, mode)

    def transpose(self, semitones: int) -> "Key":
        return Key((self.tonic + semitones) % 12, self.mode)

    @property
    def name(self) -> str:
        return f"{spell(self.tonic, self)} {self.mode}"


def spell(pitch_class: int, key: Key | None = None) -> str:
    """Name of a pitch class in a key: sharps in sharp keys, flats in flat keys.

    Notes outside the scale follow the direction of the signature, except the raised leading note
    and raised fourth of flat keys near C, which musicians read as sharps.
    """
    if key is None:
        return PLAIN_NAMES[pitch_class]
    fifths = key.fifths
    if fifths > 0:
        # The lowered seventh stays a flat in keys of few sharps (Bb in G is not A#).
        if fifths <= 2 and pitch_class in (10, 3):
            return FLAT_NAMES[pitch_class]
        if fifths == 6 and pitch_class == 5:
            return "E#"
        return SHARP_NAMES[pitch_class]
    if fifths >= -2 and pitch_class == 6:
        return "F#"
    if key.mode == "minor" and (key.tonic + 11) % 12 == pitch_class and pitch_class in (1, 6, 8):
        return SHARP_NAMES[pitch_class]
    return FLAT_NAMES[pitch_class]


def spell_above(root: str, pitch_class: int, key: Key | None = None) -> str:
    """Name of a pitch class as the third, fifth or seventh above a `root`, where that needs one accidental at most
    (the bass of B7/D# is no Eb); any other as in the key."""
    steps = {3: 2, 4: 2, 6: 4, 7: 4, 8: 4, 10: 6, 11: 6}.get((pitch_class - parse_pitch_class(root)) % 12, 0)
    letter = "CDEFGAB"[("CDEFGAB".index(root[0]) + steps) % 7]
    accidental = {0: "", 1: "#", 11: "b"}.get((pitch_class - LETTERS[letter]) % 12)
    return spell(pitch_class, key) if accidental is None or not steps else letter + accidental


def parse_pitch_class(text: str) -> int:
    """`F#`, `Bb`, `Ebb`, `C♯` -> pitch class. Raises WrongValue."""
    clean = text.strip().replace("♯", "#").replace("♭", "b")
    letter, accidentals = clean[:1].upper(), clean[1:]
    if letter not in LETTERS or set(accidentals) - set("#b"):
        raise WrongValue(f"'{text}' is not a note name.", "Write one like C, F# or Bb.")
    return (LETTERS[letter] + accidentals.count("#") - accidentals.count("b")) % 12


def parse_key(text: str) -> Key:
    """`G`, `Bb minor`, `F#m`, `Gb:maj` -> Key. Raises WrongValue."""
    clean = text.strip().replace(":", " ")
    name, _, mode = clean.partition(" ")
    if name.endswith("m") and not mode:
        name, mode = name[:-1], "minor"
    minor = mode.strip().lower()[:3] in ("min", "m", "aeo")
    return Key(parse_pitch_class(name), "minor" if minor else "major")


def pitch_name(pitch: int, key: Key | None = None) -> str:
    """MIDI pitch -> scientific name, e.g. 60 -> C4."""
    return f"{spell(pitch % 12, key)}{pitch // 12 - 1}"
