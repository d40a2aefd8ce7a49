"""The keys a player presses and lets go, under his pedal: what both ears of a jam are made of.

An onset belongs to the frame whose beginning is nearest, as people play around the beat. What was decided about a
key hardly changes afterwards, and never more than OPEN_FRAMES later, so a plan does not lose its ground.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.jam.track import Track
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.vocabulary import SILENCE, Vocabulary

Ints = NDArray[np.int64]
# Frames before the newest moment that may still change.
OPEN_FRAMES = 16
# A key that is let go so late after the next one went down was meant to be bound to it.
LEGATO_FRAMES = 1
NOTHING = np.zeros(0, np.int64)
# What holds any token.
TOKEN = np.int32


@dataclass
class Key:
    """One key press, times in beats: `released` when the finger left, `ended` when the sound did (None: not yet);
    `struck`: when the first key of its chord was."""

    pitch: int
    onset: float
    struck: float
    released: float | None = None
    ended: float | None = None


class Keys(ABC):
    """What is heard of them, after tokens [F] of a `past` that is not heard anew. `first` is the first frame with
    something in it, None before there is one."""

    # So many pitch classes at once are something.
    tones = 1

    def __init__(self, past: Ints = NOTHING) -> None:
        sounds = np.flatnonzero(past != SILENCE)
        self.first: int | None = int(sounds[0]) if len(sounds) else None
        self._keys: list[Key] = []
        self._down: dict[int, Key] = {}
        self._sustained: list[Key] = []
        self._pedal = False
        self._tokens = Track(TOKEN, past)  # of the frames that are settled

    def note_on(self, pitch: int, beat: float) -> None:
        self.note_off(pitch, beat)
        key = Key(pitch, beat, self._chord_of(beat))
        self._keys.append(key)
        self._down[pitch] = key
        if len({each.pitch % 12 for each in self._keys if each.ended is None}) >= self.tones:
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

    def tokens(self, frames: int, first: int = 0) -> Ints:
        """Tokens from frame `first` on of what is known when frame `frames` begins: [frames - first], or one more if a
        key was struck just before that frame and so belongs to it. Frames before `settled` never change."""
        known = self._known(frames)
        start = min(self.settled, known)
        past = self._tokens.values[first:start].astype(np.int64)
        fresh = self._read(start, known, frames - OPEN_FRAMES)
        self._tokens.write(start, fresh[: max(0, frames - OPEN_FRAMES - start)])
        return np.concatenate([past, fresh[max(0, first - start) :]])

    @property
    def settled(self) -> int:
        """So many frames are as they are for good."""
        return len(self._tokens)

    @abstractmethod
    def _read(self, start: int, known: int, settled: int) -> Ints:
        """Tokens of the frames from `start`, the first that is not settled, to `known`. Keys that matter only before
        frame `settled` can be let go of."""

    @abstractmethod
    def read_by(self, vocabulary: Vocabulary) -> None:
        """Chords are those of another vocabulary from now on."""

    def _known(self, frames: int) -> int:
        known = max([frames, *(nearest_frame(key.onset) + 1 for key in self._keys[-8:])])
        return min(known, frames + 1)

    def _token_before(self, frame: int) -> int:
        """The token before a frame, all of which is settled; silence before the first."""
        return int(self._tokens.values[frame - 1]) if frame else SILENCE

    def _chord_of(self, beat: float) -> float:
        """When the chord began that a key struck at `beat` belongs to: less than a 16th before."""
        if self._keys and 0 <= beat - self._keys[-1].struck < 1 / FRAMES_PER_BEAT:
            return self._keys[-1].struck
        return beat


def nearest_frame(beat: float) -> int:
    """The frame that begins nearest to a beat, of two the later."""
    return int(np.floor(beat * FRAMES_PER_BEAT + 0.5))
