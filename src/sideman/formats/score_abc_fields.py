"""The fields of ABC as a score needs them: keys with clefs, tempi, metres, the lines of voices."""

import re
from fractions import Fraction

import msgspec

from sideman.formats.abc_fields import MODES as MODE_SHIFTS
from sideman.formats.score_abc_spelling import CLEFS
from sideman.music.score import Clef, KeySignature, Metre, Tempo

_KEY = re.compile(r"\s*([A-G])([#b]?)\s*(maj|min|ion|aeo|dor|phr|lyd|mix|loc|m)?[a-z]*(?=\s|$)", re.IGNORECASE)
_CLEF = re.compile(r'(?:^|\s|=)"?(treble|bass|alto|tenor|perc)([1-5]?)([+-](?:8|15))?"?(?=\s|$)')
_NAMES = {
    "maj": "major", "ion": "major", "": "major", "m": "minor", "min": "minor", "aeo": "minor", "dor": "dorian",
    "phr": "phrygian", "lyd": "lydian", "mix": "mixolydian", "loc": "locrian",
}  # fmt: skip
_BY_CLEF = {name: Clef(sign, line) for (sign, line), name in CLEFS.items()}
_PROPERTY = re.compile(r'(\w+)\s*=\s*("[^"]*"|\S+)')
_TEMPO = re.compile(r"(?:(\d{1,3})/(\d{1,3})\s*=\s*)?(\d{1,4}(?:\.\d{1,6})?)\s*$")
_METRE = re.compile(r"\(?(\d{1,2}(?:\+\d{1,2}){0,7})\)?/(\d{1,2})")
_STEPS = "FCGDAEB"


class VoiceField(msgspec.Struct, frozen=True):
    """What a `V:` line says of a voice; None where it is silent."""

    number: str
    clef: Clef | None = None
    name: str = ""
    abbreviation: str = ""
    transpose: int = 0


def read_voice(value: str) -> VoiceField:
    """`2 treble-8 transpose=-2 nm="Horn" snm="Hn."`."""
    number, _, rest = value.strip().partition(" ")
    properties = {key.lower(): text.strip('"') for key, text in _PROPERTY.findall(rest)}
    shift = properties.get("transpose", "")
    return VoiceField(
        number,
        read_clef(re.sub(r'\b(nm|name|snm|subname|sname)\s*=\s*("[^"]*"|\S+)', "", rest)),
        properties.get("nm") or properties.get("name") or "",
        properties.get("snm") or properties.get("subname") or properties.get("sname") or "",
        int(shift) if re.fullmatch(r"[+-]?\d{1,2}", shift) else 0,
    )


def read_clef(text: str) -> Clef | None:
    """The clef named in a `K:` or `V:` field."""
    found = _CLEF.search(text)
    if found is None:
        return None
    plain = _BY_CLEF.get(found[1] + found[2]) or _BY_CLEF[found[1]]
    octaves = {"8": 1, "15": 2}.get((found[3] or "")[1:], 0) * (-1 if (found[3] or "").startswith("-") else 1)
    return Clef(plain.sign, plain.line, octaves)


def read_key(text: str) -> KeySignature | None:
    """`G`, `Ebm`, `D dor`, `none`; None where the field names no key (only a clef, or nothing known)."""
    clean = text.strip()
    if clean.lower().startswith("none") or clean[:2] in ("HP", "Hp"):
        return KeySignature(0 if clean[:2] not in ("HP", "Hp") else 2)
    found = _KEY.match(clean)
    if found is None or found[1].islower():
        return None
    mode = (found[3] or "").lower()
    shift, _ = MODE_SHIFTS[mode]
    fifths = _STEPS.index(found[1]) - 1 + 7 * {"#": 1, "b": -1, "": 0}[found[2]] + shift
    return KeySignature(fifths, _NAMES[mode]) if -7 <= fifths <= 7 else None


def read_metre(text: str) -> Metre | None:
    """`3/4`, `C|`, `(2+3)/8`, `none`; None for what is no metre."""
    clean = text.strip().replace(" ", "")
    clean = {"C": "4/4", "C|": "2/2"}.get(clean, clean)
    if clean.lower() == "none":
        return Metre("")
    found = _METRE.fullmatch(clean)
    if not found or int(found[2]) not in (1, 2, 4, 8, 16, 32, 64) or not any(int(n) for n in found[1].split("+")):
        return None
    return Metre(found[1], int(found[2]))


def read_tempo(text: str, onset: Fraction, unit: Fraction) -> Tempo | None:
    """`1/4=120`, `"Slow" 3/8=60`, `120` (units of `unit` quarter notes a minute)."""
    found = _TEMPO.search(re.sub(r'"[^"]*"', " ", text).strip())
    if not found or (found[2] and not (int(found[1]) and int(found[2]))):
        return None
    beat = Fraction(4 * int(found[1]), int(found[2])) if found[2] else unit
    bpm = float(found[3])
    return Tempo(onset, beat, bpm) if 5 <= bpm * float(beat) <= 1000 else None


def tempo_words(text: str) -> str:
    """The quoted words of a tempo field."""
    return " ".join(re.findall(r'"([^"]*)"', text)).strip()
