"""ABC text -> tunes, header fields and music tokens; knows nothing of what they mean in sound.

Hostile text ends here: binary junk, include directives and oversized input raise typed errors.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sideman.errors import TooLarge, UnreadableFile

MAX_CHARACTERS = 5_000_000
_FIELD = re.compile(r"([A-Za-z+]):(?![|:\]])\s*(.*)")
_INCLUDE = re.compile(r"(?mi)^(?:%%\s*|I:\s*)(?:abc-)?include\b|\[I:\s*(?:abc-)?include\b")
_JUNK = re.compile(r"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f\ufffd]")
_TUNE_START = re.compile(r"(?m)^(?=X:)")
_NUMBER = re.compile(r"X:\s*(\d+)")

# Every piece of a music line, tried in this order; what none of them knows is skipped and counted.
_TOKEN = re.compile(
    r"""
    (?P<field>\[[A-Za-z]:[^\]]{0,200}\])
  | (?P<text>"[^"]*")
  | (?P<ending>\[\s*(?=[1-9])[\d,\-]+)
  | (?P<bar>(?::+\s*(?=[:|\[\]])|\[(?=\|)|\.(?=\|))?(?:\|[|\]:]*|:+)(?P<number>[1-9][\d,\-]*)?)
  | (?P<grace>\{[^}]{0,200}\})
  | (?P<decoration>![^!|\n]{1,30}!|\+[a-z()<>.^]{1,30}\+|[~.uvTHLMOPSRJ](?=[~.uvTHLMOPSRJ"\[\^_=A-Ga-gz(]))
  | (?P<note>(?P<accidental>\^\^|\^|__|_|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)(?P<length>[\d/]*))
  | (?P<stop>\[(?P<stopped>[^\]|:"]{0,200})\](?P<stop_length>[\d/]*))
  | (?P<rest>[zxZXy](?P<rest_length>[\d/]*))
  | (?P<tuplet>\((?P<p>[2-9])(?::(?P<q>\d?))?(?::(?P<r>\d{0,2}))?)
  | (?P<broken>>{1,3}|<{1,3})
  | (?P<tie>-)
  | (?P<overlay>&)
  | (?P<nothing>[\s\\)`*;]+|\()
""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a tune: a field (`name` is its letter) or music (`name` is empty)."""

    name: str
    value: str


def split_tunes(text: str) -> list[str]:
    """The tunes of an ABC file, each from its `X:` line on; text without `X:` is one tune.

    Raises UnreadableFile for binary junk and include directives, TooLarge beyond MAX_CHARACTERS.
    """
    if len(text) > MAX_CHARACTERS:
        raise TooLarge(f"The ABC text has {len(text)} characters.", f"At most {MAX_CHARACTERS} are read.")
    if len(_JUNK.findall(text)) > len(text) / 50:
        raise UnreadableFile("This is not ABC text.", "Give a text file with X: and K: lines.")
    if _INCLUDE.search(text):
        raise UnreadableFile("The ABC text includes another file.", "Paste the included text in its place.")
    clean = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    tunes = [part.strip() for part in _TUNE_START.split(clean)]
    return [tune for tune in tunes if tune.startswith("X:")] or ([clean.strip()] if clean.strip() else [])


def tune_number(tune: str) -> int | None:
    """The number in the `X:` line, None without one."""
    found = _NUMBER.match(tune)
    return int(found[1][:9]) if found else None


def lines(tune: str) -> Iterator[Line]:
    """Fields and music lines of a tune in order; comments and directives are left out."""
    for raw in tune.split("\n"):
        line = _without_comment(raw).strip()
        field = _FIELD.match(line)
        if field:
            yield Line(field[1], field[2].strip())
        elif line:
            yield Line("", line)


def tokens(music: str) -> Iterator[tuple[str, re.Match[str] | None]]:
    """(kind, match) for each piece of a music line; kind `unknown` for a character nobody knows."""
    at = 0
    while at < len(music):
        found = _TOKEN.match(music, at)
        if not found:
            at += 1
            yield "unknown", None
            continue
        at = found.end()
        kind = found.lastgroup
        if kind is not None and kind != "nothing":
            yield kind, found


def _without_comment(line: str) -> str:
    """The line up to a `%` that is neither escaped nor inside a quoted text."""
    if "%" not in line:
        return line
    quoted = False
    for at, character in enumerate(line):
        quoted ^= character == '"'
        if character == "%" and not quoted and (at == 0 or line[at - 1] != "\\"):
            return line[:at].replace("\\%", "%")
    return line.replace("\\%", "%")
