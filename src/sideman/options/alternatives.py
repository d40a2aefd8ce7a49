"""Other chords for one place of a progression, ranked, each with its reason."""

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle
from sideman.engine.models import find_model, open_model
from sideman.engine.speculate import score
from sideman.errors import UnknownModel, WrongValue
from sideman.music.chord import Chord
from sideman.music.frames import Frames, encode, frame_count
from sideman.music.measures import inside_chord
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.pitch import Key
from sideman.music.roman import estimate_home, in_key, numeral
from sideman.music.song import ChordSpan, Song
from sideman.music.voice_leading import Voicing, lead_voices, movement
from sideman.options.answer import Alternative, AlternativesAnswer
from sideman.options.dials import is_within
from sideman.options.explain import Reading, chord_out, tensions_out
from sideman.options.pool import prepare
from sideman.options.reason import reason_for
from sideman.options.request import MAX_FRAMES, SLACK, Complexity, Request, Tonality

# How many chords the model judges, and the frames before and after the place that it hears.
JUDGED, BEFORE, AFTER = 28, 48, 16
# The first choice of those, by rule: what chord tones, the key and a common tone with the neighbours are worth.
_TONES, _IN_KEY, _COMMON = 1.0, 0.6, 0.1
# The final score: what the model finds, what the melody finds, and how near the chord lies to its neighbours.
WEIGHTS = {"fit": 0.5, "harmony": 0.35, "near": 0.15}
A_ROOT = 2  # chords on one root
_FAR = 12.0  # semitones of movement that are worth nothing


@dataclass(frozen=True, slots=True)
class Place:
    """A melody, its chords, and any beat within the one to replace; the dials are those of `Request`."""

    melody: Song
    chords: tuple[ChordSpan, ...]
    onset: float
    n: int = 8
    complexity: Complexity | None = None
    key: Tonality | None = None
    model: str | None = None

    def find(self) -> int:
        """The index of the chord to replace. Raises WrongValue, EmptyMelody or TooLarge."""
        Request(self.melody, n=self.n).check()
        for index, span in enumerate(self.chords):
            if span.onset - SLACK <= self.onset < span.offset - SLACK:
                return index
        raise WrongValue(f"onset: no chord sounds at beat {self.onset:g}.", "Give a beat within one of the chords.")


def alternatives(place: Place) -> AlternativesAnswer:
    """Up to `n` other chords, the best first. Raises SidemanError for what is wrong with the question."""
    started = time.perf_counter()
    index = place.find()
    bundle = _judge(place.model)
    song = replace(place.melody, chords=place.chords)
    frames = encode(song, min(MAX_FRAMES, frame_count(song)))
    home = song.key_at(place.chords[index].onset) or estimate_home(frames.melody, place.chords)
    reading = Reading.of(place.chords, place.melody, home)
    key, now = reading.keys[index], place.chords[index]
    start, stop = _frames_of(now, len(frames))
    chords = _first_choice(place, index, key, bundle, frames.melody[start:stop])
    fit = _fit(bundle, frames, start, stop, chords) if chords else np.zeros(0)
    chosen = _best(chords, fit, place, index, frames.melody[start:stop])
    *before, voicing = lead_voices(span.chord for span in place.chords[: index + 1])
    return AlternativesAnswer(
        model=bundle.file.name,
        elapsed_ms=round(1000 * (time.perf_counter() - started), 1),
        key=key.name,
        chord=chord_out(now, key, reading.numerals()[index], voicing),
        alternatives=[
            _alternative(rank, value, chord, place, index, key, before[-1] if before else ())
            for rank, (value, chord) in enumerate(chosen, start=1)
        ],
    )


def _judge(name: str | None) -> Bundle:
    bundle = open_model(find_model(name))
    if bundle.file.part != "chord" or bundle.file.kind not in ("offline", "online"):
        raise UnknownModel(f"The model '{bundle.file.name}' does not make chords.", "Choose another model.")
    return bundle


def _frames_of(span: ChordSpan, frames: int) -> tuple[int, int]:
    """The frames a chord fills, at least one and at most a bar of 16 beats."""
    start = min(int(span.onset * FRAMES_PER_BEAT + SLACK), frames - 1)
    stop = min(frames, math.ceil(span.offset * FRAMES_PER_BEAT - SLACK), start + 16 * FRAMES_PER_BEAT)
    return start, max(start + 1, stop)


