"""Keys as ABC writes them, on the line of fifths (spec 1.9): F -1, C 0, G 1 ... and flats and sharps beyond.

A note name on that line is one number, and so is a signature; transposing adds. Signatures are -7..7.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from sideman.errors import BadSheet

# The fifteen keys a piece is moved to, in the order of the reference: names of signatures by their major key.
KEYS = ("Cb", "C", "C#", "Db", "D", "Eb", "E", "F", "F#", "Gb", "G", "Ab", "A", "Bb", "B")
LETTERS = "CDEFGAB"
FIFTHS_OF_LETTER = {letter: fifths - 1 for fifths, letter in enumerate("FCGDAEB")}
SEMITONES_OF_LETTER = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
# Major-equivalent signature of a tonic, by the first three letters of the mode.
_MODES = {"": 0, "maj": 0, "ion": 0, "lyd": 1, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3, "phr": -4,
          "loc": -5}  # fmt: skip
_CLEFS = r"(?:treble|bass|alto|tenor|soprano|baritone|mezzo|perc|clef\s*=|octave\s*=|transpose\s*=|middle\s*=|staff)"
_CLEF = re.compile(_CLEFS)
_KEY = re.compile(rf"([A-G])([b#]?)[ \t]*((?!{_CLEFS})[A-Za-z]*)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class AbcKey:
    """A `K:` value: tonic on the line of fifths, offset of its mode, the mode as written, and what follows it."""

    tonic: int
    offset: int
    mode: str
    rest: str = ""

    @property
    def signature(self) -> int:
        return self.tonic + self.offset

    def __str__(self) -> str:
        return note_name(self.tonic) + self.mode + self.rest

    def move(self, fifths: int) -> "AbcKey":
        """The key `fifths` further, respelled where it would leave -7..7."""
        tonic = self.tonic + fifths
        tonic += 12 if tonic < -7 else -12 if tonic > 7 else 0
        signature = tonic + self.offset
        tonic += 12 if signature < -7 else -12 if signature > 7 else 0
        return AbcKey(tonic, self.offset, self.mode, self.rest)


def parse_key(text: str) -> AbcKey | None:
    """`C#m`, `Ddor`, `G clef=bass` -> AbcKey; None for `none`, nothing, a clef alone. Raises BadSheet."""
    value = text.strip()
    if not value or value.lower().startswith("none") or _CLEF.match(value):
        return None
    found = _KEY.fullmatch(value)
    mode = found[3].lower() if found else ""
    if found is None or (mode != "m" and mode[:3] not in _MODES):
        raise BadSheet(f"'{value}' is not a key.", "Write one like K:G, K:Bbm or K:Ddor.")
    key = AbcKey(fifths_of(found[1] + found[2]), _MODES[mode if mode == "m" else mode[:3]], found[3], found[4])
    if not -7 <= key.signature <= 7:
        raise BadSheet(f"The key '{value}' has no signature of at most seven accidentals.")
    return key


def fifths_of(name: str) -> int:
    """A note name such as `Bb` or `F##` on the line of fifths."""
    return FIFTHS_OF_LETTER[name[0].upper()] + 7 * (name.count("#", 1) - name.count("b", 1))


def note_name(fifths: int) -> str:
    """The name at a place on the line of fifths."""
    alteration, letter = divmod(fifths + 1, 7)
    return "FCGDAEB"[letter] + ("#" * alteration if alteration > 0 else "b" * -alteration)


@lru_cache(maxsize=256)
def alteration(letter: str, signature: int) -> int:
    """By how many semitones a signature alters a letter: -1, 0 or 1."""
    return -((FIFTHS_OF_LETTER[letter] + 1 - signature) // 7)


def pitch_class(fifths: int) -> int:
    """The tonic of the major key with so many sharps, of flats below 0."""
    return fifths * 7 % 12


def semitones_between(source: int, target: int) -> int:
    """From one signature to another the short way: -5..6 (spec 1.9)."""
    up = (pitch_class(target) - pitch_class(source)) % 12
    return up - 12 if up >= 7 else up
