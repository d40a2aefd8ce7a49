"""Systems that play together with a partner: model with model, model with data, and networks that take turns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.engine.stream import Ints
from sideman.evaluate.duet import Given, Network, PartName, Player, Seat, play, vocabulary_of
from sideman.music.frames import Frames
from sideman.music.vocabulary import SILENCE, Vocabulary

ROWS = 64


@dataclass(frozen=True)
class Duet:
    """`chords` and `melody` are networks, or None: that part is the data's. Every duet has length and metre of a piece
    of `truth`, in its order. The first draws of a piece are those of `ModelSystem`."""

    name: str
    truth: Sequence[Frames]
    chords: tuple[Seat, ...] | None
    melody: tuple[Seat, ...] | None

    @property
    def seeded(self) -> bool:
        return any(seat.temperature > 0 for seat in (*(self.chords or ()), *(self.melody or ())))

    @property
    def vocabulary(self) -> Vocabulary:
        return vocabulary_of((*(self.chords or ()), *(self.melody or ())))

    def harmonise(self, melodies: Sequence[Frames], seeds: Sequence[int]) -> list[list[Frames]]:
        """Only the lengths of `melodies` are looked at where the melody is a network's."""
        if [len(m) for m in melodies] != [len(p) for p in self.truth]:
            raise ValueError("a duet was asked for other pieces than it holds")
        jobs = sorted(((seed, at) for seed in seeds for at in range(len(melodies))), key=lambda x: len(melodies[x[1]]))
        made: dict[tuple[int, int], Frames] = {}
        for start in range(0, len(jobs), ROWS):
            some = jobs[start : start + ROWS]
            made.update(zip(some, self._play([self.truth[at] for _, at in some], some), strict=True))
        return [[made[seed, at] for at in range(len(melodies))] for seed in seeds]

    def _play(self, pieces: Sequence[Frames], jobs: Sequence[tuple[int, int]]) -> list[Frames]:
        frames = max(len(piece) for piece in pieces)
        draws = np.zeros((2, len(pieces), frames))
        for row, (piece, (seed, at)) in enumerate(zip(pieces, jobs, strict=True)):
            draws[:, row, : len(piece)] = np.random.default_rng([seed, at]).random((2, len(piece)))
        melody, chords, form = tokens_of(self.vocabulary, pieces)
        played, sung = play(
            self._player("chord", self.chords, chords, form), self._player("melody", self.melody, melody, form), draws
        )
        return [
            self.vocabulary.decode(sung[row, : len(piece)], played[row, : len(piece)], piece.form)
            for row, piece in enumerate(pieces)
        ]

    def _player(self, part: PartName, seats: tuple[Seat, ...] | None, tokens: Ints, form: NDArray[np.uint8]) -> Player:
        return Given(tokens) if seats is None else Network(part, seats, form)


def tokens_of(vocabulary: Vocabulary, pieces: Sequence[Frames]) -> tuple[Ints, Ints, NDArray[np.uint8]]:
    """(melody, chords) int64 [B, T] and form [B, T, 3] of pieces, silence beyond their ends."""
    frames = max(len(piece) for piece in pieces)
    both = np.full((2, len(pieces), frames), SILENCE, np.int64)
    form = np.zeros((len(pieces), frames, 3), np.uint8)
    for row, piece in enumerate(pieces):
        both[:, row, : len(piece)] = vocabulary.encode(piece)
        form[row, : len(piece)] = piece.form
    return both[0], both[1], form
