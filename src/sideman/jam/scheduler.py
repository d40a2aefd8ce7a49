"""Threads that plan for all players, step by step, whoever is pressed most first.

Every planning is a generator that asks for one pass of a network after the other, so a thread goes from
player to player between passes. Work ahead (introductions, windows to come) has the rest of the time. A player
is in the hands of one thread at a time, of any that is free: were players shared out beforehand, one thread would
rest while those of another wait. Where few play, a thread that finds itself alone computes on all cores.

Threads: all methods may be called from any thread; a seat belongs to the thread that has it in hand.
"""

import logging
import math
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

# Players among whom a thread may take all cores. Among more it is not alone for long enough to be worth the others'
# waiting: a thread of the runtime holds on to its core for a while after each pass.
FEW = 2
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
    """The players and the threads that plan for them. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic, threads: int = 1) -> None:
        self.clock = clock
        self._seats: dict[str, Seat] = {}
        self._tasks: list[Task] = []
        self._in_hand: set[int] = set()  # ids of seats, and of tasks without one
        self._changed = Condition()
        self._closing = False
        self._threads = [Thread(target=self._loop, name="sideman-jam", daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

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
        future.set_running_or_notify_cancel()  # it cannot be taken back, whatever becomes of who asked
        with self._changed:
            self._tasks.append(Task(work, deadline, future=future))
            self._changed.notify()
        return future

    def close(self) -> None:
        """End the threads after the passes they are in."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _loop(self) -> None:
        while (taken := self._take()) is not None:
            pressing, alone = taken
            if isinstance(pressing, Task):
                self._step(pressing, alone)
            else:
                try:
                    self._attend(pressing)
                except Exception:
                    self._spare(pressing)
            with self._changed:
                self._in_hand.remove(_whose(pressing))

    def _take(self) -> tuple[Seat | Task, bool] | None:
        """What presses most of what no thread has in hand, as soon as there is any, and whether it may have all cores;
        None when the scheduler closes."""
        with self._changed:
            while not self._closing:
                pressing = self._most_pressing()
                if pressing is not None:
                    self._in_hand.add(_whose(pressing))
                    return pressing, len(self._in_hand) == 1 and len(self._seats) <= FEW
                self._changed.wait()
        return None

    def _most_pressing(self) -> Seat | Task | None:
        """A player who has sent something and is not just being planned for, or else the task that is due first."""
        self._tasks = [task for task in self._tasks if task.seat is None or task.seat.name in self._seats]
        planned_for = {task.seat.name for task in self._tasks if task.seat is not None and not task.ahead}
        for seat in self._seats.values():
            if seat.inbox and seat.name not in planned_for and _whose(seat) not in self._in_hand:
                return seat
        free = [task for task in self._tasks if _whose(task) not in self._in_hand]
        return min(free, key=lambda task: task.deadline, default=None)

    def _attend(self, seat: Seat) -> None:
        """Read what a player sent and start the planning he asks for; work ahead for him gives way."""
        with self._changed:
            ahead = [task for task in self._tasks if task.seat is seat]
        for task in ahead:
            self._end_ahead(task)
        if seat.read():
            self._add(Task(seat.plan(), seat.deadline, seat))

    def _add(self, task: Task) -> None:
        with self._changed:
            self._tasks.append(task)

    def _drop(self, task: Task) -> None:
        """The player may have left meanwhile, and his tasks with him."""
        with self._changed:
            if task in self._tasks:
                self._tasks.remove(task)

    def _step(self, task: Task, alone: bool) -> None:
        """Advance a task by the pass it asked for; a failure is his alone who asked."""
        try:
            if task.wanted is None:
                task.wanted = next(task.work)
            else:
                logits = feed(task.wanted, alone)
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
        self._drop(task)
        if task.future is not None:
            task.future.set_result(None)
        if task.seat is not None:
            task.seat.answer()
            task.seat.introduce()
            self._add(Task(task.seat.session.prepare(), math.inf, task.seat, ahead=True))

    def _end_ahead(self, task: Task) -> None:
        self._drop(task)
        task.work.close()
        if task.passes and task.seat is not None:
            task.seat.log.append(Prepared(task.passes))

    def _fail(self, task: Task) -> None:
        """Called while an exception is handled."""
        self._drop(task)
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


def _whose(pressing: Seat | Task) -> int:
    """What no two threads may have in hand: a seat, or a task of nobody's."""
    return id(pressing if isinstance(pressing, Seat) or pressing.seat is None else pressing.seat)
