"""How good a progression is: a handful of readable scores in 0..1 and their weighted mean."""

import math

import numpy as np
from numpy.typing import NDArray

from sideman.music.cadence import Target, cadence_of
from sideman.music.chord import Chord
from sideman.music.frames import SILENT
from sideman.music.measures import (
    bar_count,
    chord_density,
    chord_events,
    chord_masks,
    inside_chord,
    ratio,
    uncovered,
)
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.pitch import Key
from sideman.options.bass_line import smoothness_of
from sideman.options.likeness import Style
from sideman.options.plan import Plan, final_key
from sideman.options.pool import Candidate
from sideman.options.request import Request

WEIGHTS = {
    "harmony": 0.4, "fit": 0.3, "calm": 0.1, "cadence": 0.1, "cover": 0.1,
    "density": 0.3, "bass": 0.1, "like": 0.3, "surprise": 0.3,
}  # fmt: skip
LONG_FRAMES = 32


def judge(candidates: list[Candidate], plan: Plan, key: Key, request: Request) -> list[dict[str, float]]:
    """Scores of each candidate:

    `harmony` chord tones under the melody, strong beats and long notes counting more; `fit` how likely the offline
    model finds it, against the other candidates; `calm` no chord too long, too short or too dense; `cadence` it ends
    at home, or as asked; `cover` no silence under the melody. Where asked for: `density` as many chords a bar, `bass`
    how it moves, `like` what the example does, `surprise` as unlikely among the candidates.
    """
    log_p = np.array([c.log_p for c in candidates])
    fit = _fit(log_p)
    rank = np.argsort(np.argsort(-log_p)) / max(1, len(candidates) - 1)
    weight = _accents(plan)
    out = []
    for c, likely, unlikely in zip(candidates, fit, rank, strict=True):
        chords = [c.frames.chords[i] for i in chord_events(c.frames)[2]]
        scores = {"harmony": _harmony(c, weight), "fit": float(likely), "calm": _calm(c)}
        scores["cadence"] = (
            _cadence(c, key)
            if request.cadence is None
            else _ends(chords, final_key(request.melody, key), request.cadence)
        )
        scores["cover"] = _cover(c)
        if request.wanted_density is not None:
            scores["density"] = _density(c, request.wanted_density)
        if request.bass is not None:
            scores["bass"] = smoothness_of(chords, request.bass)
        if request.like is not None:
            scores["like"] = request.like.likeness(Style.of(chords, bar_count(c.frames)))
        if request.surprise is not None:
            scores["surprise"] = 1.0 - abs(float(unlikely) - request.surprise)
        out.append(scores)
    return out


def total(scores: dict[str, float]) -> float:
    """Weighted mean of those scores that are named in WEIGHTS; who asks for surprise does not ask for what fits."""
    weights = {name: WEIGHTS[name] for name in scores if name in WEIGHTS}
    if "surprise" in weights:
        del weights["fit"]
    return sum(weight * scores[name] for name, weight in weights.items()) / sum(weights.values())


def _fit(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logistic of the standardised log-probability: 0.5 for an average candidate."""
    spread = max(float(log_p.std()), 1.0)
    return np.asarray(1 / (1 + np.exp(-(log_p - log_p.mean()) / spread)))


def _accents(plan: Plan) -> NDArray[np.float64]:
    """Weight of each frame: note onsets and bar beginnings count more than what rings on."""
    frames = plan.frames
    weight = np.ones(len(frames))
    weight[frames.melody_onset] += 1.0
    weight[frames.form[:, 0] == 1] += 1.0
    return weight


def _harmony(candidate: Candidate, weight: NDArray[np.float64]) -> float:
    inside, both = inside_chord(candidate.frames.melody, chord_masks(candidate.frames))
    return _known(ratio(float(weight[inside].sum()), float(weight[both].sum())))


def _cover(candidate: Candidate) -> float:
    frames = candidate.frames
    silent = int(uncovered(frames.melody, chord_masks(frames)).sum())
    return 1.0 - _known(ratio(silent, int((frames.melody != SILENT).sum())))


def _calm(candidate: Candidate) -> float:
    """1 minus the share of frames in chords longer than 8 beats, struck again or not, or shorter than a beat, or of
    six and more tones."""
    frames = candidate.frames
    first, last, chord = chord_events(frames)
    if not len(first):
        return 0.0
    length = last - first
    stretch = np.cumsum(np.diff(chord, prepend=chord[0]) != 0)
    going_on = np.bincount(stretch, weights=length)[stretch]
    tones = np.array([len(frames.chords[i].tones) for i in chord])
    odd = (going_on > LONG_FRAMES) | (length < FRAMES_PER_BEAT) | (tones >= 6)
    return 1.0 - float(length[odd].sum()) / float(length.sum())


def _cadence(candidate: Candidate, key: Key) -> float:
    """1 for a last chord on the tonic in root position and mode, 0.7 inverted, in the other mode or on the
    relative, 0.5 on the dominant."""
    frames = candidate.frames
    _, _, chord = chord_events(frames)
    if not len(chord):
        return 0.0
    last = frames.chords[chord[-1]]
    relative = (key.tonic + (9 if key.mode == "major" else 3)) % 12
    if last.root == key.tonic:
        wrong_third = 4 if key.mode == "minor" else 3
        return 1.0 if last.bass == last.root and wrong_third not in last.tones else 0.7
    if last.root == relative:
        return 0.7
    return 0.5 if last.root == (key.tonic + 7) % 12 else 0.0


def _ends(chords: list[Chord], key: Key, wanted: Target) -> float:
    return float(cadence_of(chords, key) == wanted)


def _density(candidate: Candidate, wanted: float) -> float:
    """1 for the wanted chords a bar, 0 for half or twice as many and beyond."""
    return max(0.0, 1.0 - abs(math.log2(max(chord_density(candidate.frames), 1e-3) / wanted)))


def _known(value: float) -> float:
    """0 where nothing was there to measure."""
    return 0.0 if np.isnan(value) else value
