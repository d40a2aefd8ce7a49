"""Which tokens may follow: the grammar of one part (spec 4.6, validity filter).

Silence and every onset are always allowed; a hold only continues the event that sounds. The
published models were sampled with a looser rule, kept as `reference=True`: after silence any hold.
"""

import numpy as np
from numpy.typing import NDArray

from sideman.music.vocabulary import CHORD_HOLD, NOTE_HOLD, NOTE_ON, SILENCE, PartName, Vocabulary


def hold_of(vocabulary: Vocabulary, tokens: NDArray[np.integer]) -> NDArray[np.integer]:
    """The token that prolongs each token: its hold, or SILENCE after SILENCE and special ids."""
    chord = CHORD_HOLD + (tokens - CHORD_HOLD) % vocabulary.chords
    note = NOTE_HOLD + (tokens - NOTE_HOLD) % 128
    return np.where(tokens >= CHORD_HOLD, chord, np.where(tokens >= NOTE_HOLD, note, SILENCE))


def part_mask(
    vocabulary: Vocabulary, part: PartName, previous: NDArray[np.integer], reference: bool = False
) -> NDArray[np.bool_]:
    """`chord_mask` or `melody_mask`."""
    return (chord_mask if part == "chord" else melody_mask)(vocabulary, previous, reference)


def chord_mask(vocabulary: Vocabulary, previous: NDArray[np.integer], reference: bool = False) -> NDArray[np.bool_]:
    """Allowed next chord tokens, bool [B, V], for the previous chord token of each row (BOS = none)."""
    allowed = np.zeros((len(previous), vocabulary.size), np.bool_)
    allowed[:, SILENCE] = True
    allowed[:, vocabulary.chord_on :] = True
    return _allow_holds(allowed, vocabulary, previous, slice(CHORD_HOLD, vocabulary.chord_on), reference)


def melody_mask(vocabulary: Vocabulary, previous: NDArray[np.integer], reference: bool = False) -> NDArray[np.bool_]:
    """Allowed next melody tokens, bool [B, V], for the previous melody token of each row (BOS = none)."""
    allowed = np.zeros((len(previous), vocabulary.size), np.bool_)
    allowed[:, SILENCE] = True
    allowed[:, NOTE_ON:CHORD_HOLD] = True
    return _allow_holds(allowed, vocabulary, previous, slice(NOTE_HOLD, NOTE_ON), reference)


def _allow_holds(
    allowed: NDArray[np.bool_],
    vocabulary: Vocabulary,
    previous: NDArray[np.integer],
    holds: slice,
    reference: bool,
) -> NDArray[np.bool_]:
    allowed[np.arange(len(previous)), hold_of(vocabulary, previous)] = True
    if reference:
        allowed[previous == SILENCE, holds] = True
    return allowed
