"""A take: melody and chords as they were played and as they sounded, as a song to keep."""

import math
from collections.abc import Sequence
from dataclasses import replace

from sideman.jam.performance import SHORTEST, Played
from sideman.jam.sounding import Sounded
from sideman.music.chord import Chord
from sideman.music.song import ChordSpan, Meter, Note, Song, Tempo


def take(
    notes: Sequence[Played], chords: Sequence[Sounded], tempos: Sequence[Tempo], meter: Meter, beat: float
) -> Song:
    """A song of what had happened by `beat`, each note as it was played. Upbeats before beat 0 become a pickup."""
    pickup = -min([note.onset for note in notes], default=0.0)
    shift = math.ceil(pickup - 1e-6) if pickup > 0 else 0
    spans = [(chord, Chord.parse(chord.symbol), beat if chord.end is None else chord.end) for chord in chords]
    return Song(
        notes=tuple(
            Note(note.onset + shift, _end(note, beat) - note.onset, note.pitch, note.velocity)
            for note in sorted(notes, key=lambda note: note.onset)
        ),
        chords=tuple(
            ChordSpan(sounded.onset + shift, end - sounded.onset, chord)
            for sounded, chord, end in spans
            if chord is not None and end > sounded.onset
        ),
        meters=(replace(meter, onset=float(shift)),),
        tempos=tuple(replace(tempo, onset=tempo.onset + shift if tempo.onset > 0 else 0.0) for tempo in tempos),
    )


def _end(note: Played, beat: float) -> float:
    return max(beat, note.onset + SHORTEST) if note.end is None else note.end
