"""Draft parts -> bars and parts of a score: equal bars everywhere, voices without gaps, ties with partners."""

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction

from sideman.formats.score_draft import DraftBar, DraftEvent, DraftPart
from sideman.music.score import (
    EMPTY_STAFF_BAR,
    ZERO,
    Bar,
    Event,
    Metre,
    Note,
    Part,
    Pitch,
    StaffBar,
    Voice,
)

_Line = list[list[DraftEvent]]  # one voice: its events bar by bar


def lay_out(drafts: list[DraftPart], losses: Counter[str]) -> tuple[tuple[Bar, ...], tuple[Part, ...]]:
    """Bars of equal length for all parts, and the parts in them. Parts that end early rest to the end."""
    count = max(len(draft.bars) for draft in drafts)
    for draft in drafts:
        draft.bars += [DraftBar() for _ in range(count - len(draft.bars))]
    bars: list[Bar] = []
    metre = Metre("4")
    for number in range(count):
        bars.append(_bar([draft.bars[number] for draft in drafts], metre))
        metre = bars[-1].metre or metre
    return tuple(bars), tuple(_Layout(draft, bars, losses).part() for draft in drafts)


def _bar(drafts: list[DraftBar], metre: Metre) -> Bar:
    """What the parts say of one bar, put together; `metre` is the one in force before it."""
    written = next((draft.metre for draft in drafts if draft.metre is not None), None)
    tempos = {tempo.onset: tempo for draft in reversed(drafts) for tempo in reversed(draft.tempos)}
    first = drafts[0]
    return Bar(
        length=max(draft.length for draft in drafts) or (written or metre).length,
        number=first.number,
        metre=written,
        left=next((draft.left for draft in drafts if draft.left), ""),
        right=next((draft.right for draft in drafts if draft.right != "regular"), "regular"),
        ending=next((draft.ending for draft in drafts if draft.ending), ""),
        ending_stops=any(draft.ending_stops for draft in drafts),
        tempos=tuple(tempos[onset] for onset in sorted(tempos)),
    )


class _Layout:
    """One part on its way. Used once."""

    def __init__(self, draft: DraftPart, bars: list[Bar], losses: Counter[str]) -> None:
        self.draft, self.bars, self.losses = draft, bars, losses

    def part(self) -> Part:
        """The part with its voices in the order they first appear."""
        self._tie()
        lines = self._lines()
        homes = {name: self._home(name, line) for name, line in lines.items()}
        if not self.draft.voice_staves:  # a voice nobody asked for and that shows nothing
            lines = {n: line for n, line in lines.items() if not all(_is_gap(e) for bar in line for e in bar)}
            homes = {name: homes[name] for name in lines}
        for staff in range(self.draft.staves):
            if staff not in homes.values():
                lines[f"staff {staff}"] = [[] for _ in self.bars]
                homes[f"staff {staff}"] = staff
        voices: list[Voice] = []
        for name, line in lines.items():
            leads = next(n for n, home in homes.items() if home == homes[name]) == name
            others = [o for n, o in lines.items() if homes[n] == homes[name] and n != name] if leads else None
            voices.append(Voice(homes[name], tuple(self._fill(line, homes[name], others))))
        return Part(
            self.draft.name, tuple(voices), self._staves(), self.draft.abbreviation,
            self.draft.transpose, self.draft.percussion,
        )  # fmt: skip

    def _tie(self) -> None:
        """Keep only ties that lead to a note of their pitch which is tied to them."""
        targets: set[tuple[Fraction, Pitch]] = set()
        starts: list[Fraction] = []
        at = ZERO
        for bar, draft in zip(self.bars, self.draft.bars, strict=True):
            starts.append(at)
            targets |= {(at + e.onset, n.pitch) for e in draft.events if e.duration for n in e.notes if n.tied}
            at += bar.length
        for start, draft in zip(starts, self.draft.bars, strict=True):
            for event in draft.events:
                for note in event.notes:
                    if note.tie and (start + event.onset + event.duration, note.pitch) not in targets:
                        note.tie = False
                        self.losses["ties without a second note"] += 1

    def _lines(self) -> dict[str, _Line]:
        """Events by voice, in order of time; what overlaps within a voice moves to a voice of its own."""
        lines: dict[str, _Line] = {name: [[] for _ in self.bars] for name in self.draft.voice_staves}
        for number, draft in enumerate(self.draft.bars):
            by_voice: dict[str, list[DraftEvent]] = {}
            for event in draft.events:
                by_voice.setdefault(event.voice, []).append(event)
            for voice, events in by_voice.items():
                for layer, found in enumerate(_layers(sorted(events, key=lambda e: e.onset))):
                    name = f"{voice} {layer}" if layer else voice
                    lines.setdefault(name, [[] for _ in self.bars])[number] = found
                    self.losses["bars whose voice overlaps itself"] += layer > 0
        return lines

    def _home(self, name: str, line: _Line) -> int:
        """The staff where most of a voice stands."""
        known = self.draft.voice_staves.get(name)
        if known is not None:
            return known
        staves = Counter(event.staff for bar in line for event in bar if event.notes)
        staves = staves or Counter(event.staff for bar in line for event in bar)
        return max(staves, key=lambda s: (staves[s], -s))

    def _fill(self, line: _Line, home: int, others: list[_Line] | None) -> Iterable[tuple[Event, ...]]:
        """Events bar by bar, gaps filled with rests. `others`: the further voices of the staff it leads.

        A leading voice rests visibly through a bar where its staff is empty otherwise.
        """
        for number, bar in enumerate(self.bars):
            drafts = line[number]
            if len(drafts) == 1 and not drafts[0].notes and drafts[0].fills_bar:
                drafts[0].onset, drafts[0].duration = ZERO, bar.length
                drafts[0].tuplet = None
            alone = not drafts and others is not None and not any(other[number] for other in others)
            if alone:
                yield (Event(ZERO, bar.length, staff=home),)
            else:
                yield tuple(_filled(drafts, bar.length, home))

    def _staves(self) -> tuple[tuple[StaffBar, ...], ...]:
        return tuple(tuple(_staff_bar(draft, staff) for draft in self.draft.bars) for staff in range(self.draft.staves))


