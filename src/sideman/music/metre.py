"""Bar lines and positions within them, from the metre events of a song."""

import numpy as np
from numpy.typing import NDArray

from sideman.music.song import Meter

FRAMES_PER_BEAT = 4
# Form features a frame, and the number of values each takes (0 = unknown).
FORM_SIZES = (49, 49, 9)


def bar_lines(meters: tuple[Meter, ...], beats: float) -> list[tuple[float, float, Meter]]:
    """Bars as (onset, length, meter) in beats, covering 0..`beats`.

    The first bar is the pickup when the first meter starts after 0: its onset is 0 and its length
    is shorter than (or, for an introduction without bar lines, cut from) the metre.
    """
    bars: list[tuple[float, float, Meter]] = []
    first = meters[0]
    at = first.onset
    while at > 1e-6:  # bars counted backwards from the first bar line; the earliest is the pickup
        start = max(0.0, at - first.bar_beats)
        bars.insert(0, (start, at - start, first))
        at = start
    for index, meter in enumerate(meters):
        end = meters[index + 1].onset if index + 1 < len(meters) else max(beats, meter.onset + 1e-3)
        at = meter.onset
        last = index + 1 == len(meters)
        while at < end - 1e-6:
            length = meter.bar_beats if last else min(meter.bar_beats, end - at)
            bars.append((at, length, meter))
            at += length
    return bars


def form(meters: tuple[Meter, ...], frames: int) -> NDArray[np.uint8]:
    """Where each frame stands: [frames, 3] uint8, each value at least 1.

    Columns: frame in the bar + 1, frames the bar has + 1, bar in an 8-bar phrase + 1 (counted from
    the first full bar; the pickup belongs to the bar before it). Long bars are clipped to 48 frames.
    A pickup counts its positions so that it ends with its bar.
    """
    out = np.ones((frames, 3), np.uint8)
    bars = bar_lines(meters, frames / FRAMES_PER_BEAT)
    pickup_bars = sum(onset < meters[0].onset - 1e-6 for onset, _, _ in bars)
    for number, (onset, length, meter) in enumerate(bars):
        start, stop = round(onset * FRAMES_PER_BEAT), min(frames, round((onset + length) * FRAMES_PER_BEAT))
        if start >= stop:
            continue
        full = max(1, round(meter.bar_beats * FRAMES_PER_BEAT))
        late = full - (stop - start) if number < pickup_bars and stop < frames else 0
        position = np.arange(stop - start) + max(0, late)
        out[start:stop, 0] = np.minimum(position, 47) + 1
        out[start:stop, 1] = min(full, 47) + 1
        out[start:stop, 2] = (number - pickup_bars) % 8 + 1
    return out
