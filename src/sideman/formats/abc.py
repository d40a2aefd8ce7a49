"""ABC notation -> Song: the tune as played, with repeats, endings and playing orders unfolded.

Reads ABC 2.1 as far as a lead sheet goes, and the dialect of the Nottingham collection (`Y:` playing
orders, `Gd` and `Da` chords, two chords in a row for two times through). Where several notes sound,
the top one is the melody; a chord lasts until the next symbol.
"""

from bisect import bisect_right
from collections import Counter
from itertools import pairwise

from sideman.errors import EmptyMelody, TooLarge, UnreadableFile, WrongValue
from sideman.formats.abc_fields import TICKS
from sideman.formats.abc_play import unfold
from sideman.formats.abc_tokens import split_tunes, tune_number
from sideman.formats.abc_tune import Bar, Item, Sound, State, Symbol, parse_tune
from sideman.music.chord import Chord
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song, Tempo

MAX_BEATS = 100_000
MAX_PIECES_OF_A_BAR = 8
__all__ = ["read_abc", "read_tune", "split_tunes", "tune_number"]


def read_abc(text: str, index: int = 0) -> Song:
    """A tune of an ABC text: the first one, or the one with the number `index` in its `X:` line.

    Raises UnreadableFile, TooLarge, EmptyMelody, and WrongValue when there is no such tune.
    """
    tunes = split_tunes(text)
    if not tunes:
        raise UnreadableFile("The ABC text is empty.", "Give a tune with X: and K: lines and notes.")
    chosen = tunes[0] if index == 0 else next((t for t in tunes if tune_number(t) == index), None)
    if chosen is None:
        raise WrongValue(f"There is no tune with the number X:{index}.", f"The text holds {len(tunes)} tunes.")
    song, _ = read_tune(chosen)
    if not song.notes and not song.chords:
        raise EmptyMelody("The ABC tune has no notes.", "Give a tune with at least one note.")
    return song


def read_tune(text: str) -> tuple[Song, Counter[str]]:
    """One tune -> song (perhaps without notes or chords) and what was dropped, by reason."""
    tune = parse_tune(text)
    items = unfold(tune)
    losses = +tune.losses
    notes, chords, states, bars, end = _lay_out(items)
    song = Song(
        notes=tuple(notes),
        chords=tuple(chords),
        meters=_meters(bars, states, end),
        tempos=_tempos(states),
        keys=_keys(states),
        title=tune.title,
        composer=tune.composer,
        remarks=tuple(f"{reason}: {count}" for reason, count in sorted(losses.items())),
    )
    return song, losses


_States = list[tuple[int, State]]
_Lines = dict[int, bool]  # bar lines by tick, and whether a repeat or section sign stands there


def _lay_out(items: list[Item]) -> tuple[list[Note], list[ChordSpan], _States, _Lines, int]:
    """Played items -> notes, chords, states by onset, bar lines (ticks) and the end (ticks)."""
    notes: list[tuple[int, int, int]] = []
    symbols: list[tuple[int, Chord | None]] = []
    states: _States = []
    bars: _Lines = {}
    at, tied = 0, False
    for item in items:
        if isinstance(item, Symbol):
            if symbols and symbols[-1][0] == at:
                symbols.pop()
            symbols.append((at, item.chords[0]))
        elif isinstance(item, Bar):
            sign = item.starts or item.double or item.ends > 0 or bool(item.endings)
            bars[at] = bars.get(at, False) or sign
        elif isinstance(item, Sound):
            if not states or states[-1][1] is not item.state:
                states.append((at, item.state))
            if item.pitch is not None:
                if tied and notes[-1][2] == item.pitch:
                    notes[-1] = (notes[-1][0], notes[-1][1] + item.ticks, item.pitch)
                else:
                    notes.append((at, item.ticks, item.pitch))
            tied = item.tied
            at += item.ticks
            if at > MAX_BEATS * TICKS:
                raise TooLarge("The tune is too long when it is played.", f"At most {MAX_BEATS} beats are read.")
    ends = [onset for onset, _ in symbols[1:]] + [at]
    spans = [
        ChordSpan(onset / TICKS, (end - onset) / TICKS, chord)
        for (onset, chord), end in zip(symbols, ends, strict=True)
        if chord is not None and end > onset
    ] if symbols else []  # fmt: skip
    return [Note(o / TICKS, d / TICKS, p) for o, d, p in notes], spans, states, bars, at


def _meters(lines: _Lines, states: _States, end: int) -> tuple[Meter, ...]:
    """Metre events on bar lines: the pickup before the first, irregular bars restated after.

    Short bars on both sides of a repeat or section sign that make up a full one are one bar.
    """
    edges = sorted({0, end} | {line for line in lines if line < end})
    out: list[Meter] = []
    number = 0
    while number < len(edges) - 1:
        start = edges[number]
        meter = _meter_at(states, start)
        bar = round(meter.bar_beats * TICKS)
        last = _bar_end(edges, lines, number, bar)
        length = edges[last] - start
        if not out and length % bar and last < len(edges) - 1:
            start += length % bar  # the pickup; whole bars after it are regular
        if (
            not out
            or start >= edges[last]
            or str(out[-1]) != str(meter)
            or (start - round(out[-1].onset * TICKS)) % bar
        ):
            out.append(Meter(start / TICKS, meter.numerator, meter.denominator))
        number = last
    return tuple(out) or (Meter(0.0, 4, 4),)


def _bar_end(edges: list[int], lines: _Lines, number: int, bar: int) -> int:
    """Index of the edge that ends the bar begun at `number`, joining pieces that fill it exactly."""
    for last in range(number + 1, min(number + 1 + MAX_PIECES_OF_A_BAR, len(edges))):
        length = edges[last] - edges[number]
        if length == bar:
            return last
        if length > bar or not lines.get(edges[last], False):
            break
    return number + 1


def _meter_at(states: _States, tick: int) -> Meter:
    index = bisect_right(states, tick, key=lambda item: item[0]) - 1
    return states[max(index, 0)][1].meter or Meter(0.0, 4, 4)


def _tempos(states: _States) -> tuple[Tempo, ...]:
    named = [Tempo(at / TICKS, state.bpm) for at, state in states if state.bpm is not None]
    changes = [b for a, b in pairwise(named) if a.bpm != b.bpm]
    if not named:
        return (Tempo(0.0, 120.0),)
    return (Tempo(0.0, named[0].bpm), *changes)


def _keys(states: _States) -> tuple[KeyChange, ...]:
    named = [KeyChange(at / TICKS, state.key) for at, state in states if state.key is not None]
    return tuple(named[:1] + [b for a, b in pairwise(named) if a.key != b.key])
