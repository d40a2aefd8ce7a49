"""How long a bar of a voice is, in units of `L:`, as an exact fraction (spec 1.8)."""

import re
from fractions import Fraction
from functools import lru_cache

from sideman.errors import BadSheet

_UNHEARD = re.compile(r'![^!]*!|\{[^}]*\}|"[^"]*"|\[[A-Za-z]:[^\]]*\]')
_CHORD = re.compile(r"\[([^\]]*)\]([\d/]*)")
_CHORD_TONES = re.compile(r"[A-Ga-gxzXZ_=^',\-]*")
_FIRST_LENGTH = re.compile(r"[_=^]*[A-Ga-gxzXZ][',]*([\d/]*)")
_DELETED = str.maketrans("xX", "zz", "PSOsouvUVTM.-)_=^',")
_SLUR = re.compile(r"\((?!\d)")
_TOKEN = re.compile(r"\s*(?:([A-GZa-gz])([^A-Za-z(<>]*)|\((\d+)(?::(\d+):(\d+))?|([<>]+))")
_LENGTH = re.compile(r"(\d*)(?:(/)(\d*))?")
_METRE = re.compile(r"(\d{1,2})/(1|2|4|8|16|32)|C\|?")
_SNAP = Fraction(1, 64)


def duration(bar: str, reference: bool = False) -> Fraction | None:
    """Length of a bar text without its barline; None where it cannot be read.

    A chord whose tones have lengths counts with that of its first; `reference` raises BadSheet there, as for anything
    else in square brackets that is no chord.
    """
    return _duration(bar, reference)


@lru_cache(maxsize=1 << 15)
def _duration(bar: str, reference: bool) -> Fraction | None:
    plain = _CHORD.sub(lambda found: _one_note(found[1], found[2], reference), _UNHEARD.sub("", bar))
    plain = _SLUR.sub("", plain.translate(_DELETED))
    total = Fraction(0)
    open_tuplets: list[_Tuplet] = []
    place, end = 0, len(plain.rstrip())
    while place < end:
        found = _TOKEN.match(plain, place)
        if found is None:
            return None
        place = found.end()
        letter, length, p, q, r, _ = found.groups()
        if letter is not None:
            value = Fraction(1) if letter == "Z" else length_of(length.strip())
            if value is None:
                return None
            total += _through(open_tuplets, value)
        elif p is not None:
            if (q is None and p != "3") or int(p) == 0 or r == "0":
                return None
            open_tuplets.append(_Tuplet(Fraction(int(q or 2), int(p)), int(r or 3)))
    return None if open_tuplets else total


class _Tuplet:
    """A tuplet on its way: what its notes are scaled by, how many are to come, and their length so far."""

    __slots__ = ("left", "ratio", "sum")

    def __init__(self, ratio: Fraction, left: int) -> None:
        self.ratio, self.left, self.sum = ratio, left, Fraction(0)


def _through(open_tuplets: list[_Tuplet], value: Fraction) -> Fraction:
    """Put a note into the tuplets that are open; return what has come out of them by its end."""
    if not open_tuplets:
        return value
    open_tuplets[-1].sum += value
    for tuplet in open_tuplets:
        tuplet.left -= 1
    while open_tuplets and open_tuplets[-1].left <= 0:
        tuplet = open_tuplets.pop()
        scaled = tuplet.sum * tuplet.ratio
        if abs(scaled - round(scaled)) <= _SNAP:
            scaled = Fraction(round(scaled))
        if not open_tuplets:
            return scaled
        open_tuplets[-1].sum += scaled
    return Fraction(0)


def _one_note(tones: str, length: str, reference: bool) -> str:
    """The note that stands for a chord and its length: as long as its first tone, times that length."""
    if _CHORD_TONES.fullmatch(tones):
        return "C" + length
    if reference:
        raise BadSheet(f"'[{tones}]' is no chord of plain notes.")
    first = _FIRST_LENGTH.match(tones)
    inner, outer = length_of(first[1]) if first else None, length_of(length)
    return "?" if inner is None or outer is None else f"C{inner * outer}"  # `?` makes the bar unreadable


@lru_cache(maxsize=1024)
def length_of(text: str) -> Fraction | None:
    """What stands behind a note - nothing, `2`, `/`, `3/2`, `/4` - as a factor; None where it is no length."""
    found = _LENGTH.fullmatch(text)
    if found is None:
        return None
    over = int(found[3]) if found[3] else 2 if found[2] else 1
    return Fraction(int(found[1] or 1), over) if over else None


def spell(length: Fraction) -> str:
    """A length as it stands behind a note: `6`, `7/2`."""
    return str(length)


def metre_length(value: str, unit: Fraction) -> Fraction | None:
    """A bar of the metre `3/4`, `C` or `C|` in units of `unit` (what `L:` says); None where there is none."""
    found = _METRE.fullmatch(value.strip())
    if found is None:
        return None
    whole = Fraction(int(found[1]), int(found[2])) if found[1] else Fraction(1)
    return whole / unit if whole else None
