"""What else goes to the instruments at given beats: the clicks of a count-in, and a MIDI clock.

Both have the face of `Sounding`: `next_beat` says when there is something to do, `advance` does it.
"""

import math
from collections.abc import Callable
from typing import Protocol

from sideman.jam.midi_clock import TICKS_PER_BEAT, Status
from sideman.jam.sounding import NOTE_OFF, NOTE_ON
from sideman.music.song import Meter

# General MIDI's drum channel, and its high and low wood block.
_DRUMS, _FIRST, _OTHERS, _VELOCITY = 9, 76, 77, 100
_CLICK_BEATS = 0.1


class Part(Protocol):
    """Something that sounds in time."""

    def next_beat(self) -> float | None:
        """When there is something to do."""

    def advance(self, beat: float) -> None:
        """Do what is due at `beat`."""


class CountIn:
    """A bar of clicks before beat 0, one a pulse of the metre."""

    def __init__(self, send: Callable[[bytes], None], meter: Meter) -> None:
        self.beats = meter.bar_beats
        self._send = send
        pulses = range(round(meter.bar_beats / meter.pulse_beats))
        self._left: list[tuple[float, bytes]] = []
        for pulse in pulses:
            beat, key = pulse * meter.pulse_beats - meter.bar_beats, _OTHERS if pulse else _FIRST
            self._left.append((beat, bytes((NOTE_ON | _DRUMS, key, _VELOCITY))))
            self._left.append((beat + _CLICK_BEATS, bytes((NOTE_OFF | _DRUMS, key, 0))))

    def next_beat(self) -> float | None:
        return self._left[0][0] if self._left else None

    def advance(self, beat: float) -> None:
        while self._left and self._left[0][0] <= beat:
            self._send(self._left.pop(0)[1])


class ClockOut:
    """A MIDI clock from beat 0 on: a start, then 24 ticks a beat."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._next = 0

    def next_beat(self) -> float | None:
        return self._next / TICKS_PER_BEAT

    def advance(self, beat: float) -> None:
        """Ticks that are more than a beat late, as when the port was away, are left out."""
        self._next = max(self._next, math.floor((beat - 1) * TICKS_PER_BEAT))
        while self._next <= beat * TICKS_PER_BEAT:
            if self._next == 0:
                self._send(bytes((Status.START,)))
            self._send(bytes((Status.TICK,)))
            self._next += 1

    def stop(self) -> None:
        if self._next:
            self._send(bytes((Status.STOP,)))
