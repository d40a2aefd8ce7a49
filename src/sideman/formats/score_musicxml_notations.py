"""What MusicXML hangs on a note: slurs, tuplet brackets, articulations, ornaments, lyrics."""

from collections import Counter
from fractions import Fraction
from xml.etree.ElementTree import Element

from sideman.formats.score_draft import DraftEvent
from sideman.formats.score_signs import BY_XML
from sideman.music.score import Syllable

MAX_VERSES = 12


class Slurs:
    """Reads <notations>; slurs wait until the part is read, for their ends may come before their beginnings."""

    def __init__(self) -> None:
        self.bar = 0
        self._ends: list[tuple[int, Fraction, bool, bool, str, DraftEvent]] = []

    def read(self, notations: Element, event: DraftEvent) -> None:
        for child in notations:
            if child.tag == "slur":
                kind = child.get("type", "")
                if kind in ("start", "stop"):
                    main = bool(event.duration)
                    self._ends.append((self.bar, event.onset, main, kind == "start", child.get("number", "1"), event))
            elif child.tag == "tuplet":
                event.tuplet_starts |= child.get("type") == "start"
            elif child.tag in ("articulations", "ornaments", "technical"):
                for sign in child:
                    _sign(child.tag, sign, event)
            elif child.tag == "fermata":
                _add(event, "inverted fermata" if child.get("type") == "inverted" else "fermata")
            elif child.tag == "arpeggiate":
                _add(event, "arpeggio")

    def pair(self, losses: Counter[str]) -> None:
        """Write the slurs into their events; those between voices, or without an end, are counted as lost."""
        opened: dict[str, DraftEvent] = {}
        # At one time grace notes come first, and a slur ends before the next of its number begins.
        for _, _, _, starts, number, event in sorted(self._ends, key=lambda end: end[:4]):
            if starts:
                losses["slurs without an end"] += number in opened
                opened[number] = event
                continue
            first = opened.pop(number, None)
            if first is None:
                losses["slurs without an end"] += 1
            elif first.voice != event.voice:
                losses["slurs from one voice to another"] += 1
            elif first is not event:
                first.slurs_start += 1
                event.slurs_stop += 1
        losses["slurs without an end"] += len(opened)


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
        if kind != "single":
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
