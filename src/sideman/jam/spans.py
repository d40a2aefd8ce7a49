"""Tokens of a plan as chords or notes to sound, and what sounded as tokens."""

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from sideman.jam.choose import is_hold, prolong
from sideman.jam.heard import Heard
from sideman.jam.keys import nearest_frame
from sideman.jam.messages import HeardChords, JamChord, JamNote, PlayedChord, PlayedNote
from sideman.music.chord import Chord
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.pitch import Key
from sideman.music.tonality import KEYS
from sideman.music.vocabulary import CHORD_HOLD, NOTE_HOLD, SILENCE, Vocabulary

Ints = NDArray[np.int64]
BASS_OCTAVE = 36


def jam_chords(
    vocabulary: Vocabulary, tokens: NDArray[np.integer], keys: NDArray[np.integer], first: int, goes_on: bool
) -> list[JamChord]:
    """Chords of tokens [T] from frame `first` on, spelled in the keys [T] (numbers of KEYS) of their first frames.
    `goes_on`: what is held at `first` sounds before it already."""
    return [
        _jam_chord(vocabulary.symbols[hold - CHORD_HOLD], a, b, struck, KEYS[keys[a - first]])
        for a, b, hold, struck in _runs(vocabulary, tokens, first, goes_on)
    ]


def jam_notes(vocabulary: Vocabulary, tokens: NDArray[np.integer], first: int, goes_on: bool) -> list[JamNote]:
    """Notes of melody tokens [T] from frame `first` on; `goes_on` as above."""
    return [
        JamNote(a / FRAMES_PER_BEAT, (b - a) / FRAMES_PER_BEAT, hold - NOTE_HOLD, struck)
        for a, b, hold, struck in _runs(vocabulary, tokens, first, goes_on)
    ]


def _runs(
    vocabulary: Vocabulary, tokens: NDArray[np.integer], first: int, goes_on: bool
) -> list[tuple[int, int, int, bool]]:
    """What tokens [T] of a part let sound, as (start, one past the last, its hold, whether it is struck)."""
    runs: list[tuple[int, int, int, bool]] = []
    for frame, token in enumerate(tokens.tolist(), first):
        if token == SILENCE:
            continue
        hold = prolong(vocabulary, token, None)
        if token == hold and runs and runs[-1][1] == frame and runs[-1][2] == hold:
            runs[-1] = (runs[-1][0], frame + 1, hold, runs[-1][3])
        else:
            runs.append((frame, frame + 1, hold, not (token == hold and goes_on and frame == first)))
    return runs


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
    """A token as it sounds after `before` of its part: a hold of something else is an onset."""
    if is_hold(vocabulary, token) and prolong(vocabulary, before, None) != token:
        return int(vocabulary.struck(np.array(token)))
    return token


def retold(before: list[JamChord], heard: HeardChords) -> list[JamChord]:
    """Chords that were heard, with what is told anew in the place of what was told of that time."""
    begin = heard.frame / FRAMES_PER_BEAT
    kept = [chord for chord in before if chord.onset < begin]
    told = heard.chords
    if kept and told and not told[0].struck and told[0].onset == begin and told[0].pitches == kept[-1].pitches:
        first, told = told[0], told[1:]
        kept[-1] = replace(kept[-1], duration=first.onset + first.duration - kept[-1].onset)
    elif kept and kept[-1].onset + kept[-1].duration > begin:
        kept[-1] = replace(kept[-1], duration=begin - kept[-1].onset)
    return [*kept, *told]


def melody_tokens(notes: list[PlayedNote]) -> Ints:
    """Tokens [T] of a melody that sounded."""
    heard = Heard()
    for note in sorted(notes, key=lambda note: note.onset):
        heard.note_on(note.pitch, note.onset)
        heard.note_off(note.pitch, note.onset + note.duration)
    return heard.tokens(max([nearest_frame(note.onset + note.duration) for note in notes], default=0))


def chord_tokens(vocabulary: Vocabulary, chords: list[PlayedChord]) -> Ints:
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
