"""One thread that thinks, and a short line before it.

Threads: `run` belongs to the event loop; the given function runs in the worker thread, one at a time, so
models need no locks. A caller who leaves gives up his place in the line. The thread is a daemon: the end of
the server does not wait for a long melody.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

from sideman.errors import SidemanError

MAX_WAITING = 32
PATIENCE_SECONDS = 0.25  # how often a waiting caller is looked after
NICENESS = 10  # players who jam come first

Result = TypeVar("Result")


class Busy(SidemanError):
    """More questions than the line holds."""

    code = "busy"
    status = 503


class Stopping(SidemanError):
    """The server ends before the answer is ready."""

    code = "stopping"
    status = 503


class Gone(Exception):
    """The caller hung up before his turn."""


class Worker:
    """A bounded line before a single thread. `what`: what waits there, for the one who finds it full."""

    def __init__(self, what: str = "melodies") -> None:
        self._what = what
        self._line: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self.waiting = 0
        threading.Thread(target=self._work, name="sideman-worker", daemon=True).start()

    async def run(self, work: Callable[[], Result], gone: Callable[[], Awaitable[bool]]) -> Result:
        """The result of `work()`. Raises Busy when the line is full, Gone when the caller left it, Stopping when
        the server gives up on it."""
        if self.waiting > MAX_WAITING:
            raise Busy(f"{self.waiting} {self._what} are waiting already.", "Ask again in a few seconds.")
        self.waiting += 1
        job: Future[Result] = Future()
        self._line.put((job, work))
        future = asyncio.wrap_future(job)
        try:
            while not future.done():
                await asyncio.wait({future}, timeout=PATIENCE_SECONDS)
                if not future.done() and await gone():
                    raise Gone
            return future.result()
        except asyncio.CancelledError:  # only the end of the server cancels
            raise Stopping("The server stops.", "Ask again when it is back.") from None
        finally:
            job.cancel()  # takes it out of the line; work in progress runs to its end
            self.waiting -= 1

    def submit(self, work: Callable[[], None]) -> None:
        """Have `work` done in its turn for a caller who bounds the line and hears of the end by himself."""
        self._line.put((Future(), work))

    def close(self) -> None:
        """End the thread once the line is empty; what still waits has been given up by its callers."""
        self._line.put(None)

    def _work(self) -> None:
        give_way()
        while (entry := self._line.get()) is not None:
            job, work = entry
            if job.set_running_or_notify_cancel():
                try:
                    job.set_result(work())
                except BaseException as error:  # whatever it is, it belongs to the one who asked
                    job.set_exception(error)


def give_way() -> None:
    """Let this thread, and those that a network starts from it, run when nothing more pressing does (Linux only:
    elsewhere niceness belongs to the whole process)."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
