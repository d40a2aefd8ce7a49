"""A player for tests: random melodies, and a session driven without clock, thread or network."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import numpy as np

from sideman.engine.bundle import Bundle
from sideman.jam.drive import finish
from sideman.jam.messages import NoteEvent, Notes, Start
from sideman.jam.session import Planned, Session

START = Start(version=1, tempo=120.0, listen=2.0, lookahead=4.0, commit=2.0, seed=3)


def with_window(bundle: Bundle, frames: int) -> Bundle:
    """The same network, said to be trained on `frames` frames."""
    return replace(bundle, file=msgspec.structs.replace(bundle.file, window=frames))


def random_notes(beats: float, seed: int = 0, first: float = 0.0) -> list[NoteEvent]:
    """Key presses and releases of a melody with rests, in time order."""
    rng = np.random.default_rng(seed)
    events, at = [], first
    while at < beats:
        length = float(rng.choice([0.25, 0.5, 0.5, 1.0, 2.0]))
        if rng.random() > 0.2:
            pitch = int(rng.integers(55, 80))
            jitter = float(rng.uniform(-0.05, 0.05))
            events.append(NoteEvent(True, pitch, max(0.0, at + jitter)))
            events.append(NoteEvent(False, pitch, at + 0.9 * length))
        at += length
    return sorted(events, key=lambda event: event.beat)


def random_chords(beats: float, seed: int = 0) -> list[NoteEvent]:
    """Key presses and releases of chords, a few beats each, in time order."""
    rng = np.random.default_rng(seed)
    events, at = [], 0.0
    while at < beats:
        length = float(rng.choice([1.0, 2.0, 4.0]))
        root = int(rng.integers(45, 60))
        for pitch in (root, root + int(rng.choice([3, 4])), root + 7):
            events.append(NoteEvent(True, pitch, at + float(rng.uniform(0, 0.05))))
            events.append(NoteEvent(False, pitch, at + 0.9 * length))
        at += length
    return sorted(events, key=lambda event: event.beat)


def messages(events: list[NoteEvent], moments: list[float]) -> Iterator[Notes]:
    """What a page sends when it asks at these beats."""
    sent = 0
    for request, beat in enumerate(moments):
        heard = [event for event in events[sent:] if event.beat <= beat]
        sent += len(heard)
        yield Notes(request, beat, heard)


def step(session: Session, message: Notes, offline: Bundle | None = None, late: int = 0) -> Planned | None:
    """One request and its answer, adopted `late` frames after the first it plans; then what is done ahead."""
    frame = session.hear(message)
    finish(session.plan())
    planned = session.adopt(frame + late)
    if offline is not None and session.wants_introduction():
        session.introduce(offline)
    finish(session.prepare())
    return planned


def sounding(planned: Planned) -> dict[int, str]:
    """Frame -> symbol of what a plan lets sound."""
    return {
        frame: chord.symbol
        for chord in planned.chords
        for frame in range(round(4 * chord.onset), round(4 * (chord.onset + chord.duration)))
    }


def beats_of(count: int, offset: float = 0.05) -> list[float]:
    """The moments of `count` beats at which a page asks."""
    return [beat + offset for beat in range(count)]
