"""What MusicXML hangs on a note: slurs, tuplet brackets, articulations, ornaments, lyrics."""

from collections import Counter
from fractions import Fraction
from xml.etree.ElementTree import Element

from sideman.formats.score_draft import DraftEvent
from sideman.formats.score_signs import BY_XML
from sideman.music.score import Syllable

MAX_VERSES = 12


class Slurs:
    """Reads <notations> and pairs slurs: programs number them in the order of the file, so a number may
    be taken again while, in time, the slur before still lasts in another voice."""

    def __init__(self, losses: Counter[str]) -> None:
        self.losses = losses
        self._open: dict[tuple[str, str], DraftEvent] = {}  # first events by number and voice

    def read(self, notations: Element, event: DraftEvent) -> None:
        for kind in ("stop", "start"):  # an event may end one slur and begin the next of the same number
            for slur in notations.iterfind("slur"):
                if slur.get("type") == kind:
                    self._slur(slur.get("number", "1"), kind == "start", event)
        for child in notations:
            if child.tag == "tuplet":
                event.tuplet_starts |= child.get("type") == "start"
            elif child.tag in ("articulations", "ornaments", "technical"):
                for sign in child:
                    _sign(child.tag, sign, event)
            elif child.tag == "fermata":
                _add(event, "inverted fermata" if child.get("type") == "inverted" else "fermata")
            elif child.tag == "arpeggiate":
                _add(event, "arpeggio")

    def _slur(self, number: str, starts: bool, event: DraftEvent) -> None:
        if starts:
            self.losses["slurs without an end"] += (number, event.voice) in self._open
            self._open[number, event.voice] = event
            return
        first = self._open.pop((number, event.voice), None)
        if first is not None:
            if first is not event:
                first.slurs_start += 1
                event.slurs_stop += 1
            return
        elsewhere = next((key for key in self._open if key[0] == number), None)
        if elsewhere is not None:
            del self._open[elsewhere]
        self.losses["slurs from one voice to another"] += 1

    def close(self) -> None:
        """The part ends."""
        self.losses["slurs without an end"] += len(self._open)


def read_lyric(lyric: Element, event: DraftEvent) -> None:
    """One verse of a note. Elided syllables keep a blank between them."""
    text = " ".join(" ".join(e.text or "" for e in lyric.iterfind("text")).split())
    if not text:
        return
    digits = "".join(c for c in lyric.get("number", "1") if c.isdecimal())
    verse = min(max(int(digits[:3] or "1"), 1), MAX_VERSES) - 1
    syllabic = [e.text for e in lyric.iterfind("syllabic")]
    event.lyrics += [None] * (verse + 1 - len(event.lyrics))
    event.lyrics[verse] = Syllable(
        text, bool(syllabic) and syllabic[-1] in ("begin", "middle"), lyric.find("extend") is not None
    )


def _sign(group: str, element: Element, event: DraftEvent) -> None:
    name = BY_XML.get(f"{group}/{element.tag}")
    if name is not None:
        _add(event, name)
    elif element.tag == "fingering" and (element.text or "").strip() in ("0", "1", "2", "3", "4", "5"):
        _add(event, f"finger {(element.text or '').strip()}")
    elif element.tag == "tremolo":
        text = (element.text or "").strip()
        event.strokes = min(int(text), 5) if text.isdecimal() else 3
        kind = element.get("type", "single")
        event.strokes_join = kind == "start"
        if kind != "single" and len(event.notes) == 1:  # once for a chord
            _halve(event)
        if kind == "stop":
            event.strokes = 0
    elif element.tag == "wavy-line" and element.get("type") in ("start", "stop"):
        _add(event, "wavy line" if element.get("type") == "start" else "wavy line end")


def _halve(event: DraftEvent) -> None:
    """Two notes of a tremolo are written with twice their value, which is no tuplet."""
    if event.tuplet is not None:
        ratio = Fraction(event.tuplet[0], 2 * event.tuplet[1])
        event.tuplet = ratio.as_integer_ratio() if ratio != 1 else None
        event.tuplet_starts &= event.tuplet is not None


def _add(event: DraftEvent, name: str) -> None:
    if name not in event.signs:
        event.signs.append(name)
