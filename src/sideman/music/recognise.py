"""Keys that sound together -> the chord of a vocabulary that they are, or are nearest to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.music.vocabulary import Vocabulary

# What counts first: tones that differ; then another bass; then a bass that is not the root. Simple chords come first.
_TONE, _BASS, _INVERTED = 8, 4, 2


@dataclass(frozen=True)
class Recogniser:
    """Reads sets of tones by a vocabulary. `tones` uint16 [N]: pitch classes of each chord with its bass."""

    tones: NDArray[np.uint16]
    basses: NDArray[np.int64]
    toll: NDArray[np.int64]

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> "Recogniser":
        basses = vocabulary.basses.astype(np.int64)
        roots = np.array([chord.root for chord in vocabulary.symbols])
        toll = _INVERTED * (basses != roots)
        return cls(vocabulary.masks | (1 << basses).astype(np.uint16), basses, toll)

    def nearest(self, pitches: set[int]) -> tuple[int, bool]:
        """Index of the chord nearest to MIDI pitches, of which the lowest is the bass, and whether it has just their
        pitch classes. Raises ValueError for no pitches."""
        mask = tone_mask(pitches)
        differ = np.bitwise_count(self.tones ^ np.uint16(mask)).astype(np.int64)
        cost = _TONE * differ + _BASS * (self.basses != min(pitches) % 12) + self.toll
        index = int(cost.argmin())
        return index, int(differ[index]) == 0


def tone_mask(pitches: set[int]) -> int:
    """Pitch classes of MIDI pitches as a 12-bit mask (bit 0 = C)."""
    return sum({1 << pitch % 12 for pitch in pitches})
