"""Score -> MusicXML 4.0, part by part, for any notation program.

`read(write(score))` gives the bars, notes, marks and lyrics of `score` back. Durations no single note
can show are written as tied notes, slurs without an end are left out.
"""

import math
import re
from functools import partial
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sideman.formats.score_musicxml_write_bar import Cursor, VoiceWriter
from sideman.formats.score_musicxml_write_marks import add_clef, add_key, add_tempo
from sideman.formats.score_notation import pieces
from sideman.music.score import Bar, Metre, Part, Score

_DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC '
    '"-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_CONTROL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DIATONIC = (0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)


def write(score: Score) -> bytes:
    """UTF-8 bytes of a MusicXML file."""
    root = Element("score-partwise", version="4.0")
    if score.title:
        SubElement(SubElement(root, "work"), "work-title").text = score.title
    identification = SubElement(root, "identification")
    if score.composer:
        SubElement(identification, "creator", type="composer").text = score.composer
    if score.rights:
        SubElement(identification, "rights").text = score.rights
    SubElement(SubElement(identification, "encoding"), "software").text = "Sideman"
    _part_list(root, score)
    for number, part in enumerate(score.parts):
        root.append(_PartWriter(score, part, number).element())
    indent(root)
    return (_DOCTYPE + _CONTROL.sub("", tostring(root, encoding="unicode")) + "\n").encode()


def _part_list(root: Element, score: Score) -> None:
    listed = SubElement(root, "part-list")
    for index, part in enumerate(score.parts):
        for number, group in enumerate(score.groups, 1):
            if group.first == index:
                element = SubElement(listed, "part-group", type="start", number=str(number))
                SubElement(element, "group-symbol").text = group.symbol
                SubElement(element, "group-barline").text = "yes" if group.joined else "no"
        element = SubElement(listed, "score-part", id=f"P{index + 1}")
        SubElement(element, "part-name").text = part.name
        if part.abbreviation:
            SubElement(element, "part-abbreviation").text = part.abbreviation
        for number, group in reversed(list(enumerate(score.groups, 1))):
            if group.last == index:
                SubElement(listed, "part-group", type="stop", number=str(number))


class _PartWriter:
    """Writes one <part>. Used once."""

    def __init__(self, score: Score, part: Part, number: int) -> None:
        self.score, self.part, self.number = score, part, number
        self.divisions = _divisions(score, part)
        self.voices = VoiceWriter(score, part)
        self.ending = ""

    def element(self) -> Element:
        element = Element("part", id=f"P{self.number + 1}")
        for number, bar in enumerate(self.score.bars):
            element.append(self._measure(number, bar))
        return element

    def _measure(self, number: int, bar: Bar) -> Element:
        measure = Element("measure", number=bar.number or ("0" if number == 0 else f"X{number}"))
        if not bar.number:
            measure.set("implicit", "yes")
        self._attributes(measure, number, bar)
        self._left(measure, bar)
        cursor = Cursor(measure, self.divisions)
        if self.number == 0:
            for tempo in bar.tempos:
                cursor.later(tempo.onset, 0, partial(add_tempo, tempo=tempo))
        self.voices.write(cursor, number)
        self._right(measure, number, bar)
        return measure

    def _attributes(self, measure: Element, number: int, bar: Bar) -> None:
        """Divisions, keys, metre, staves and clefs that hold from the start of the bar."""
        element = Element("attributes")
        if number == 0:
            SubElement(element, "divisions").text = str(self.divisions)
        shown = [staff[number] for staff in self.part.staves]
        keys = [next((key for onset, key in staff.keys if not onset), None) for staff in shown]
        if any(keys):
            same = all(key == keys[0] for key in keys)
            for staff, key in enumerate(keys[:1] if same else keys):
                if key is not None:
                    add_key(element, key, "" if same else str(staff + 1))
        if bar.metre is not None:
            _add_metre(element, bar.metre)
        if number == 0 and len(shown) > 1:
            SubElement(element, "staves").text = str(len(shown))
        for index, staff_bar in enumerate(shown):
            for onset, clef in staff_bar.clefs:
                if not onset:
                    add_clef(element, clef, str(index + 1) if len(shown) > 1 else "")
        if number == 0 and self.part.transpose:
            _add_transpose(element, self.part.transpose)
        if len(element):
            measure.append(element)

    def _left(self, measure: Element, bar: Bar) -> None:
        if not (bar.left or bar.ending):
            return
        barline = SubElement(measure, "barline", location="left")
        if bar.left:
            SubElement(barline, "bar-style").text = "heavy-light"
        if bar.ending:
            self.ending = bar.ending
            SubElement(barline, "ending", number=bar.ending, type="start")
        if bar.left == "repeat":
            SubElement(barline, "repeat", direction="forward")

    def _right(self, measure: Element, number: int, bar: Bar) -> None:
        marks = [mark for staff in self.part.staves for mark in staff[number].marks]
        fermata = any(m.kind == "sign" and m.text == "fermata" and m.onset == bar.length for m in marks)
        stops = bar.ending_stops and self.ending
        if bar.right == "regular" and not stops and not fermata:
            return
        barline = SubElement(measure, "barline", location="right")
        styles = {"double": "light-light", "final": "light-heavy", "repeat": "light-heavy", "dotted": "dotted"}
        SubElement(barline, "bar-style").text = styles.get(bar.right, "regular")
        if fermata:
            SubElement(barline, "fermata", type="upright")
        if stops:
            plain = bar.right in ("regular", "dotted")
            SubElement(barline, "ending", number=self.ending, type="discontinue" if plain else "stop")
            self.ending = ""
        if bar.right == "repeat":
            SubElement(barline, "repeat", direction="backward")


def _divisions(score: Score, part: Part) -> int:
    """The least divisions of a quarter note that show all times of a part."""
    times = {bar.length for bar in score.bars} | {tempo.onset for bar in score.bars for tempo in bar.tempos}
    for voice in part.voices:
        for bar in voice.bars:
            for event in bar:
                times |= (
                    {event.onset, *(piece.duration for piece in pieces(event))} if event.duration else {event.onset}
                )
    for staff in part.staves:
        for shown in staff:
            times |= {mark.onset for mark in shown.marks} | {onset for onset, _ in (*shown.clefs, *shown.keys)}
    return math.lcm(*(time.denominator for time in times))


def _add_metre(parent: Element, metre: Metre) -> None:
    time = SubElement(parent, "time")
    if metre.top:
        SubElement(time, "beats").text = metre.top
        SubElement(time, "beat-type").text = str(metre.bottom)
    else:
        SubElement(time, "senza-misura")


def _add_transpose(parent: Element, semitones: int) -> None:
    sign = -1 if semitones < 0 else 1
    octaves, chromatic = divmod(abs(semitones), 12)
    element = SubElement(parent, "transpose")
    SubElement(element, "diatonic").text = str(sign * _DIATONIC[chromatic])
    SubElement(element, "chromatic").text = str(sign * chromatic)
    if octaves:
        SubElement(element, "octave-change").text = str(sign * octaves)
