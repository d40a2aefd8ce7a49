"""One function over many pieces, on all cores, with a progress bar; results in the order of the pieces."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

from sideman.progress import progress

T = TypeVar("T")


def over_processes(
    label: str, ids: Sequence[str], job: Callable[[list[str]], list[T]], workers: int, block: int
) -> Iterator[T]:
    """`job` of blocks of `block` ids each; it must be picklable. Ctrl-C leaves no process behind."""
    blocks = [list(ids[i : i + block]) for i in range(0, len(ids), block)]
    with progress(label, len(ids)) as advance:
        if workers == 1 or len(blocks) <= 1:
            for part in blocks:
                yield from job(part)
                advance(len(part))
            return
        context = get_context("forkserver" if os.name == "posix" else "spawn")
        pool = ProcessPoolExecutor(min(workers, len(blocks)), mp_context=context, initializer=_ignore_interrupt)
        try:
            futures = [pool.submit(job, part) for part in blocks]
            sizes: dict[Future[list[T]], int] = dict(zip(futures, map(len, blocks), strict=True))
            for future in as_completed(futures):
                future.result()  # a bug shows at once, not after the last block
                advance(sizes[future])
            for future in futures:
                yield from future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupt() -> None:
    """Ctrl-C reaches all processes; only the one that coordinates may act on it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
