"""POST /v1/takes: what was played and the chords that sounded, as a file to keep."""

from dataclasses import replace
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from sideman.errors import EmptyMelody
from sideman.formats.chart import write_chart
from sideman.formats.midi_write import write_midi
from sideman.formats.musicxml_write import write_musicxml
from sideman.jam.messages import MAX_BEATS, Bpm, MeterText
from sideman.music.chord import Chord
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.song import ChordSpan, Meter, Note, Song, Tempo, skyline

MEDIA_TYPES = ("application/json", "audio/midi", "application/vnd.recordare.musicxml+xml", "text/plain")
NAMES = {
    **dict.fromkeys(("*/*", "application/*", "application/json"), MEDIA_TYPES[0]),
    **dict.fromkeys(("audio/*", "audio/midi", "audio/x-midi"), MEDIA_TYPES[1]),
    **dict.fromkeys((MEDIA_TYPES[2], "application/xml", "text/xml"), MEDIA_TYPES[2]),
    **dict.fromkeys(("text/*", "text/plain"), MEDIA_TYPES[3]),
}

Onset = Annotated[float, Meta(ge=0, le=MAX_BEATS, description="Quarter-note beats from the beginning.")]
Duration = Annotated[float, Meta(gt=0, le=MAX_BEATS, description="Quarter-note beats.")]
Pitch = Annotated[int, Meta(ge=0, le=127)]


class TakeNote(Struct, forbid_unknown_fields=True):
    """A note as it was played."""

    onset: Onset
    duration: Duration
    pitch: Pitch
    velocity: Annotated[int, Meta(ge=0, le=127)] = 80


class TakeChord(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A chord that sounded. `pitches`: its voicing, kept in the JSON alone."""

    onset: Onset
    duration: Duration
    symbol: Annotated[str, Meta(min_length=1, max_length=60)]
    pitches: Annotated[list[Pitch], Meta(max_length=32)] = []


class TakeTempo(Struct, forbid_unknown_fields=True):
    """A tempo from `onset` on."""

    onset: Onset
    tempo: Bpm


class TakeBody(Struct, forbid_unknown_fields=True):
    """A take: the melody as played and the chords that went with it. `tempos`: where the tempo changed."""

    tempo: Bpm
    meter: MeterText
    notes: Annotated[list[TakeNote], Meta(max_length=100_000)]
    chords: Annotated[list[TakeChord], Meta(max_length=100_000)] = []
    tempos: Annotated[list[TakeTempo], Meta(max_length=10_000)] = []
    title: Annotated[str, Meta(max_length=200)] = ""


def render_take(take: TakeBody, kind: str) -> bytes:
    """A take as bytes of one of MEDIA_TYPES. Raises EmptyMelody, UnknownChord, WrongValue."""
    song = _song(take)
    if kind == "application/json":
        return msgspec.json.format(msgspec.json.encode(take), indent=1) + b"\n"
    if kind == "audio/midi":
        return write_midi(song)
    sheet = replace(song, notes=skyline(_on_grid(note) for note in song.notes))
    return write_musicxml(sheet) if kind == MEDIA_TYPES[2] else write_chart(sheet).encode()


def _song(take: TakeBody) -> Song:
    """The take in our own types, every note as it was played."""
    if not take.notes and not take.chords:
        raise EmptyMelody("The take is empty.", "Play something first.")
    chords: list[ChordSpan] = []
    for chord in sorted(take.chords, key=lambda chord: chord.onset):
        parsed = Chord.parse(chord.symbol)
        if chords and chords[-1].offset > chord.onset:
            chords[-1] = replace(chords[-1], duration=chord.onset - chords[-1].onset)
        if parsed is not None:
            chords.append(ChordSpan(chord.onset, chord.duration, parsed))
    return Song(
        notes=tuple(Note(n.onset, n.duration, n.pitch, max(1, n.velocity)) for n in sorted(take.notes, key=_onset)),
        chords=tuple(span for span in chords if span.duration > 0),
        meters=(Meter.parse(take.meter),),
        tempos=_tempos(take),
        title=take.title,
    )


def _tempos(take: TakeBody) -> tuple[Tempo, ...]:
    """The tempo map: of changes at the same beat the last one counts."""
    found = {0.0: take.tempo}
    for change in sorted(take.tempos, key=lambda change: change.onset):
        found[change.onset] = change.tempo
    return tuple(Tempo(onset, bpm) for onset, bpm in found.items())


def _onset(note: TakeNote) -> float:
    return note.onset


def _on_grid(note: Note) -> Note:
    """A note at the nearest 16th, at least one long: nobody wants to read how somebody breathes."""
    start = round(note.onset * FRAMES_PER_BEAT)
    stop = max(start + 1, round(note.offset * FRAMES_PER_BEAT))
    return replace(note, onset=start / FRAMES_PER_BEAT, duration=(stop - start) / FRAMES_PER_BEAT)
