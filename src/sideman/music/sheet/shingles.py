"""How much of a sheet stands in another one: melodic intervals, eight notes at a time, in windows of sixteen bars.

Intervals are counted in steps of the staff between the highest notes of one voice, so keys, accidentals, octaves of
the whole and rhythm do not matter. The measure is for copies: 1 is a window all of whose eight-note turns stand in
one window of one other piece.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.music.sheet.patches import split, untag

BARS, HOP = 16, 8
NOTES = 8  # of one shingle
FEWEST = 24  # shingles a window counts for at least, so that a few notes found by chance are no copy
_REACH = 15  # longest interval that is told from longer ones, in steps
_VOICE = re.compile(r"\[V:(\w+)\]")
_UNHEARD = re.compile(r'![^!]*!|\{[^}]*\}|"[^"]*"|\[[A-Za-z]:[^\]]*\]')
_SOUND = re.compile(r"\[([^\]]*)\]|([A-Ga-g][,']*)")
_NOTE = re.compile(r"([A-Ga-g])([,']*)")

Hashes = NDArray[np.int64]


def windows(text: str) -> list[Hashes]:
    """The distinct shingles of every window of a sheet, reduced or not; windows without any are left out."""
    voices = _voices(text)
    bars = max((len(voice) for voice in voices), default=0)
    starts = range(0, max(1, bars - BARS + HOP), HOP)
    found = [np.unique(np.concatenate([_hashes(voice[at : at + BARS]) for voice in voices])) for at in starts if voices]
    return [hashes for hashes in found if len(hashes)]


@dataclass(frozen=True)
class Shingled:
    """The shingles of many pieces: `hashes` ascending [P], `window` [P] in which each stands, `piece` [W] of each
    window."""

    hashes: Hashes
    window: NDArray[np.int64]
    piece: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Shingled":
        rows = [(number, hashes) for number, text in enumerate(texts) for hashes in windows(text)]
        hashes = np.concatenate([np.zeros(0, np.int64), *(found for _, found in rows)])
        window = np.repeat(np.arange(len(rows)), [len(found) for _, found in rows])
        order = np.argsort(hashes, kind="stable")
        return cls(hashes[order], window[order], np.array([number for number, _ in rows], np.int64))

    def likeness(self, text: str) -> NDArray[np.float64]:
        """Of every piece to a sheet [pieces]: the largest share of the shingles of one window of the sheet that stand
        in one window of the piece."""
        out = np.zeros(int(self.piece.max(initial=-1)) + 1)
        for hashes in windows(text):
            first, last = (np.searchsorted(self.hashes, hashes, side) for side in ("left", "right"))
            spans = [np.arange(a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True) if a < b]
            if spans:
                shared = np.bincount(self.window[np.concatenate(spans)], minlength=len(self.piece))
                np.maximum.at(out, self.piece, shared / max(FEWEST, len(hashes)))
        return out

    def nearest(self, texts: Sequence[str], among: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Likeness of each sheet to the piece most like it [N], of those that it is compared with by `among` [N,
        pieces], or of all."""
        found = (self.likeness(text) for text in texts)
        if among is not None:
            found = (row * kept[: len(row)] for row, kept in zip(found, among, strict=True))
        return np.array([row.max(initial=0.0) for row in found])


def _voices(text: str) -> list[list[list[int]]]:
    """Voice -> bar -> steps of its highest notes; a voice that a line does not have rests there."""
    _, body = split(text)
    voices: dict[str, list[list[int]]] = {}
    for number, line in enumerate(body):
        parts = _VOICE.split(untag(line))
        for name, bar in zip(parts[1::2], parts[2::2], strict=True):
            voice = voices.setdefault(name, [])
            voice += [[] for _ in range(number - len(voice))]
            voice.append(_steps(bar))
    return list(voices.values())


def _steps(bar: str) -> list[int]:
    tones = (found[1] if found[1] is not None else found[2] for found in _SOUND.finditer(_UNHEARD.sub("", bar)))
    chords = ([_step(*note) for note in _NOTE.findall(tone)] for tone in tones)
    return [max(chord) for chord in chords if chord]


def _step(letter: str, marks: str) -> int:
    """Steps above C: `C` 0, `c` 7."""
    return "CDEFGABcdefgab".index(letter) + 7 * (marks.count("'") - marks.count(","))


def _hashes(bars: Sequence[Sequence[int]]) -> Hashes:
    """A number for each run of eight notes of a voice."""
    steps = np.array([step for bar in bars for step in bar], np.int64)
    if len(steps) < NOTES:
        return np.zeros(0, np.int64)
    intervals = np.clip(np.diff(steps), -_REACH, _REACH) + _REACH
    runs = np.lib.stride_tricks.sliding_window_view(intervals, NOTES - 1)
    return np.asarray(runs @ (2 * _REACH + 1) ** np.arange(NOTES - 1))
