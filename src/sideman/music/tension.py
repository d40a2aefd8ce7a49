"""What a melody note is to the chord under it, when it is none of its tones."""

from dataclasses import dataclass

from sideman.music.chord import Chord
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.song import ChordSpan, Note

_NAMES = ("1", "b9", "9", "#9", "3", "11", "#11", "5", "b13", "13", "b7", "7")
_SLACK = 1e-6
# Notes up to half a beat between two neighbours a step away pass by.
_PASSING_BEATS, _STEP = 0.5, 2


@dataclass(frozen=True, slots=True)
class Tension:
    """A melody note, or the part of it over `chord`, of which it is no tone. `name`: 9, b13 and so on."""

    onset: float
    duration: float
    pitch: int
    chord: Chord
    name: str


def tension_name(pitch: int, chord: Chord) -> str:
    """`9`, `b9`, `#11`, ... for a pitch outside the chord; empty for a tone of it."""
    interval = (pitch - chord.root) % 12
    if interval in chord.tones:
        return ""
    if interval == 3 and 4 not in chord.tones:
        return "b3"
    if interval == 6 and 7 not in chord.tones:
        return "b5"
    return _NAMES[interval]


def tensions(notes: tuple[Note, ...], spans: tuple[ChordSpan, ...]) -> list[Tension]:
    """The melody notes that are no chord tones, without those that pass by. Both are sorted by onset."""
    found: list[Tension] = []
    first = 0
    for index, note in enumerate(notes):
        if _passes(notes, index):
            continue
        while first < len(spans) and spans[first].offset <= note.onset + _SLACK:
            first += 1
        for span in spans[first:]:
            if span.onset >= note.offset - _SLACK:
                break
            onset, offset = max(note.onset, span.onset), min(note.offset, span.offset)
            name = tension_name(note.pitch, span.chord)
            if name and offset - onset >= 1 / FRAMES_PER_BEAT - _SLACK:
                found.append(Tension(onset, offset - onset, note.pitch, span.chord, name))
    return found


def _passes(notes: tuple[Note, ...], index: int) -> bool:
    if notes[index].duration > _PASSING_BEATS or not 0 < index < len(notes) - 1:
        return False
    pitch = notes[index].pitch
    return all(0 < abs(notes[beside].pitch - pitch) <= _STEP for beside in (index - 1, index + 1))
