"""What the player plays, as melody tokens on the 16th grid.

An onset belongs to the frame whose beginning is nearest, as people play around the beat. The melody is the
upper line: a note is hidden for good by a higher key that stays down for more than a 16th after it, and
ended by a higher one that follows. The sustain pedal lets a note of that line ring until the next one, so
it never hides what is played under it. What was decided about a note hardly changes afterwards, so a plan
does not lose its ground.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.vocabulary import NOTE_HOLD, NOTE_ON, SILENCE

Ints = NDArray[np.int64]
# Frames before the newest moment that may still change.
OPEN_FRAMES = 16
# A key that is let go so late after the next one went down was meant to be bound to it.
LEGATO_FRAMES = 1


@dataclass
class _Key:
    """One key press, times in beats: `released` when the finger left, `ended` when the sound did (None: not yet)."""

    pitch: int
    onset: float
    released: float | None = None
    ended: float | None = None


class Heard:
    """The melody so far. `first` is the frame of the first note, None before there is one."""

    def __init__(self) -> None:
        self.first: int | None = None
        self._keys: list[_Key] = []
        self._down: dict[int, _Key] = {}
        self._sustained: list[_Key] = []
        self._pedal = False
        self._settled = 0
        self._tokens = np.zeros(0, np.int64)

    def note_on(self, pitch: int, beat: float) -> None:
        self.note_off(pitch, beat)
        key = _Key(pitch, beat)
        self._keys.append(key)
        self._down[pitch] = key
        frame = max(0, nearest_frame(beat))
        self.first = frame if self.first is None else min(frame, self.first)

    def note_off(self, pitch: int, beat: float) -> None:
        """A release without its press is nothing."""
        key = self._down.pop(pitch, None)
        if key is None:
            return
        key.released = beat
        if self._pedal:
            self._sustained.append(key)
        else:
            key.ended = beat

    def pedal(self, down: bool, beat: float) -> None:
        self._pedal = down
        if not down:
            for key in self._sustained:
                key.ended = beat
            self._sustained.clear()

    def tokens(self, frames: int) -> Ints:
        """Melody tokens of what is known when frame `frames` begins: [frames], or one more if a note was struck just
        before that frame and so belongs to it. Frames more than OPEN_FRAMES in the past never change."""
        known = max([frames, *(nearest_frame(key.onset) + 1 for key in self._keys[-8:])])
        known = min(known, frames + 1)
        start = min(self._settled, known)
        tokens = np.full(known, SILENCE, np.int64)
        tokens[:start] = self._tokens[:start]
        line = self._line(known)
        for on, off, pitch in line:
            on, off = max(on, 0), min(off, known)
            tokens[max(on, start) : off] = NOTE_HOLD + pitch
            if start <= on < off:
                tokens[on] = NOTE_ON + pitch
        if 0 < start < known:
            tokens[start] = _started(tokens[start - 1], tokens[start])
        self._tokens = tokens
        self._settle(frames - OPEN_FRAMES, line)
        return tokens

    def _line(self, known: int) -> list[tuple[int, int, int]]:
        """The upper line as (first frame, one past the last, pitch), ringing on under the pedal."""
        line: list[tuple[int, int, int, int]] = []  # and where its sound ends
        for on, off, pitch, end in sorted(self._presses(known), key=lambda press: (press[0], -press[2])):
            if line:
                start, stop, above, ringing = line[-1]
                if on == start or (above > pitch and stop - on > LEGATO_FRAMES):
                    continue
                line[-1] = (start, min(stop, on), above, min(ringing, on))
            line.append((on, off, pitch, end))
        return [(on, max(off, end), pitch) for on, off, pitch, end in line]

    def _presses(self, known: int) -> Iterator[tuple[int, int, int, int]]:
        """Keys as (first frame, one past the last that the key is down, pitch, one past the last that sounds)."""
        for key in self._keys:
            on = nearest_frame(key.onset)
            off = known if key.released is None else max(on + 1, nearest_frame(key.released))
            if on < known and off > 0:
                yield on, off, key.pitch, known if key.ended is None else max(off, nearest_frame(key.ended))

    def _settle(self, frame: int, line: list[tuple[int, int, int]]) -> None:
        """Let go of keys that cannot be heard from `frame` on: those before it that are hidden, ended or over."""
        if frame > self._settled:
            self._settled = frame
            heard = {(on, pitch) for on, off, pitch in line if off >= frame}
            presses = [(key, nearest_frame(key.onset)) for key in self._keys]
            self._keys = [key for key, on in presses if on >= frame or (on, key.pitch) in heard]


def nearest_frame(beat: float) -> int:
    return int(np.floor(beat * FRAMES_PER_BEAT + 0.5))


def _started(before: np.int64, token: np.int64) -> np.int64:
    """A hold of something that does not sound is its onset."""
    if NOTE_HOLD <= token < NOTE_ON and (before < NOTE_HOLD or (before - NOTE_HOLD) % 128 != token - NOTE_HOLD):
        return token - NOTE_HOLD + NOTE_ON
    return token
