"""What the player plays, in beats: the events still to be told, and the notes for the take.

Threads: none; the owner locks.
"""

from dataclasses import dataclass
from math import inf

from sideman.jam.messages import NoteEvent, Notes, PedalEvent

# Events a message may hold; the rest goes with the next one.
_EVENTS = 1000
# No key press is shorter, in beats.
SHORTEST = 0.05


@dataclass(slots=True)
class Played:
    """A key press in beats; `end` None while the key is down."""

    onset: float
    end: float | None
    pitch: int
    velocity: int


class Performance:
    """`notes` in the order they were struck."""

    def __init__(self) -> None:
        self.notes: list[Played] = []
        self._down: dict[int, Played] = {}
        self._events: list[NoteEvent] = []
        self._pedals: list[PedalEvent] = []
        self._pedal = False
        self._told = -inf  # everything before this beat has been told

    @property
    def news(self) -> bool:
        return bool(self._events or self._pedals)

    def note_on(self, pitch: int, velocity: int, beat: float) -> None:
        self.note_off(pitch, beat)
        note = Played(beat, None, pitch, velocity)
        self.notes.append(note)
        self._down[pitch] = note
        self._events.append(NoteEvent(True, pitch, max(beat, self._told), velocity))

    def note_off(self, pitch: int, beat: float) -> None:
        """A release without its press is nothing."""
        note = self._down.pop(pitch, None)
        if note is not None:
            note.end = max(beat, note.onset + SHORTEST)
            self._events.append(NoteEvent(False, pitch, max(beat, self._told), 0))

    def pedal(self, down: bool, beat: float) -> None:
        """Where the sustain pedal is; half-pedalling sends that over and over."""
        if down != self._pedal:
            self._pedal = down
            self._pedals.append(PedalEvent(down, max(beat, self._told)))

    def finish(self, beat: float) -> None:
        """All keys up."""
        for pitch in list(self._down):
            self.note_off(pitch, beat)

    def tell(self, request: int, beat: float, missed: int) -> Notes:
        """What was played and not told yet, as of `beat`."""
        told = Notes(request, beat, self._events[:_EVENTS], self._pedals[:_EVENTS], missed)
        self._events, self._pedals = self._events[_EVENTS:], self._pedals[_EVENTS:]
        self._told = max(self._told, beat)
        return told
