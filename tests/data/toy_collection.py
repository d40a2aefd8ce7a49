"""A tiny collection with known losses: its song and its converter."""

from collections import Counter
from pathlib import Path

from sideman.data.piece import Discarded, Piece
from sideman.music.chord import Chord
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song

SYMBOLS = ("C", "Am7", "D/F#", "G7b9/F#")


def toy_song(pitch: int = 60) -> Song:
    """8 beats in 3/4 and G major: 5 notes, of which two are off the 16th grid and two overwritten there; 4 chords."""
    starts = (0.0, 1.0, 1.5, 1.6, 1 + 2 / 3)
    notes = tuple(Note(a, 0.25, pitch + i) for i, a in enumerate(starts))
    chords = tuple(ChordSpan(2.0 * i, 2.0, c) for i, s in enumerate(SYMBOLS) if (c := Chord.parse(s)))
    return Song(notes, chords, (Meter(0.0, 3, 4),), keys=(KeyChange(0.0, Key(7)),), title="Toy", composer="Nobody")


def toy_convert(root: Path, piece_id: str) -> Piece:
    """`s<n>`: a song whose work is n modulo 30; every tenth is fixed to test, every seventh discarded."""
    number = int(piece_id[1:])
    if number % 7 == 3:
        raise Discarded("no chords")
    fixed = "test" if number % 10 == 0 else None
    return Piece(piece_id, toy_song(50 + number % 20), f"w{number % 30}", fixed, Counter({"grace note dropped": 2}))
