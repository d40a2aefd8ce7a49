"""Small elements of MusicXML -> values of a score: numbers, pitches, note values, metres, keys, clefs."""

import re
from fractions import Fraction
from functools import lru_cache
from xml.etree.ElementTree import Element

from sideman.errors import UnreadableFile
from sideman.music.pitch import LETTERS
from sideman.music.score import Clef, KeySignature, Metre, Pitch

# Quarter notes in each note value.
VALUES = {
    "maxima": Fraction(32), "long": Fraction(16), "breve": Fraction(8), "whole": Fraction(4), "half": Fraction(2),
    "quarter": Fraction(1), "eighth": Fraction(1, 2), "16th": Fraction(1, 4), "32nd": Fraction(1, 8),
    "64th": Fraction(1, 16), "128th": Fraction(1, 32), "256th": Fraction(1, 64), "512th": Fraction(1, 128),
    "1024th": Fraction(1, 256),
}  # fmt: skip
MODES = ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "aeolian", "locrian")
MAX_STAVES = 16
_NUMBER = re.compile(r"[+-]?\d{1,12}(\.\d{0,12})?")
_TOP = re.compile(r"\d{1,2}(\+\d{1,2}){0,7}")
_HINT = "Export it again as MusicXML."


@lru_cache(4096)
def number(text: str | None) -> Fraction:
    """A decimal number as written, exactly; nothing is 0. Raises UnreadableFile."""
    clean = (text or "").strip() or "0"
    if not _NUMBER.fullmatch(clean):
        raise UnreadableFile(f"'{clean[:20]}' stands where the score needs a number.", _HINT)
    return Fraction(clean)


def pitch(element: Element, prefix: str = "") -> Pitch:
    """A <pitch>, or an <unpitched> with the prefix `display-`. Raises UnreadableFile."""
    step = element.findtext(f"{prefix}step") or ("B" if prefix else "")
    return _pitch(step, element.findtext("alter") or "0", element.findtext(f"{prefix}octave") or "4")


@lru_cache(4096)
def _pitch(step: str, alter: str, octave: str) -> Pitch:
    """Quarter tones are rounded; what more than two accidentals alter is spelled on the next step."""
    step, semitones, height = step.strip(), round(number(alter)), round(number(octave))
    if step not in LETTERS:
        raise UnreadableFile(f"'{step[:20]}' stands where the score needs a note name.", _HINT)
    if not -1 <= height <= 10 or not -6 <= semitones <= 6:
        raise UnreadableFile(f"A note {step} has the octave {height} and the alteration {semitones}.", _HINT)
    while abs(semitones) > 2:
        up = semitones > 0
        place = "CDEFGAB".index(step) + (1 if up else -1)
        moved = "CDEFGAB"[place % 7]
        semitones -= LETTERS[moved] - LETTERS[step] + 12 * (place // 7)
        step, height = moved, height + place // 7
    return Pitch(step, semitones, height)


def ratio(element: Element | None) -> tuple[int, int] | None:
    """A <time-modification> as (actual, normal); None without one or where it changes nothing."""
    if element is None:
        return None
    actual = int(number(element.findtext("actual-notes") or "1"))
    normal = int(number(element.findtext("normal-notes") or "1"))
    if not 1 <= actual <= 128 or not 1 <= normal <= 128:
        raise UnreadableFile(f"{actual} notes in the time of {normal} is not a tuplet.", _HINT)
    return (actual, normal) if actual != normal else None


def value(element: Element | None, dots: int) -> Fraction | None:
    """A <type> with its dots in quarter notes; None without one."""
    plain = VALUES.get((element.text or "").strip()) if element is not None else None
    return plain * (2 - Fraction(1, 2 ** min(dots, 6))) if plain is not None else None


def metre(element: Element) -> Metre | None:
    """A <time>; several fractions are written with the finest beat. None for one nobody can count."""
    tops = [(e.text or "").replace(" ", "") for e in element.findall("beats")]
    bottoms = [int(number(e.text)) for e in element.findall("beat-type")]
    if not tops:
        return Metre("")
    if len(tops) != len(bottoms) or any(not _TOP.fullmatch(t) for t in tops):
        return None
    if any(b not in (1, 2, 4, 8, 16, 32, 64) for b in bottoms) or all(set(t) <= set("0+") for t in tops):
        return None
    bottom = max(bottoms)
    if len(tops) == 1:
        return Metre(tops[0], bottom)
    scaled = [str(sum(int(n) for n in t.split("+")) * bottom // b) for t, b in zip(tops, bottoms, strict=True)]
    return Metre("+".join(scaled), bottom)


def key(element: Element) -> KeySignature | None:
    """A <key>; None for signatures that are no row of fifths."""
    fifths = element.findtext("fifths")
    if fifths is None:
        return None
    mode = (element.findtext("mode") or "major").strip()
    return KeySignature(max(-7, min(7, round(number(fifths)))), mode if mode in MODES else "major")


def clef(element: Element) -> Clef:
    """A <clef>; tablature and other rarities become a treble clef."""
    sign = (element.findtext("sign") or "G").strip()
    sign = sign if sign in ("G", "F", "C", "percussion") else "G"
    line = round(number(element.findtext("line"))) or {"G": 2, "F": 4}.get(sign, 3)
    octave = round(number(element.findtext("clef-octave-change")))
    return Clef(sign, max(1, min(5, line)), max(-2, min(2, octave)))


def staff(text: str | None) -> int:
    """The content of <staff>, or a number attribute, as an index from 0."""
    clean = (text or "1").strip()
    return max(0, min(int(clean), MAX_STAVES) - 1) if clean.isdecimal() else 0
