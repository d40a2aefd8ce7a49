"""A score as it is written: parts with their staves and voices, bar by bar, nothing unfolded.

Times are exact quarter-note beats (`Fraction`) from the start of the bar they stand in; pitches are
spelled and written (a transposing part says by how much it sounds elsewhere). Every voice has one
tuple of events for each bar of the score, and those events fill the bar without gaps or overlaps:
what a voice leaves open is a hidden rest. `sounding` turns the notation into the notes one hears.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from sideman.music.pitch import LETTERS

ZERO = Fraction(0)
_SHARP_ORDER = "FCGDAEB"

MarkKind = Literal["dynamic", "wedge", "pedal", "octave", "words", "chord", "sign"]
LeftBarline = Literal["", "repeat", "heavy"]
RightBarline = Literal["regular", "double", "final", "repeat", "dotted"]


@dataclass(frozen=True, slots=True)
class Pitch:
    """A spelled pitch: step A-G, alteration in semitones, octave (4 begins with middle C)."""

    step: str
    alter: int
    octave: int

    @property
    def midi(self) -> int:
        """Semitones, middle C = 60; may leave 0..127."""
        return LETTERS[self.step] + self.alter + 12 * (self.octave + 1)


@dataclass(frozen=True, slots=True)
class Note:
    """A note head; `tie` holds it into the next note of its pitch that begins where this one ends."""

    pitch: Pitch
    tie: bool = False


@dataclass(frozen=True, slots=True)
class Syllable:
    """One verse's text under a note: `hyphen` when the word goes on, `held` when a line follows it."""

    text: str
    hyphen: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A chord, a note, a rest (no notes) or a grace note (`duration` 0, its length in `value`).

    `tuplet` is (actual, normal): as many written values take the time of `normal`. `staff` counts
    from 0 within the part. `beamed` joins the event to the next one. `signs` are articulations and
    ornaments by name (`sideman.formats.score_signs`). `lyrics` holds one entry for each verse.
    """

    onset: Fraction
    duration: Fraction
    notes: tuple[Note, ...] = ()
    staff: int = 0
    hidden: bool = False
    value: Fraction = ZERO
    slash: bool = False
    tuplet: tuple[int, int] | None = None
    tuplet_starts: bool = False
    beamed: bool = False
    slurs_start: int = 0
    slurs_stop: int = 0
    signs: tuple[str, ...] = ()
    strokes: int = 0
    strokes_join: bool = False
    lyrics: tuple[Syllable | None, ...] = ()

    @property
    def is_grace(self) -> bool:
        return not self.duration

    @property
    def offset(self) -> Fraction:
        return self.onset + self.duration

    @property
    def written(self) -> Fraction:
        """The note value on paper, dots included, in quarter notes."""
        if not self.duration:
            return self.value
        return self.duration * self.tuplet[0] / self.tuplet[1] if self.tuplet else self.duration


@dataclass(frozen=True, slots=True)
class Metre:
    """A time signature; `top` may be a sum such as `3+2`. `top` empty: no metre."""

    top: str
    bottom: int = 4

    @property
    def length(self) -> Fraction:
        """Length of a full bar in quarter notes; 4 where there is no metre."""
        if not self.top:
            return Fraction(4)
        return sum((Fraction(int(n)) for n in self.top.split("+")), ZERO) * 4 / self.bottom

    def __str__(self) -> str:
        return f"{self.top}/{self.bottom}" if self.top else "none"


@dataclass(frozen=True, slots=True)
class KeySignature:
    """Sharps (positive) or flats of a signature, -7..7, and the mode that names its tonic."""

    fifths: int
    mode: str = "major"

    def alter(self, step: str) -> int:
        """What the signature does to a step."""
        place = _SHARP_ORDER.index(step)
        if self.fifths > 0:
            return (self.fifths + 6 - place) // 7
        return -((-self.fifths + place) // 7)


@dataclass(frozen=True, slots=True)
class Clef:
    """A clef: sign G, F, C or `percussion`, its line from below, octaves it is shifted by."""

    sign: str = "G"
    line: int = 2
    octave: int = 0


@dataclass(frozen=True, slots=True)
class Tempo:
    """`bpm` beats a minute of `unit` quarter notes each, from `onset` on."""

    onset: Fraction
    unit: Fraction
    bpm: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A direction of one staff, at a time of its bar (at the bar's end: on its right barline).

    `text` by kind: dynamic `mf`; wedge `crescendo`, `diminuendo`; octave `8va`, `8vb`, `15ma`, `15mb`
    (these end with `crescendo stop`, `8va stop`); pedal `start`, `stop`; sign `segno`, `coda`, `fine`,
    `D.C.`, `D.S.`, `fermata`; words and chord the text itself.
    """

    onset: Fraction
    kind: MarkKind
    text: str
    below: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """What all parts share in one bar. `metre` is set where one is written."""

    length: Fraction
    number: str = ""
    metre: Metre | None = None
    left: LeftBarline = ""
    right: RightBarline = "regular"
    ending: str = ""
    ending_stops: bool = False
    tempos: tuple[Tempo, ...] = ()


