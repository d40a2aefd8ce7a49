"""Where progressions differ: the bars that tell one of them from all others."""

from collections.abc import Iterator, Mapping, Sequence

from sideman.music.metre import bar_lines
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, Meter
from sideman.options.request import SLACK


def told_by_bars(spans: Sequence[ChordSpan], meters: tuple[Meter, ...], key: Key) -> dict[int, str]:
    """What each bar holds, in words; the first full bar is number 1, a pickup number 0."""
    events = list(_events(spans, key))
    bars = bar_lines(meters, spans[-1].offset if spans else 0.0)
    before = sum(onset < meters[0].onset - SLACK for onset, _, _ in bars)
    told = {}
    for number, (onset, length, meter) in enumerate(bars, start=1 - before):
        inside = [row for row in events if row[0] < onset + length - SLACK and row[1] > onset + SLACK]
        told[number] = ", ".join(name + _beat(start - onset, meter) for start, _, name in inside)
    return told


def alone(told: Sequence[Mapping[int, str]], which: int) -> str:
    """The fewest bars, about, that no other progression has all of: "F in bar 3 and Am in bar 4"; empty where another
    one is the same."""
    own = told[which]
    others = [other for at, other in enumerate(told) if at != which]
    found: list[int] = []
    while others and own:
        best = max(own, key=lambda bar: sum(_differs(own, other, bar) for other in others))
        left = [other for other in others if not _differs(own, other, best)]
        if len(left) == len(others):
            return ""
        found.append(best)
        others = left
    return " and ".join(f"{own[bar] or 'no chord'} in {f'bar {bar}' if bar else 'the pickup'}" for bar in sorted(found))


def _differs(one: Mapping[int, str], other: Mapping[int, str], bar: int) -> bool:
    return one[bar] != other.get(bar, "")


def _events(spans: Sequence[ChordSpan], key: Key) -> Iterator[tuple[float, float, str]]:
    """(from, to, name) of each chord and of the silence between them."""
    end = 0.0
    for span in spans:
        if span.onset > end + SLACK:
            yield end, span.onset, "silence"
        yield span.onset, span.offset, span.chord.name(key)
        end = span.offset


def _beat(beats: float, meter: Meter) -> str:
    """Where in its bar a chord begins; nothing for the first beat, or before."""
    return "" if beats < SLACK else f" on beat {beats / meter.pulse_beats + 1:.3g}"
