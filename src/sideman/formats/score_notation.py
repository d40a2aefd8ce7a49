"""How events are drawn: note values and dots, tuplets, beams, tuplet brackets, accidentals.

Knows no file format. Durations no single note can show are cut into pieces that are to be tied.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from sideman.music.score import Event, KeySignature, Pitch

MAX_DOTS = 3
EventId = tuple[int, int]  # voice, place in the bar
LONGEST, SHORTEST = Fraction(16), Fraction(1, 256)


@dataclass(frozen=True, slots=True)
class Piece:
    """One drawn value: quarter notes of the plain value, dots, tuplet ratio, and the time it takes."""

    value: Fraction
    dots: int
    ratio: tuple[int, int] | None
    duration: Fraction


def pieces(event: Event) -> list[Piece]:
    """The values that show an event, in order; one, for all that a single note can say."""
    written, ratio = event.written, event.tuplet
    odd = _odd(written.denominator)
    if odd > 1:  # no binary value: it takes a tuplet
        normal = 1 << (odd.bit_length() - 1)
        written = written * odd / normal
        ratio = (odd * (ratio[0] if ratio else 1), normal * (ratio[1] if ratio else 1))
    factor = Fraction(ratio[1], ratio[0]) if ratio else Fraction(1)
    return [Piece(value, dots, ratio, length * factor) for value, dots, length in _values(written)]


def _odd(number: int) -> int:
    while number % 2 == 0:
        number //= 2
    return number


def _values(written: Fraction) -> Iterator[tuple[Fraction, int, Fraction]]:
    """(plain value, dots, length with dots), the longest first, of a length with a binary denominator."""
    while written > 0:
        value = LONGEST
        while value > written:
            value /= 2
        if value < SHORTEST:
            yield SHORTEST, 0, written
            return
        dots, length = 0, value
        for more in range(1, MAX_DOTS + 1):
            dotted = value * (2 - Fraction(1, 2**more))
            if dotted == written:
                dots, length = more, dotted
        if length != written and value * 3 / 2 < written:
            dots, length = 1, value * 3 / 2
        yield value, dots, length
        written -= length


def flags(piece: Piece) -> int:
    """Beams or flags of a value: 1 for an eighth."""
    return max(0, (Fraction(1, 2) / piece.value).numerator.bit_length()) if piece.value < 1 else 0


def beams(run: list[int]) -> list[list[str]]:
    """Flags of the notes under one beam -> for each note what its beams do, the outermost first."""
    out: list[list[str]] = []
    for place, count in enumerate(run):
        before = run[place - 1] if place else 0
        after = run[place + 1] if place + 1 < len(run) else 0
        levels: list[str] = []
        for level in range(1, count + 1):
            left, right = before >= level, after >= level
            hook = "forward hook" if place == 0 else "backward hook"
            levels.append("continue" if left and right else "end" if left else "begin" if right else hook)
        out.append(levels)
    return out


def beamed_runs(events: tuple[Event, ...]) -> Iterator[list[int]]:
    """Places of the notes under each beam of a bar, at least two; rests may stand between them."""
    for grace in (False, True):
        run: list[int] = []
        for place, event in enumerate(events):
            if event.is_grace != grace:
                if grace:
                    run = []
                continue
            if event.notes and event.written < 1:
                run.append(place)
            if not event.beamed:
                if len(run) > 1:
                    yield run
                run = []


def tuplet_runs(events: tuple[Event, ...]) -> Iterator[list[int]]:
    """Places of the events of each tuplet of a bar: neighbours of one ratio, up to the next beginning."""
    run: list[int] = []
    ratio: tuple[int, int] | None = None
    for place, event in enumerate(events):
        if event.is_grace:
            continue
        if run and (event.tuplet != ratio or event.tuplet_starts):
            yield run
            run = []
        ratio = event.tuplet
        if ratio is not None:
            run.append(place)
    if run:
        yield run


def accidentals(
    events: Iterable[tuple[EventId, Event]],
    keys: list[tuple[Fraction, KeySignature]],
    held: set[tuple[Fraction, Pitch]],
) -> set[tuple[EventId, Pitch]]:
    """Which notes of one staff in one bar need an accidental, as (id of the event, pitch).

    `events` are (id, event) of all its voices; `keys` hold from their time in the bar on, the first from
    its start; `held` are notes tied from the bar before, which show none.
    """
    needed: set[tuple[EventId, Pitch]] = set()
    said: dict[tuple[str, int], int] = {}
    waiting = list(keys)
    key = KeySignature(0)
    for number, event in sorted(events, key=lambda item: (item[1].onset, item[1].duration > 0)):
        while waiting and waiting[0][0] <= event.onset:
            key = waiting.pop(0)[1]
            said.clear()
        for note in event.notes:
            pitch = note.pitch
            place = (pitch.step, pitch.octave)
            if said.get(place, key.alter(pitch.step)) == pitch.alter or (event.onset, pitch) in held:
                continue
            said[place] = pitch.alter
            needed.add((number, pitch))
    return needed
