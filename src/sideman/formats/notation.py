"""Times -> written note values: ties over beats, dots, tuplets. Knows rhythm, not files.

Positions are exact fractions of a quarter-note beat. `snap` and `snap_beat` bring floats there; `notate` writes
one bar of events as symbols whose durations add up to exactly the bar.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

# Note values in beats, the longest first.
VALUES = {
    Fraction(32): "maxima", Fraction(16): "long", Fraction(8): "breve", Fraction(4): "whole", Fraction(2): "half",
    Fraction(1): "quarter", Fraction(1, 2): "eighth", Fraction(1, 4): "16th", Fraction(1, 8): "32nd",
    Fraction(1, 16): "64th", Fraction(1, 32): "128th", Fraction(1, 64): "256th", Fraction(1, 128): "512th",
    Fraction(1, 256): "1024th",
}  # fmt: skip
# Divisions of a beat its times may stand on, the plain ones first; and those of times that fit none.
_GRIDS = (1, 2, 4, 8, 16, 3, 6, 12, 24, 48, 5, 10, 20, 7, 14, 28, 9, 18, 36, 32)
_PLAIN_GRIDS = (1, 2, 3, 4, 6, 8, 12, 16)
_NEAR = 5e-4
# What a finer division costs, in beats of error: enough to keep a played rhythm readable.
_FINENESS = 0.01
_SHORTEST_TUPLET = Fraction(1, 8)


@dataclass(frozen=True, slots=True)
class Event:
    """A note (or a rest: `pitch` None) that sounds in start..end of the bar, tied to its neighbour bars or not."""

    start: Fraction
    end: Fraction
    pitch: int | None
    tied_before: bool = False
    tied_after: bool = False


@dataclass(frozen=True, slots=True)
class Tuplet:
    """`actual` notes of value `unit` in the time of `normal`."""

    actual: int
    normal: int
    unit: Fraction


@dataclass(frozen=True, slots=True)
class Symbol:
    """One written note or rest: `value` is the undotted note value, `duration` what it lasts."""

    start: Fraction
    duration: Fraction
    pitch: int | None
    value: Fraction
    dots: int = 0
    tie_start: bool = False
    tie_stop: bool = False
    tuplet: Tuplet | None = None
    tuplet_start: bool = False
    tuplet_stop: bool = False


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch written as one tuplet of `parts` equal parts."""

    start: Fraction
    length: Fraction
    parts: int

    @property
    def end(self) -> Fraction:
        return self.start + self.length

    @property
    def tuplet(self) -> Tuplet:
        normal = 1 << (self.parts.bit_length() - 1)
        return Tuplet(self.parts, normal, self.length / normal)


def snap(beats: float) -> Fraction:
    """A time on a division up to 1/48 where it is one, else the nearest 64th."""
    return Fraction(round(beats * 48), 48) if _fits(beats, 48) else Fraction(round(beats * 16), 16)


def snap_beat(times: list[float]) -> list[Fraction]:
    """Times within one beat, on the plainest division that holds all; where none does, on one near them."""
    fitting = [grid for grid in _GRIDS if all(_fits(time, grid) for time in times)]
    grid = fitting[0] if fitting else min(_PLAIN_GRIDS, key=lambda g: _cost(times, g))
    return [Fraction(round(time * grid), grid) for time in times]


def _fits(time: float, grid: int) -> bool:
    return abs(time - round(time * grid) / grid) < _NEAR


def _cost(times: list[float], grid: int) -> float:
    """Mean error of a division, its fineness, and one for every two times it throws together."""
    error = sum(abs(time - round(time * grid) / grid) for time in times) / len(times)
    lost = len({round(time * 32) for time in times}) - len({round(time * grid) for time in times})
    return error + _FINENESS * grid + max(0, lost)


def notate(events: list[Event], length: Fraction, pulse: Fraction, lead: Fraction = Fraction(0)) -> list[Symbol]:
    """Symbols of one bar. `events` fill 0..`length` without gaps; `pulse` is the felt beat.

    `lead` is what a pickup lacks: its beats are counted as if the bar had begun that much earlier.
    """
    edges = {lead, lead + length} | {lead + e.start for e in events}
    windows = _windows(sorted(edges), lead + length, pulse)
    symbols: list[Symbol] = []
    for event in events:
        parts = list(_pieces(lead + event.start, lead + event.end, windows, pulse, event.pitch is None))
        for i, symbol in enumerate(parts):
            symbols.append(
                replace(
                    symbol,
                    start=symbol.start - lead,
                    pitch=event.pitch,
                    tie_stop=event.pitch is not None and (i > 0 or event.tied_before),
                    tie_start=event.pitch is not None and (i + 1 < len(parts) or event.tied_after),
                )
            )
    return _bracket(symbols, windows, lead)