def _layers(events: list[DraftEvent]) -> list[list[DraftEvent]]:
    """Sorted events -> lists without overlap; grace notes go with the event before which they stand."""
    layers: list[list[DraftEvent]] = []
    graces: list[DraftEvent] = []
    for event in events:
        if not event.duration:
            graces.append(event)
            continue
        for layer in layers:
            if not layer or layer[-1].onset + layer[-1].duration <= event.onset:
                break
        else:
            layer = []
            layers.append(layer)
        layer += [*graces, event]
        graces = []
    if graces:
        if not layers:
            layers.append([])
        layers[0] += graces
    return layers


def _filled(drafts: list[DraftEvent], length: Fraction, home: int) -> Iterable[Event]:
    """The events of a bar with hidden rests between them, one for each gap, up to its end."""
    at = ZERO
    for draft in drafts:
        if _is_gap(draft):
            continue
        if draft.onset > at:
            yield Event(at, draft.onset - at, staff=home, hidden=True)
        yield _event(draft)
        at = draft.onset + draft.duration
    if at < length:
        yield Event(at, length - at, staff=home, hidden=True)


def _is_gap(draft: DraftEvent) -> bool:
    """A hidden rest nothing hangs on."""
    bare = not (draft.notes or draft.signs or draft.tuplet or draft.slurs_start or draft.slurs_stop)
    return draft.hidden and bare


def _event(draft: DraftEvent) -> Event:
    notes = tuple(Note(n.pitch, n.tie) for n in sorted(draft.notes, key=lambda n: n.pitch.midi))
    return Event(
        draft.onset, draft.duration, notes, draft.staff, draft.hidden, draft.value, draft.slash, draft.tuplet,
        draft.tuplet_starts and draft.tuplet is not None, draft.beamed, draft.slurs_start, draft.slurs_stop,
        tuple(draft.signs), draft.strokes, draft.strokes_join, tuple(draft.lyrics),
    )  # fmt: skip


def _staff_bar(draft: DraftBar, staff: int) -> StaffBar:
    if not (draft.marks or draft.clefs or draft.keys):
        return EMPTY_STAFF_BAR
    marks = sorted((mark for s, mark in draft.marks if s == staff), key=lambda m: m.onset)
    clefs = {onset: clef for s, onset, clef in draft.clefs if s == staff}
    keys = {onset: key for s, onset, key in draft.keys if s in (staff, -1)}
    return StaffBar(tuple(sorted(clefs.items(), key=_first)), tuple(sorted(keys.items(), key=_first)), tuple(marks))


def _first(item: tuple[Fraction, object]) -> Fraction:
    return item[0]
