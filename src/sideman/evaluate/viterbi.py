"""A harmoniser by rule: the best path through the chords of a key, without any training data.

The melody is cut at bar lines and, where the metre has a middle, at half bars. Each piece of it has a
fit to each chord of the key (long notes and notes on the beat weigh more); going from chord to chord
has a price from functional harmony and root motion; chords like to change on bar lines, to begin and
above all to end on the tonic. The Viterbi algorithm finds the best sum. Deterministic.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sideman.evaluate.baselines import with_chords
from sideman.music.chord import Chord
from sideman.music.frames import Frames
from sideman.music.measures import bar_starts, note_events
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.pitch import Mode
from sideman.music.tonality import KEYS, key_correlations

# Chords of a key on C: symbol, function (Tonic, Subdominant, Dominant, Applied dominant), price of using it.
MAJOR_CHORDS = (
    ("C", "T", 0.0), ("F", "S", 0.0), ("G", "D", 0.1), ("Am", "T", 0.2), ("Dm", "S", 0.3), ("Em", "T", 0.9),
    ("G7", "D", 0.3), ("Dm7", "S", 0.9), ("Am7", "T", 1.1), ("Cmaj7", "T", 1.3), ("Fmaj7", "S", 1.3),
    ("Bdim", "D", 1.8), ("Bb", "S", 1.7), ("Fm", "S", 1.9),
    ("D7", "A", 1.2), ("E7", "A", 1.4), ("A7", "A", 1.4), ("C7", "A", 1.5),
)  # fmt: skip
MINOR_CHORDS = (
    ("Cm", "T", 0.0), ("Fm", "S", 0.2), ("G", "D", 0.4), ("G7", "D", 0.4), ("Eb", "T", 0.4), ("Ab", "S", 0.3),
    ("Bb", "D", 0.4), ("Gm", "D", 0.7), ("Cm7", "T", 1.1), ("Fm7", "S", 1.1), ("Abmaj7", "S", 1.4),
    ("Dm7b5", "S", 1.2), ("F", "S", 1.5), ("Dm", "S", 1.8), ("Bb7", "A", 1.2), ("C7", "A", 1.6),
)  # fmt: skip

# Price of going from one function (row) to another (column), in the order T S D A.
FUNCTIONS = "TSDA"
FUNCTION_PRICES = np.array([
    [0.4, 0.0, 0.2, 0.5],
    [0.5, 0.5, 0.0, 0.6],
    [0.0, 1.2, 0.6, 0.9],
    [1.8, 1.8, 1.8, 1.8],  # an applied dominant wants its own tonic, a fourth up
])  # fmt: skip
# Price of a root motion, by semitones upwards.
ROOT_PRICES = np.array([0.6, 0.8, 0.3, 0.5, 0.6, 0.0, 1.2, 0.3, 0.5, 0.2, 0.5, 0.9])

FIT_WEIGHT = 0.22  # of one frame of melody against the prices above
CHANGE_AT_HALF_BAR, STAY_OVER_BAR_LINE = 0.4, 1.8
NO_TONIC_AT_START, NO_TONIC_AT_END = 0.8, 4.0
KEYS_TRIED, KEY_WEIGHT = 3, 12.0
# What a note is worth to a chord of which it is the root, third, fifth, any other tone; or none: a
# semitone above a tone (it grates), else.
TONE_WORTH = {0: 1.0, 3: 1.0, 4: 1.0, 7: 0.9}
OTHER_TONE, ABOVE_BY_SEMITONE, FOREIGN = 0.7, -1.1, -0.6


@dataclass(frozen=True)
class _Model:
    """The chords of one mode on C: K symbols; `worth` [K, 12]; `price` [K]; `move` [K, K]; `tonic` bool [K]."""

    chords: tuple[Chord, ...]
    worth: NDArray[np.float64]
    price: NDArray[np.float64]
    move: NDArray[np.float64]
    tonic: NDArray[np.bool_]


def harmonise(melody: Frames) -> Frames:
    """The melody with the chords the rules like best, from frame 0 to the end."""
    if not len(melody):
        return with_chords(melody, (), ())
    starts, on_bar = segments(melody)
    weights = _weights(melody, starts)
    correlations = key_correlations(melody.melody)
    best: tuple[float, list[Chord]] | None = None
    for number in np.argsort(-correlations, kind="stable")[:KEYS_TRIED]:
        key = KEYS[number]
        model = _model(key.mode)
        score, path = _viterbi(model, np.roll(weights, -key.tonic, axis=1), on_bar)
        score += KEY_WEIGHT * float(correlations[number])
        if best is None or score > best[0]:
            best = score, [model.chords[state].transpose(key.tonic) for state in path]
    assert best is not None
    new = [i for i, chord in enumerate(best[1]) if i == 0 or chord != best[1][i - 1]]
    return with_chords(melody, [starts[i] for i in new], [best[1][i] for i in new])


def segments(frames: Frames) -> tuple[list[int], NDArray[np.bool_]]:
    """(first frames of bars and half bars, whether each is a bar line)."""
    starts: list[int] = []
    on_bar: list[bool] = []
    for start, stop in pairwise([*bar_starts(frames), len(frames)]):
        starts.append(start)
        on_bar.append(True)
        half = _half_bar(frames, start, stop)
        if half is not None:
            starts.append(half)
            on_bar.append(False)
    return starts, np.array(on_bar)


def _half_bar(frames: Frames, start: int, stop: int) -> int | None:
    """The middle of a full bar that has one: 4/4, 2/2, 12/8 and 6/8, not 3/4."""
    length = stop - start
    if length == 12:  # 3/4 and 6/8 are told apart by where notes begin: on beats 2 and 3, or in the middle
        onset = frames.melody_onset[start:stop]
        return start + 6 if onset[6] and not (onset[4] or onset[8]) else None
    return start + length // 2 if length >= 16 and length % 8 == 0 else None


def _weights(frames: Frames, starts: list[int]) -> NDArray[np.float64]:
    """How much each pitch class sounds in each segment, [S, 12], in frames; more for notes that begin on a beat."""
    position = np.where(frames.form[:, 0] > 0, frames.form[:, 0].astype(np.int64) - 1, np.arange(len(frames)))
    segment = np.searchsorted(starts, np.arange(len(frames)), side="right") - 1
    out = np.zeros((len(starts), 12))
    begins = np.zeros(len(frames), np.bool_)
    begins[starts] = True
    for first, last, pitch in zip(*note_events(frames), strict=True):
        on_beat = position[first] % FRAMES_PER_BEAT == 0
        weight = 0.7 + 0.3 * float(on_beat) + 0.4 * float(begins[first])
        np.add.at(out[:, pitch % 12], segment[first:last], weight)
    return out


def _viterbi(model: _Model, weights: NDArray[np.float64], on_bar: NDArray[np.bool_]) -> tuple[float, list[int]]:
    """(score, state of each segment) of the best path; `weights` [S, 12] relative to the tonic."""
    fit = FIT_WEIGHT * weights @ model.worth.T
    stay = np.eye(len(model.chords), dtype=np.bool_)
    score = fit[0] - model.price - NO_TONIC_AT_START * ~model.tonic
    back = np.zeros(fit.shape, np.int64)
    for at in range(1, len(fit)):
        if on_bar[at]:
            step = np.where(stay, STAY_OVER_BAR_LINE, model.move + model.price)
        else:
            step = np.where(stay, 0.0, model.move + model.price + CHANGE_AT_HALF_BAR)
        total = score[:, None] - step
        back[at] = total.argmax(axis=0)
        score = total.max(axis=0) + fit[at]
    score = score - NO_TONIC_AT_END * ~model.tonic
    path = [int(score.argmax())]
    for at in range(len(fit) - 1, 0, -1):
        path.append(int(back[at, path[-1]]))
    return float(score.max()), path[::-1]


@lru_cache(maxsize=2)
def _model(mode: Mode) -> _Model:
    rows = MAJOR_CHORDS if mode == "major" else MINOR_CHORDS
    chords = tuple(chord for name, _, _ in rows if (chord := Chord.parse(name)) is not None)
    function = np.array([FUNCTIONS.index(name) for _, name, _ in rows])
    root = np.array([chord.root for chord in chords])
    motion = (root[None, :] - root[:, None]) % 12
    move = FUNCTION_PRICES[function[:, None], function[None, :]] + ROOT_PRICES[motion]
    resolved = (function[:, None] == FUNCTIONS.index("A")) & (motion == 5)
    return _Model(
        chords=chords,
        worth=np.array([[_worth(chord, p) for p in range(12)] for chord in chords]),
        price=np.array([price for _, _, price in rows]),
        move=np.where(resolved, 0.0, move),
        tonic=np.array([chord.root == 0 and name == "T" for chord, (_, name, _) in zip(chords, rows, strict=True)]),
    )


def _worth(chord: Chord, pitch_class: int) -> float:
    if pitch_class in chord.pitch_classes:
        return TONE_WORTH.get((pitch_class - chord.root) % 12, OTHER_TONE)
    return ABOVE_BY_SEMITONE if (pitch_class - 1) % 12 in chord.pitch_classes else FOREIGN
