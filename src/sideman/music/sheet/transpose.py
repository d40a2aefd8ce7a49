"""A sheet in another key (spec 1.9): notes, keys and chord symbols of interleaved or reduced ABC, spelled anew.

A target names a signature by its major key; the mode stays. Notes move along the line of fifths, so a shift of
the signature in force gives letter and accidental of each. Accidentals hold to the next barline, for their letter
in their octave.
"""

import re
from functools import lru_cache

from sideman.errors import BadSheet, UnknownChord, WrongValue
from sideman.music.chord import Chord
from sideman.music.sheet.keys import (
    FIFTHS_OF_LETTER,
    KEYS,
    SEMITONES_OF_LETTER,
    AbcKey,
    alteration,
    fifths_of,
    note_name,
    parse_key,
    semitones_between,
)

_FIELD = re.compile(r"([A-Za-z]):[ \t]*(.*)")
_VOICE = re.compile(r"[A-Za-z0-9_]+")
_TOKEN = re.compile(
    r"""(?P<text>"[^"\n]*")|!(?:[^!\n]+)!|\[(?P<field>[A-Za-z]):(?P<value>[^\]\n]*)\]|(?P<bar>\||::)"""
    r"""|(?P<marks>__?|\^\^?|=)?(?P<note>[A-Ga-g][,']*)"""
)
_ROOT = re.compile(r"(?<![A-Za-z])[A-G][#b]*|(?<=/)[A-G][#b]*")
_ANY_ROOT = re.compile(r"[A-G][#b]?")
_ACCIDENTALS = {"__": -2, "_": -1, "=": 0, "^": 1, "^^": 2}
_MARKS = {alteration: marks for marks, alteration in _ACCIDENTALS.items()}


def global_key(text: str) -> AbcKey:
    """The key of a piece: its first header `K:`, C where that says none. Raises BadSheet where there is none."""
    found = re.search(r"^K:(.*)$", text, re.MULTILINE)
    if found is None:
        raise BadSheet("The piece has no key.", "Add a line such as K:C to its header.")
    return parse_key(found[1]) or AbcKey(0, 0, "")


def transpose(text: str, to: str, reference: bool = False) -> str:
    """The piece with the signature of major key `to`, one of KEYS; its own key respells it.

    `reference` takes every quoted text that begins with A-G for a chord, and refuses a key that a voice has of its
    own in the header. Raises BadSheet for a piece without a readable key, WrongValue for another `to`.
    """
    if to not in KEYS:
        raise WrongValue(f"'{to}' is no key to move a piece to.", f"Keys are: {', '.join(KEYS)}.")
    key = global_key(text)
    target = fifths_of(to)
    return _Mover(key, target, reference).piece(text)


