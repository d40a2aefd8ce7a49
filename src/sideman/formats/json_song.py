"""Our JSON <-> Song: the `melody` object of the HTTP interface, and a file format.

    {"notes": [{"onset": 0.0, "duration": 1.0, "pitch": 60}], "meter": "4/4", "tempo": 120}

or, instead of `notes`, `frames`: one integer a 16th, 0..127 starts a note, -1 holds it, -2 is
silence. `pickup`, `key`, `title`, `composer`, `chords` and the lists of later changes are optional.
Times are quarter-note beats.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from sideman.errors import EmptyMelody, TooLarge, UnreadableFile, WrongValue
from sideman.music.chord import Chord
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.pitch import parse_key
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song, Tempo, skyline
from sideman.wrong_fields import in_words

MAX_FRAMES = 4096
MAX_BEATS = MAX_FRAMES / FRAMES_PER_BEAT
HOLD, SILENCE = -1, -2

Beat = Annotated[float, Meta(ge=0, le=MAX_BEATS)]
Length = Annotated[float, Meta(gt=0, le=MAX_BEATS)]
Bpm = Annotated[float, Meta(ge=10, le=1000)]
Text = Annotated[str, Meta(max_length=200)]
Change = TypeVar("Change", Meter, Tempo, KeyChange)


class NoteJson(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One note, times in beats."""

    onset: Beat
    duration: Length
    pitch: Annotated[int, Meta(ge=0, le=127)]
    velocity: Annotated[int, Meta(ge=1, le=127)] = 80


class ChordJson(Struct, forbid_unknown_fields=True):
    """One chord, named by a chord symbol."""

    onset: Beat
    duration: Length
    symbol: Annotated[str, Meta(max_length=60)]


class MeterJson(Struct, forbid_unknown_fields=True):
    """The metre from the bar line at `onset` on."""

    onset: Beat
    meter: Text


class TempoJson(Struct, forbid_unknown_fields=True):
    """Quarter notes a minute from `onset` on."""

    onset: Beat
    tempo: Bpm


class KeyJson(Struct, forbid_unknown_fields=True):
    """The key from `onset` on."""

    onset: Beat
    key: Text


