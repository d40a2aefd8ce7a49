"""A player at the table: his session, what he has sent and is not yet done, and how to answer him.

Threads: a seat belongs to the scheduler's thread. `tell` is called there; it must not block.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from sideman.engine.bundle import Bundle
from sideman.errors import SidemanError
from sideman.jam.log import Begun, Changed, Heard, Introduced, Log, Planned, digest
from sideman.jam.messages import Down, Error, Intro, Late, Notes, Plan, Set, SettingsOut, Start, Timings
from sideman.jam.planner import Work
from sideman.jam.session import Session
from sideman.music.metre import FRAMES_PER_BEAT


@dataclass(frozen=True, slots=True)
class Request:
    """A `notes` message that waits for its plan; times in seconds of the scheduler's clock."""

    message: Notes
    arrived: float


@dataclass
class Seat:
    """One player. `tell` sends a message down to him; nobody listens while he is away."""

    name: str
    session: Session
    offline: Bundle | None
    clock: Callable[[], float]
    tell: Callable[[Down], None]
    log: Log = field(default_factory=Log)
    inbox: deque[tuple[Notes | Set, Bundle | None, float]] = field(default_factory=deque)
    request: Request | None = None
    started: float = 0.0

    @classmethod
    def open(
        cls,
        name: str,
        start: Start,
        bundle: Bundle,
        offline: Bundle | None,
        clock: Callable[[], float],
        tell: Callable[[Down], None],
        log: Log | None = None,
    ) -> "Seat":
        """A new player's. Raises WrongValue."""
        seat = cls(name, Session(start, bundle), offline, clock, tell, Log() if log is None else log)
        seat.log.append(Begun(start, bundle.folder.name, bundle.file.checkpoint, clock()))
        return seat

    def read(self) -> bool:
        """Take in all that has been sent; whether a plan is now asked for. The newest request takes the place of those
        before it."""
        while self.inbox:
            message, bundle, arrived = self.inbox.popleft()
            try:
                if isinstance(message, Set):
                    self._change(message, bundle)
                else:
                    self._hear(message, arrived)
            except SidemanError as error:
                self.tell(Error(error.code, error.message, error.hint))
        return self.request is not None

    @property
    def deadline(self) -> float:
        """When the answer to the request is due, in seconds of the clock."""
        assert self.request is not None
        beats = self.session.due_beat - self.request.message.beat
        return self.request.arrived + beats * 60 / self.session.settings.tempo

    def plan(self) -> Work:
        """Plan for the request."""
        self.started = self.clock()
        yield from self.session.plan()

    def answer(self) -> None:
        """The plan is made: promise it and send it."""
        assert self.request is not None
        assert self.session.frame is not None
        request, now = self.request, self.clock()
        frame = self.session.frame
        if now > self.deadline:
            frame = max(frame, self._frame_at(now))
            misses = max(0, frame - max(self.session.frame, len(self.session.own)))
            self.tell(Late(request.message.request, self.session.frame, misses))
        queued, computed = 1e3 * (self.started - request.arrived), 1e3 * (now - self.started)
        planned = self.session.adopt(frame)
        self.request = None
        tokens = self.session.own[frame:]
        self.log.append(
            Planned(
                None if planned is None else frame,
                digest(tokens),
                round(queued, 3),
                round(computed, 3),
                [] if planned is None else tokens.tolist(),
            )
        )
        if planned is not None:
            self.tell(
                Plan(
                    request=request.message.request,
                    frame=planned.frame,
                    frames=planned.frames,
                    committed=planned.committed,
                    chords=planned.chords,
                    timings=Timings(1e3 * request.arrived, round(queued, 3), round(computed, 3), 0.0),
                    service=self.session.tally.figures(),
                    notes=planned.notes,
                    heard=planned.heard,
                )
            )

    def introduce(self) -> None:
        """Harmonise what was listened to, if it is time for that."""
        if self.offline is not None and self.session.wants_introduction():
            chords = self.session.introduce(self.offline)
            tokens = self.session.own[: self.session.frame]
            self.log.append(
                Introduced(self.offline.folder.name, self.offline.file.checkpoint, digest(tokens), tokens.tolist())
            )
            self.tell(Intro(chords))

    def _hear(self, message: Notes, arrived: float) -> None:
        if self.request is not None and self.clock() > self.deadline:
            assert self.session.frame is not None
            self.tell(Late(self.request.message.request, self.session.frame, 0))
        self.session.hear(message)
        self.log.append(Heard(message, arrived))
        self.request = Request(message, arrived)

    def _change(self, message: Set, bundle: Bundle | None) -> None:
        self.session.change(message, bundle)
        bundle = self.session.bundle
        self.log.append(Changed(message, bundle.folder.name, bundle.file.checkpoint, self.clock()))
        self.tell(SettingsOut(self.session.settings, bundle.folder.name, self.session.part))

    def _frame_at(self, now: float) -> int:
        """The first frame that begins after `now`."""
        assert self.request is not None
        beat = self.request.message.beat + (now - self.request.arrived) * self.session.settings.tempo / 60
        return int(beat * FRAMES_PER_BEAT) + 1
