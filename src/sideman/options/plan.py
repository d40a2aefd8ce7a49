"""From a request to frames: the melody on the grid, what is given, and where chords may change."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sideman.engine.speculate import UNFORCED
from sideman.music.frames import SILENT, Frames, decode, encode, frame_count
from sideman.music.metre import FRAMES_PER_BEAT, bar_lines
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, Song
from sideman.music.vocabulary import CHORD_HOLD, SILENCE, Vocabulary
from sideman.options.request import MAX_FRAMES, SLACK, Request, frames_between


@dataclass(frozen=True, slots=True)
class Given:
    """A given chord and the frames `start` to `stop` that it fills: those it touches."""

    start: int
    stop: int
    span: ChordSpan


@dataclass(frozen=True)
class Plan:
    """A melody of T frames and what is known about its chords.

    `frames`: melody, form and the given chords; `free` bool [T]: frames whose chord is asked for;
    `fresh` bool [T]: frames where a new chord must start because the one before was given and ends.
    `given`: the given chords, with times as exact as they came.
    """

    frames: Frames
    free: NDArray[np.bool_]
    fresh: NDArray[np.bool_]
    given: tuple[Given, ...]

    def beginning(self, count: int) -> "Plan":
        """The first `count` frames."""
        return replace(self, frames=self.frames.crop(0, count), free=self.free[:count], fresh=self.fresh[:count])

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
        # A chart does not write the same chord twice in a bar.
        again = np.zeros(len(chord), np.bool_)
        again[1:] = (chord[1:] == chord[:-1]) & (self.frames.form[1:, 0] != 1) & self.free[1:]
        onset = onset & ~again
        # A chord struck again unchanged across the edge of a given passage is still its own event.
        onset |= self.fresh & (chord != SILENT)
        used, compact = np.unique(chord[chord != SILENT], return_inverse=True)
        chord[chord != SILENT] = compact
        return replace(self.frames, chord=chord, chord_onset=onset, chords=tuple(table[i] for i in used))

    def chords(self, frames: Frames) -> tuple[ChordSpan, ...]:
        """The chords of completed frames; given ones that do not lie on the grid have their own times again, and
        their neighbours give way."""
        begin = {given.start: given.span.onset for given in self.given}
        last, beats = len(frames), len(frames) / FRAMES_PER_BEAT
        end = {min(given.stop, last): min(given.span.offset, beats) for given in self.given}
        spans = []
        for span in decode(frames).chords:
            start, stop = _frame(span.onset), _frame(span.offset)
            onset = (end | begin).get(start, span.onset)
            spans.append(ChordSpan(onset, (begin | end).get(stop, span.offset) - onset, span.chord))
        return tuple(spans)


def make_plan(request: Request) -> Plan:
    """Lay out a checked request."""
    song = request.melody
    frames = min(MAX_FRAMES, _to_bar_line(song if request.between else replace(song, chords=())))
    given = _on_grid(_overwrite(_outside(song, request.between), request.keep))
    free = np.ones(frames, np.bool_)
    if request.between is not None:
        first, last = frames_between(*request.between)
        free[:first] = free[last:] = False
    for each in given:
        free[each.start : each.stop] = False
    grid = encode(replace(song, chords=tuple(_quantised(each) for each in given)), frames)
    fresh = np.zeros(frames, np.bool_)
    fresh[1:] = free[1:] & ~free[:-1]
    return Plan(grid, free, fresh, given)


def final_key(melody: Song, home: Key) -> Key:
    """The key in which a melody ends that begins in `home`."""
    return melody.keys[-1].key if melody.keys else home


def _to_bar_line(song: Song) -> int:
    """Frames of the song, completed to the next bar line so that the last chord fills its bar."""
    count = frame_count(song)
    ends = (round((onset + length) * FRAMES_PER_BEAT) for onset, length, _ in bar_lines(song.meters, song.beats))
    return min((end for end in ends if end >= count), default=count)


def _outside(song: Song, between: tuple[float, float] | None) -> tuple[ChordSpan, ...]:
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
            if span.onset < top.onset - SLACK:
                rest.append(replace(span, duration=min(span.offset, top.onset) - span.onset))
            if span.offset > top.offset + SLACK:
                onset = max(span.onset, top.offset)
                rest.append(replace(span, onset=onset, duration=span.offset - onset))
        spans = tuple(sorted(rest if drop else [*rest, top], key=lambda s: s.onset))
    return spans


def _on_grid(spans: tuple[ChordSpan, ...]) -> tuple[Given, ...]:
    """Every chord fills the frames it touches, up to the next one; of two in one frame the later stays."""
    last_in = {_frame(span.onset): span for span in spans}
    starts = [*last_in, math.inf]
    stops = [
        min(max(start + 1, math.ceil(span.offset * FRAMES_PER_BEAT - SLACK)), following)
        for (start, span), following in zip(last_in.items(), starts[1:], strict=True)
    ]
    return tuple(Given(start, int(stop), span) for (start, span), stop in zip(last_in.items(), stops, strict=True))


def _quantised(given: Given) -> ChordSpan:
    length = given.stop - given.start
    return ChordSpan(given.start / FRAMES_PER_BEAT, length / FRAMES_PER_BEAT, given.span.chord)


def _frame(beat: float) -> int:
    """The frame a beat falls in, with the slack of `frames.encode`."""
    return int(beat * FRAMES_PER_BEAT + SLACK)
