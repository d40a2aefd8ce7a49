"""Songs made up by rule, so that every stage of training can be tried without any data."""

import numpy as np

from sideman.data.pack import Pack, make_pack
from sideman.music.chord import Chord
from sideman.music.frames import Frames, encode
from sideman.music.song import ChordSpan, Meter, Note, Song

PROGRESSION = ("C", "F", "G7", "Am7", "Dm", "G/B", "C", "Bdim")
WHITE_KEYS = [pitch for pitch in range(60, 80) if pitch % 12 in (0, 2, 4, 5, 7, 9, 11)]


def song(number: int) -> Frames:
    """3 to 10 bars of 4/4: a random walk on the white keys with rests, a chord a bar, the last bar without one."""
    rng = np.random.default_rng(number)
    bars = 3 + number % 8
    walk = np.clip(np.cumsum(rng.integers(-2, 3, 8 * bars)) + 6, 0, len(WHITE_KEYS) - 1)
    notes = tuple(Note(i / 2, 0.5, WHITE_KEYS[at]) for i, at in enumerate(walk.tolist()) if rng.random() > 0.15)
    symbols = [Chord.parse(PROGRESSION[(number + bar) % len(PROGRESSION)]) for bar in range(bars - 1)]
    chords = tuple(ChordSpan(4.0 * bar, 4.0, chord) for bar, chord in enumerate(symbols) if chord)
    return encode(Song(notes, chords, (Meter(0.0, 4, 4),)), 16 * bars)


def pack(pieces: int) -> Pack:
    """`pieces` songs: of every ten, eight to train on, one to validate and one to test with."""
    splits = {4: "valid", 9: "test"}
    return make_pack("madeup", [(f"madeup-{n}", splits.get(n % 10, "train"), song(n)) for n in range(pieces)])
