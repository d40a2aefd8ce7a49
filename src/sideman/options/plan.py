"""From a request to frames: the melody on the grid, what is given, and where chords may change."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sideman.engine.speculate import UNFORCED
from sideman.music.frames import FRAMES_PER_BEAT, SILENT, Frames, encode, frame_count
from sideman.music.metre import bar_lines
from sideman.music.song import ChordSpan, Song
from sideman.music.vocabulary import CHORD_HOLD, SILENCE, Vocabulary
from sideman.options.request import MAX_FRAMES, Request


@dataclass(frozen=True)
class Plan:
    """A melody of T frames and what is known about its chords.

    `frames`: melody, form and the given chords; `free` bool [T]: frames whose chord is asked for;
    `fresh` bool [T]: frames where a new chord must start because the one before was given and ends.
    """

    frames: Frames
    free: NDArray[np.bool_]
    fresh: NDArray[np.bool_]

    def forced(self, vocabulary: Vocabulary) -> NDArray[np.int64]:
        """Given tokens [T], UNFORCED where free; chords the list lacks by their nearest relative."""
        _, chords = vocabulary.encode(self.frames)
        return np.where(self.free, UNFORCED, chords).astype(np.int64)

    def complete(self, vocabulary: Vocabulary, tokens: NDArray[np.integer]) -> Frames:
        """Frames with the chords of `tokens` [T] where free and exactly the given ones elsewhere."""
        known = vocabulary.symbols
        table = (*known, *self.frames.chords)
        made = np.where(tokens == SILENCE, SILENT, (tokens - CHORD_HOLD) % vocabulary.chords)
        given = np.where(self.frames.chord == SILENT, SILENT, self.frames.chord + len(known))
        onset = np.where(self.free, tokens >= vocabulary.chord_on, self.frames.chord_onset)
        chord = np.where(self.free, made, given).astype(np.int16)
        # A chord struck again unchanged across the edge of a given passage is still its own event.
        return replace(self.frames, chord=chord, chord_onset=onset | (self.fresh & (chord != SILENT)), chords=table)


def make_plan(request: Request) -> Plan:
    """Lay out a checked request."""
    song = request.melody
    frames = min(MAX_FRAMES, _to_bar_line(song))
    outside = _outside(song, request.between, frames)
    given = _overwrite(outside, request.keep)
    grid = encode(replace(song, chords=given), frames)
    free = np.ones(frames, np.bool_)
    if request.between is not None:
        first, last = (round(beat * FRAMES_PER_BEAT) for beat in request.between)
        free[:first] = free[last:] = False
    for span in request.keep:
        free[_frame(span.onset) : max(_frame(span.onset) + 1, _frame(span.offset))] = False
    fresh = np.zeros(frames, np.bool_)
    fresh[1:] = free[1:] & ~free[:-1]
    return Plan(grid, free, fresh)


def _to_bar_line(song: Song) -> int:
    """Frames of the melody, completed to its last bar line so that the last chord fills its bar."""
    count = frame_count(replace(song, chords=()))
    bars = bar_lines(song.meters, count / FRAMES_PER_BEAT)
    end = round((bars[-1][0] + bars[-1][1]) * FRAMES_PER_BEAT) if bars else count
    return max(count, end)


def _outside(song: Song, between: tuple[float, float] | None, frames: int) -> tuple[ChordSpan, ...]:
    """The song's own chords outside the asked-for range."""
    if between is None:
        return ()
    hole = ChordSpan(between[0], between[1] - between[0], song.chords[0].chord) if song.chords else None
    return _overwrite(song.chords, (hole,), drop=True) if hole else ()


def _overwrite(spans: tuple[ChordSpan, ...], over: tuple[ChordSpan, ...], drop: bool = False) -> tuple[ChordSpan, ...]:
    """`spans` cut where `over` lies, with `over` put in (or left out)."""
    for top in over:
        rest = []
        for span in spans:
            if span.onset < top.onset:
                rest.append(replace(span, duration=min(span.offset, top.onset) - span.onset))
            if span.offset > top.offset:
                onset = max(span.onset, top.offset)
                rest.append(replace(span, onset=onset, duration=span.offset - onset))
        spans = tuple(sorted(rest if drop else [*rest, top], key=lambda s: s.onset))
    return spans


def _frame(beat: float) -> int:
    return int(beat * FRAMES_PER_BEAT + 1e-6)
