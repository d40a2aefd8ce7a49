"""Several processes behind one port: each accepts on the same socket, and one that dies is started again.

They share nothing but the port and the folder of jams that go on (jam_shelf.py).
"""

import logging
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from multiprocessing.context import SpawnProcess
from pathlib import Path
from socket import socket as Socket
from types import FrameType

from sideman.errors import SidemanError
from sideman.serve.server import FAREWELL_SECONDS, GRACE_SECONDS, serve_on

# A worker that ends sooner than this has not served anybody; so many of them in a row, and nothing will.
SOON_SECONDS, MOST_FAILURES = 10.0, 3
STOP_SECONDS = GRACE_SECONDS + FAREWELL_SECONDS + 5

_LOG = logging.getLogger("uvicorn.error")
_SPAWN = get_context("spawn")


class WorkersFail(SidemanError):
    """Workers end as soon as they are started."""

    code = "workers_fail"


@dataclass(frozen=True, slots=True)
class Work:
    """What every worker serves."""

    socket: Socket
    token: str | None
    shelf: Path


def serve_with_workers(socket: Socket, count: int, token: str | None) -> None:
    """Serve by `count` processes until SIGINT or SIGTERM. Raises WorkersFail; KeyboardInterrupt after SIGINT."""
    stops: list[int] = []
    before = {number: signal.signal(number, _note(stops)) for number in (signal.SIGINT, signal.SIGTERM)}
    with tempfile.TemporaryDirectory(prefix="sideman-jams-", ignore_cleanup_errors=True) as folder:
        work = Work(socket, token, Path(folder))
        workers = [_Worker(work) for _ in range(count)]
        try:
            _watch(workers, work, stops)
        finally:
            _stop(workers)
            for number, handler in before.items():
                signal.signal(number, handler)
    if signal.SIGINT in stops:
        raise KeyboardInterrupt


class _Worker:
    """A process, and when it was started."""

    def __init__(self, work: Work) -> None:
        self.since = time.monotonic()
        self.process: SpawnProcess = _SPAWN.Process(target=_serve, args=(work,), name="sideman-worker", daemon=True)
        self.process.start()


def _watch(workers: list[_Worker], work: Work, stops: list[int]) -> None:
    """Start again what dies, until there is a reason to stop."""
    failures = 0
    while not stops:
        connection.wait([worker.process.sentinel for worker in workers], timeout=0.2)
        for place, worker in enumerate(workers):
            if worker.process.is_alive() or stops:
                continue
            failures = failures + 1 if time.monotonic() - worker.since < SOON_SECONDS else 0
            if failures >= MOST_FAILURES:
                raise WorkersFail("The workers end as soon as they are started.", "What they said is above.")
            _LOG.warning("A worker has ended (%s); another takes its place.", worker.process.exitcode)
            workers[place] = _Worker(work)


def _stop(workers: list[_Worker]) -> None:
    """Let them say goodbye; end those who do not."""
    for worker in workers:
        worker.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for worker in workers:
        worker.process.join(max(0.0, deadline - time.monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _serve(work: Work) -> None:
    """In a worker. Ctrl-C in a terminal reaches it as well; its parent says when it is over."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    serve_on(work.socket, work.token, shelf=work.shelf)


def _leave_with_parent() -> None:
    """A worker whose parent was killed would hold the port for ever."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _note(stops: list[int]) -> Callable[[int, FrameType | None], None]:
    def handler(number: int, frame: FrameType | None) -> None:
        stops.append(number)

    return handler
