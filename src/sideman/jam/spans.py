"""Chord tokens of a plan as chords to sound, and chords that sounded as tokens."""

import numpy as np
from numpy.typing import NDArray

from sideman.jam.choose import prolong
from sideman.jam.messages import JamChord, PlayedChord
from sideman.music.chord import Chord
from sideman.music.frames import SILENT
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.pitch import Key
from sideman.music.tonality import KEYS, estimate_key
from sideman.music.vocabulary import CHORD_HOLD, NOTE_HOLD, SILENCE, Vocabulary

Ints = NDArray[np.int64]
BASS_OCTAVE = 36


def jam_chords(
    vocabulary: Vocabulary, tokens: Ints, keys: NDArray[np.integer], first: int, goes_on: bool
) -> list[JamChord]:
    """Chords of tokens [T] from frame `first` on, spelled in the keys [T] (numbers of KEYS) of their first frames.
    `goes_on`: what is held at `first` sounds before it already."""
    runs: list[tuple[int, int, int, bool]] = []  # start, one past the last, chord index, struck
    for frame, token in enumerate(tokens.tolist(), first):
        if token == SILENCE:
            continue
        index = (token - CHORD_HOLD) % vocabulary.chords
        held = token < vocabulary.chord_on
        if held and runs and runs[-1][1] == frame and runs[-1][2] == index:
            runs[-1] = (runs[-1][0], frame + 1, index, runs[-1][3])
        else:
            runs.append((frame, frame + 1, index, not (held and goes_on and frame == first)))
    return [_jam_chord(vocabulary.symbols[index], a, b, struck, KEYS[keys[a - first]]) for a, b, index, struck in runs]


def _jam_chord(chord: Chord, start: int, stop: int, struck: bool, key: Key) -> JamChord:
    return JamChord(
        onset=start / FRAMES_PER_BEAT,
        duration=(stop - start) / FRAMES_PER_BEAT,
        symbol=chord.name(key),
        pitches=list(chord.voicing()),
        bass=BASS_OCTAVE + chord.bass,
        struck=struck,
    )


def started(vocabulary: Vocabulary, before: int, token: int) -> int:
    """A chord token as it sounds after `before`: a hold of something else is an onset."""
    if CHORD_HOLD <= token < vocabulary.chord_on and prolong(vocabulary, before, None) != token:
        return token + vocabulary.chords
    return token


def played_tokens(vocabulary: Vocabulary, chords: list[PlayedChord]) -> Ints:
    """Tokens [T] of chords that sounded. Raises UnknownChord."""
    spans = [
        (
            max(0, round(c.onset * FRAMES_PER_BEAT)),
            round((c.onset + c.duration) * FRAMES_PER_BEAT),
            Chord.parse(c.symbol),
        )
        for c in sorted(chords, key=lambda c: c.onset)
    ]
    tokens = np.full(max([stop for _, stop, _ in spans], default=0), SILENCE, np.int64)
    for start, stop, chord in spans:
        index = None if chord is None else vocabulary.lookup(chord)
        tokens[start:stop] = SILENCE if index is None else CHORD_HOLD + index
        if index is not None and start < stop:
            tokens[start] += vocabulary.chords
    return tokens


def melody_key(tokens: Ints) -> int:
    """The key of melody tokens, as its number in KEYS."""
    key = estimate_key(np.where(tokens == SILENCE, SILENT, (tokens - NOTE_HOLD) % 128))
    return KEYS.index(key)
