"""What the player plays, as melody tokens on the 16th grid.

The melody is the upper line: a note is hidden for good by a higher key that stays down for more than a 16th
after it, and ended by a higher one that follows. The sustain pedal lets a note of that line ring until the
next one, so it never hides what is played under it.
"""

from collections.abc import Iterator

import numpy as np

from sideman.jam.keys import LEGATO_FRAMES, Ints, Keys, nearest_frame
from sideman.music.vocabulary import NOTE_HOLD, NOTE_ON, SILENCE, Vocabulary


class Heard(Keys):
    """The melody so far."""

    def read_by(self, vocabulary: Vocabulary) -> None:
        """Notes are the same in all of them."""

    def _read(self, start: int, known: int, settled: int) -> Ints:
        tokens = np.full(known - start, SILENCE, np.int64)
        line = self._line(known)
        for on, off, pitch in line:
            on, off = max(on, 0), min(off, known)
            tokens[max(on - start, 0) : max(off - start, 0)] = NOTE_HOLD + pitch
            if start <= on < off:
                tokens[on - start] = NOTE_ON + pitch
        if 0 < start < known:
            tokens[0] = _started(self._token_before(start), int(tokens[0]))
        if settled > start:
            self._let_go(settled, line)
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

    def _let_go(self, frame: int, line: list[tuple[int, int, int]]) -> None:
        """Of keys that cannot be heard from `frame` on: those before it that are hidden, ended or over."""
        heard = {(on, pitch) for on, off, pitch in line if off >= frame}
        presses = [(key, nearest_frame(key.onset)) for key in self._keys]
        self._keys = [key for key, on in presses if on >= frame or (on, key.pitch) in heard]


def _started(before: int, token: int) -> int:
    """A hold of something that does not sound is its onset."""
    if NOTE_HOLD <= token < NOTE_ON and (before < NOTE_HOLD or (before - NOTE_HOLD) % 128 != token - NOTE_HOLD):
        return token - NOTE_HOLD + NOTE_ON
    return token
