"""The values of ABC fields: keys with their signatures, unit lengths, tempi, playing orders."""

import re
from fractions import Fraction

from sideman.errors import TooLarge, UnreadableFile, WrongValue
from sideman.music.pitch import LETTERS, Key, Mode
from sideman.music.song import Meter

# 40320 ticks a quarter note: exact down to 1/128 of a beat and for tuplets of 3, 5, 7 and 9.
TICKS = 40320
MAX_PARTS = 1000

# Mode names by their first three letters: (fifths relative to major on the same tonic, our mode).
MODES: dict[str, tuple[int, Mode]] = {
    "": (0, "major"), "maj": (0, "major"), "ion": (0, "major"), "lyd": (1, "major"), "mix": (-1, "major"),
    "m": (-3, "minor"), "min": (-3, "minor"), "aeo": (-3, "minor"), "dor": (-2, "minor"), "phr": (-4, "minor"),
    "loc": (-5, "minor"),
}  # fmt: skip
_KEY = re.compile(r"([A-G])([#b]?)\s*(?:(maj|ion|lyd|mix|min|aeo|dor|phr|loc|m)[a-z]*)?(?![a-z=])", re.IGNORECASE)
_GLOBAL_ACCIDENTAL = re.compile(r"(?<![\w=])(\^\^|\^|__|_|=)([A-Ga-g])(?![\w=])")
_ACCIDENTALS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
_SHARP_ORDER = "FCGDAEB"
_TEMPO = re.compile(r"((?:\d{1,3}/\d{1,3}\s*)+)=\s*(\d{1,4}(?:\.\d{1,6})?)|^\s*(\d{1,4}(?:\.\d{1,6})?)\s*$")

Signature = dict[str, int]  # letter -> semitones


def parse_key(text: str) -> tuple[Key | None, Signature]:
    """`G`, `Ador`, `Bb minor`, `D exp _b ^f`, `HP`, `none` -> key (None when there is none) and signature."""
    clean = re.sub(r'"[^"]*"', "", text).strip()
    if clean[:2] in ("HP", "Hp"):
        return Key.from_fifths(2), {"F": 1, "C": 1} | ({"G": 0} if clean[1] == "p" else {})
    if not clean or clean.lower().startswith("none"):
        return None, {}
    found = _KEY.match(clean)
    if not found or found[1].islower():
        return None, _accidentals(clean)
    shift, mode = MODES[(found[3] or "").lower()]
    tonic = LETTERS[found[1]] + {"#": 1, "b": -1, "": 0}[found[2]]
    fifths = _SHARP_ORDER.index(found[1]) - 1 + 7 * {"#": 1, "b": -1, "": 0}[found[2]] + shift
    rest = clean[found.end() :]
    signature = {} if re.search(r"\bexp", rest) else _signature(fifths)
    return Key(tonic % 12, mode), signature | _accidentals(rest)


def _signature(fifths: int) -> Signature:
    """Sharps or flats of a signature; beyond seven they double."""
    out: Signature = {}
    for number in range(abs(fifths)):
        letter = _SHARP_ORDER[number % 7] if fifths > 0 else _SHARP_ORDER[6 - number % 7]
        out[letter] = out.get(letter, 0) + (1 if fifths > 0 else -1)
    return out


def _accidentals(text: str) -> Signature:
    return {letter.upper(): _ACCIDENTALS[sign] for sign, letter in _GLOBAL_ACCIDENTAL.findall(text)}


def accidental(sign: str) -> int:
    """`^`, `_`, `=`, `^^`, `__` -> semitones."""
    return _ACCIDENTALS[sign]


def parse_meter(text: str) -> Meter | None:
    """`6/8`, `C|`, `(2+3)/8`; None for `none` and what is not a metre."""
    clean = text.strip().strip('"')
    top, slash, bottom = clean.partition("/")
    numbers = re.findall(r"\d{1,3}", top)
    if slash and re.fullmatch(r"\(?\s*\d{1,2}(?:\s*\+\s*\d{1,2})+\s*\)?", top):
        clean = f"{sum(int(n) for n in numbers)}/{bottom}"
    try:
        return Meter.parse(clean)
    except (WrongValue, ValueError):
        return None


def parse_unit(text: str) -> int | None:
    """`1/8` -> ticks of the unit note length; None for what is not one."""
    found = re.fullmatch(r"(\d{1,3})(?:/(\d{1,3}))?", text.replace(" ", ""))
    if not found or not int(found[1]) or (found[2] and not int(found[2])):
        return None
    return max(1, 4 * TICKS * int(found[1]) // int(found[2] or 1))


def default_unit(meter: Meter | None) -> int:
    """ABC's rule where `L:` is absent: a sixteenth below 3/4, else an eighth (in ticks)."""
    return TICKS // 4 if meter is not None and meter.bar_beats < 3 else TICKS // 2


def parse_tempo(text: str, unit: int) -> float | None:
    """`1/4=120`, `3/8=80`, `"Slow" 1/4=60`, `120` (units a minute) -> quarter notes a minute, within 5..1000."""
    found = _TEMPO.search(re.sub(r'"[^"]*"', " ", text))
    if not found:
        return None
    try:
        beats = sum(4 * Fraction(f) for f in found[1].split()) if found[1] else Fraction(unit, TICKS)
    except ZeroDivisionError:
        return None
    bpm = float(beats) * float(found[2] or found[3])
    return bpm if 5 <= bpm <= 1000 else None


def length_factor(text: str) -> tuple[int, int]:
    """`3`, `/`, `//`, `3/2`, `/4` -> (numerator, denominator). Raises UnreadableFile."""
    if not text:
        return 1, 1
    top, slash, bottom = text.partition("/")
    extra = len(bottom) - len(bottom.lstrip("/"))
    bottom = bottom.lstrip("/")
    denominator = (int(bottom) if bottom.isdecimal() and len(bottom) < 5 else 0) if bottom else 2 if slash else 1
    denominator <<= min(extra, 8)
    numerator = (int(top) if len(top) < 5 else 0) if top else 1
    if not denominator or not numerator:
        raise UnreadableFile(f"'{text[:20]}' is not a note length.", "Write one like 2, /2 or 3/2.")
    return numerator, denominator


def playing_order(text: str) -> list[str]:
    """`AABA`, `A (AB)4`, `A2.B` -> the letters in the order they are played. Raises TooLarge."""
    stack: list[list[str]] = [[]]
    last: list[str] = []
    for piece in re.findall(r"[A-Z]|[()]|\d{1,4}", re.sub(r"\*\s*", "", text)):
        if piece == "(":
            stack.append([])
        elif piece == ")":
            last = stack.pop() if len(stack) > 1 else []
            stack[-1] += last
        elif piece.isdecimal():
            stack[-1] += last * min(int(piece) - 1, MAX_PARTS)
        else:
            last = [piece]
            stack[-1] += last
        if len(stack[-1]) > MAX_PARTS:
            raise TooLarge("The playing order has too many parts.", f"At most {MAX_PARTS} are played.")
    return [letter for group in stack for letter in group]
