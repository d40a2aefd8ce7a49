"""How far a voice is in its bar, character by character: what a sheet model with `clock` is told besides the text.

A network of a few million parameters does not learn to add up the notes of a bar. Here they are added up for it: after
every character how much of the bar has sounded, and how much is left of it - of the metre in the first voice of a line,
of what that one took in the others; which brackets or quotes are open; how many notes a tuplet still wants; and the
last character, which a patch that begins in the middle of a word goes on from. Text that is no sheet only makes the
clock stand.
"""

import re
from copy import copy
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sideman.music.sheet.durations import length_of, metre_length
from sideman.music.sheet.patches import EOS, VOCABULARY, Patches

# Ids of each column; 0 = not known or none. Of what is left: whole units (the last id: more than is left has sounded)
# and 24ths of one; the same of what has sounded; what is open, 1 = nothing but the music; notes to come of a tuplet
# (the last id: its numbers are being written); the last character.
GRID, MOST, MOST_NOTES = 24, 32, 8
CLOCK_SIZES = (MOST + 3, GRID + 1, MOST + 2, GRID + 1, 6, MOST_NOTES + 2, VOCABULARY)

_NOTES = frozenset("ABCDEFGabcdefgxzXZ")
_LENGTHS = frozenset("0123456789/")
_CLOSING = {"[": "]", '"': '"', "!": "!", "{": "}"}
_OPEN = {"": 1} | {sign: 2 + place for place, sign in enumerate(_CLOSING.values())}
_LONGEST = 12  # characters of a length or a tuplet; what is longer means nothing
_FIELD = re.compile(r"([A-Za-z]):(.*)", re.DOTALL)
_TONE = re.compile(r"[_=^]*[A-Ga-gxzXZ][,']*([\d/]*)")
_TUPLET = re.compile(r"(\d+)(?::(\d*))?(?::(\d*))?")