def _bracket(symbols: list[Symbol], windows: list[_Window], lead: Fraction) -> list[Symbol]:
    """Mark the first and last symbol of each tuplet."""
    out = list(symbols)
    for window in windows:
        inside = [i for i, s in enumerate(symbols) if window.start <= s.start + lead < window.end]
        if len(inside) > 1:
            out[inside[0]] = replace(out[inside[0]], tuplet_start=True)
            out[inside[-1]] = replace(out[inside[-1]], tuplet_stop=True)
    return out


def _windows(edges: list[Fraction], end: Fraction, pulse: Fraction) -> list[_Window]:
    """Where tuplets are needed, so that every edge falls on a written boundary."""
    largest = Fraction(1, 2) if pulse.numerator % 3 == 0 else Fraction(4)
    found: list[_Window] = []
    at = Fraction(0)
    while at < end:
        size = largest
        while at % size or (at + size > end and size > _SHORTEST_TUPLET):
            size /= 2
        found += _solve(edges, at, size)
        at += size
    return found


def _solve(edges: list[Fraction], start: Fraction, length: Fraction) -> list[_Window]:
    """Tuplets for the edges inside one stretch: simple ones as wide as possible, others as needed."""
    inside = [(edge - start) / length for edge in edges if start < edge < start + length]
    if all(_is_dyadic(place) for place in inside):
        return []
    for parts in (3, 5, 7):
        if (parts == 3 or length <= 2) and all((place * parts).denominator == 1 for place in inside):
            return [_Window(start, length, parts)]
    if length > _SHORTEST_TUPLET:
        half = length / 2
        return _solve(edges, start, half) + _solve(edges, start + half, half)
    return [_Window(start, length, math.lcm(*(place.denominator for place in inside)))]


def _is_dyadic(number: Fraction) -> bool:
    return number.denominator & (number.denominator - 1) == 0


def _pieces(start: Fraction, end: Fraction, windows: list[_Window], pulse: Fraction, rest: bool) -> Iterator[Symbol]:
    """The symbols of one event: plain ones between tuplets, counted parts within."""
    at = start
    for window in windows:
        if window.end <= at or window.start >= end:
            continue
        if window.start > at:
            yield from _plain(at, window.start, pulse, rest)
        at = max(at, window.start)
        yield from _counted(at, min(end, window.end), window)
        at = min(end, window.end)
    if at < end:
        yield from _plain(at, end, pulse, rest)


def _counted(start: Fraction, end: Fraction, window: _Window) -> Iterator[Symbol]:
    """A whole number of tuplet parts in as few values as possible."""
    part = window.length / window.parts
    at = start
    while at < end:
        left = int((end - at) / part)
        size = 1 << (left.bit_length() - 1)
        dots = int(left >= size * 3 // 2 and size > 1)
        count = size * 3 // 2 if dots else size
        yield Symbol(at, count * part, None, size * window.tuplet.unit, dots, tuplet=window.tuplet)
        at += count * part


def _plain(start: Fraction, end: Fraction, pulse: Fraction, rest: bool) -> Iterator[Symbol]:
    """Start..end in plain and dotted values, split at the strongest beat where one value would hide it."""
    value, dots = _single(end - start)
    if value is not None and _readable(start, end, value, dots, pulse, rest):
        yield Symbol(start, end - start, None, value, dots)
        return
    at = _strongest(start, end, pulse)
    yield from _plain(start, at, pulse, rest)
    yield from _plain(at, end, pulse, rest)


def _single(length: Fraction) -> tuple[Fraction | None, int]:
    """The note value that lasts `length`, with its dots; None where there is none."""
    for dots, value in ((0, length), (1, length * 2 / 3)):
        if value in VALUES:
            return value, dots
    return None, 0


def _readable(start: Fraction, end: Fraction, value: Fraction, dots: int, pulse: Fraction, rest: bool) -> bool:
    """Whether one symbol shows the beat: syncopation of notes is fine by half their value, of rests it is not."""
    if end - start <= Fraction(1, 32):
        return True
    if pulse.numerator % 3 == 0:
        first = start // pulse
        return (start % pulse == 0 and dots == 1) or end <= (first + 1) * pulse
    return start % value == 0 and not dots if rest else start % (value / 2) == 0


def _strongest(start: Fraction, end: Fraction, pulse: Fraction) -> Fraction:
    """The most important beat strictly inside start..end."""
    steps = [pulse * 4, pulse * 2, pulse] if pulse.numerator % 3 == 0 else []
    steps += [Fraction(2) ** k for k in range(5, -10, -1)]
    for step in steps:
        at = (start // step + 1) * step
        if at < end:
            return at
    raise ValueError(f"{start}..{end} is not on a binary grid")
