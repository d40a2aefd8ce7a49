"""The beat line of a jam: when it runs, where it is, and when a beat will come.

Two kinds: our own clock, and a MIDI clock master's. The line of a jam only ever goes forward. When a master
jumps to another place of his song, the line goes on to its next beat that stands in the bar as the new place
does: bar lines stay where the master has them, and what was heard before stays heard.

Pure state: every call is given its time in seconds.
"""

import math
from typing import Protocol

from sideman.jam.midi_clock import TICKS_PER_BEAT, Change, ClockFollower
from sideman.music.song import Meter


class Transport(Protocol):
    """`takes` counts how often the line began anew; `running`: whether beats pass."""

    takes: int

    @property
    def running(self) -> bool: ...

    @property
    def bpm(self) -> float: ...

    def hear(self, message: bytes, now: float) -> Change | None:
        """Take in a message of a clock master; what it changed."""

    def key_down(self, now: float) -> None:
        """The player plays."""

    def beat(self, now: float) -> float:
        """Where the line is."""

    def song_beat(self, now: float) -> float:
        """Where the song is, as the player counts it."""

    def time(self, beat: float) -> float | None:
        """When the line is at `beat`; None while it rests."""

    def lost(self, now: float) -> bool:
        """Whether the line rests because its master has gone."""


class OwnClock:
    """A steady tempo that begins with `start`, or with the first key of the player: his beat 0."""

    def __init__(self, bpm: float) -> None:
        self.bpm = bpm
        self.takes = 0
        self._zero: float | None = None

    @property
    def running(self) -> bool:
        return self._zero is not None

    def start(self, now: float, beat: float = 0.0) -> None:
        """It is `beat` now."""
        self._zero = now - beat * 60 / self.bpm
        self.takes += 1

    def hear(self, message: bytes, now: float) -> Change | None:
        return None

    def key_down(self, now: float) -> None:
        if self._zero is None:
            self.start(now)

    def beat(self, now: float) -> float:
        return 0.0 if self._zero is None else (now - self._zero) * self.bpm / 60

    def song_beat(self, now: float) -> float:
        return self.beat(now)

    def time(self, beat: float) -> float | None:
        return None if self._zero is None else self._zero + beat * 60 / self.bpm

    def lost(self, now: float) -> bool:
        return False


class FollowedClock:
    """The line of a jam that follows a MIDI clock master. `bpm` is a guess until his ticks tell."""

    def __init__(self, meter: Meter, bpm: float) -> None:
        self.master = ClockFollower()
        self.takes = 0
        self._bar = meter.bar_beats
        self._guess = bpm
        self._offset = 0.0  # beats from the master's song to the line
        self._reached = 0.0  # the line never goes back

    @property
    def running(self) -> bool:
        return self.master.running and self.takes > 0

    @property
    def bpm(self) -> float:
        return self.master.bpm or self._guess

    def hear(self, message: bytes, now: float) -> Change | None:
        self.beat(now)
        change = self.master.hear(message, now)
        if change is Change.STARTED or (change is Change.CONTINUED and self.takes == 0):
            self.takes += 1
            song = self.master.beat(now)
            self._offset = -math.floor(song / self._bar) * self._bar
            self._reached = song + self._offset
            return Change.STARTED
        if change is Change.CONTINUED or (change is Change.MOVED and self.running):
            self._join(self.master.beat(now))
        return change

    def key_down(self, now: float) -> None:
        """The master alone says when to begin."""

    def beat(self, now: float) -> float:
        if self.running:
            self._reached = max(self._reached, self.master.beat(now) + self._offset)
        return self._reached

    def song_beat(self, now: float) -> float:
        return self.master.beat(now)

    def time(self, beat: float) -> float | None:
        return self.master.time(beat - self._offset)

    def lost(self, now: float) -> bool:
        return self.master.lost(now)

    def _join(self, song: float) -> None:
        """Go on at the first place of the line, from where it is, that stands in the bar as `song` does."""
        if abs(song + self._offset - self._reached) * TICKS_PER_BEAT < 2:  # he has not left
            return
        bars = math.ceil((self._reached - song) / self._bar - 1e-9)
        self._offset = bars * self._bar
        self._reached = song + self._offset
