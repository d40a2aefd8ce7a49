"""Progress on stderr: a bar where rich is installed, else one line that is rewritten.

Where stderr is no terminal nothing is drawn, so logs stay clean.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

Advance = Callable[[int], None]


@contextmanager
def progress(label: str, total: int | None, unit: str = "") -> Iterator[Advance]:
    """Yield a function that adds to the count. `total` may be unknown (None); `unit` is `B` for bytes or empty."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    bar = _rich(label, total, unit) if find_spec("rich") else _plain(label, total)
    with bar as advance:
        yield advance


@contextmanager
def _rich(label: str, total: int | None, unit: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    count = DownloadColumn() if unit == "B" else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), count, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def _plain(label: str, total: int | None) -> Iterator[Advance]:
    done, drawn = 0, 0.0

    def advance(count: int) -> None:
        nonlocal done, drawn
        done += count
        now = time.monotonic()
        if now - drawn > 0.2:
            drawn = now
            share = f"{100 * done // total} %" if total else str(done)
            print(f"\r{label}: {share}   ", end="", file=sys.stderr, flush=True)

    try:
        yield advance
    finally:
        print(file=sys.stderr)