class MelodyJson(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A melody as others send it; either `notes` or `frames`. `pickup`: beats before the first bar line."""

    notes: Annotated[list[NoteJson], Meta(max_length=4 * MAX_FRAMES)] | None = None
    frames: Annotated[list[Annotated[int, Meta(ge=SILENCE, le=127)]], Meta(max_length=MAX_FRAMES)] | None = None
    meter: Text = "4/4"
    tempo: Bpm = 120.0
    pickup: Annotated[float, Meta(ge=0, le=MAX_BEATS, description="Beats before the first full bar; less than it.")] = (
        0.0
    )
    key: Text | None = None
    title: Text = ""
    composer: Text = ""
    chords: Annotated[list[ChordJson], Meta(max_length=MAX_FRAMES)] = []
    meter_changes: Annotated[list[MeterJson], Meta(max_length=MAX_FRAMES)] = []
    tempo_changes: Annotated[list[TempoJson], Meta(max_length=MAX_FRAMES)] = []
    key_changes: Annotated[list[KeyJson], Meta(max_length=MAX_FRAMES)] = []


def read_json(data: bytes) -> Song:
    """A melody object, or a request that holds one as `melody`, -> Song. Raises what `to_song` does
    and UnreadableFile."""
    try:
        fields = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        melody = msgspec.json.decode(fields.get("melody", data), type=MelodyJson)
    except msgspec.ValidationError as error:
        field, what = in_words(error, MelodyJson)
        where = f"in {field}: " if field else ""
        raise WrongValue(f"The melody is not as agreed: {where}{what}.", "See docs/options.md.") from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise UnreadableFile("This is not JSON.", "Give an object with `notes` or `frames`.") from error
    return to_song(melody)


def write_json(song: Song) -> bytes:
    """Song -> our JSON. Raises TooLarge for more than MAX_BEATS."""
    return msgspec.json.format(msgspec.json.encode(from_song(song)), indent=1) + b"\n"


def to_song(melody: MelodyJson) -> Song:
    """Checked JSON -> Song. Raises EmptyMelody, TooLarge, UnknownChord, WrongValue."""
    if (melody.notes is None) == (melody.frames is None):
        raise WrongValue("Give either `notes` or `frames`.", "Exactly one of the two describes a melody.")
    notes = _notes_of_frames(melody.frames) if melody.frames is not None else _notes(melody.notes or [])
    if not notes:
        raise EmptyMelody("The melody has no notes.", "Give at least one.")
    song = Song(
        notes=skyline(notes),
        chords=_chords(melody.chords),
        meters=_meters(melody),
        tempos=(Tempo(0.0, melody.tempo), *_ordered(Tempo(t.onset, t.tempo) for t in melody.tempo_changes)),
        keys=_keys(melody),
        title=melody.title,
        composer=melody.composer,
    )
    if song.beats > MAX_BEATS:
        raise TooLarge(f"The song lasts {song.beats:.0f} beats.", f"At most {MAX_BEATS:.0f} are taken.")
    return song


def from_song(song: Song) -> MelodyJson:
    """Song -> JSON, chords spelled in their key. Raises TooLarge."""
    if song.beats > MAX_BEATS:
        raise TooLarge(f"The song lasts {song.beats:.0f} beats.", f"Our JSON holds at most {MAX_BEATS:.0f}.")
    return MelodyJson(
        notes=[NoteJson(n.onset, n.duration, n.pitch, n.velocity) for n in song.notes],
        meter=str(song.meters[0]),
        tempo=song.bpm,
        pickup=song.pickup % song.meters[0].bar_beats,  # bar lines before the first one stated are as far apart
        key=song.key.name if song.key else None,
        title=song.title,
        composer=song.composer,
        chords=[ChordJson(c.onset, c.duration, c.chord.name(song.key_at(c.onset))) for c in song.chords],
        meter_changes=[MeterJson(m.onset, str(m)) for m in song.meters[1:]],
        tempo_changes=[TempoJson(t.onset, t.bpm) for t in song.tempos[1:]],
        key_changes=[KeyJson(k.onset, k.key.name) for k in song.keys[1:]],
    )


def _notes(notes: list[NoteJson]) -> list[Note]:
    return [Note(n.onset, n.duration, n.pitch, n.velocity) for n in notes]


def _notes_of_frames(frames: list[int]) -> list[Note]:
    notes: list[Note] = []
    sounding = False
    for index, value in enumerate(frames):
        if value == HOLD:
            if not sounding:
                raise WrongValue(f"Frame {index} holds a note, but none sounds.", "Start it with its pitch.")
            last = notes.pop()
            notes.append(Note(last.onset, last.duration + 1 / FRAMES_PER_BEAT, last.pitch))
        elif value >= 0:
            notes.append(Note(index / FRAMES_PER_BEAT, 1 / FRAMES_PER_BEAT, value))
        sounding = value != SILENCE
    return notes


def _chords(chords: list[ChordJson]) -> tuple[ChordSpan, ...]:
    """Chords in order, each cut where the next one begins; `N.C.` ends one."""
    rows = sorted(chords, key=lambda chord: chord.onset)
    if any(a.onset == b.onset for a, b in pairwise(rows)):
        raise WrongValue("Two chords start on the same beat.", "Give one chord at a time.")
    spans = []
    for index, row in enumerate(rows):
        room = rows[index + 1].onset - row.onset if index + 1 < len(rows) else row.duration
        chord = Chord.parse(row.symbol)
        if chord is not None:
            spans.append(ChordSpan(row.onset, min(row.duration, room), chord))
    return tuple(spans)


def _meters(melody: MelodyJson) -> tuple[Meter, ...]:
    meters = [Meter.parse(melody.meter, melody.pickup)]
    bar = meters[0].bar_beats
    if melody.pickup >= bar:
        raise WrongValue(
            f"pickup: {melody.pickup:g} beats are a whole bar of {meters[0]} or more.",
            f"Give 0 or more, and less than {bar:g}: what comes before the first full bar.",
        )
    meters += _ordered(Meter.parse(change.meter, change.onset) for change in melody.meter_changes)
    if any(a.onset >= b.onset for a, b in pairwise(meters)):
        raise WrongValue("A metre change stands before the first bar line or on another one.")
    return tuple(meters)


def _keys(melody: MelodyJson) -> tuple[KeyChange, ...]:
    first = [KeyChange(0.0, parse_key(melody.key))] if melody.key else []
    return (*first, *_ordered(KeyChange(k.onset, parse_key(k.key)) for k in melody.key_changes))


def _ordered(changes: Iterable[Change]) -> list[Change]:
    return sorted(changes, key=lambda change: change.onset)
