"""Which header lines may follow: the order of the fields, voices that exist, values that can be read.

A header is written line by line. A line that may not stand where it was written is written again; fields that were
asked for are put in at their place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from sideman.errors import BadSheet
from sideman.music.sheet.durations import metre_length
from sideman.music.sheet.keys import parse_key
from sideman.music.sheet.prompts import END

# Fields in their order; those before the voices at most once.
ORDER = ("%", END, "%%score", "L:", "Q:", "M:", "K:", "V:")
NEEDED = {"L:": "L:1/8", "M:": "M:4/4", "K:": "K:C"}
MOST_VOICES = 16
PROMPT_LINES = 3
_UNIT = re.compile(r"1/(?:1|2|4|8|16|32)")
_TEMPO = re.compile(r'(?:"[^"]{0,40}" ?)?(?:([1-9])/(1|2|4|8|16|32)=(\d+(?:\.\d+)?))?(?: ?"[^"]{0,40}")?')
_TEMPI = (10, 400)  # quarter notes a minute
_VOICE = re.compile(r'(\d+)((?: [^"]*|"[^"]*")*)')
_PAIRS = {")": "(", "]": "[", "}": "{"}


def is_tempo(value: str) -> bool:
    """Whether a value of `Q:` can be read and played: words, or a note and how many of it a minute."""
    found = _TEMPO.fullmatch(value)
    if not value or found is None:
        return False
    quarters = 4 * int(found[1]) / int(found[2]) * float(found[3]) if found[1] else _TEMPI[0]
    return _TEMPI[0] <= quarters <= _TEMPI[1]


@dataclass
class Header:
    """A header on its way. `wanted`: whole lines by their field, such as `K:` -> `K:G`."""

    wanted: Mapping[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    grouped: list[str] = field(default_factory=list)
    voices: list[str] = field(default_factory=list)
    unit: Fraction = Fraction(1, 8)
    metre: Fraction | None = None

    def add(self, line: str) -> None:
        """Take a line that may stand here."""
        self.lines.append(line)
        kind, value = _parted(line)
        if kind == "%%score":
            self.grouped = re.findall(r"\d+", value)
        elif kind == "L:" and _UNIT.fullmatch(value):
            self.unit = Fraction(value)
        elif kind == "M:":
            self.metre = metre_length(value, self.unit)
        elif kind == "V:":
            self.voices.append(value.split()[0])

    def due(self, line: str) -> str:
        """The line that has to come before `line`, or in its place, because it was asked for; empty if there is
        none. An empty `line` is the body."""
        rank = len(ORDER) if not line else self._rank(line)
        for kind, wanted in self.wanted.items():
            if ORDER.index(kind) <= rank and not self._has(kind):
                return wanted
        return ""

    def objection(self, line: str) -> str:
        """Why `line` may not come next, empty if it may. An empty `line` is the body."""
        if not line:
            return self._unfinished()
        kind, value = _parted(line)
        if kind not in ORDER:
            return "a field that is not known"
        last = self._rank(self.lines[-1]) if self.lines else 0
        if ORDER.index(kind) < last:
            return "a field too late"
        if kind not in ("%", "V:") and self._has(kind):
            return "a field twice"
        missing = [name for name in NEEDED if ORDER.index(name) < ORDER.index(kind) and not self._has(name)]
        if missing:
            return f"{missing[0]} is missing"
        return self._wrong(kind, value)

    def remedy(self) -> str:
        """A line that may come next and brings the header nearer to its end; empty where it is complete."""
        for kind in ORDER:
            line = self.wanted.get(kind) or NEEDED.get(kind)
            if line and not self._has(kind) and not self.objection(line):
                return line
        missing = [name for name in self.grouped or ["1"] if name not in self.voices]
        return f"V:{missing[0]} treble" if missing else ""

    def _wrong(self, kind: str, value: str) -> str:
        if kind == "%":
            said = sum(_parted(line)[0] == "%" for line in self.lines)
            return "" if said < PROMPT_LINES and value else "words that are no prompt"
        if kind == "%%score":
            return "" if _balanced(value) else "brackets or voices that do not fit"
        if kind == "L:":
            return "" if _UNIT.fullmatch(value) else "an unusual unit"
        if kind == "Q:":
            return "" if is_tempo(value) else "no tempo"
        if kind == "M:":
            return "" if metre_length(value, self.unit) else "no metre"
        if kind == "K:":
            try:
                return "" if parse_key(value) else "no key"
            except BadSheet:
                return "no key"
        if kind == "V:":
            found = _VOICE.fullmatch(value)
            name = found[1] if found else ""
            known = name in self.grouped if self.grouped else name == "1"
            return "" if known and name not in self.voices else "a voice that is not in the score"
        return ""

    def _unfinished(self) -> str:
        return "the header is not complete" if self.remedy() else ""

    def _has(self, kind: str) -> bool:
        return any(_parted(line)[0] == kind for line in self.lines)

    def _rank(self, line: str) -> int:
        kind = _parted(line)[0]
        return ORDER.index(kind) if kind in ORDER else 0


def _parted(line: str) -> tuple[str, str]:
    """Field and value: `%%score` and its groups, `K:` and `G`, `%` and the words of a prompt."""
    text = line.rstrip("\n")
    if text.startswith("%%"):
        kind, _, value = text.partition(" ")
        return kind, value
    if text.startswith("%"):
        return (END, "") if text == END else ("%", text[1:])
    return text[:2], text[2:].strip()


def _balanced(groups: str) -> bool:
    """Whether brackets are closed in order and no voice occurs twice."""
    open_brackets: list[str] = []
    for sign in re.findall(r"[()\[\]{}]", groups):
        if sign in "([{":
            open_brackets.append(sign)
        elif not open_brackets or open_brackets.pop() != _PAIRS[sign]:
            return False
    names = re.findall(r"\d+", groups)
    return not open_brackets and 0 < len(names) == len(set(names)) <= MOST_VOICES
