"""One function over many pieces, on all cores, with a progress bar; results in the order of the pieces.

Only a few blocks are under way at a time, so memory does not grow with how many there are.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import TypeVar

from sideman.progress import progress

S = TypeVar("S")
T = TypeVar("T")
# Blocks that are begun ahead of the one whose results are due, for each process.
_AHEAD = 4


def over_processes(
    label: str, items: Sequence[S], job: Callable[[list[S]], list[T]], workers: int, block: int
) -> Iterator[T]:
    """`job` of blocks of `block` items; it must be picklable. Neither Ctrl-C nor a kill leaves a process behind."""
    blocks = (list(items[i : i + block]) for i in range(0, len(items), block))
    with progress(label, len(items)) as advance:
        if workers == 1 or len(items) <= block:
            for part in blocks:
                yield from job(part)
                advance(len(part))
            return
        context = get_context("forkserver" if os.name == "posix" else "spawn")
        workers = min(workers, -(-len(items) // block))
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_follow_the_parent)
        begun: deque[tuple[int, Future[list[T]]]] = deque()
        try:
            while True:
                ahead = _AHEAD * workers - len(begun)
                begun.extend((len(part), pool.submit(job, part)) for part in islice(blocks, ahead))
                if not begun:
                    return
                size, future = begun.popleft()
                yield from future.result()
                advance(size)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _follow_the_parent() -> None:
    """Ctrl-C reaches all processes, but only the one that coordinates may act on it; where that is killed, end too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
