"""When to ask for a new plan.

A frame that has news asks, and so does a beat without news; while one question is open at most one more goes
out, which takes its place. A question nobody answers stops counting after a while. Pure state.
"""

import math

from sideman.music.metre import FRAMES_PER_BEAT

FORGET_SECONDS = 2.0


class Pacing:
    """When to ask for the next plan, and which answers are still open."""

    def __init__(self) -> None:
        self._frame = -1  # of the last question
        self._request = 0
        self._open: dict[int, float] = {}  # request -> when it was asked

    def due(self, beat: float, news: bool, now: float) -> bool:
        """Whether to ask at `beat`, `now` in seconds."""
        self._open = {request: asked for request, asked in self._open.items() if now - asked < FORGET_SECONDS}
        frame = math.floor(beat * FRAMES_PER_BEAT)
        if beat < 0 or frame <= self._frame or len(self._open) > 1:
            return False
        return news or frame // FRAMES_PER_BEAT > self._frame // FRAMES_PER_BEAT

    def ask(self, beat: float, now: float) -> int:
        """The number of the question that goes out."""
        self._frame = math.floor(beat * FRAMES_PER_BEAT)
        self._request += 1
        self._open[self._request] = now
        return self._request

    def answered(self, request: int) -> None:
        """An answer settles its question and all before."""
        self._open = {asked: at for asked, at in self._open.items() if asked > request}