class Clock:
    """Reads a piece from its beginning. Lengths are in units of `L:`."""

    __slots__ = (
        "_first", "_header", "_inside", "_last", "_leads", "_left", "_length", "_metre", "_note", "_ratio", "_running",
        "_sounded", "_spec", "_text", "_unit",
    )  # fmt: skip

    def __init__(self) -> None:
        self._header = True
        self._last = 0
        self._text = ""  # of a header line, or of brackets
        self._inside = ""  # what closes the brackets or quotes that are open
        self._unit = Fraction(1, 8)
        self._metre: float | None = None
        self._first: float | None = None  # length of the bar of the line's first voice
        self._leads = False  # this is the first voice
        self._running = False
        self._sounded = 0.0  # without the last note
        self._note: float | None = None  # the last note or chord without the length behind it
        self._length = ""
        self._spec: str | None = None  # of a tuplet
        self._ratio, self._left = 1.0, 0  # of a tuplet: factor, notes to come

    def read(self, id: int) -> tuple[int, ...]:
        """Take one id of a patch; the ids of CLOCK_SIZES behind it."""
        if id > EOS:
            self._last = id
            if self._header:
                self._read_header(chr(id))
            elif self._inside:
                self._read_inside(chr(id))
            else:
                self._read_music(chr(id))
        return self.now()

    def now(self) -> tuple[int, ...]:
        """Where the clock stands."""
        opened = 0 if self._header else _OPEN[self._inside]
        if not self._running:
            return 0, 0, 0, 0, opened, 0, self._last
        sounded = self._total()
        end = self._metre if self._leads else self._first
        left = (0, 0) if end is None else _ids(round((end - sounded) * GRID))
        return *left, *_ids(round(sounded * GRID)), opened, self._wanted(), self._last

    def copy(self) -> "Clock":
        return copy(self)

    def _wanted(self) -> int:
        """Notes of a tuplet that are to come, behind the one being written."""
        if self._spec:
            return MOST_NOTES + 1
        return max(0, min(self._left - (self._note is not None), MOST_NOTES))

    def _total(self) -> float:
        if self._note is None:
            return self._sounded
        length = length_of(self._length)
        return self._sounded + self._note * (float(length) if length is not None else 1.0)

    def _read_header(self, char: str) -> None:
        if char != "\n":
            self._text += char
            if self._text in ("[V:", "[r:"):
                self._header, self._inside, self._text = False, "]", self._text[1:]
            return
        found = _FIELD.match(self._text)
        if found and found[1] == "L":
            self._unit = _unit(found[2]) or self._unit
        elif found and found[1] == "M":
            self._set_metre(found[2])
        self._text = ""

    def _read_inside(self, char: str) -> None:
        """Brackets, quotes, decorations and grace notes."""
        if self._inside == "]" and not self._text and char in "|:":  # the barline [|
            self._inside = ""
            self._bar()
        elif char == self._inside or char == "\n":
            text, self._inside, self._text = self._text, "", ""
            if char == "\n":
                self._read_music(char)
            elif char == "]":
                self._bracketed(text)
        elif self._inside == "]":
            self._text += char

    def _bracketed(self, text: str) -> None:
        field = _FIELD.match(text)
        if field is None:
            tone = _TONE.match(text)
            length = length_of(tone[1][:_LONGEST]) if tone else None
            self._begin_note(1.0 if length is None else float(length))
        elif field[1] == "V":
            self._bar()
            self._running, self._leads = True, self._first is None
        elif field[1] == "r":
            self._first = None
        elif field[1] == "M":
            self._set_metre(field[2])

    def _read_music(self, char: str) -> None:
        if char in _LENGTHS:
            if self._spec is not None:
                self._spec = (self._spec + char)[:_LONGEST]
            elif self._note is not None:
                self._length = (self._length + char)[:_LONGEST]
        elif char in _NOTES:
            self._begin_note(1.0)
        elif char == ":" and self._spec:
            self._spec = (self._spec + char)[:_LONGEST]
        elif char in "|:\n":
            self._bar()
            if char == "\n":
                self._first = None
        elif char in _CLOSING:
            self._end_note()
            self._inside = _CLOSING[char]
        elif char == "(":
            self._end_note()
            self._spec = self._spec or ""  # a slur may stand between a tuplet and its notes
        elif char == " ":
            self._end_note()

    def _begin_note(self, length: float) -> None:
        self._end_note()
        if self._spec:
            self._begin_tuplet(self._spec)
        self._spec = None
        self._running = True
        self._note, self._length = length * (self._ratio if self._left > 0 else 1.0), ""

    def _begin_tuplet(self, spec: str) -> None:
        found = _TUPLET.match(spec)
        notes = int(found[1]) if found else 0
        if found and notes:
            self._ratio, self._left = int(found[2] or 2) / notes, int(found[3] or notes)

    def _end_note(self) -> None:
        if self._note is not None:
            self._sounded, self._note = self._total(), None
            self._left -= 1

    def _bar(self) -> None:
        """A barline, or a new voice."""
        self._end_note()
        if self._leads and self._sounded:
            self._first = self._sounded
        self._running, self._sounded, self._left, self._spec = False, 0.0, 0, None

    def _set_metre(self, value: str) -> None:
        length = metre_length(value, self._unit)
        self._metre = float(length) if length is not None else None


def clocks(patches: Patches) -> NDArray[np.uint8]:
    """[T, 16, 7]: where the clock stands behind each id of a piece [T, 16], from its first patch on."""
    clock = Clock()
    read = clock.read
    found = [read(id) for id in patches.ravel().tolist()]
    return np.array(found, np.uint8).reshape(*patches.shape, len(CLOCK_SIZES))


def _ids(ticks: int) -> tuple[int, int]:
    if ticks < 0:
        return MOST + 2, 0
    whole, part = divmod(ticks, GRID)
    return min(whole, MOST) + 1, part + 1


def _unit(value: str) -> Fraction | None:
    found = re.fullmatch(r"\s*1/(\d{1,2})\s*", value)
    return Fraction(1, int(found[1])) if found and int(found[1]) else None
