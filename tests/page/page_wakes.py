"""When the page was woken: what it does on time can be judged only where the machine had time for it."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Seen = TypeVar("Seen")
_ATTEMPTS = 3
_WATCH = """() => {
  const { engine, waker } = sideman.app;
  window.wakes = [];
  const wake = waker.worker.onmessage;
  waker.worker.onmessage = () => {
    wakes.push(engine.now);
    wake();
  };
}"""
_STALL = "1000 * Math.max(...wakes.slice(1).map((time, i) => time - wakes[i]), 0)"


def watch(page: Any) -> None:
    """Write down from now on when the page is woken, in seconds of the audio clock (`window.wakes`)."""
    page.evaluate(_WATCH)


def stall(page: Any) -> float:
    """The longest time in ms that a watched page was not woken."""
    return float(page.evaluate(_STALL))


def calmly(attempt: Callable[[], tuple[Seen, float]], limit: float) -> Seen:
    """What an attempt has seen, (that, the stall in ms), when the page was never left alone for longer than `limit`.
    Skips the test on a machine that never has the time."""
    for _ in range(_ATTEMPTS):
        seen, stalled = attempt()
        if stalled < limit:
            return seen
    pytest.skip(f"this machine is too busy: it left the page alone for {stalled:.0f} ms")