def _first_choice(place: Place, index: int, key: Key, bundle: Bundle, melody: NDArray[np.int16]) -> list[Chord]:
    """The chords the model is asked about: by melody, key and common tones."""
    now = place.chords[index].chord
    neighbours = [
        span.chord for span in (*place.chords[max(0, index - 1) : index], *place.chords[index + 1 : index + 2])
    ]
    worth = {}
    for chord in bundle.vocabulary.symbols:
        if chord.bass != chord.root or chord.pitch_class_mask == now.pitch_class_mask:
            continue
        belongs = in_key(chord, key)
        if (place.complexity and not is_within(chord, place.complexity)) or (place.key == "lock" and not belongs):
            continue
        common = sum((chord.pitch_class_mask & other.pitch_class_mask).bit_count() for other in neighbours)
        tones = _harmony(chord, melody) / (1 + 0.1 * max(0, len(chord.tones) - 4))  # large chords hold anything
        worth[chord] = _TONES * tones + _IN_KEY * belongs + _COMMON * common / max(1, len(neighbours))
    return sorted(worth, key=lambda chord: -worth[chord])[:JUDGED]


def _harmony(chord: Chord, melody: NDArray[np.int16]) -> float:
    """Share of the sounding melody that is a tone of the chord; 1 for silence."""
    inside, valid = inside_chord(melody, np.full(len(melody), chord.pitch_class_mask))
    return float(inside.sum() / valid.sum()) if valid.any() else 1.0


def _fit(bundle: Bundle, frames: Frames, start: int, stop: int, chords: Sequence[Chord]) -> NDArray[np.float64]:
    """How natural the model finds each chord in its place, what follows included, against the others: 0..1."""
    first, last = max(0, start - BEFORE), min(len(frames), stop + AFTER)
    part = frames.crop(first, last)
    rows = []
    for chord in chords:
        states = part.chord.copy()
        onsets = part.chord_onset.copy()
        inside = slice(start - first, stop - first)
        states[inside], onsets[inside] = len(part.chords), False
        onsets[start - first] = True
        if stop - first < len(states):
            onsets[stop - first] |= states[stop - first] >= 0
        rows.append(
            bundle.vocabulary.encode(replace(part, chord=states, chord_onset=onsets, chords=(*part.chords, chord)))
        )
    melody = prepare(bundle, rows[0][0].astype(np.int64), part.form)
    log_p = score(bundle, melody, np.stack([chords for _, chords in rows]).astype(np.int64))[:, start - first :].sum(1)
    return np.asarray(1 / (1 + np.exp(-(log_p - log_p.mean()) / max(float(log_p.std()), 1.0))))


def _best(
    chords: Sequence[Chord], fit: NDArray[np.float64], place: Place, index: int, melody: NDArray[np.int16]
) -> list[tuple[float, Chord]]:
    """(score, chord) of those to offer, the best first, few of them on one root."""
    before = place.chords[index - 1].chord if index else None
    scored = []
    for chord, likely in zip(chords, fit.tolist(), strict=True):
        parts = {"fit": likely, "harmony": _harmony(chord, melody), "near": _near(before, chord)}
        scored.append((sum(WEIGHTS[name] * value for name, value in parts.items()), chord))
    found: list[tuple[float, Chord]] = []
    roots: Counter[int] = Counter()
    sounds: set[int] = set()
    for value, chord in sorted(scored, key=lambda pair: -pair[0]):
        if roots[chord.root] < A_ROOT and chord.pitch_class_mask not in sounds:  # C6 and Am7 sound the same
            roots[chord.root] += 1
            sounds.add(chord.pitch_class_mask)
            found.append((value, chord))
    return found[: place.n]


def _near(before: Chord | None, chord: Chord) -> float:
    """1 where no voice moves from the chord before, 0 where all of them leap."""
    if before is None:
        return 1.0
    one, two = lead_voices((before, chord))
    return max(0.0, 1.0 - movement(one[1:], two[1:]) / _FAR)


def _alternative(
    rank: int, value: float, chord: Chord, place: Place, index: int, key: Key, before: Voicing
) -> Alternative:
    now = place.chords[index]
    span = replace(now, chord=chord)
    following = place.chords[index + 1].chord if index + 1 < len(place.chords) else None
    degree = numeral(chord, key, following)
    found = tensions_out(place.melody, (span,), key)
    return Alternative(
        **structs.asdict(chord_out(span, key, degree, lead_voices([chord], before)[0])),
        rank=rank,
        score=round(value, 4),
        reason=reason_for(chord, degree, now.chord, following, key, [tension.tension for tension in found]),
        tensions=found,
    )
