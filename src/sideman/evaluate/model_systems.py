"""Systems with a network inside: samples of one model, and what the options room would offer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sideman.engine.bundle import Bundle
from sideman.engine.sampling import Sampling
from sideman.engine.speculate import Melody, decode
from sideman.evaluate.baselines import without_chords
from sideman.music import frames as grid
from sideman.music.chord import Chord
from sideman.music.frames import SILENT, Frames
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.song import ChordSpan, Meter, Song
from sideman.options.answer import Option
from sideman.options.offer import offer
from sideman.options.request import Request


@dataclass(frozen=True)
class ModelSystem:
    """Plain samples of one bundle, nothing filtered or chosen; the seeds of a piece are rows of one decoding."""

    bundle: Bundle
    name: str
    temperature: float = 1.0

    @property
    def seeded(self) -> bool:
        return self.temperature > 0

    def harmonise(self, melodies: Sequence[Frames], seeds: Sequence[int]) -> list[list[Frames]]:
        rows = [self._rows(melody, at, seeds) for at, melody in enumerate(melodies)]
        return [[row[number] for row in rows] for number in range(len(seeds))]

    def _rows(self, melody: Frames, at: int, seeds: Sequence[int]) -> list[Frames]:
        vocabulary = self.bundle.vocabulary
        tokens, _ = vocabulary.encode(without_chords(melody))
        prepared = Melody.prepare(self.bundle, tokens.astype(np.int64), melody.form)
        draws = np.stack([np.random.default_rng([seed, at]).random(len(melody)) for seed in seeds])
        made = decode(self.bundle, prepared, draws, Sampling(self.temperature))
        return [vocabulary.decode(tokens, chords, melody.form) for chords in made.chords]


@dataclass(frozen=True)
class OptionsSystem:
    """The option `sideman options` ranks first of five."""

    name: str = "options"
    seeded: bool = True

    def harmonise(self, melodies: Sequence[Frames], seeds: Sequence[int]) -> list[list[Frames]]:
        return [[offered(melody, 5, seed)[0] if _has_note(melody) else melody for melody in melodies] for seed in seeds]


def offered(melody: Frames, n: int, seed: int) -> list[Frames]:
    """The melody with each of up to `n` options, best first. Raises what `offer` does."""
    song = song_of(melody)
    return [_with_option(melody, song, option) for option in offer(Request(song, n=n, seed=seed)).options]


def song_of(frames: Frames) -> Song:
    """The melody as a song whose metre events give these frames their form again (unknown form: 4/4)."""
    melody = without_chords(frames)
    return grid.decode(melody, _meters(frames))


def _meters(frames: Frames) -> tuple[Meter, ...]:
    """A metre event at the first bar line, and wherever a bar line is not where the last one leads to expect it."""
    starts = np.flatnonzero((frames.form[:, 0] == 1) & (frames.form[:, 1] > 1)).tolist()
    meters: list[Meter] = []
    expected = -1
    for start in starts:
        length = int(frames.form[start, 1]) - 1
        meter = _meter(start, length)
        if start != expected or not meters or meters[-1].bar_beats != meter.bar_beats:
            meters.append(meter)
        expected = start + length
    return tuple(meters) or (Meter(0.0, 4, 4),)


def _meter(start: int, length: int) -> Meter:
    """A metre whose bar has `length` frames, in the largest note value that divides it."""
    unit = next(size for size in (FRAMES_PER_BEAT, 2, 1) if length % size == 0)
    return Meter(start / FRAMES_PER_BEAT, length // unit, 16 // unit)


def _with_option(melody: Frames, song: Song, option: Option) -> Frames:
    spans = []
    for made in option.chords:
        chord = Chord.parse(made.symbol)
        assert chord is not None, "an option names no chord"
        spans.append(ChordSpan(made.onset, made.duration, chord))
    return replace(grid.encode(replace(song, chords=tuple(spans)), len(melody)), form=melody.form)


def _has_note(melody: Frames) -> bool:
    return bool((melody.melody != SILENT).any())
