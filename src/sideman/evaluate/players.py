"""Simulated players: a melody as a person plays it, with jitter, slips and surprises.

Times are quarter-note beats. Everything follows from the seed.
"""

from dataclasses import dataclass

import numpy as np

from sideman.music.song import Note

TURN_BEAT = 17.0  # where the published adaptation test transposes the melody (ReaLchords, fig. 4)


@dataclass(frozen=True)
class Manner:
    """How a player plays. `jitter`: standard deviation of onsets in seconds; `slips`: share of wrong notes;
    `turn`: semitones the melody moves at beat 17; `pause`: beats of silence put in after a third of the melody."""

    jitter: float = 0.015
    slips: float = 0.03
    turn: int = 0
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """A key going down (`on`) or up."""

    beat: float
    on: bool
    pitch: int
    velocity: int = 80


def perform(melody: tuple[Note, ...], manner: Manner, tempo: float, seed: int) -> list[Stroke]:
    """The strokes of a performance in time order; notes follow each other, as fingers do."""
    rng = np.random.default_rng(seed)
    to_beats = tempo / 60
    pause_at = melody[len(melody) // 3].onset if melody and manner.pause else float("inf")
    strokes: list[Stroke] = []
    for note in melody:
        wait = manner.pause if note.onset >= pause_at else 0.0
        onset = max(0.0, float(note.onset) + wait + to_beats * float(rng.normal(0, manner.jitter)))
        length = float(note.offset - note.onset) * float(rng.uniform(0.75, 0.98))
        pitch = note.pitch + (manner.turn if onset >= TURN_BEAT else 0)
        if rng.random() < manner.slips:
            pitch += int(rng.choice((-2, -1, 1, 2)))
        pitch = int(np.clip(pitch, 0, 127))
        velocity = int(np.clip(rng.normal(80, 12), 20, 120))
        strokes += [Stroke(onset, True, pitch, velocity), Stroke(onset + max(length, 0.05), False, pitch, 0)]
    return sorted(strokes, key=lambda stroke: (stroke.beat, stroke.on))
