"""One thread that plans for its players, step by step, whoever is pressed most first.

Every planning is a generator that asks for one pass of a network after the other, so the thread goes from
player to player between passes. Work ahead (introductions, windows to come) has the rest of the time.

Threads: all methods may be called from any thread; seats belong to the scheduler's.
"""

import logging
import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Condition, Thread
from time import monotonic

from sideman.engine.bundle import Bundle
from sideman.jam.drive import feed
from sideman.jam.log import Prepared
from sideman.jam.messages import Error, Notes, Set
from sideman.jam.planner import Work
from sideman.jam.rows import Pass
from sideman.jam.seat import Seat

_LOG = logging.getLogger(__name__)


@dataclass(eq=False)
class Task:
    """A planning at work and the pass it asks for next: for a player, or for one who asked by `run`. `ahead`: nobody
    waits for it."""

    work: Work
    deadline: float
    seat: Seat | None = None
    future: Future[None] | None = None
    ahead: bool = False
    wanted: Pass | None = None
    passes: int = 0


class Scheduler:
    """The thread and the players it plans for. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.clock = clock
        self._seats: dict[str, Seat] = {}
        self._orders: deque[Task] = deque()
        self._tasks: list[Task] = []
        self._changed = Condition()
        self._closing = False
        self._thread = Thread(target=self._loop, name="sideman-jam", daemon=True)
        self._thread.start()

    @property
    def players(self) -> int:
        """How many seats there are."""
        return len(self._seats)

    def join(self, seat: Seat) -> None:
        """A player sits down."""
        with self._changed:
            self._seats[seat.name] = seat

    def leave(self, seat: Seat) -> None:
        """A player is gone for good."""
        with self._changed:
            self._seats.pop(seat.name, None)
            self._changed.notify()

    def post(self, seat: Seat, message: Notes | Set, bundle: Bundle | None = None) -> None:
        """A player sends something."""
        with self._changed:
            seat.inbox.append((message, bundle, self.clock()))
            self._changed.notify()

    def run(self, work: Work, deadline: float) -> Future[None]:
        """A planning without a seat; the future is done when it has ended."""
        future: Future[None] = Future()
        with self._changed:
            self._orders.append(Task(work, deadline, future=future))
            self._changed.notify()
        return future

    def close(self) -> None:
        """End the thread after the pass it is in."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _loop(self) -> None:
        while self._wait():
            for seat in self._calling():
                try:
                    self._attend(seat)
                except Exception:
                    self._spare(seat)
            if self._tasks:
                self._step(min(self._tasks, key=lambda task: task.deadline))

    def _wait(self) -> bool:
        """Sleep until there is something to do; false when the scheduler closes."""
        with self._changed:
            self._tasks = [task for task in self._tasks if task.seat is None or task.seat.name in self._seats]
            while not (self._closing or self._tasks or self._orders or any(s.inbox for s in self._seats.values())):
                self._changed.wait()
            while self._orders:
                self._tasks.append(self._orders.popleft())
            return not self._closing

    def _calling(self) -> list[Seat]:
        """Players who have sent something and are not just being planned for."""
        planned_for = [task.seat for task in self._tasks if not task.ahead]
        with self._changed:
            return [seat for seat in self._seats.values() if seat.inbox and seat not in planned_for]

    def _attend(self, seat: Seat) -> None:
        """Read what a player sent and start the planning he asks for; work ahead for him gives way."""
        for task in [task for task in self._tasks if task.seat is seat]:
            self._end_ahead(task)
        if seat.read():
            self._tasks.append(Task(seat.plan(), seat.deadline, seat))

    def _step(self, task: Task) -> None:
        """Advance a task by the pass it asked for; a failure is his alone who asked."""
        try:
            if task.wanted is None:
                task.wanted = next(task.work)
            else:
                logits = feed(task.wanted)
                task.passes += 1
                task.wanted = task.work.send(logits)
        except StopIteration:
            try:
                self._end(task)
            except Exception:
                self._fail(task)
        except Exception:
            self._fail(task)

    def _end(self, task: Task) -> None:
        if task.ahead:
            self._end_ahead(task)
            return
        self._tasks.remove(task)
        if task.future is not None:
            task.future.set_result(None)
        if task.seat is not None:
            task.seat.answer()
            task.seat.introduce()
            self._tasks.append(Task(task.seat.session.prepare(), math.inf, task.seat, ahead=True))

    def _end_ahead(self, task: Task) -> None:
        self._tasks.remove(task)
        task.work.close()
        if task.passes and task.seat is not None:
            task.seat.log.append(Prepared(task.passes))

    def _fail(self, task: Task) -> None:
        """Called while an exception is handled."""
        if task in self._tasks:
            self._tasks.remove(task)
        if task.seat is not None:
            self._spare(task.seat)
        elif task.future is not None:
            _LOG.exception("A planning failed.")
            task.future.set_exception(RuntimeError("the planning failed"))

    def _spare(self, seat: Seat) -> None:
        """A bug in one jam must not end the others; called while an exception is handled."""
        _LOG.exception("The jam %s failed.", seat.name)
        seat.request = None
        seat.tell(Error("internal", "The server made a mistake; its log says more.", "Please report it."))
