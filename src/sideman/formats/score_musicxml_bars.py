"""One part of a MusicXML score -> draft bars with exact times.

Files round tuplets to their divisions; where the written value and ratio of a note say more than its
rounded duration, they count, and later positions of the bar follow.
"""

import re
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from xml.etree.ElementTree import Element

from sideman.errors import UnreadableFile
from sideman.formats import score_musicxml_values as values
from sideman.formats.score_draft import DraftBar, DraftEvent, DraftNote
from sideman.formats.score_musicxml_marks import Lines, read_chord, read_tempo
from sideman.formats.score_musicxml_notations import Slurs, read_lyric
from sideman.music.pitch import Key
from sideman.music.score import ZERO, KeySignature, Mark, RightBarline

_MAX_BAR_BEATS = 1024
_RIGHT: dict[str, RightBarline] = {
    "light-light": "double", "light-heavy": "final", "heavy": "final", "heavy-heavy": "final",
    "dotted": "dotted", "dashed": "dotted",
}  # fmt: skip
_SEVERAL = frozenset(("notations", "tie", "lyric", "beam", "dot"))


class PartReader:
    """Reads the measures of one part in order; what carries over from bar to bar lives here."""

    def __init__(self, losses: Counter[str]) -> None:
        self.losses = losses
        self.staves = 1
        self.transpose = 0
        self.percussion = self._pitched = False
        self.slurs = Slurs(losses)
        self._lines = Lines(losses)
        self._key: Key | None = None
        self._divisions = Fraction(1)
        self._beats: dict[str, Fraction] = {}  # beats by the text of a <duration>
        self._handlers: dict[str, Callable[[Element], None]] = {
            "note": self._note, "backup": self._backup, "forward": self._forward, "attributes": self._attributes,
            "direction": self._direction, "sound": self._direction, "barline": self._barline,
            "harmony": self._harmony,
        }  # fmt: skip

    def bar(self, measure: Element) -> DraftBar:
        """Read one <measure>. Raises UnreadableFile for times that are no numbers."""
        self.at = DraftBar(measure.get("number", "") if measure.get("implicit") != "yes" else "")
        self._raw = self._now = ZERO
        self._places = {ZERO: ZERO}  # exact time by the time as the file counts
        self._last: DraftEvent | None = None
        self._last_raw = ZERO
        self._beaming: set[str] = set()  # voices inside a beam: rests do not break it
        for child in measure:
            handler = self._handlers.get(child.tag)
            if handler is not None:
                handler(child)
        return self.at

    def _duration(self, element: Element | None) -> Fraction:
        """A duration in divisions -> beats as the file counts them."""
        text = (element.text if element is not None else None) or "0"
        found = self._beats.get(text)
        if found is None:
            found = self._beats[text] = values.number(text) / self._divisions
        return found

    def _place(self, element: Element) -> Fraction:
        """Exact time in the bar where a direction stands."""
        offset = element.find("offset")
        if offset is None:
            return self._now
        raw = max(ZERO, self._raw + self._duration(offset))
        return self._places.get(raw, raw)

    def _move(self, raw: Fraction, exact: Fraction | None = None) -> None:
        self._raw = max(ZERO, self._raw + raw)
        if self._raw > _MAX_BAR_BEATS:
            raise UnreadableFile(f"A bar is longer than {_MAX_BAR_BEATS} beats.", "Check the <duration> elements.")
        if exact is None:
            self._now = self._places.get(self._raw, self._raw)
        else:
            self._now += exact
            self._places.setdefault(self._raw, self._now)
        self.at.length = max(self.at.length, self._now)

    def _backup(self, element: Element) -> None:
        self._move(-self._duration(element.find("duration")))

    def _forward(self, element: Element) -> None:
        self._move(self._duration(element.find("duration")))

    def _note(self, element: Element) -> None:
        found: dict[str, Element] = {}
        several: list[Element] = []
        for child in element:
            if child.tag in _SEVERAL:
                several.append(child)
            else:
                found[child.tag] = child
        if "chord" in found and self._last is not None:
            event = self._joined(self._duration(found.get("duration")))
        else:
            event = self._begun(element, found, sum(child.tag == "dot" for child in several))
        rest = found.get("rest")
        if rest is not None:
            event.fills_bar = rest.get("measure") == "yes"
            event.beamed = event.voice in self._beaming
        elif "pitch" in found or "unpitched" in found:
            self._head(event, found, several)
        for child in several:
            if child.tag == "lyric":
                read_lyric(child, event)
            elif child.tag == "notations":
                self.slurs.read(child, event)

    def _begun(self, element: Element, found: dict[str, Element], dots: int) -> DraftEvent:
        """A new event at the present time; one without duration is left out of the bar."""
        raw = self._duration(found.get("duration"))
        value, ratio = values.value(found.get("type"), dots), values.ratio(found.get("time-modification"))
        grace = found.get("grace")
        exact = ZERO if grace is not None else self._exact(raw, value, ratio)
        voice, staff = found.get("voice"), found.get("staff")
        event = DraftEvent(
            (voice.text or "1").strip() if voice is not None else "1", self._now, exact,
            staff=values.staff(staff.text) if staff is not None else 0, hidden=element.get("print-object") == "no",
        )  # fmt: skip
        self.staves = max(self.staves, event.staff + 1)
        if grace is not None:
            event.value = value or Fraction(1, 2)
            event.slash = grace.get("slash") == "yes"
        elif ratio is not None and exact != value:
            event.tuplet = ratio
        self._last, self._last_raw = event, raw
        if exact or grace is not None:
            self.at.events.append(event)
            self._move(ZERO if grace is not None else raw, exact)
        else:
            self.losses["notes without duration left out"] += 1
        return event

    def _joined(self, raw: Fraction) -> DraftEvent:
        """The event a chord note belongs to: the last one, or one of its own where it lasts another time."""
        assert self._last is not None
        if raw == self._last_raw or self._last.value:
            return self._last
        own = DraftEvent(self._last.voice, self._last.onset, raw, staff=self._last.staff)
        self.at.events.append(own)
        self.at.length = max(self.at.length, own.onset + raw)
        return own

    def _head(self, event: DraftEvent, found: dict[str, Element], several: list[Element]) -> None:
        pitched = found.get("pitch")
        self.percussion |= pitched is None
        self._pitched |= pitched is not None
        pitch = values.pitch(pitched) if pitched is not None else values.pitch(found["unpitched"], "display-")
        ties = [child.get("type") for child in several if child.tag == "tie"]
        ties += [tied.get("type") for child in several if child.tag == "notations" for tied in child.iterfind("tied")]
        note = DraftNote(pitch, "start" in ties, "stop" in ties)
        if all(other.pitch != pitch for other in event.notes):
            event.notes.append(note)
        else:
            self.losses["notes doubled within a chord"] += 1
        event.hidden = False
        stem = found.get("stem")
        if stem is not None and stem.text == "none" and "stemless" not in event.signs:
            event.signs.append("stemless")
        for child in several:
            if child.tag == "beam" and child.get("number", "1") == "1":
                event.beamed = child.text in ("begin", "continue")
                (self._beaming.add if event.beamed else self._beaming.discard)(event.voice)

    def _exact(self, raw: Fraction, value: Fraction | None, ratio: tuple[int, int] | None) -> Fraction:
        """What a note lasts exactly: its value where the file could only round it."""
        if value is None or ratio is None:
            return raw
        exact = value * ratio[1] / ratio[0]
        rounded = (exact * self._divisions).denominator != 1 and abs(exact - raw) * self._divisions <= 1
        return exact if rounded else raw

    def _attributes(self, element: Element) -> None:
        for child in element:
            if child.tag == "divisions":
                self._divisions = values.number(child.text)
                self._beats.clear()
                if self._divisions <= 0:
                    raise UnreadableFile("The score has divisions that are not positive.")
            elif child.tag == "staves":
                self.staves = max(self.staves, values.staff(child.text) + 1)
            elif child.tag == "time":
                self.at.metre = values.metre(child) or self.at.metre
            elif child.tag == "key":
                staff = values.staff(child.get("number")) if child.get("number") else -1
                key = values.key(child) or KeySignature(0)
                self._key = Key.from_fifths(key.fifths)
                self.at.keys.append((staff, self._now, key))
                self.losses["signatures that are no key"] += child.find("fifths") is None
            elif child.tag == "clef":
                clef = values.clef(child)
                # Among pitched notes it is a slip of the engraver's, and their key goes on.
                self.percussion |= clef.sign == "percussion" and not self._pitched
                self.at.clefs.append((values.staff(child.get("number")), self._now, clef))
            elif child.tag == "transpose":
                octaves = values.number(child.findtext("octave-change"))
                self.transpose = round(values.number(child.findtext("chromatic")) + 12 * octaves)

    def _direction(self, element: Element) -> None:
        onset, staff = self._place(element), values.staff(element.findtext("staff"))
        self.at.marks += [(staff, mark) for mark in self._lines.read(element, onset)]
        tempo = read_tempo(element, onset)
        if tempo is not None:
            self.at.tempos.append(tempo)

    def _harmony(self, element: Element) -> None:
        chord = read_chord(element, self._place(element), self._key, self.losses)
        if chord is not None:
            self.at.marks.append((values.staff(element.findtext("staff")), chord))

    def _barline(self, element: Element) -> None:
        style, repeat, ending = (
            (element.findtext("bar-style") or "").strip(),
            element.find("repeat"),
            element.find("ending"),
        )
        right = element.get("location", "right") == "right"
        if right:
            self.at.right = _RIGHT.get(style, "regular")
        elif style in ("heavy-light", "heavy", "heavy-heavy"):
            self.at.left = "heavy"
        if repeat is not None and repeat.get("direction") == "forward":
            self.at.left = "repeat"
        elif repeat is not None:
            self.at.right = "repeat"
            self.losses["repeats played more than twice"] += repeat.get("times", "2") != "2"
        if ending is not None and ending.get("type") == "start":
            self.at.ending = ",".join(re.findall(r"\d{1,3}", ending.get("number", ""))) or "1"
        elif ending is not None:
            self.at.ending_stops = True
        fermata = (0, Mark(self._now if right else ZERO, "sign", "fermata"))
        if element.find("fermata") is not None and fermata not in self.at.marks:
            self.at.marks.append(fermata)
