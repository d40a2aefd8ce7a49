"""A jam on MIDI ports: no page, no network, the same scheduler and seat.

Threads: `hear` is called by the MIDI system, `_told` by the scheduler, `_keep_time` is a thread of its own that
sends what is due, and `run` is the caller's: it asks for plans, watches the ports and shows where we are. All
they share is under `_changed`, held for microseconds, since somebody always waits for a beat.
"""

import math
import os
import sys
import time
from array import array
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Condition, Thread
from typing import NoReturn

import numpy as np

from sideman.engine.bundle import Bundle
from sideman.files import write_atomic
from sideman.formats.midi_write import write_midi
from sideman.jam.cues import ClockOut, CountIn, Part
from sideman.jam.messages import Down, Start
from sideman.jam.midi_clock import Change
from sideman.jam.parts import own_part
from sideman.jam.round import Round
from sideman.jam.scheduler import Scheduler
from sideman.jam.seat import Seat
from sideman.jam.sounding import NOTE_ON, Sounding
from sideman.jam.transport import OwnClock, Transport
from sideman.music.song import Meter
from sideman.serve.midi_display import Display, status
from sideman.serve.midi_ports import InPort, OutPort
from sideman.serve.midi_watch import Watch

# The last stretch before a beat is spent awake: sleep is not that exact.
_AWAKE_SECONDS = 0.001
# The time thread looks again after this long whatever happens.
_LOOK_SECONDS = 0.5
_STEP_SECONDS = 0.005
# Threads take turns at least this often, so that no other makes the time thread late.
_TURN_SECONDS = 0.0005
_SYSTEM = 0xF0
_TIME_PRIORITY = 2


@dataclass(frozen=True, slots=True)
class Setup:
    """How to jam: `channel` 0..15 of the partner; `take`: file for what was played, `log`: folder for records."""

    start: Start
    channel: int = 0
    octave: int = 0
    count_in: bool = False
    send_clock: bool = False
    take: Path | None = None
    log: Path | None = None


@dataclass(slots=True)
class Sitting:
    """A take and the seat it is planned from."""

    seat: Seat
    round: Round
    began: datetime


