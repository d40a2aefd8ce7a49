"""Marks, tempi, keys and clefs of a score -> elements of a MusicXML measure."""

from collections.abc import Callable
from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

from sideman.errors import UnknownChord
from sideman.formats.musicxml_harmony import kind_symbol, spell_kind
from sideman.formats.score_musicxml_values import VALUES
from sideman.formats.score_signs import DYNAMICS
from sideman.music.chord import Chord
from sideman.music.pitch import LETTERS
from sideman.music.score import Clef, KeySignature, Mark, Tempo

TYPES = {value: name for name, value in VALUES.items()}


def add_key(parent: Element, key: KeySignature, staff: str = "") -> None:
    """A key signature, of one staff or of all."""
    element = SubElement(parent, "key", {"number": staff} if staff else {})
    SubElement(element, "fifths").text = str(key.fifths)
    SubElement(element, "mode").text = key.mode


def add_clef(parent: Element, clef: Clef, staff: str = "") -> None:
    """A clef, of one staff or of all."""
    element = SubElement(parent, "clef", {"number": staff} if staff else {})
    SubElement(element, "sign").text = clef.sign
    if clef.sign != "percussion":
        SubElement(element, "line").text = str(clef.line)
    if clef.octave:
        SubElement(element, "clef-octave-change").text = str(clef.octave)


def add_tempo(parent: Element, tempo: Tempo) -> None:
    """A metronome mark with what it sounds like."""
    direction = SubElement(parent, "direction", placement="above")
    metronome = SubElement(SubElement(direction, "direction-type"), "metronome")
    dots = next((n for n in range(4) if tempo.unit / (2 - Fraction(1, 2**n)) in TYPES), None)
    unit, bpm = tempo.unit, tempo.bpm
    if dots is None:
        unit, bpm, dots = Fraction(1), float(tempo.unit) * tempo.bpm, 0
    SubElement(metronome, "beat-unit").text = TYPES[unit / (2 - Fraction(1, 2**dots))]
    for _ in range(dots):
        SubElement(metronome, "beat-unit-dot")
    SubElement(metronome, "per-minute").text = f"{bpm:.6g}"
    SubElement(direction, "sound", tempo=f"{float(tempo.unit) * tempo.bpm:.6g}")


def add_mark(parent: Element, mark: Mark, staff: str = "") -> None:
    """A <direction>, or a <harmony> for a chord symbol that can be told."""
    if mark.kind == "chord":
        try:
            chord = Chord.parse(mark.text)
        except UnknownChord:
            mark = Mark(mark.onset, "words", mark.text)
        else:
            _add_harmony(parent, mark.text, chord, staff)
            return
    direction = SubElement(parent, "direction", placement="below" if mark.below or mark.kind in _BELOW else "above")
    _TYPES[mark.kind](SubElement(direction, "direction-type"), mark)
    if staff:
        SubElement(direction, "staff").text = staff


_BELOW = ("dynamic", "wedge", "pedal")


def _dynamic(parent: Element, mark: Mark) -> None:
    dynamics = SubElement(parent, "dynamics")
    if mark.text in DYNAMICS:
        SubElement(dynamics, mark.text)
    else:
        SubElement(dynamics, "other-dynamics").text = mark.text


def _wedge(parent: Element, mark: Mark) -> None:
    kind = "stop" if mark.text.endswith(" stop") else mark.text
    SubElement(parent, "wedge", type=kind, number="1" if mark.text.startswith("crescendo") else "2")


def _octave(parent: Element, mark: Mark) -> None:
    name = mark.text.removesuffix(" stop")
    kind = "stop" if mark.text != name else "down" if name.endswith("a") else "up"
    size, number = "15" if name.startswith("15") else "8", "1" if name.endswith("a") else "2"
    SubElement(parent, "octave-shift", type=kind, size=size, number=number)


def _pedal(parent: Element, mark: Mark) -> None:
    SubElement(parent, "pedal", type=mark.text)


def _words(parent: Element, mark: Mark) -> None:
    SubElement(parent, "words").text = mark.text


def _sign(parent: Element, mark: Mark) -> None:
    if mark.text in ("segno", "coda"):
        SubElement(parent, mark.text)
    else:
        SubElement(parent, "words").text = {"fine": "Fine"}.get(mark.text, mark.text)


_TYPES: dict[str, Callable[[Element, Mark], None]] = {
    "dynamic": _dynamic, "wedge": _wedge, "octave": _octave, "pedal": _pedal, "words": _words, "sign": _sign,
}  # fmt: skip


def _add_harmony(parent: Element, text: str, chord: Chord | None, staff: str) -> None:
    harmony = SubElement(parent, "harmony")
    root = SubElement(harmony, "root")
    if chord is None:
        SubElement(root, "root-step").text = "C"
        SubElement(harmony, "kind", text="N.C.").text = "none"
    else:
        _add_name(root, "root", text, chord.root)
        kind, degrees = spell_kind(chord.mask)
        SubElement(harmony, "kind", text=kind_symbol(kind)).text = kind
        if chord.bass != chord.root:
            _add_name(SubElement(harmony, "bass"), "bass", text.rpartition("/")[2], chord.bass)
        for degree in degrees:
            element = SubElement(harmony, "degree")
            SubElement(element, "degree-value").text = str(degree.value)
            SubElement(element, "degree-alter").text = str(degree.alter)
            SubElement(element, "degree-type").text = degree.change
    if staff:
        SubElement(harmony, "staff").text = staff


def _add_name(parent: Element, prefix: str, text: str, pitch_class: int) -> None:
    """A root or bass as the symbol spells it."""
    step = text[:1] if text[:1] in LETTERS else "C"
    alter = (pitch_class - LETTERS[step] + 6) % 12 - 6
    SubElement(parent, f"{prefix}-step").text = step
    if alter:
        SubElement(parent, f"{prefix}-alter").text = str(alter)
