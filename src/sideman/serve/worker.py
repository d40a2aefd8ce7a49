"""One thread that thinks, and a short line before it.

Threads: `run` belongs to the event loop; the given function runs in the worker thread, one at a time, so
models need no locks. A caller who leaves gives up his place in the line.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sideman.errors import SidemanError

MAX_WAITING = 32
PATIENCE_SECONDS = 0.25  # how often a waiting caller is looked after

Result = TypeVar("Result")


class Busy(SidemanError):
    """More questions than the line holds."""

    code = "busy"
    status = 503


class Gone(Exception):
    """The caller hung up before his turn."""


class Worker:
    """A bounded line before a single thread."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sideman-worker")
        self.waiting = 0

    async def run(self, work: Callable[[], Result], gone: Callable[[], Awaitable[bool]]) -> Result:
        """The result of `work()`. Raises Busy when the line is full, Gone when the caller left it."""
        if self.waiting > MAX_WAITING:
            raise Busy(f"{self.waiting} melodies are waiting already.", "Ask again in a few seconds.")
        self.waiting += 1
        job = self._thread.submit(work)
        future = asyncio.wrap_future(job)
        try:
            while not future.done():
                await asyncio.wait({future}, timeout=PATIENCE_SECONDS)
                if not future.done() and await gone():
                    raise Gone
            return future.result()
        finally:
            job.cancel()  # takes it out of the line; work in progress runs to its end
            self.waiting -= 1

    def close(self) -> None:
        """Finish the work in hand, drop the line."""
        self._thread.shutdown(wait=True, cancel_futures=True)
