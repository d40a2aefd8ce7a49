"""Where the marks of a staff stand in ABC: each before an event of one of the staff's voices.

ABC hangs everything on notes, so a mark goes to the voice of its staff that has an event at its time,
the leading one first; a line ends in the voice where it began.
"""

from bisect import bisect_left
from fractions import Fraction

from sideman.formats.score_signs import DYNAMICS, LINES
from sideman.music.score import Event, Mark, Part

# (voice, bar) -> index of the event (their number: the bar line) -> texts to write before it
Placed = dict[tuple[int, int], dict[int, list[str]]]
_STOP = " stop"


def place_marks(part: Part) -> Placed:
    """The decorations and annotations of a part, by the voices, bars and events they are written in."""
    placed: Placed = {}
    for staff, bars in enumerate(part.staves):
        voices = [number for number, voice in enumerate(part.voices) if voice.staff == staff]
        began: dict[tuple[str, str], int] = {}
        for number, bar in enumerate(bars):
            for mark in bar.marks:
                voice = _voice(part, voices, number, mark, began)
                index = bisect_left(_onsets(part.voices[voice].bars[number]), mark.onset)
                index = _before_graces(part.voices[voice].bars[number], index)
                placed.setdefault((voice, number), {}).setdefault(index, []).append(_text(mark))
    return placed


def _voice(part: Part, voices: list[int], number: int, mark: Mark, began: dict[tuple[str, str], int]) -> int:
    """The voice that carries a mark."""
    key = (mark.kind, "" if mark.kind == "pedal" else mark.text.removesuffix(_STOP))
    if mark.text.endswith("stop") and mark.kind in ("wedge", "octave", "pedal"):
        return began.pop(key, voices[0])
    here = [v for v in voices if any(e.onset == mark.onset and not e.hidden for e in part.voices[v].bars[number])]
    sounding = [v for v in here if any(e.onset == mark.onset and e.notes for e in part.voices[v].bars[number])]
    voice = (sounding or here or voices)[0]
    if mark.kind in ("wedge", "octave", "pedal"):
        began[key] = voice
    return voice


def _onsets(events: tuple[Event, ...]) -> list[Fraction]:
    return [event.onset for event in events]


def _before_graces(events: tuple[Event, ...], index: int) -> int:
    """Grace notes stand at the time of their main note: the mark belongs to that."""
    while index < len(events) and events[index].is_grace:
        index += 1
    return index


def _text(mark: Mark) -> str:
    if mark.kind == "words":
        return f'"{"_" if mark.below else "^"}{clean(mark.text)}"'
    if mark.kind == "chord":
        return f'"{clean(mark.text)}"'
    if mark.kind == "dynamic":
        return f"!{mark.text}!" if mark.text in DYNAMICS else f'"_{clean(mark.text)}"'
    return f"!{LINES[mark.kind, mark.text]}!"


def clean(text: str) -> str:
    """Text that can stand between quotes on one line."""
    return " ".join(text.replace('"', "'").replace("\\", "/").replace("%", "\\%").split())
