"""The <harmony> element of MusicXML <-> Chord: kinds, degrees, basses, inversions.

A kind is a row of degrees (KINDS); <degree> elements change that row; the tones of the row are the
chord. Writing goes the other way: the kind that needs the fewest changes, and those changes.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from xml.etree.ElementTree import Element

from sideman.errors import UnknownChord, WrongValue
from sideman.music.chord import Chord, quality_name
from sideman.music.pitch import parse_pitch_class

# Degrees of each kind the schema names, root first; accidentals are against the major scale.
KINDS = {
    "major": "1 3 5", "minor": "1 b3 5", "augmented": "1 3 #5", "diminished": "1 b3 b5",
    "dominant": "1 3 5 b7", "major-seventh": "1 3 5 7", "minor-seventh": "1 b3 5 b7",
    "diminished-seventh": "1 b3 b5 bb7", "augmented-seventh": "1 3 #5 b7", "half-diminished": "1 b3 b5 b7",
    "major-minor": "1 b3 5 7", "major-sixth": "1 3 5 6", "minor-sixth": "1 b3 5 6",
    "dominant-ninth": "1 3 5 b7 9", "major-ninth": "1 3 5 7 9", "minor-ninth": "1 b3 5 b7 9",
    "dominant-11th": "1 3 5 b7 9 11", "major-11th": "1 3 5 7 9 11", "minor-11th": "1 b3 5 b7 9 11",
    "dominant-13th": "1 3 5 b7 9 13", "major-13th": "1 3 5 7 9 13", "minor-13th": "1 b3 5 b7 9 13",
    "suspended-fourth": "1 4 5", "suspended-second": "1 2 5", "power": "1 5", "pedal": "1",
    "Neapolitan": "1 3 5", "Italian": "1 3 #6", "French": "1 3 #4 #6", "German": "1 3 5 #6", "Tristan": "1 #4 #6 #9",
}  # fmt: skip
# Kinds programs write although the schema does not know them.
_STRAY_KINDS = {
    "maj69": "1 3 5 6 9", "min69": "1 b3 5 6 9", "minor-major": "1 b3 5 7", "augmented-ninth": "1 3 #5 b7 9",
    "augmented-major-seventh": "1 3 #5 7", "major-minor-seventh": "1 b3 5 7", "dominant-seventh": "1 3 5 b7",
    "half-diminished-seventh": "1 b3 b5 b7", "suspended-fourth-seventh": "1 4 5 b7", "sus47": "1 4 5 b7",
    "maj": "1 3 5", "min": "1 b3 5", "dim": "1 b3 b5", "aug": "1 3 #5",
}  # fmt: skip
_WRITTEN_KINDS = tuple(k for k in KINDS if k[0].islower() and k != "pedal")
_SCALE = {1: 0, 2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 11, 8: 12, 9: 14, 10: 16, 11: 17, 12: 19, 13: 21}
# How a tone foreign to a kind is added: degree and alteration; an added 7 counts from the minor seventh.
_ADDED = (
    (1, 0), (9, -1), (9, 0), (9, 1), (3, 0), (11, 0), (11, 1), (5, 0), (13, -1), (13, 0), (7, 0), (7, 1),
)  # fmt: skip
# Accidentals of the music fonts that old sheets put into text.
_FONT = str.maketrans({"\ue10c": "#", "\ue10d": "b", "\ue260": "b", "\ue262": "#"})
_CHORD_TEXT = re.compile(r"^[A-G][#b]?(m|maj|min|mi|ma|M|dim|aug|sus|add|o|ø|Δ|\+|-|\d|\()[\w#+\-()/,Δø]*$")


@dataclass(frozen=True, slots=True)
class Degree:
    """One <degree>: `value` 1..13, `alter` in semitones, `change` is add, alter or subtract."""

    value: int
    alter: int
    change: str


def read_harmony(harmony: Element, semitones: int) -> Chord | None:
    """A <harmony> -> its chord, moved by `semitones` to sounding pitch; None for no chord.

    Raises UnknownChord for what cannot be told (functions without a root, unknown kinds).
    """
    kind_element = harmony.find("kind")
    kind = _text(kind_element)
    shown = (kind_element.get("text") or "").strip() if kind_element is not None else ""
    if kind == "none":
        return None
    root = _pitch_class(harmony.find("root"), "root")
    if root is None:
        raise UnknownChord("A chord symbol has no root.")
    row = KINDS.get(kind) or _STRAY_KINDS.get(kind)
    if row is None:
        chord = _by_text(root, shown)
        if chord is None:
            return None
        tones, stack = sum(1 << t for t in chord.tones), [chord.root]
    else:
        degrees = _degrees(row)
        stack = [(root + tone) % 12 for _, tone in degrees]
        for element in harmony.findall("degree"):
            degrees = _change(degrees, _read_degree(element))
        tones = sum({1 << tone % 12 for _, tone in degrees})
    bass = _pitch_class(harmony.find("bass"), "bass")
    if bass is None:
        inversion = _integer(harmony.find("inversion"))
        bass = stack[inversion] if 0 <= inversion < len(stack) else root
    return Chord(root, tones or 1, bass).transpose(semitones)


def read_chord_text(text: str) -> Chord | None:
    """Chord information written as plain text (`N.C.`, `G7(b9)`). Raises UnknownChord for anything else.

    A bare letter is not read as a chord: it may be a rehearsal mark or a dynamic.
    """
    clean = text.translate(_FONT).strip().replace(" ", "")
    if clean.upper() in ("N.C.", "N.C", "NC", "(N.C.)"):
        return None
    if not _CHORD_TEXT.match(clean):
        raise UnknownChord(f"'{text}' is not a chord symbol.")
    return Chord.parse(clean)


@lru_cache(maxsize=4096)
def spell_kind(mask: int) -> tuple[str, tuple[Degree, ...]]:
    """Tones above a root (12-bit mask) -> the kind that needs the fewest degree changes, and those."""
    candidates = [(kind, _changes(_degrees(KINDS[kind]), mask)) for kind in _WRITTEN_KINDS]
    return min(candidates, key=lambda c: sum(5 if d.change == "subtract" else 2 for d in c[1]))


@lru_cache(maxsize=64)
def kind_symbol(kind: str) -> str:
    """How a kind is written, such as `m7`; programs print its degrees behind that."""
    return quality_name(sum({1 << tone % 12 for _, tone in _degrees(KINDS[kind])}))


def _changes(degrees: list[tuple[int, int]], mask: int) -> tuple[Degree, ...]:
    """What turns the tones of a kind into `mask`."""
    have = {tone % 12 for _, tone in degrees}
    missing = [t for t in range(12) if mask >> t & 1 and t not in have]
    changes: list[Degree] = []
    for value, tone in degrees:
        if mask >> tone % 12 & 1:
            continue
        moved = [t for t in missing if value == 5 and t in (6, 8)]
        if moved:
            missing.remove(moved[0])
            changes.append(Degree(5, moved[0] - tone, "alter"))
        else:
            changes.append(Degree(value, 0, "subtract"))
    return (*changes, *(Degree(*_ADDED[tone], "add") for tone in missing))


def _degrees(row: str) -> list[tuple[int, int]]:
    """`1 b3 5` -> (degree, semitones above the root) each."""
    names = ((int(name.lstrip("#b")), name.count("#") - name.count("b")) for name in row.split())
    return [(number, _SCALE[number] + alter) for number, alter in names]


def _change(degrees: list[tuple[int, int]], degree: Degree) -> list[tuple[int, int]]:
    """The degrees after one <degree>; an added degree counts from a dominant scale (minor seventh)."""
    if degree.value not in _SCALE:
        return degrees
    present = [d for d in degrees if d[0] == degree.value]
    if degree.change == "subtract":
        return [d for d in degrees if d[0] != degree.value]
    if degree.change == "alter" and present:
        return [(v, tone + degree.alter) if v == degree.value else (v, tone) for v, tone in degrees]
    plain = 10 if degree.value == 7 else _SCALE[degree.value]
    return [*degrees, (degree.value, plain + degree.alter)]


def _read_degree(element: Element) -> Degree:
    return Degree(
        _integer(element.find("degree-value")),
        _integer(element.find("degree-alter")),
        _text(element.find("degree-type")) or "add",
    )


def _by_text(root: int, shown: str) -> Chord | None:
    """The chord the text of an unknown kind shows; an empty text is a plain triad."""
    name = "C" + shown
    chord = Chord.parse(shown) if shown.upper() in ("N.C.", "N.C", "NC") else Chord.parse(name)
    return chord and chord.transpose(root)


def _pitch_class(element: Element | None, prefix: str) -> int | None:
    """Pitch class of a <root> or <bass>; None where there is none."""
    if element is None:
        return None
    try:
        step = parse_pitch_class(_text(element.find(f"{prefix}-step")))
    except WrongValue:
        return None
    return (step + _integer(element.find(f"{prefix}-alter"))) % 12


def _text(element: Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _integer(element: Element | None) -> int:
    """Whole number of an element; quarter-tone alterations are rounded, nonsense counts as 0."""
    try:
        return round(float(_text(element) or 0))
    except (ValueError, OverflowError):
        return 0
