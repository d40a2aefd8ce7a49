"""How ABC spells keys, clefs, lengths and pitches, accidentals as far as the bar has not said them."""

from fractions import Fraction

from sideman.music.score import Clef, KeySignature, Pitch, Tempo

UNIT = Fraction(1, 2)  # L:1/8 in quarter notes
_TONICS = "FCGDAEB"
# Mode -> (fifths from the signature's major tonic to its own, suffix).
MODES = {
    "major": (0, ""), "minor": (3, "m"), "aeolian": (3, "m"), "dorian": (2, "dor"), "phrygian": (4, "phr"),
    "lydian": (-1, "lyd"), "mixolydian": (1, "mix"), "locrian": (5, "loc"),
}  # fmt: skip
CLEFS = {
    ("G", 2): "treble", ("G", 1): "treble1", ("F", 4): "bass", ("F", 3): "bass3", ("F", 5): "bass5",
    ("C", 1): "alto1", ("C", 2): "alto2", ("C", 3): "alto", ("C", 4): "tenor", ("C", 5): "alto5",
    ("percussion", 2): "perc",
}  # fmt: skip
_OCTAVES = {0: "", 1: "+8", -1: "-8", 2: "+15", -2: "-15"}
_SIGNS = {2: "^^", 1: "^", 0: "=", -1: "_", -2: "__"}


def key_name(key: KeySignature) -> str:
    """`G`, `Ebm`, `Ddor`."""
    shift, suffix = MODES[key.mode]
    place = key.fifths + shift + 1
    return _TONICS[place % 7] + "#" * (place // 7) + "b" * -(place // 7) + suffix


def clef_name(clef: Clef) -> str:
    """`treble`, `bass`, `treble-8`."""
    return CLEFS.get((clef.sign, clef.line), "perc" if clef.sign == "percussion" else "treble") + _OCTAVES[clef.octave]


def length(beats: Fraction) -> str:
    """Quarter notes -> length in units: ``, `2`, `/`, `/4`, `3/2`."""
    units = beats / UNIT
    if units.denominator == 1:
        return "" if units == 1 else str(units.numerator)
    if units == UNIT:
        return "/"
    return f"{'' if units.numerator == 1 else units.numerator}/{units.denominator}"


def tempo_text(tempo: Tempo) -> str:
    """`1/4=120`, `3/8=60`."""
    unit = tempo.unit / 4
    return f"{unit.numerator}/{unit.denominator}={tempo.bpm:.6g}"


class Speller:
    """Spells the pitches of one voice in their order; an accidental holds for its octave to the bar line."""

    def __init__(self, key: KeySignature) -> None:
        self._key = key
        self._said: dict[tuple[str, int], int | None] = {}

    def bar(self) -> None:
        """A bar line: only the signature holds."""
        self._said.clear()

    def key(self, key: KeySignature) -> None:
        """Another signature; what the bar said before is forgotten."""
        self._key = key
        self._said.clear()

    def doubt(self) -> None:
        """After a change of clef readers differ on what the bar has said: say it again."""
        self._said = dict.fromkeys(self._said)

    def note(self, pitch: Pitch) -> str:
        """`^F,`, `c'`."""
        place = (pitch.step, pitch.octave)
        said = self._said.get(place, self._key.alter(pitch.step))
        sign = "" if said == pitch.alter else _SIGNS[pitch.alter]
        if sign:
            self._said[place] = pitch.alter
        if pitch.octave > 4:
            return sign + pitch.step.lower() + "'" * (pitch.octave - 5)
        return sign + pitch.step + "," * (4 - pitch.octave)
