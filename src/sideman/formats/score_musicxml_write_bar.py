"""The voices of one bar -> notes of a MusicXML measure, with directions where they fall between them."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from xml.etree.ElementTree import Element, SubElement

from sideman.formats.score_musicxml_write_marks import add_clef, add_key, add_mark
from sideman.formats.score_musicxml_write_note import Drawn, add_event
from sideman.formats.score_notation import accidentals, beamed_runs, beams, flags, pieces, tuplet_runs
from sideman.formats.score_slurs import Place, slur_pairs
from sideman.music.score import ZERO, Clef, Event, KeySignature, Part, Pitch, Score, Voice


class Cursor:
    """Where in the measure the next element stands, in beats, and what waits for its time to come."""

    def __init__(self, measure: Element, divisions: int) -> None:
        self.measure, self.divisions = measure, divisions
        self.now = ZERO
        self._waiting: list[tuple[Fraction, int, Callable[[Element], None]]] = []

    def later(self, onset: Fraction, staff: int, add: Callable[[Element], None]) -> None:
        """Call `add` with the measure when the leading voice of `staff` comes by `onset`, or at the end."""
        self._waiting.append((onset, staff, add))

    def go(self, onset: Fraction) -> None:
        """Backup or forward."""
        if onset != self.now:
            element = SubElement(self.measure, "forward" if onset > self.now else "backup")
            SubElement(element, "duration").text = str(int(abs(onset - self.now) * self.divisions))
            self.now = onset

    def pass_by(self, staff: int) -> None:
        """Add what waits for this place of a staff."""
        here = [item for item in self._waiting if item[0] == self.now and item[1] == staff]
        self._waiting = [item for item in self._waiting if item not in here]
        for _, _, add in here:
            add(self.measure)

    def finish(self, length: Fraction) -> None:
        """Add the rest, in order, and go to the end of the bar."""
        for onset, _, add in sorted(self._waiting, key=lambda item: item[0]):
            self.go(onset)
            add(self.measure)
        self.go(length)


class VoiceWriter:
    """Writes the voices of a part, bar after bar."""

    def __init__(self, score: Score, part: Part) -> None:
        self.score, self.part = score, part
        self.starts = score.bar_starts()
        self.leaders = [next(v for v in part.voices if v.staff == staff) for staff in range(len(part.staves))]
        self.keys = [KeySignature(0) for _ in part.staves]
        self.slurs = [
            _by_place([p for p in slur_pairs(v) if all(self._drawn(v, *end) for end in p)]) for v in part.voices
        ]
        self.open_slurs: dict[tuple[int, tuple[int, Place]], int] = {}  # number by voice and the pair's first event
        self.hyphens: dict[tuple[int, int], bool] = {}  # by voice and verse: whether a word goes on
        self.tied = self._tied()

    def write(self, cursor: Cursor, number: int) -> None:
        """All voices of bar `number`."""
        several = len(self.part.staves) > 1
        length = self.score.bars[number].length
        for staff, bars in enumerate(self.part.staves):
            shown, name = bars[number], str(staff + 1) if several else ""
            for mark in shown.marks:
                if (mark.kind, mark.text, mark.onset) != ("sign", "fermata", length):
                    cursor.later(mark.onset, staff, partial(add_mark, mark=mark, staff=name))
            for onset, clef in shown.clefs:
                if onset:
                    cursor.later(onset, staff, partial(_change_clef, clef=clef, staff=name))
            for onset, key in shown.keys:
                if onset:
                    cursor.later(onset, staff, partial(_change_key, key=key, staff=name))
        shown_accidentals = self._accidentals(number)
        for index, voice in enumerate(self.part.voices):
            if self._bar_drawn(voice, number):
                self._voice(cursor, number, index, self._leads(voice), shown_accidentals)
        cursor.finish(length)

    def _leads(self, voice: Voice) -> bool:
        """Whether a voice is the first of its staff."""
        return voice is self.leaders[voice.staff]

    def _bar_drawn(self, voice: Voice, number: int) -> bool:
        """Whether a voice stands in a bar at all: one with nothing to see does not, beside another."""
        return self._leads(voice) or not all(event.hidden for event in voice.bars[number])

    def _drawn(self, voice: Voice, number: int, place: int) -> bool:
        """Whether an event is written: an invisible rest is not, and so carries no slur."""
        return self._bar_drawn(voice, number) and not _passed_by(voice.bars[number][place])

    def _voice(
        self, cursor: Cursor, number: int, index: int, leads: bool, altered: set[tuple[tuple[int, int], Pitch]]
    ) -> None:
        voice = self.part.voices[index]
        events = voice.bars[number]
        length = self.score.bars[number].length
        brackets = _brackets(events)
        beaming = _beaming(events)
        cursor.go(ZERO)
        joined = False
        for place, event in enumerate(events):
            if _passed_by(event):
                continue
            cursor.go(event.onset)
            if leads:
                cursor.pass_by(voice.staff)
            drawn = Drawn(
                event=event,
                pieces=pieces(event),
                voice=str(index + 1),
                staff=str(event.staff + 1) if len(self.part.staves) > 1 else "",
                fills_bar=not event.notes and event.duration == length and not event.tuplet,
                percussion=self.part.percussion,
                altered={pitch for key, pitch in altered if key == (index, place)},
                held={n.pitch for n in event.notes if (self.starts[number] + event.onset, n.pitch) in self.tied}
                if event.duration else set(),
                beams=beaming.get(place, []),
                brackets=brackets.get(place, []),
                slurs=self._slur_numbers(index, (number, place)),
                continues={v for v in range(len(event.lyrics)) if self.hyphens.get((index, v))},
                ends_strokes=joined,
            )  # fmt: skip
            add_event(cursor.measure, drawn, cursor.divisions)
            for verse, syllable in enumerate(event.lyrics):
                if syllable is not None:
                    self.hyphens[index, verse] = syllable.hyphen
            joined = event.strokes_join
            cursor.now += event.duration
        if leads:
            cursor.pass_by(voice.staff)

    def _slur_numbers(self, index: int, place: Place) -> list[tuple[str, int]]:
        """(stop or start, number) of the slurs at an event; numbers are free again once a slur has ended."""
        first, last = self.slurs[index]
        out = [("stop", self.open_slurs.pop((index, pair))) for pair in last.get(place, [])]
        for pair in first.get(place, []):
            taken = set(self.open_slurs.values())
            self.open_slurs[index, pair] = next(n for n in range(1, len(taken) + 2) if n not in taken)
            out.append(("start", self.open_slurs[index, pair]))
        return out

    def _accidentals(self, number: int) -> set[tuple[tuple[int, int], Pitch]]:
        """((voice, event), pitch) of the notes of a bar that show an accidental."""
        found: set[tuple[tuple[int, int], Pitch]] = set()
        start = self.starts[number]
        for staff, bars in enumerate(self.part.staves):
            keys = [(ZERO, self.keys[staff]), *bars[number].keys]
            self.keys[staff] = keys[-1][1]
            events = [
                ((index, place), event)
                for index, voice in enumerate(self.part.voices)
                for place, event in enumerate(voice.bars[number])
                if event.staff == staff and event.notes
            ]
            held = {(ZERO, pitch) for _, event in events for pitch in self._held(start, event)}
            found |= accidentals(events, keys, held)
        return found

    def _held(self, start: Fraction, event: Event) -> list[Pitch]:
        """Pitches a tie brings over the bar line."""
        return [n.pitch for n in event.notes if not event.onset and event.duration and (start, n.pitch) in self.tied]

    def _tied(self) -> set[tuple[Fraction, Pitch]]:
        """Times and pitches where tied notes go on."""
        return {
            (start + event.offset, note.pitch)
            for voice in self.part.voices
            for start, bar in zip(self.starts, voice.bars, strict=False)
            for event in bar
            for note in event.notes
            if note.tie
        }


_Pair = tuple[int, Place]


def _passed_by(event: Event) -> bool:
    return event.hidden and not event.notes and not event.tuplet


def _by_place(pairs: list[tuple[Place, Place]]) -> tuple[dict[Place, list[_Pair]], dict[Place, list[_Pair]]]:
    """Slurs, each told by its number and first event, by the events where they begin and where they end."""
    first: dict[Place, list[_Pair]] = {}
    last: dict[Place, list[_Pair]] = {}
    for number, (begin, end) in enumerate(pairs):
        first.setdefault(begin, []).append((number, begin))
        last.setdefault(end, []).append((number, begin))
    return first, last


def _brackets(events: tuple[Event, ...]) -> dict[int, list[str]]:
    """Where tuplet brackets start and stop."""
    found: dict[int, list[str]] = {}
    for run in tuplet_runs(events):
        found.setdefault(run[0], []).append("start")
        found.setdefault(run[-1], []).append("stop")
    return found


def _beaming(events: tuple[Event, ...]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for run in beamed_runs(events):
        found |= zip(run, beams([flags(pieces(events[place])[0]) for place in run]), strict=True)
    return found


def _change_clef(measure: Element, clef: Clef, staff: str) -> None:
    add_clef(SubElement(measure, "attributes"), clef, staff)


def _change_key(measure: Element, key: KeySignature, staff: str) -> None:
    add_key(SubElement(measure, "attributes"), key, staff)
