"""Where the frames of a jam stand in bar and phrase, while the metre may still change."""

import math

import numpy as np
from numpy.typing import NDArray

from sideman.errors import WrongValue
from sideman.music.metre import FRAMES_PER_BEAT, form
from sideman.music.song import Meter

GROW_FRAMES = 1024


class Bars:
    """The metres of a jam from beat 0 on, and the form of its frames."""

    def __init__(self, meter: Meter) -> None:
        self.meters: tuple[Meter, ...] = (meter,)
        self._form = form(self.meters, GROW_FRAMES)

    def change(self, meter: Meter, frame: int) -> None:
        """Another metre from the first bar line at or after `frame` on."""
        beat = frame / FRAMES_PER_BEAT
        past = [m for m in self.meters if m.onset < beat] or [self.meters[0]]
        last = past[-1]
        bars = max(0, math.ceil((beat - last.onset) / last.bar_beats - 1e-6))
        onset = last.onset + bars * last.bar_beats
        kept = [m for m in past if m.onset < onset]
        self.meters = (*kept, Meter(onset, meter.numerator, meter.denominator))
        self._form = form(self.meters, len(self._form))

    def form(self, frames: int) -> NDArray[np.uint8]:
        """Form [at least `frames`, 3] as in `music.metre.form`."""
        if frames > len(self._form):
            self._form = form(self.meters, 2 * frames)
        return self._form


def checked_meter(text: str) -> Meter:
    """A metre whose bars the grid can hold. Raises WrongValue."""
    meter = Meter.parse(text)
    if meter.bar_beats * FRAMES_PER_BEAT % 1 or meter.bar_beats > 16:
        raise WrongValue(
            f"A bar of {text} does not fill whole 16ths, or more than 16 beats.", "Use one like 4/4 or 6/8."
        )
    return meter
