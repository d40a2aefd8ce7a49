"""One entry of the Hooktheory annotations (Donahue et al., ISMIR 2022) -> Song.

Hooktheory counts beats of `beat_unit`: a bar of 6/8 has six of them, each an eighth. A Song counts
quarters, so times are scaled by 4 / beat_unit, metre by metre. Chords carry steps between successive
tones and the index of the tone in the bass; scales other than major and minor become the one with
the same third.
"""

from collections import Counter
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from sideman.errors import UnreadableFile
from sideman.music.chord import Chord
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song, Tempo, skyline

PitchClass = Annotated[int, Meta(ge=0, le=11)]
Beats = Annotated[float, Meta(ge=-1e5, le=1e5)]
_EXACT_SCALES = {(2, 2, 1, 2, 2, 2), (2, 1, 2, 2, 1, 2)}


class MeterEntry(Struct):
    """A metre from `beat` on."""

    beat: Beats
    beats_per_bar: int
    beat_unit: Annotated[int, Meta(ge=1, le=32)]


class KeyEntry(Struct):
    """A key from `beat` on; six successive steps of its scale."""

    beat: Beats
    tonic_pitch_class: PitchClass
    scale_degree_intervals: list[int]


class NoteEntry(Struct):
    """A note; octave 0 begins at middle C."""

    onset: Beats
    offset: Beats
    octave: Annotated[int, Meta(ge=-5, le=5)]
    pitch_class: PitchClass


class ChordEntry(Struct):
    """A chord by successive steps from its root; `inversion` is the index of the bass tone."""

    onset: Beats
    offset: Beats
    root_pitch_class: PitchClass
    root_position_intervals: list[Annotated[int, Meta(ge=1, le=24)]]
    inversion: Annotated[int, Meta(ge=0)] = 0


class Annotations(Struct):
    """Everything on one time axis, in beats."""

    num_beats: float = 0
    meters: list[MeterEntry] = []
    keys: list[KeyEntry] = []
    melody: list[NoteEntry] | None = None
    harmony: list[ChordEntry] | None = None


class Names(Struct, frozen=True):
    """What the excerpt is called."""

    id: str = ""
    artist: str = ""
    song: str = ""


class Times(Struct):
    """Beats and the seconds of the recording at which they sound."""

    beats: list[float] = []
    times: list[float] = []


class Alignment(Struct):
    """How the excerpt lies on a recording."""

    user: Times | None = None
    refined: Times | None = None


class Entry(Struct):
    """One entry, as far as it is used."""

    annotations: Annotations
    tags: list[str] = []
    split: str = ""
    hooktheory: Names = Names()
    alignment: Alignment | None = None


def read_entry(data: bytes | msgspec.Raw) -> Entry:
    """The JSON text of one entry, checked. Raises UnreadableFile."""
    try:
        return msgspec.json.decode(data, type=Entry)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise UnreadableFile(f"This is not a Hooktheory entry: {error}.") from error


def entry_song(entry: Entry, losses: Counter[str] | None = None) -> Song:
    """An entry as a song, counting in `losses` what is dropped or simplified. Raises WrongValue."""
    losses = Counter() if losses is None else losses
    notes = entry.annotations
    clock = _Clock(notes.meters)
    return Song(
        notes=_melody(notes.melody or [], clock, losses),
        chords=_harmony(notes.harmony or [], clock, losses),
        meters=clock.meters,
        tempos=(Tempo(0.0, _tempo(entry.alignment, clock)),),
        keys=tuple(KeyChange(max(0.0, clock.quarters(key.beat)), _key(key, losses)) for key in notes.keys),
        title=_words(entry.hooktheory.song),
        composer=_words(entry.hooktheory.artist),
        source=f"hooktheory:{entry.hooktheory.id}" if entry.hooktheory.id else "",
    )


class _Clock:
    """Hooktheory beats -> quarter-note beats, along the metres."""

    def __init__(self, entries: list[MeterEntry]) -> None:
        rows = sorted(entries, key=lambda row: row.beat) or [MeterEntry(0, 4, 4)]
        self._starts = [row.beat for row in rows]
        self._units = [4 / row.beat_unit for row in rows]
        self._quarters = [self._starts[0] * self._units[0]]
        for (a, b), unit in zip(pairwise(self._starts), self._units, strict=False):
            self._quarters.append(self._quarters[-1] + (b - a) * unit)
        self.meters = tuple(
            Meter(max(0.0, at), row.beats_per_bar, row.beat_unit) for at, row in zip(self._quarters, rows, strict=True)
        )

    def quarters(self, beat: float) -> float:
        index = max((i for i, start in enumerate(self._starts) if start <= beat), default=0)
        return self._quarters[index] + (beat - self._starts[index]) * self._units[index]


def _melody(entries: list[NoteEntry], clock: _Clock, losses: Counter[str]) -> tuple[Note, ...]:
    notes = []
    for entry in sorted(entries, key=lambda e: e.onset):
        onset, offset = clock.quarters(entry.onset), clock.quarters(entry.offset)
        if onset < 0 or offset <= onset:
            losses["note without length"] += 1
            continue
        pitch = 60 + 12 * entry.octave + entry.pitch_class
        if pitch > 127:
            losses["note above the range of MIDI"] += 1
            continue
        notes.append(Note(onset, offset - onset, pitch))
    line = skyline(notes)
    losses["note hidden by a higher one"] += len(notes) - len(line)
    return line


def _harmony(entries: list[ChordEntry], clock: _Clock, losses: Counter[str]) -> tuple[ChordSpan, ...]:
    spans: list[ChordSpan] = []
    for entry in sorted(entries, key=lambda e: e.onset):
        onset, offset = clock.quarters(entry.onset), clock.quarters(entry.offset)
        if onset < 0 or offset <= onset:
            losses["chord without length"] += 1
            continue
        if spans and spans[-1].offset > onset:
            last = spans.pop()
            losses["chord cut by the next one"] += 1
            if onset > last.onset:
                spans.append(ChordSpan(last.onset, onset - last.onset, last.chord))
        spans.append(ChordSpan(onset, offset - onset, _chord(entry, losses)))
    return tuple(spans)


def _chord(entry: ChordEntry, losses: Counter[str]) -> Chord:
    tones = [0]
    for step in entry.root_position_intervals:
        tones.append(tones[-1] + step)
    inversion = entry.inversion
    if inversion >= len(tones):
        losses["inversion beyond the chord"] += 1
        inversion = 0
    return Chord.make(entry.root_pitch_class, tuple(tones), entry.root_pitch_class + tones[inversion])


def _key(entry: KeyEntry, losses: Counter[str]) -> Key:
    steps = tuple(entry.scale_degree_intervals)
    if steps not in _EXACT_SCALES:
        losses["scale read as major or minor"] += 1
    return Key(entry.tonic_pitch_class, "minor" if sum(steps[:2]) == 3 else "major")


def _tempo(alignment: Alignment | None, clock: _Clock) -> float:
    """Quarters a minute over the aligned stretch; 120 where nothing is aligned."""
    found = alignment and (alignment.refined or alignment.user)
    if not found or min(len(found.beats), len(found.times)) < 2:
        return 120.0
    last = min(len(found.beats), len(found.times)) - 1
    seconds = found.times[last] - found.times[0]
    quarters = clock.quarters(found.beats[last]) - clock.quarters(found.beats[0])
    return round(60 * quarters / seconds, 2) if seconds > 0 and quarters > 0 else 120.0


def _words(slug: str) -> str:
    return slug.replace("-", " ").strip().title()
