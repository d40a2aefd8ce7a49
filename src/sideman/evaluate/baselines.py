"""What every model must beat: chords drawn from the key alone (and `viterbi.py`, by rule).

The key-prior floor knows two things: the key of the melody (estimated) and how often each chord
occurs in that kind of key in the training data. It puts one chord on every bar and hears no note.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sideman.errors import WrongValue
from sideman.music.chord import Chord
from sideman.music.frames import SILENT, Frames
from sideman.music.measures import bar_starts, chord_events
from sideman.music.pitch import Mode
from sideman.music.tonality import estimate_key


@dataclass(frozen=True)
class KeyPrior:
    """For each mode the chords in C and their shares (which sum to 1), most frequent first."""

    chords: dict[Mode, tuple[Chord, ...]]
    shares: dict[Mode, NDArray[np.float64]]

    def harmonise(self, melody: Frames, seed: int = 0) -> Frames:
        """One chord a bar, drawn from the shares of the estimated key."""
        key = estimate_key(melody.melody)
        starts = bar_starts(melody)
        drawn = np.random.default_rng(seed).choice(len(self.shares[key.mode]), len(starts), p=self.shares[key.mode])
        chords = [self.chords[key.mode][i].transpose(key.tonic) for i in drawn]
        return with_chords(melody, starts, chords)


def fit_key_prior(pieces: Iterable[Frames]) -> KeyPrior:
    """Count the chords of `pieces` relative to the keys estimated from their melodies. Raises WrongValue."""
    counts: dict[Mode, Counter[Chord]] = {"major": Counter(), "minor": Counter()}
    for frames in pieces:
        key = estimate_key(frames.melody)
        for index in chord_events(frames)[2].tolist():
            counts[key.mode][frames.chords[index].transpose(-key.tonic)] += 1
    everything = counts["major"] + counts["minor"]
    if not everything:
        raise WrongValue("The training data hold no chords to learn a key prior from.")
    ranked = {mode: (counter or everything).most_common() for mode, counter in counts.items()}
    totals = {mode: sum(number for _, number in rows) for mode, rows in ranked.items()}
    return KeyPrior(
        chords={mode: tuple(chord for chord, _ in rows) for mode, rows in ranked.items()},
        shares={mode: np.array([n for _, n in rows], np.float64) / totals[mode] for mode, rows in ranked.items()},
    )


def with_chords(melody: Frames, starts: Sequence[int], chords: Sequence[Chord]) -> Frames:
    """The melody with `chords[i]` struck at frame `starts[i]` and held until the next one; starts ascend."""
    table = {chord: i for i, chord in enumerate(dict.fromkeys(chords))}
    chord = np.full(len(melody), SILENT, np.int16)
    onset = np.zeros(len(melody), np.bool_)
    for start, name in zip(starts, chords, strict=True):
        chord[start:] = table[name]
        onset[start] = True
    return replace(melody, chord=chord, chord_onset=onset, chords=tuple(table))


def without_chords(frames: Frames) -> Frames:
    """The melody alone: what a system may see."""
    return with_chords(frames, (), ())
