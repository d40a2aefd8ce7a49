"""Chords for what the player played while he was listened to, from a model that hears all of it.

They never sound: they are the history that the first sounding chord comes from.
"""

import numpy as np
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle
from sideman.engine.sampling import Sampling
from sideman.engine.speculate import Melody, decode
from sideman.jam.choose import uniform
from sideman.music.vocabulary import Vocabulary, translate

Ints = NDArray[np.int64]
SAMPLING = Sampling(min_p=0.01, silence_bias=-2.0)
# Places of the draws of introductions: far from those of the jam.
FAR = 2**40


def harmonise(bundle: Bundle, vocabulary: Vocabulary, melody: Ints, form: NDArray[np.uint8], seed: int) -> Ints:
    """Chord tokens [T] of `vocabulary` for melody tokens [T] with form [T, 3], by an offline bundle."""
    draws = uniform(seed, FAR + np.arange(len(melody)))[None]
    chords = decode(bundle, Melody.prepare(bundle, melody, form), draws, SAMPLING).chords[0]
    return translate(bundle.vocabulary, vocabulary, chords)
