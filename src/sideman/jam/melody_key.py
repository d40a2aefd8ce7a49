"""The key of a melody that goes on for as long as a jam does."""

import numpy as np
from numpy.typing import NDArray

from sideman.music.tonality import correlations, pitch_class_frames
from sideman.music.vocabulary import pitches


class MelodyKey:
    """Counts the pitch classes from frame `first` up to `counted`, so that no frame is looked at for ever."""

    def __init__(self, first: int = 0) -> None:
        self.counted = first
        self._weights = np.zeros(12, np.int64)

    def estimate(self, tokens: NDArray[np.integer], settled: int) -> int:
        """The key, as its number in KEYS, of the melody that goes on with `tokens` [T] from frame `counted` on. Frames
        before `settled` will not change."""
        melody = pitches(tokens)
        fixed = min(max(0, settled - self.counted), len(tokens))
        self._weights += pitch_class_frames(melody[:fixed])
        self.counted += fixed
        return int(np.argmax(correlations(self._weights + pitch_class_frames(melody[fixed:]))))