class MidiJam:
    """`send` puts a message on the output; `clock` gives seconds. `late`: how many seconds each message that was due
    left too late."""

    def __init__(
        self,
        setup: Setup,
        transport: Transport,
        bundle: Bundle,
        offline: Bundle | None,
        send: Callable[[bytes], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.late = array("d")
        self._setup, self._transport, self._send, self._clock = setup, transport, send, clock
        self._meter = Meter.parse(setup.start.meter)
        self._bundle, self._offline = bundle, offline
        self._scheduler = Scheduler()
        self._display = Display()
        self._changed = Condition()
        self._cues: list[Part] = []
        self._clock_out = ClockOut(send) if setup.send_clock else None
        self._sitting: Sitting | None = None
        self._over: list[Sitting] = []
        self._takes = self._saved = 0
        self._muted = self._lost = self._closing = False
        self._news_at = -math.inf  # when what is due last changed
        self._failure: Exception | None = None
        self._thread = Thread(target=self._keep_time, name="sideman-time", daemon=True)

    def hear(self, message: bytes) -> None:
        """A message of the player's instrument or of a clock master. Called in any thread."""
        now = self._clock()
        with self._changed:
            if self._closing or not message:
                return
            if message[0] >= _SYSTEM:
                self._follow(self._transport.hear(message, now), now)
            elif not self._muted:
                if message[0] & 0xF0 == NOTE_ON and message[-1]:
                    self._transport.key_down(now)
                self._sit_down()
                if self._sitting is not None and self._transport.running:
                    self._sitting.round.play(message, self._transport.beat(now))
            self._changed.notify()

    def run(self, ports: tuple[InPort, OutPort]) -> NoReturn:
        """Play until Ctrl-C, or until a device stays away: raises Unplugged."""
        turns = sys.getswitchinterval()
        sys.setswitchinterval(_TURN_SECONDS)
        try:
            self.begin()
            watch = Watch(ports, self._display, self._mute)
            while True:
                self.step()
                watch.look(self._clock())
                time.sleep(_STEP_SECONDS)
        finally:
            self.close()
            sys.setswitchinterval(turns)

    def begin(self) -> None:
        """Start the clock, if nobody else is to."""
        self._thread.start()
        with self._changed:
            if isinstance(self._transport, OwnClock) and self._setup.count_in:
                clicks = CountIn(self._send, self._meter)
                self._cues.append(clicks)
                self._transport.start(self._clock() + 0.1, -clicks.beats)
                self._sit_down()
            if self._clock_out is not None:
                self._cues.append(self._clock_out)
            self._changed.notify()

    def step(self) -> None:
        """Ask for a plan if it is time, and show where we are."""
        with self._changed:
            if self._failure is not None:
                raise self._failure
            over, self._over = self._over, []
            now, sitting = self._clock(), self._sitting
            if sitting is not None and self._transport.running:
                self._look_for_clock(sitting, now)
                for message in sitting.round.step(self._transport.beat(now), self._transport.bpm, now):
                    self._scheduler.post(sitting.seat, message)
            line, complaint = self._status(now), None
            if sitting is not None and sitting.round.complaint is not None:
                complaint, sitting.round.complaint = sitting.round.complaint, None
        self._display.show(line)
        if complaint is not None:
            self._display.say(f"{complaint.message} {complaint.hint}")
        for each in over:
            self._save(each)

    def close(self) -> None:
        """All notes off, and keep what was played. Raises CannotWrite."""
        with self._changed:
            self._closing = True
            if self._sitting is not None:
                self._stand_up(self._transport.beat(self._clock()))
            if self._clock_out is not None:
                self._clock_out.stop()
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()
        self._scheduler.close()
        self._display.end()
        for sitting in self._over:
            self._save(sitting)
        if len(self.late):
            late = np.percentile(np.frombuffer(self.late), (50, 99)) * 1e3
            self._display.say(
                f"{len(self.late)} moments kept: late by {late[0]:.2f} ms (median), {late[1]:.2f} ms (p99)."
            )

    def _follow(self, change: Change | None, now: float) -> None:
        """A clock master did something; called under the lock."""
        if change is None:
            return
        self._sit_down()
        if change is Change.STOPPED and self._sitting is not None:
            self._sitting.round.pause(self._transport.beat(now))
        self._news_at = now

    def _look_for_clock(self, sitting: Sitting, now: float) -> None:
        """A master who falls silent without a stop silences us too; called under the lock."""
        lost, before = self._transport.lost(now), self._lost
        self._lost = lost
        if lost and not before:
            sitting.round.pause(self._transport.beat(now))
            self._display.say("The MIDI clock has stopped without saying so; waiting for its next tick.")

    def _sit_down(self) -> None:
        """Begin a take if the clock began anew; called under the lock."""
        if self._transport.takes == self._takes:
            return
        if self._sitting is not None:
            self._stand_up(self._sitting.round.beat)
        self._takes = self._transport.takes
        sounding = Sounding(self._send, self._setup.channel, self._setup.octave)
        round = Round(self._setup.start, sounding, own_part(self._bundle))
        clock, began = self._scheduler.clock, datetime.now()
        seat = Seat.open(
            f"take-{self._takes}", self._setup.start, self._bundle, self._offline, clock, lambda m: self._told(round, m)
        )
        self._sitting = Sitting(seat, round, began)
        self._scheduler.join(seat)

    def _stand_up(self, beat: float) -> None:
        """End the take; called under the lock."""
        assert self._sitting is not None
        self._sitting.round.pause(beat)
        self._scheduler.leave(self._sitting.seat)
        self._over.append(self._sitting)
        self._sitting = None

    def _told(self, round: Round, message: Down) -> None:
        with self._changed:
            if self._sitting is not None and self._sitting.round is round:
                self._news_at = self._clock()
                round.told(message, self._transport.beat(self._news_at))
                self._changed.notify()

    def _keep_time(self) -> None:
        """Send what is due, when it is due."""
        hurry(_TIME_PRIORITY)
        try:
            while not self._closing:
                with self._changed:
                    due = self._due()
                    wait = _LOOK_SECONDS if due is None else due - self._clock() - _AWAKE_SECONDS
                    if due is None or wait > 0:
                        self._changed.wait(min(wait, _LOOK_SECONDS))
                        continue
                while self._clock() < due:
                    pass
                self._advance(due)
        except Exception as failure:  # `step` raises it where somebody sees it
            self._failure = failure

    def _due(self) -> float | None:
        """When the next message must leave; None while nothing is to come."""
        if self._muted or self._closing or not self._transport.running or self._transport.lost(self._clock()):
            return None
        beats = [beat for part in self._parts() if (beat := part.next_beat()) is not None]
        return self._transport.time(min(beats)) if beats else None

    def _parts(self) -> list[Part]:
        return self._cues if self._sitting is None else [*self._cues, self._sitting.round.sounding]

    def _advance(self, due: float) -> None:
        with self._changed:
            if self._due() != due:  # something has changed meanwhile
                return
            beat = self._transport.beat(self._clock()) + 1e-4
            for part in self._parts():
                part.advance(beat)
            self.late.append(self._clock() - max(due, self._news_at))

    def _mute(self, muted: bool) -> None:
        """Devices are gone, or back: nothing sounds."""
        with self._changed:
            self._muted, self._news_at = muted, self._clock()
            if self._sitting is not None:
                self._sitting.round.pause(self._transport.beat(self._clock()))
            self._changed.notify()

    def _status(self, now: float) -> str:
        transport, sitting = self._transport, self._sitting
        if sitting is None:
            return "Play: your first note is beat 1." if isinstance(transport, OwnClock) else "Waiting for the clock."
        sounding, beat = sitting.round.sounding, transport.beat(now)
        song = transport.song_beat(now)
        block = sounding.following(beat)
        following = None if block is None else (block.onset + song - beat, block.symbol)
        return status(song, self._meter, transport.bpm, sounding.now, following, sitting.round.service.isr)

    def _save(self, sitting: Sitting) -> None:
        """Write the record and the take, the second and later ones numbered."""
        if self._setup.log is not None:
            name = f"{sitting.began:%Y-%m-%d-%H%M%S}-{sitting.seat.name}.jsonl"
            write_atomic(self._setup.log / name, sitting.seat.log.text())
        song = sitting.round.song()
        if self._setup.take is not None and (song.notes or song.chords):
            self._saved += 1
            path = self._setup.take
            path = path if self._saved == 1 else path.with_stem(f"{path.stem}-{self._saved}")
            write_atomic(path, write_midi(song))
            self._display.say(f"Wrote {path}")


def hurry(priority: int = 1) -> None:
    """Let this thread, and those it starts, run before other programs where the system allows it (Linux: root, or a
    realtime limit as audio users have it). All threads of a jam need it: one that waits while it holds the
    interpreter makes the time thread wait."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
