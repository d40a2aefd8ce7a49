"""Where a melody turns to another key, as soon as that can be told: a cumulative sum (Page, 1954) over pitch classes.

What was heard says how usual a pitch class p is, P(p), from counts that begin at PRIOR and fade over MEMORY frames. A
frame of a note adds log(1/12) - log P(p) to a sum that never falls below 0: what is unusual here makes it grow. At
THRESHOLD nats the melody has turned, and it did so in the frame at which the sum left 0. Of a note only its first beat
counts. What is heard becomes usual DELAY frames later, or at once while the sum is 0.

Of 181 validation melodies moved by +6 semitones half are found within 8 frames and three in four within 10; in 256
frames of the same melodies unmoved 0.5 turns are found (`benchmarks/turns.py`).
"""

from collections import deque
from collections.abc import Iterable
from math import log

from sideman.music.frames import SILENT
from sideman.music.metre import FRAMES_PER_BEAT

PRIOR, MEMORY, THRESHOLD, DELAY = 2.0, 128, 6.0, 16


class Turns:
    """Hears a melody frame by frame. `frames`: how many were heard; `since`: the first one after the last turn, 0 if
    there was none."""

    def __init__(self) -> None:
        self.frames, self.since = 0, 0
        self._counts = [PRIOR] * 12
        self._sum, self._left = 0.0, 0
        self._recent: deque[tuple[int, int]] = deque()  # frames and pitch classes that are not counted yet
        self._sounds, self._lasts = SILENT, 0

    def copy(self) -> "Turns":
        """The same, to hear what may change."""
        twin = Turns()
        twin.__dict__ |= self.__dict__ | {"_counts": [*self._counts], "_recent": self._recent.copy()}
        return twin

    def hear(self, pitches: Iterable[int]) -> bool:
        """Go on with `pitches`, one a frame (SILENT: none); whether the melody has turned meanwhile."""
        before = self.since
        for pitch in pitches:
            self._lasts = self._lasts + 1 if pitch == self._sounds else 1
            self._sounds = pitch
            if pitch != SILENT and self._lasts <= FRAMES_PER_BEAT:
                self._weigh(pitch % 12)
            self.frames += 1
        return self.since != before

    def _weigh(self, sounding: int) -> None:
        if self._sum == 0:
            self._left = self.frames
        self._recent.append((self.frames, sounding))
        self._sum = max(0.0, self._sum + log(sum(self._counts) / 12 / self._counts[sounding]))
        if self._sum > THRESHOLD:
            self.since, self._sum, self._counts = self._left, 0.0, [PRIOR] * 12
            self._recent = deque(each for each in self._recent if each[0] >= self.since)
        while self._recent and (self._sum == 0 or self._recent[0][0] < self.frames - DELAY):
            self._counts[self._recent.popleft()[1]] += 1
        self._counts = [PRIOR + (count - PRIOR) * (1 - 1 / MEMORY) for count in self._counts]


def turns_in(pitches: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """(since, known) of each turn of a whole melody, one pitch a frame: it turned in frame `since`, which can be told
    from frame `known` on."""
    turns = Turns()
    return tuple((turns.since, turns.frames) for pitch in pitches if turns.hear((pitch,)))
