"""Song -> chord chart as plain text: bars in rows of four.

A bar under one chord from its first beat shows the symbol, a bar that holds the chord before it shows
`%`; otherwise every beat has a place, taken by a symbol or by a dot. `N.C.` marks silence.
"""

import math
from itertools import groupby, pairwise

from sideman.music.metre import bar_lines
from sideman.music.song import Meter, Song

BARS_A_ROW = 4
_EPSILON = 1e-6


def write_chart(song: Song) -> str:
    """The chart with a head of title, key, metre and tempo; ends with a newline."""
    bars = bar_lines(song.meters, song.beats) if song.beats > 0 else []
    changes = _changes(song)
    cells: list[str] = []
    shown = song.meters[0]
    for onset, length, meter in bars:
        inside = [(at, text) for at, text in changes if onset - _EPSILON <= at < onset + length - _EPSILON]
        cell = _cell(inside, onset, length, meter)
        cells.append(f"({meter}) {cell}" if str(meter) != str(shown) else cell)
        shown = meter
    pickup = bool(bars) and song.pickup > 0 and bars[0][1] < song.meters[0].bar_beats - _EPSILON
    return "\n".join([*_head(song), "", *_rows(cells, pickup)]) + "\n"


def _head(song: Song) -> list[str]:
    facts = [f"Key: {song.key.name}"] if song.key else []
    facts += [f"Metre: {song.meters[0]}", f"Tempo: {song.bpm:g}"]
    names = [name for name in (song.title, song.composer) if name]
    return [" - ".join(names)] * bool(names) + ["   ".join(facts)]


def _changes(song: Song) -> list[tuple[float, str]]:
    """(beat, symbol) wherever the harmony changes, silence included."""
    out: list[tuple[float, str]] = []
    end = 0.0
    for span in song.chords:
        if span.onset > end + _EPSILON:
            out.append((end, "N.C."))
        out.append((span.onset, span.chord.name(song.key_at(span.onset))))
        end = span.offset
    if song.beats > end + _EPSILON:
        out.append((end, "N.C."))
    return out


def _cell(changes: list[tuple[float, str]], onset: float, length: float, meter: Meter) -> str:
    if not changes:
        return "%"
    if len(changes) == 1 and changes[0][0] < onset + _EPSILON:
        return changes[0][1]
    pulses = max(1, math.ceil(length / meter.pulse_beats - _EPSILON))
    places = [["."] for _ in range(pulses)]
    by_pulse = groupby(changes, key=lambda change: int((change[0] - onset + _EPSILON) / meter.pulse_beats))
    for pulse, group in by_pulse:
        places[min(pulse, pulses - 1)] = [text for _, text in group]
    return " ".join(texts[0] if len(texts) == 1 else f"({' '.join(texts)})" for texts in places)


def _rows(cells: list[str], pickup: bool) -> list[str]:
    """Cells behind bar lines, aligned; a pickup stands before the first row and indents the others."""
    first, rest = (cells[:1], cells[1:]) if pickup else ([], cells)
    width = max((len(cell) for cell in rest), default=0)
    starts = [*range(0, len(rest), BARS_A_ROW), len(rest)]
    rows = ["".join(f"| {cell:<{width}} " for cell in rest[a:b]) + "|" for a, b in pairwise(starts)]
    indent = f"{first[0]} " if first else ""
    return [(indent if i == 0 else " " * len(indent)) + row for i, row in enumerate(rows)]
