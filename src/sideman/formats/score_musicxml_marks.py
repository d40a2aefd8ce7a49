"""<direction>, <sound> and <harmony> of MusicXML -> marks and tempi of a score."""

import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from xml.etree.ElementTree import Element

from sideman.errors import UnknownChord
from sideman.formats.musicxml_harmony import read_harmony
from sideman.formats.score_musicxml_values import VALUES, number
from sideman.formats.score_signs import DYNAMICS
from sideman.music.pitch import Key
from sideman.music.score import Mark, MarkKind, Tempo

_PER_MINUTE = re.compile(r"\d{1,4}(\.\d{1,4})?")
_SILENT = frozenset(("dashes", "bracket", "metronome", "other-direction", "image", "eyeglasses", "damp", "damp-all"))


class Lines:
    """Reads directions of one part; remembers which hairpins and octave lines are open."""

    def __init__(self, losses: Counter[str]) -> None:
        self.losses = losses
        self._open: dict[tuple[str, str], str] = {}

    def read(self, direction: Element, onset: Fraction) -> Iterator[Mark]:
        """The marks of a <direction> in the order written; adjoining words are one text."""
        below = direction.get("placement") == "below"
        words: list[str] = []
        for kind in direction.iterfind("direction-type"):
            for element in kind:
                if element.tag in ("words", "rehearsal"):
                    words.append(element.text or "")
                else:
                    yield from _text(words, onset, below)
                    yield from self._mark(element, onset, below)
        yield from _text(words, onset, below)

    def _mark(self, element: Element, onset: Fraction, below: bool) -> Iterator[Mark]:
        if element.tag == "dynamics":
            yield from self._dynamics(element, onset, below)
        elif element.tag == "wedge":
            yield from self._line("wedge", element.get("type", ""), element, onset)
        elif element.tag == "octave-shift":
            size = "15" if element.get("size") == "15" else "8"
            names = {"down": size + ("va" if size == "8" else "ma"), "up": size + ("vb" if size == "8" else "mb")}
            yield from self._line("octave", names.get(element.get("type", ""), "stop"), element, onset)
        elif element.tag == "pedal":
            kind = element.get("type", "")
            if kind == "change":
                yield Mark(onset, "pedal", "stop")
            yield Mark(onset, "pedal", "stop" if kind in ("stop", "discontinue") else "start")
        elif element.tag in ("segno", "coda"):
            yield Mark(onset, "sign", element.tag)
        elif element.tag not in _SILENT:
            self.losses[f"directions of the kind {element.tag[:30]}"] += 1

    def _line(self, kind: MarkKind, text: str, element: Element, onset: Fraction) -> Iterator[Mark]:
        """A line begins, or the one of this number ends."""
        key = (kind, element.get("number", "1"))
        if text == "continue":
            return
        if text != "stop":
            self._open[key] = text
            yield Mark(onset, kind, text)
        elif key in self._open:
            yield Mark(onset, kind, self._open.pop(key) + " stop")
        else:
            self.losses["lines that end without a beginning"] += 1

    def _dynamics(self, element: Element, onset: Fraction, below: bool) -> Iterator[Mark]:
        for child in element:
            if child.tag in DYNAMICS:
                yield Mark(onset, "dynamic", child.tag)
            else:
                text = (child.text or "").strip() if child.tag == "other-dynamics" else child.tag
                if text in DYNAMICS:
                    yield Mark(onset, "dynamic", text)
                else:
                    yield from _text([text], onset, True)


def read_tempo(element: Element, onset: Fraction) -> Tempo | None:
    """The tempo of a <direction> or <sound>: a metronome mark, else what is to sound."""
    metronome = element.find("direction-type/metronome")
    found = _PER_MINUTE.search(metronome.findtext("per-minute") or "") if metronome is not None else None
    if metronome is not None and found is not None:
        unit = VALUES.get((metronome.findtext("beat-unit") or "").strip())
        if unit is not None:
            dots = min(len(metronome.findall("beat-unit-dot")), 4)
            return _tempo(onset, unit * (2 - Fraction(1, 2**dots)), float(found[0]))
    sound = element if element.tag == "sound" else element.find("sound")
    text = sound.get("tempo") if sound is not None else None
    return _tempo(onset, Fraction(1), float(number(text))) if text else None


def read_chord(harmony: Element, onset: Fraction, key: Key | None, losses: Counter[str]) -> Mark | None:
    """A <harmony> as a chord symbol, spelled in `key`."""
    try:
        chord = read_harmony(harmony, 0)
    except UnknownChord:
        losses["chord symbols nobody can parse"] += 1
        return None
    return Mark(onset, "chord", chord.name(key) if chord is not None else "N.C.")


def _tempo(onset: Fraction, unit: Fraction, bpm: float) -> Tempo | None:
    return Tempo(onset, unit, bpm) if 5 <= bpm * float(unit) <= 1000 else None


def _text(words: list[str], onset: Fraction, below: bool) -> Iterator[Mark]:
    """The gathered words as one mark, if they say anything."""
    text = " ".join("".join(words).split())
    words.clear()
    if text:
        yield Mark(onset, "words", text, below)
