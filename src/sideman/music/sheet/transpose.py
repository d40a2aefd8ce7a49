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
_VOICE_TAG = re.compile(r"(\[V:[^\]\n]*\])")
# What is looked at one by one: quoted texts, signs, inline fields, barlines and notes.
_TOKENS = re.compile(r"""("[^"\n]*"|![^!\n]+!|\[[A-Za-z]:[^\]\n]*\]|\||::|(?:__?|\^\^?|=)?[A-Ga-g][,']*)""")
_NOTE = re.compile(r"(__?|\^\^?|=)?([A-Ga-g][,']*)")
_MARKED = re.compile(r"[\^_=]|\[K:")
_ROOT = re.compile(r"(?<![A-Za-z])[A-G][#b]*|(?<=/)[A-G][#b]*")
_ANY_ROOT = re.compile(r"[A-G][#b]?")
_ACCIDENTALS = {"__": -2, "_": -1, "=": 0, "^": 1, "^^": 2}
_MARKS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}


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
        self.made: dict[tuple[int, int], _Table] = {}
        self.tables: dict[str, _Table] = {}
        self.unpitched: set[str] = set()
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
                    lines[i] = self.music(line)
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
        if owner:
            self.tables[owner] = self.table_of(key)
        self.enter(owner)
        return f"K:{key.move(self.fifths)}"

    def enter(self, voice: str) -> None:
        self.voice = voice
        self.table = self.tables.get(voice) or self.table_of(self.global_key)
        self.here, self.there = {}, {}

    def table_of(self, key: AbcKey) -> "_Table":
        signatures = key.signature, key.move(self.fifths).signature
        if signatures not in self.made:
            self.made[signatures] = _Table(*signatures, self.semitones, self.reference)
        return self.made[signatures]

    def music(self, line: str) -> str:
        """A line of music, voice by voice."""
        pieces = _VOICE_TAG.split(line)
        for i, piece in enumerate(pieces):
            if i % 2:
                self.enter(piece[3:-1])
            elif piece and self.voice not in self.unpitched:
                pieces[i] = self.voice_music(piece)
        return "".join(pieces)

    def voice_music(self, text: str) -> str:
        """Music of one voice. What comes again in the same key is looked up."""
        if self.here or "[K:" in text:
            return self.moved(text)
        known = self.table.music.get(text)
        if known is None:
            known = self.moved(text)
            if not self.here:
                self.table.music[text] = known
        return known

    def moved(self, text: str) -> str:
        parts = _TOKENS.split(text)
        if self.here or _MARKED.search(text):
            parts[1::2] = map(self.token, parts[1::2])
        else:  # notes of the scale alone: a look at the table each
            parts[1::2] = map(self.table.__getitem__, parts[1::2])
        return "".join(parts)

    def token(self, token: str) -> str:
        first = token[0]
        if first == "|" or first == ":":
            self.here, self.there = {}, {}
            return token
        if first == "[":
            return self.inline_key(token, token[3:-1]) if token.startswith("[K:") else token
        if first == '"' or first == "!":
            return self.table[token]
        altered, name = _parted(token)
        if altered is None:
            altered = self.here.get(name)
            if altered is None and not self.there:
                return self.table[name]
        if altered is None:
            altered = alteration(name[0].upper(), self.table.source)
        self.here[name] = altered
        new, new_name = _moved(name, altered, self.table.fifths, self.semitones)
        known = self.there.get(new_name)
        if known is None:
            known = alteration(new_name[0].upper(), self.table.target)
        self.there[new_name] = new
        return new_name if known == new else _MARKS[new] + new_name

    def inline_key(self, field: str, value: str) -> str:
        key = parse_key(value)
        if key is None:
            return field
        self.table = self.tables[self.voice] = self.table_of(key)
        self.here, self.there = {}, {}
        return f"[K:{key.move(self.fifths)}]"


class _Table(dict[str, str]):
    """Tokens of a key with their counterparts in another one, where nothing is altered: a note of one scale is a
    note of the other. `source` and `target` are the signatures, `fifths` from one to the other; `music` holds whole
    bars that have been moved."""

    def __init__(self, source: int, target: int, semitones: int, reference: bool) -> None:
        super().__init__()
        self.music: dict[str, str] = {}
        self.source, self.target, self.fifths = source, target, target - source
        self.semitones, self.reference = semitones, reference

    def __missing__(self, token: str) -> str:
        first = token[0]
        if first == '"':
            return self.quoted(token)
        if first in "[!|:":
            return token
        new = _moved(token, alteration(first.upper(), self.source), self.fifths, self.semitones)[1]
        self[token] = new
        return new

    def quoted(self, text: str) -> str:
        if not "A" <= text[1] <= "G" or not (self.reference or is_chord(text[1:-1])):
            return text
        pattern = _ANY_ROOT if self.reference else _ROOT
        return pattern.sub(lambda root: _moved_root(root[0], self.fifths), text)


@lru_cache(maxsize=4096)
def _parted(token: str) -> tuple[int | None, str]:
    """What a note's own mark alters it by, and its name."""
    found = _NOTE.fullmatch(token)
    assert found is not None
    return _ACCIDENTALS.get(found[1] or ""), found[2]


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
