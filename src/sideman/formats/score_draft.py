"""What a reader has gathered of a part before voices are laid out: loose events and marks, bar by bar."""

from dataclasses import dataclass, field
from fractions import Fraction

from sideman.music.score import (
    ZERO,
    Clef,
    KeySignature,
    LeftBarline,
    Mark,
    Metre,
    Pitch,
    RightBarline,
    Syllable,
    Tempo,
)


@dataclass(slots=True)
class DraftNote:
    """A note head. `tie` and `tied` as the file says; whether a partner exists is settled later."""

    pitch: Pitch
    tie: bool = False
    tied: bool = False


@dataclass(slots=True, eq=False)
class DraftEvent:
    """An event of the voice called `voice` in the file. Fields as in `Event`."""

    voice: str
    onset: Fraction
    duration: Fraction
    notes: list[DraftNote] = field(default_factory=list)
    staff: int = 0
    hidden: bool = False
    fills_bar: bool = False
    value: Fraction = ZERO
    slash: bool = False
    tuplet: tuple[int, int] | None = None
    tuplet_starts: bool = False
    beamed: bool = False
    slurs_start: int = 0
    slurs_stop: int = 0
    signs: list[str] = field(default_factory=list)
    strokes: int = 0
    strokes_join: bool = False
    lyrics: list[Syllable | None] = field(default_factory=list)


@dataclass(slots=True)
class DraftBar:
    """One bar of one part; staves count from 0, a key without staff (-1) is that of all."""

    number: str = ""
    length: Fraction = ZERO
    metre: Metre | None = None
    left: LeftBarline = ""
    right: RightBarline = "regular"
    ending: str = ""
    ending_stops: bool = False
    events: list[DraftEvent] = field(default_factory=list)
    marks: list[tuple[int, Mark]] = field(default_factory=list)
    clefs: list[tuple[int, Fraction, Clef]] = field(default_factory=list)
    keys: list[tuple[int, Fraction, KeySignature]] = field(default_factory=list)
    tempos: list[Tempo] = field(default_factory=list)


@dataclass(slots=True)
class DraftPart:
    """A part; `voice_staves` names the home of voices that are known to stand on a staff."""

    name: str
    bars: list[DraftBar]
    abbreviation: str = ""
    staves: int = 1
    transpose: int = 0
    percussion: bool = False
    voice_staves: dict[str, int] = field(default_factory=dict)