class _Mover:
    """One piece on its way: the key of each voice, and what the bar at hand has altered so far."""

    def __init__(self, key: AbcKey, target: int, reference: bool) -> None:
        self.fifths = target - key.signature
        self.semitones = semitones_between(key.signature, target)
        self.global_key = key
        self.reference = reference
        self.own_keys: dict[str, AbcKey | None] = {}
        self.unpitched: set[str] = set()
        self.voice = ""
        self.here: dict[str, int] = {}
        self.there: dict[str, int] = {}
        self.enter("")

    def piece(self, text: str) -> str:
        lines = text.split("\n")
        owner = ""
        for i, line in enumerate(lines):
            field = _FIELD.match(line)
            if field is None:
                if line and not line.startswith("%"):
                    lines[i] = _TOKEN.sub(self.token, line)
            elif field[1] == "V":
                owner = self.declare(field[2])
            elif field[1] == "K":
                lines[i] = self.header_key(line, field[2], owner)
        return "\n".join(lines)

    def declare(self, value: str) -> str:
        """A `V:` line of the header, or of a body with one block a voice. Returns the name of the voice."""
        name = _VOICE.match(value)
        owner = name[0] if name else ""
        if re.search(r"\bperc\b", value):
            self.unpitched.add(owner)
        self.enter(owner)
        return owner

    def header_key(self, line: str, value: str, owner: str) -> str:
        key = parse_key(value)
        if key is None or owner in self.unpitched:
            return line
        if owner and self.reference:
            raise BadSheet("A voice has a key of its own in the header.")
        moved = key.move(self.fifths)
        if owner:
            self.own_keys[owner] = key
        self.enter(owner)
        return f"K:{moved}"

    def enter(self, voice: str) -> None:
        self.voice = voice
        self.set_key(self.own_keys.get(voice, self.global_key) or self.global_key)

    def set_key(self, key: AbcKey) -> None:
        self.source, self.target = key.signature, key.move(self.fifths).signature
        self.here, self.there = {}, {}

    def token(self, found: "re.Match[str]") -> str:
        marks, name = found["marks"], found["note"]
        if name is not None:
            return found[0] if self.voice in self.unpitched else self.note(marks, name)
        if found["bar"] is not None:
            if self.here:
                self.here, self.there = {}, {}
            return found[0]
        if found["text"] is not None:
            return self.quoted(found[0])
        if found["field"] == "V":
            self.enter(found["value"])
        elif found["field"] == "K":
            return self.inline_key(found[0], found["value"])
        return found[0]

    def note(self, marks: str | None, name: str) -> str:
        altered = _ACCIDENTALS[marks] if marks else self.here.get(name)
        if altered is None:
            altered = alteration(name[0].upper(), self.source)
        self.here[name] = altered
        new, new_name = _moved(name, altered, self.target - self.source, self.semitones)
        known = self.there.get(new_name)
        if known is None:
            known = alteration(new_name[0].upper(), self.target)
        self.there[new_name] = new
        return new_name if known == new else _MARKS[new] + new_name

    def inline_key(self, field: str, value: str) -> str:
        key = parse_key(value)
        if key is None or self.voice in self.unpitched:
            return field
        self.own_keys[self.voice] = key
        self.set_key(key)
        return f"[K:{key.move(self.fifths)}]"

    def quoted(self, text: str) -> str:
        if not "A" <= text[1] <= "G" or not (self.reference or is_chord(text[1:-1])):
            return text
        pattern = _ANY_ROOT if self.reference else _ROOT
        return pattern.sub(lambda root: _moved_root(root[0], self.target - self.source), text)


@lru_cache(maxsize=4096)
def is_chord(text: str) -> bool:
    """Whether a quoted text is a chord symbol, and not a word such as `Dolce`."""
    try:
        return Chord.parse(text) is not None
    except UnknownChord:
        return False


@lru_cache(maxsize=1 << 16)
def _moved(name: str, altered: int, fifths: int, semitones: int) -> tuple[int, str]:
    """A note `altered` semitones from its letter -> alteration and name of the note `fifths` further."""
    letter = name[0].upper()
    octave = name.count("'") - name.count(",") + name[0].islower()
    pitch = 12 * octave + SEMITONES_OF_LETTER[letter] + altered + semitones
    place = FIFTHS_OF_LETTER[letter] + 7 * altered + fifths
    # More than two accidentals: the neighbouring letter, as often as it takes.
    while place > 19 or place < -15:
        place -= 12 if place > 19 else -12
    new, index = divmod(place + 1, 7)
    letter = "FCGDAEB"[index]
    octave = (pitch - new - SEMITONES_OF_LETTER[letter]) // 12
    return new, _octaved(letter, octave)


def _octaved(letter: str, octave: int) -> str:
    """The name of a letter; octave 0 is the one from middle C."""
    return letter + "," * -octave if octave <= 0 else letter.lower() + "'" * (octave - 1)


@lru_cache(maxsize=4096)
def _moved_root(name: str, fifths: int) -> str:
    """A chord's root or bass, with at most one accidental."""
    place = fifths_of(name) + fifths
    while not -8 <= place <= 12:
        place -= 12 if place > 12 else -12
    return note_name(place)
