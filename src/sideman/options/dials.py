"""What is asked of the chords, turned into wishes the sampling can follow (engine/leaning.py)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sideman.engine.leaning import Leaning
from sideman.music.cadence import Target, is_fifth, is_fourth, is_sixth
from sideman.music.chord import Chord
from sideman.music.frames import SILENT
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.pitch import Key
from sideman.music.roman import in_key, is_tonic
from sideman.music.vocabulary import Vocabulary
from sideman.options.plan import Plan, final_key
from sideman.options.request import Complexity, Request

Floats = NDArray[np.float32]

NEVER = -np.inf
# Logits. What the networks find no richer chord for is coloured afterwards (colour.py).
_RICHER = 2.0
_FOREIGN = 2.5  # for chords outside the key, where they are welcome
_LIKE, _UNLIKE = 2.5, 0.01
# The temperature of the choice among chords at surprise 0 and 1; without the dial it is 1.
_COOL, _HOT = 0.5, 1.6
# How much better the melody must fit for a cadence to leave the last bar line.
_ELSEWHERE = 0.15

Test = Callable[[Chord, Key], bool]


def lean(request: Request, plan: Plan, key: Key, vocabulary: Vocabulary) -> Leaning | None:
    """The wishes of a request for one model's chord list; None where there are none."""
    if not any((request.complexity, request.key, request.cadence, request.like, request.surprise is not None)):
        return None
    keys, kind = keys_of_frames(request, plan, key)
    table = np.stack([_wishes(request, each, vocabulary) for each in keys])
    leaning = Leaning(table, kind, 1.0 if request.surprise is None else heat(request.surprise))
    if request.cadence is None:
        return leaning
    return _with_cadence(request.cadence, plan, final_key(request.melody, key), vocabulary, leaning)


def heat(surprise: float) -> float:
    """Temperature of the choice among chords."""
    return float(_COOL * (_HOT / _COOL) ** surprise)


def is_within(chord: Chord, complexity: Complexity) -> bool:
    """Whether a chord is no richer than asked for."""
    own_bass = 1 << chord.bass_interval & chord.mask
    if complexity == "triads":
        return len(chord.tones) <= 3 and bool(own_bass)
    return complexity == "extensions" or len(chord.tones) <= 3 or _is_seventh(chord)


def _is_seventh(chord: Chord) -> bool:
    """Four tones with a sixth or seventh on top: no ninth, no fourth beside a third."""
    return len(chord.tones) == 4 and not {1, 2}.intersection(chord.tones) and chord.tones[-1] >= 9


def _wishes(request: Request, key: Key, vocabulary: Vocabulary) -> Floats:
    """One row of the table, [1 + N]."""
    wishes = np.zeros(1 + vocabulary.chords)
    style = request.like
    for number, chord in enumerate(vocabulary.symbols, start=1):
        if request.complexity is not None:
            wishes[number] += _richness(chord, request.complexity)
        if request.key is not None:
            wishes[number] += _belonging(in_key(chord, key), request.key == "lock")
        if style is not None:
            wishes[number] += _LIKE * np.log(style.kinship(chord.mask) + _UNLIKE)
    return wishes.astype(np.float32)


def _richness(chord: Chord, complexity: Complexity) -> float:
    if not is_within(chord, complexity):
        return NEVER
    if complexity == "triads":
        return 0.0
    if complexity == "sevenths":
        return _RICHER if _is_seventh(chord) else 0.0
    return _RICHER if len(chord.tones) > 3 else 0.0


def _belonging(inside: bool, locked: bool) -> float:
    if locked:
        return 0.0 if inside else NEVER
    return 0.0 if inside else _FOREIGN


def keys_of_frames(request: Request, plan: Plan, key: Key) -> tuple[list[Key], NDArray[np.int64]]:
    """The keys of the melody, each once, and which of them holds in each frame, [T]."""
    changes = request.melody.keys[1:]
    order = [key, *(change.key for change in changes)]
    keys = list(dict.fromkeys(order))
    starts = np.array([round(change.onset * FRAMES_PER_BEAT) for change in changes], np.int64)
    at = np.searchsorted(starts, np.arange(len(plan.frames)), side="right")
    return keys, np.array([keys.index(each) for each in order], np.int64)[at]


def _with_cadence(target: Target, plan: Plan, key: Key, vocabulary: Vocabulary, leaning: Leaning) -> Leaning:
    """The wishes with the end of the melody bound to a cadence."""
    tests = [test for test in CADENCES[target] if test is not None]
    fitting = [np.array([test(chord, key) for chord in vocabulary.symbols]) for test in tests]
    edges = _place(plan, [vocabulary.masks[chords] for chords in fitting])
    rows, kind = list(leaning.table), leaning.kind.copy()
    for chords, start, stop in zip(fitting[1 - len(edges) :], edges, edges[1:], strict=False):
        row = rows[kind[start]].copy()
        row[0] = NEVER
        row[1:][~chords] = NEVER
        if np.isneginf(row).all():  # nothing fits the other wishes as well: the cadence is what counts here
            row[1:][chords] = 0.0
        kind[start:stop] = len(rows)
        rows.append(row)
    return Leaning(np.stack(rows), kind, leaning.heat)


def _place(plan: Plan, masks: list[NDArray[np.uint16]]) -> list[int]:
    """Frames at which the last one or two harmonies of the melody begin, and its end: the last one at a bar line or
    in the middle of the last bar, wherever any of the chords for each, pitch-class sets `masks`, goes best with the
    melody. A melody without room for two has the last one alone."""
    frames = plan.frames
    bars = [0, *np.flatnonzero(frames.form[1:, 0] == 1) + 1, len(frames)]
    bar = bars[-1] - bars[-2]
    places = [bars[-2], bars[-2] + bar // 2, *bars[-3:-2]]
    before = max(FRAMES_PER_BEAT, bar // 2) if len(masks) > 1 else 0
    best, found = -1.0, [0, len(frames)]
    for place in places:
        edges = [place - before, place, len(frames)][-1 - len(masks) :]
        if edges[0] < 0 or (place == 0 and before):
            continue
        parts = zip(masks, edges, edges[1:], strict=False)
        fit = sum(_best_fit(frames.melody[start:stop], chords) for chords, start, stop in parts) / len(masks)
        if fit > best + _ELSEWHERE:  # the last bar line comes first and is left for a reason only
            best, found = fit, edges
    return found


def _best_fit(melody: NDArray[np.int16], chords: NDArray[np.uint16]) -> float:
    """Share of the sounding frames that are tones of the chord with the most of them; 1 for silence."""
    sounding = melody[melody != SILENT].astype(np.int64) % 12
    if not len(sounding):
        return 1.0
    return float((chords[:, None].astype(np.int64) >> sounding & 1).mean(1).max())


def _home(chord: Chord, key: Key) -> bool:
    return (
        is_tonic(chord, key) and chord.bass == chord.root and 10 not in chord.tones and bool({3, 4} & set(chord.tones))
    )


def _elsewhere(chord: Chord, key: Key) -> bool:
    return chord.root not in (key.tonic, (key.tonic + 7) % 12) and not is_sixth(chord, key)


# What the chord before the last must be, and the last.
CADENCES: dict[Target, tuple[Test | None, Test]] = {
    "authentic": (is_fifth, _home),
    "half": (None, is_fifth),
    "plagal": (is_fourth, _home),
    "deceptive": (is_fifth, is_sixth),
    "open": (None, _elsewhere),
}
