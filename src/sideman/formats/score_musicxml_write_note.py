"""One event of a score -> its <note> elements."""

from dataclasses import dataclass
from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

from sideman.formats.score_musicxml_write_marks import TYPES
from sideman.formats.score_notation import Piece
from sideman.formats.score_signs import BY_NAME
from sideman.music.score import Event, Note, Pitch

_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
_GROUPS = ("ornaments", "technical", "articulations")


@dataclass(frozen=True, slots=True)
class Drawn:
    """An event with all that its neighbours decide: what it shows, continues and ends."""

    event: Event
    pieces: list[Piece]
    voice: str
    staff: str
    fills_bar: bool
    percussion: bool
    altered: set[Pitch]  # pitches that show an accidental
    held: set[Pitch]  # pitches a tie leads to
    beams: list[str]
    brackets: list[str]  # tuplet brackets: start, stop
    slurs: list[tuple[str, int]]
    continues: set[int]  # verses whose last syllable left its word open
    ends_strokes: bool  # second note of a tremolo


def add_event(measure: Element, drawn: Drawn, divisions: int) -> None:
    """All notes of an event, in as many tied pieces as it takes."""
    event = drawn.event
    if drawn.fills_bar:
        note = _note(measure, drawn, None, event.duration, divisions)
        note[0].set("measure", "yes")
        SubElement(note, "voice").text = drawn.voice
        if drawn.staff:
            SubElement(note, "staff").text = drawn.staff
        _notations(note, drawn, [], first=True, last=True)
        return
    for number, piece in enumerate(drawn.pieces):
        first, last = number == 0, number + 1 == len(drawn.pieces)
        for head in event.notes or (None,):
            note = _note(
                measure, drawn, head, piece.duration, divisions, chord=head is not None and head != event.notes[0]
            )
            ties: list[str] = []
            if head is not None:
                ties = ["stop"] * (not first or head.pitch in drawn.held) + ["start"] * (not last or head.tie)
            _value(note, drawn, head, piece, ties, first)
            if head is None or head == event.notes[0]:
                _notations(note, drawn, ties, first, last)
            elif ties:
                _tied(SubElement(note, "notations"), ties)
            if head is not None and head == event.notes[0] and first:
                _lyrics(note, drawn)


def _note(
    measure: Element, drawn: Drawn, head: Note | None, duration: Fraction, divisions: int, chord: bool = False
) -> Element:
    """A <note> up to its voice."""
    event = drawn.event
    note = SubElement(measure, "note", {"print-object": "no"} if event.hidden else {})
    if event.is_grace:
        SubElement(note, "grace", {"slash": "yes"} if event.slash else {})
    if chord:
        SubElement(note, "chord")
    if head is None:
        SubElement(note, "rest")
    elif drawn.percussion:
        shown = SubElement(note, "unpitched")
        SubElement(shown, "display-step").text = head.pitch.step
        SubElement(shown, "display-octave").text = str(head.pitch.octave)
    else:
        pitch = SubElement(note, "pitch")
        SubElement(pitch, "step").text = head.pitch.step
        if head.pitch.alter:
            SubElement(pitch, "alter").text = str(head.pitch.alter)
        SubElement(pitch, "octave").text = str(head.pitch.octave)
    if not event.is_grace:
        SubElement(note, "duration").text = str(int(duration * divisions))
    return note


def _value(note: Element, drawn: Drawn, head: Note | None, piece: Piece, ties: list[str], first: bool) -> None:
    """From the ties to the beams, in the order the schema wants."""
    event = drawn.event
    for kind in ties:
        SubElement(note, "tie", type=kind)
    SubElement(note, "voice").text = drawn.voice
    paired = event.strokes_join or drawn.ends_strokes
    SubElement(note, "type").text = TYPES.get(piece.value * (2 if paired else 1), "1024th")
    for _ in range(piece.dots):
        SubElement(note, "dot")
    if head is not None and head.pitch in drawn.altered and first and not drawn.percussion:
        SubElement(note, "accidental").text = _ACCIDENTALS[head.pitch.alter]
    actual, normal = piece.ratio or (1, 1)
    if piece.ratio or paired:
        modification = SubElement(note, "time-modification")
        SubElement(modification, "actual-notes").text = str(actual * (2 if paired else 1))
        SubElement(modification, "normal-notes").text = str(normal)
    if "stemless" in event.signs:
        SubElement(note, "stem").text = "none"
    if drawn.staff:
        SubElement(note, "staff").text = drawn.staff
    if first and head is not None and head == event.notes[0]:
        for level, beam in enumerate(drawn.beams, 1):
            SubElement(note, "beam", number=str(level)).text = beam


def _notations(note: Element, drawn: Drawn, ties: list[str], first: bool, last: bool) -> None:
    event = drawn.event
    notations = Element("notations")
    _tied(notations, ties)
    for kind, number in drawn.slurs:
        if last if kind == "stop" else first:
            SubElement(notations, "slur", type=kind, number=str(number))
    for kind in drawn.brackets:
        if first if kind == "start" else last:
            SubElement(notations, "tuplet", type=kind)
    if first:
        _signs(notations, event, drawn.ends_strokes)
    if len(notations):
        note.append(notations)


def _tied(notations: Element, ties: list[str]) -> None:
    for kind in ties:
        SubElement(notations, "tied", type=kind)


def _signs(notations: Element, event: Event, ends_strokes: bool) -> None:
    """Articulations and ornaments, each group in one element."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in event.signs:
        group, _, tag = BY_NAME[name].xml.partition("/")
        groups.setdefault(group, []).append((tag, name))
    if event.strokes or ends_strokes:
        groups.setdefault("ornaments", []).append(("tremolo", ""))
    for group in _GROUPS:
        if group in groups:
            parent = SubElement(notations, group)
            for tag, name in groups[group]:
                _sign(parent, tag, name, event, ends_strokes)
    for _, name in groups.get("fermata", []):
        SubElement(notations, "fermata", type="inverted" if name.startswith("inverted") else "upright")
    if "arpeggiate" in groups:
        SubElement(notations, "arpeggiate")


def _sign(parent: Element, tag: str, name: str, event: Event, ends_strokes: bool) -> None:
    element = SubElement(parent, tag)
    if tag == "tremolo":
        element.set("type", "stop" if ends_strokes else "start" if event.strokes_join else "single")
        element.text = str(event.strokes or 3)
    elif tag == "fingering":
        element.text = name.removeprefix("finger ")
    elif tag == "wavy-line":
        element.set("type", "stop" if name.endswith("end") else "start")
        element.set("number", "1")


def _lyrics(note: Element, drawn: Drawn) -> None:
    for verse, syllable in enumerate(drawn.event.lyrics):
        if syllable is None:
            continue
        lyric = SubElement(note, "lyric", number=str(verse + 1))
        begins = verse not in drawn.continues
        kinds = {(True, False): "single", (True, True): "begin", (False, True): "middle", (False, False): "end"}
        SubElement(lyric, "syllabic").text = kinds[begins, syllable.hyphen]
        SubElement(lyric, "text").text = syllable.text
        if syllable.held:
            SubElement(lyric, "extend")
