"""A song on the 16th-note grid: one melody state and one chord state a frame (spec 1.1, 1.4, 1.5).

Frames know nothing of token ids; `vocabulary.py` turns them into tokens and back.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sideman.errors import EmptyMelody
from sideman.music.chord import Chord
from sideman.music.metre import FRAMES_PER_BEAT, form
from sideman.music.song import ChordSpan, Meter, Note, Song

WINDOW_FRAMES = 256
SILENT = -1


@dataclass(frozen=True, slots=True)
class Frames:
    """F frames. `melody` int16 [F]: MIDI pitch or -1; `chord` int16 [F]: index into `chords` or -1;
    `*_onset` bool [F]: True where an event starts; `form` uint8 [F, 3]: see `metre.form`, 0 = unknown."""

    melody: NDArray[np.int16]
    melody_onset: NDArray[np.bool_]
    chord: NDArray[np.int16]
    chord_onset: NDArray[np.bool_]
    chords: tuple[Chord, ...]
    form: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.melody)

    def crop(self, start: int, stop: int) -> "Frames":
        """Frames start..stop; may begin in the middle of an event (spec 1.7)."""
        cut = slice(start, stop)
        return replace(
            self,
            melody=self.melody[cut],
            melody_onset=self.melody_onset[cut],
            chord=self.chord[cut],
            chord_onset=self.chord_onset[cut],
            form=self.form[cut],
        )


def frame_count(song: Song) -> int:
    """Frames of a song as in spec 1.4 step 2: the last offset, and at least one frame an event."""
    ends = [_span(note.onset, note.offset)[1] for note in song.notes]
    return max(ends + [_span(span.onset, span.offset)[1] for span in song.chords], default=0)


def encode(song: Song, frames: int | None = None) -> Frames:
    """Song -> frames, truncating off-grid times to the frame they fall in (spec 1.4).

    Later events overwrite earlier ones; events beyond `frames` are clipped.
    """
    count = frame_count(song) if frames is None else frames
    melody, melody_onset = np.full(count, SILENT, np.int16), np.zeros(count, np.bool_)
    chord, chord_onset = np.full(count, SILENT, np.int16), np.zeros(count, np.bool_)
    chords: dict[Chord, int] = {}
    for note in song.notes:
        _write(melody, melody_onset, note.onset, note.offset, note.pitch)
    for span in song.chords:
        index = chords.setdefault(span.chord, len(chords))
        _write(chord, chord_onset, span.onset, span.offset, index)
    return Frames(melody, melody_onset, chord, chord_onset, tuple(chords), form(song.meters, count))


def encode_melody(song: Song) -> Frames:
    """Frames of the melody alone, up to the end of its last note. Raises EmptyMelody."""
    if not song.notes:
        raise EmptyMelody("The melody has no notes.", "Give a file or list with at least one note.")
    return encode(replace(song, chords=()))


def decode(frames: Frames, meters: tuple[Meter, ...] | None = None) -> Song:
    """Frames -> song (spec 1.5). A held state with nothing open starts an event, so crops decode too."""
    notes = tuple(
        Note(start / FRAMES_PER_BEAT, (stop - start) / FRAMES_PER_BEAT, value)
        for start, stop, value in events(frames.melody, frames.melody_onset)
    )
    chords = tuple(
        ChordSpan(start / FRAMES_PER_BEAT, (stop - start) / FRAMES_PER_BEAT, frames.chords[value])
        for start, stop, value in events(frames.chord, frames.chord_onset)
    )
    return Song(notes=notes, chords=chords, meters=meters or (Meter(0.0, 4, 4),))


def events(values: NDArray[np.int16], onsets: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """Runs of a state as (first frame, one past the last, value); silence is left out."""
    if not len(values):
        return []
    changed = np.flatnonzero(onsets[1:] | (values[1:] != values[:-1])) + 1
    edges = [0, *changed.tolist(), len(values)]
    return [(a, b, int(values[a])) for a, b in pairwise(edges) if values[a] != SILENT]


def _span(onset: float, offset: float) -> tuple[int, int]:
    # The small slack keeps thirds of a beat, which floats cannot hold, in the frame they belong to.
    start = int(onset * FRAMES_PER_BEAT + 1e-6)
    return start, max(start + 1, int(offset * FRAMES_PER_BEAT + 1e-6))


def _write(values: NDArray[np.int16], onsets: NDArray[np.bool_], onset: float, offset: float, value: int) -> None:
    start, stop = _span(onset, offset)
    if start >= len(values):
        return
    values[start:stop] = value
    onsets[start:stop] = False
    onsets[start] = True
