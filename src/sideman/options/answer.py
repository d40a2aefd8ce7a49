"""The answers of the options room: the JSON other programs rely on (docs/options.md, and GET /docs)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from sideman.music.cadence import Cadence


class ChordOut(msgspec.Struct, frozen=True):
    """One chord. Times in quarter-note beats from the start of the melody; `pitches` and `bass` are MIDI numbers."""

    onset: float
    duration: float
    symbol: Annotated[str, Meta(description="Chord symbol, spelled in the melody's key.")]
    pitches: Annotated[list[int], Meta(description="The plain chord in close position.")]
    bass: int
    numeral: Annotated[str, Meta(description="Roman numeral in the key that holds here: ii7, V7/V, I/3.")] = ""
    voicing: Annotated[
        list[int], Meta(description="MIDI pitches to play, the bass first, led from the chord before.")
    ] = []


class KeyOut(msgspec.Struct, frozen=True):
    """The key from `onset` on."""

    onset: float
    key: str


class TensionOut(msgspec.Struct, frozen=True):
    """A melody note, or the part of it over `symbol`, that is no tone of the chord."""

    onset: float
    duration: float
    pitch: int
    symbol: str
    tension: Annotated[str, Meta(description="What it is to the chord: 9, b9, #11, 13.")]


class Explanation(msgspec.Struct, frozen=True):
    """What a musician wants to know about an option."""

    keys: Annotated[list[KeyOut], Meta(description="One entry where nothing modulates.")]
    cadence: Cadence
    summary: Annotated[str, Meta(description="One sentence: what sets this option apart, and how it ends.")]
    tensions: list[TensionOut]


class Option(msgspec.Struct, frozen=True):
    """One progression. Scores lie in 0..1, higher is better; `note_in_chord` is null where no chord meets a note."""

    rank: int
    score: float
    scores: Annotated[dict[str, float], Meta(description="What the score is made of.")]
    note_in_chord: float | None
    silence: Annotated[float, Meta(description="Share of the melody without a chord under it.")]
    chords: list[ChordOut]
    explanation: Explanation


class Answer(msgspec.Struct, frozen=True):
    """Ranked progressions for one melody, pairwise different in at least a fifth of their frames."""

    model: str
    seed: int
    tempo: float
    meter: str
    beats: Annotated[float, Meta(description="Length of the melody.")]
    elapsed_ms: float
    options: list[Option]
    remarks: Annotated[list[str], Meta(description="What was chosen or could not be done, for people.")] = []


class Alternative(ChordOut, frozen=True, kw_only=True):
    """Another chord for the place, with everything a chord of an option has. The score lies in 0..1."""

    rank: int
    score: float
    reason: Annotated[str, Meta(description="One sentence: what it has to do with the chords beside it.")]
    tensions: list[TensionOut]


class AlternativesAnswer(msgspec.Struct, frozen=True):
    """Other chords for one place, the best first."""

    model: str
    elapsed_ms: float
    key: Annotated[str, Meta(description="The key around the place.")]
    chord: Annotated[ChordOut, Meta(description="The chord that is there now.")]
    alternatives: list[Alternative]
