"""The answer of the options room: the JSON other programs rely on (docs: GET /docs)."""

from typing import Annotated

import msgspec
from msgspec import Meta


class ChordOut(msgspec.Struct, frozen=True):
    """One chord. Times in quarter-note beats from the start of the melody; `pitches` and `bass` are MIDI numbers."""

    onset: float
    duration: float
    symbol: Annotated[str, Meta(description="Chord symbol, spelled in the melody's key.")]
    pitches: list[int]
    bass: int


class Option(msgspec.Struct, frozen=True):
    """One progression. Scores lie in 0..1, higher is better; `note_in_chord` is null where no chord meets a note."""

    rank: int
    score: float
    scores: Annotated[dict[str, float], Meta(description="What the score is made of.")]
    note_in_chord: float | None
    silence: Annotated[float, Meta(description="Share of the melody without a chord under it.")]
    chords: list[ChordOut]


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
