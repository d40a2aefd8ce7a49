"""The Nottingham collection -> sheets: the text of each tune, melody and chord symbols, made regular.

Fields among the music become inline fields, all lengths count in eighths, tuplets and endings are written out, and
chords take the spelling that everybody reads.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

from sideman.data import nottingham
from sideman.data.piece import Discarded
from sideman.data.sheet_piece import SheetPiece
from sideman.errors import WrongValue
from sideman.music.sheet.durations import length_of
from sideman.music.sheet.transpose import is_chord

_UNIT = Fraction(1, 8)
_FIELD = re.compile(r"([A-Za-z]):\s*(.*)")
_TOKEN = re.compile(
    r'"(?P<chord>[^"]*)"(?:"[^"]*")*|!(?P<sign>[^!]*)!|(?P<volta>\|?\[|\|)(?P<number>\d[\d,\-]*)'
    r"|(?P<note>[_=^]*[A-Ga-gxz][,']*|\[(?P<tones>[_=^A-Ga-g,'\d/ \-]+)\])(?P<length>[\d/]*)"
    r"|\((?P<tuplet>\d)(?P<given>:\d*(?::\d*)?)?|(?P<odd>[~+!\\`$*])"
)
_LENGTH = re.compile(r"[\d/]+")
_NOTES = {"2": 3, "3": 2, "4": 3, "6": 2}  # what a bare tuplet takes the time of
_COMPOUND = re.compile(r"(6|9|12)/")


def scores(root: Path) -> list[str]:
    """Sorted ids of all tunes under an unpacked source tree. Raises UnreadableFile."""
    return nottingham.pieces(root)


def sheets(root: Path, piece_id: str) -> list[SheetPiece]:
    """One tune. Raises Discarded without notes, WrongValue for an unknown id."""
    text = nottingham.tune(root, piece_id)
    fields = {found[1]: found[2] for line in text.splitlines() if (found := _FIELD.match(line))}
    title = " ".join(fields.get("T", "").split())
    return [SheetPiece(piece_id, standard(text), nottingham.work_of(piece_id, title), title)]


def standard(text: str) -> str:
    """A tune -> standard ABC with one voice. Raises Discarded."""
    header, music = _parted(text.splitlines())
    if not re.search(r"[A-Ga-g]", "".join(line for line in music if not _FIELD.match(line))):
        raise Discarded("no notes")
    if "K" not in header:
        raise Discarded("no key")
    metre = header.get("M", "4/4")
    unit = header.get("L", "1/16" if _metre(metre) < Fraction(3, 4) else "1/8")
    lines = ["L:1/8", f"M:{metre}", f"K:{header['K']}", "V:1 treble", "V:1", *_regular(music, unit, metre)]
    return "".join(line + "\n" for line in lines)


def _parted(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Fields before the first music line, the last of each kind; and all lines from there."""
    header: dict[str, str] = {}
    for i, line in enumerate(lines):
        found = _FIELD.match(line)
        if found:
            header[found[1]] = found[2].partition("%")[0].strip()
        elif line.strip() and not line.startswith("%"):
            return header, lines[i:]
    return header, []


def _regular(lines: list[str], unit: str, metre: str) -> Iterator[str]:
    scale = Fraction(unit) / _UNIT
    waiting = ""
    for line in lines:
        found = _FIELD.match(line)
        if found is None:
            music = line.partition("%")[0]
            yield waiting + _TOKEN.sub(partial(_rewritten, scale=scale, metre=metre), music)
            waiting = ""
        elif found[1] == "L":
            scale = Fraction(found[2].strip()) / _UNIT
        elif found[1] in "KM":
            value = found[2].partition("%")[0].strip()
            metre = value if found[1] == "M" else metre
            waiting += f"[{found[1]}:{value}]"


def _rewritten(found: "re.Match[str]", scale: Fraction, metre: str) -> str:
    if found["tones"]:
        inner = _LENGTH.search(found["tones"])
        tones = _LENGTH.sub("", found["tones"]).replace(" ", "")
        return f"[{tones}]" + _spelled(found["length"], scale * (_length(inner[0]) if inner else 1))
    if found["note"]:
        return found["note"] + _spelled(found["length"], scale)
    if found["chord"] is not None:
        return _chord(found["chord"])
    if found["tuplet"]:
        return f"({found['tuplet']}" + (found["given"] or _tuplet(found["tuplet"], metre))
    if found["number"]:
        return f"|{found['number']}"
    return f"!{found['sign']}!" if found["sign"] else ""


def _spelled(length: str, scale: Fraction) -> str:
    """A length in eighths as ABC writes it behind a note."""
    value = _length(length) * scale
    if value == 1:
        return ""
    over = f"/{value.denominator}" if value.denominator > 2 else "/" * (value.denominator == 2)
    return (str(value.numerator) if value.numerator > 1 else "") + over


def _length(text: str) -> Fraction:
    value = length_of(text)
    if value is None:
        raise Discarded("a note of an unreadable length")
    return value


def _tuplet(count: str, metre: str) -> str:
    """`:q:r` of a bare tuplet; none for a triplet, which is read as it is."""
    time = _NOTES.get(count, 3 if _COMPOUND.match(metre) else 2)
    return "" if count == "3" else f":{time}:{count}"


def _chord(text: str) -> str:
    """A chord symbol in plain spelling, or nothing where it is none."""
    root, slash, bass = re.sub(r"[()\s]", "", text).partition("/")
    root = re.sub(r"^([A-G][b#]?)d$", r"\1dim", re.sub(r"^([A-G][b#]?)a$", r"\1aug", root))
    bass = bass[:1].upper() + bass[1:].replace("+", "#")
    symbol = root + slash + bass
    return f'"{symbol}"' if is_chord(symbol) else ""


def _metre(text: str) -> Fraction:
    try:
        return Fraction({"C": "4/4", "C|": "2/2"}.get(text, text))
    except (ValueError, ZeroDivisionError):
        raise WrongValue(f"'{text}' is no metre.") from None