@dataclass(frozen=True, slots=True)
class StaffBar:
    """What one staff shows in one bar besides its voices."""

    clefs: tuple[tuple[Fraction, Clef], ...] = ()
    keys: tuple[tuple[Fraction, KeySignature], ...] = ()
    marks: tuple[Mark, ...] = ()


EMPTY_STAFF_BAR = StaffBar()


@dataclass(frozen=True, slots=True)
class Voice:
    """One line of events. `staff` is where it is at home; single events may stand on another one."""

    staff: int
    bars: tuple[tuple[Event, ...], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """An instrument: its voices in the order they first appear, and what its staves show.

    `transpose`: semitones from written to sounding pitch. `staves[s][b]` is staff `s` in bar `b`.
    """

    name: str
    voices: tuple[Voice, ...]
    staves: tuple[tuple[StaffBar, ...], ...]
    abbreviation: str = ""
    transpose: int = 0
    percussion: bool = False

    def key(self) -> KeySignature:
        """The written key at the start."""
        first = self.staves[0][0].keys if self.staves and self.staves[0] else ()
        return first[0][1] if first and first[0][0] == 0 else KeySignature(0)


@dataclass(frozen=True, slots=True)
class Group:
    """Parts `first` to `last` under a bracket or a brace; `joined`: bar lines run through."""

    first: int
    last: int
    symbol: Literal["bracket", "brace"] = "bracket"
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """A piece of sheet music."""

    bars: tuple[Bar, ...]
    parts: tuple[Part, ...]
    title: str = ""
    composer: str = ""
    rights: str = ""
    groups: tuple[Group, ...] = ()
    # What a reader had to simplify or leave out, by reason.
    losses: dict[str, int] = field(default_factory=dict)

    def bar_starts(self) -> list[Fraction]:
        """Onset of each bar in quarter notes, and the end of the score."""
        starts = [ZERO]
        for bar in self.bars:
            starts.append(starts[-1] + bar.length)
        return starts


@dataclass(frozen=True, slots=True)
class Sound:
    """A note as heard: absolute onset and duration (0 for a grace note) in quarter notes, written pitch."""

    onset: Fraction
    duration: Fraction
    pitch: Pitch


def sounding(score: Score, part: Part) -> list[Sound]:
    """The notes of a part, bars as written, ties merged. Sorted by onset, then pitch."""
    found: list[Sound] = []
    # Open ties by (end, pitch): where the held note began.
    held: dict[tuple[Fraction, Pitch], Fraction] = {}
    for start, event in _in_time(score, part):
        onset = start + event.onset
        for note in event.notes:
            if event.is_grace:
                found.append(Sound(onset, ZERO, note.pitch))
                continue
            end = onset + event.duration
            began = held.pop((onset, note.pitch), onset)
            if note.tie:
                held[end, note.pitch] = began
            else:
                found.append(Sound(began, end - began, note.pitch))
    found += [Sound(began, end - began, pitch) for (end, pitch), began in held.items()]
    return sorted(found, key=lambda n: (n.onset, n.pitch.midi, n.duration))


def _in_time(score: Score, part: Part) -> Iterator[tuple[Fraction, Event]]:
    """(start of its bar, event) of all voices of a part, in the order of onsets."""
    for number, start in enumerate(score.bar_starts()[:-1]):
        events = [event for voice in part.voices for event in voice.bars[number]]
        for event in sorted(events, key=lambda e: e.onset):
            yield start, event
