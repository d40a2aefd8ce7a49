"""Pieces that are written for callers while they listen, one caller at a time and a short line before it.

Threads: everything here belongs to the event loop but `_write`, which runs in the worker thread and hands each event
over. Nobody's events reach anybody else: each caller has a queue of his own.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import msgspec

from sideman.compose.compose import Event
from sideman.errors import SidemanError
from sideman.serve.compose_messages import Failed, Queued
from sideman.serve.messages import ErrorBody
from sideman.serve.worker import PATIENCE_SECONDS, Busy, Worker

MAX_WAITING = 8

Line = Event | Queued | Failed
Gone = Callable[[], Awaitable[bool]]


class Caller:
    """One who listens. `left` is set when he does not any more, or the server stops."""

    def __init__(self) -> None:
        self.left = threading.Event()
        self.lines: asyncio.Queue[Line | None] = asyncio.Queue()
        self.loop = asyncio.get_running_loop()

    def tell(self, line: Line | None) -> None:
        """From the worker thread: one more line, None behind the last."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.lines.put_nowait, line)


class Composing:
    """The thread that writes, and those before it."""

    def __init__(self) -> None:
        self._worker = Worker("compositions")
        self._callers: list[Caller] = []

    def join(self) -> Caller:
        """A place in the line. Raises Busy when it is full."""
        if len(self._callers) > MAX_WAITING:
            raise Busy(f"{len(self._callers)} compositions are waiting already.", "Ask again in a minute.")
        caller = Caller()
        self._callers.append(caller)
        return caller

    async def stream(self, caller: Caller, events: Iterator[Event], gone: Gone) -> AsyncIterator[bytes]:
        """The events of a caller in line as lines of JSON, until the last one or until he is gone. `leave` comes after
        it, whatever happens."""
        self._worker.submit(lambda: _write(caller, events))
        ahead, looked = 0, caller.loop.time()
        while caller in self._callers:
            if (now := self._callers.index(caller)) != ahead and now:
                yield _line(Queued(now))
            ahead = now
            if caller.loop.time() - looked > PATIENCE_SECONDS:
                looked = caller.loop.time()
                if await gone():
                    return
            try:
                line = await asyncio.wait_for(caller.lines.get(), PATIENCE_SECONDS)
            except TimeoutError:
                continue
            if line is None:
                return
            yield _line(line)

    def leave(self, caller: Caller) -> None:
        """Give up a place; what is written for it ends within a character."""
        caller.left.set()
        if caller in self._callers:
            self._callers.remove(caller)

    def stop(self) -> None:
        """Let whatever is being written come to its end now; it is still told."""
        for caller in self._callers:
            caller.left.set()

    def close(self) -> None:
        """Stop, and end the thread."""
        self.stop()
        self._worker.close()


def _write(caller: Caller, events: Iterator[Event]) -> None:
    """In the worker thread: write, and tell."""
    try:
        for event in events:
            caller.tell(event)
    except SidemanError as error:
        caller.tell(Failed(ErrorBody(error.code, error.message, error.hint)))
    except MemoryError:
        caller.tell(Failed(ErrorBody("out_of_memory", "There is not enough memory.", "Ask for fewer pieces or bars.")))
    except Exception:
        logging.getLogger("uvicorn.error").exception("A composition failed.")
        caller.tell(Failed(ErrorBody("internal", "The server made a mistake; its log says more.", "Please report it.")))
    finally:
        caller.tell(None)


def _line(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"
