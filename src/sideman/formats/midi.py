"""Standard MIDI Files, type 0 and 1 -> Song.

One track becomes the melody (see `midi_parts`), reduced to its highest line. Chords come from chord
symbols written as markers or lyrics, else from a track of block chords; anything less clear is left
out. What was chosen stands in `Song.remarks`. Times off every grid of 16ths, 64ths and triplets are
rounded to 16ths; the rest stays as written.
"""

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import symusic

from sideman.errors import EmptyMelody, TooLarge, UnknownChord, UnreadableFile, WrongValue
from sideman.formats.midi_parts import BLOCK_SHARE, Part, block_chord_part, block_chords, melody_part
from sideman.music.chord import Chord
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song, Tempo, skyline

MAX_NOTES = 100_000
MAX_BEATS = 20_000
_EPSILON = 1e-6
Event = TypeVar("Event", Note, ChordSpan)
# How far from a grid of 64ths and 32nd triplets a time counts as written on it, in beats.
_ON_GRID = 0.003
_HINT = "Export it again as a standard MIDI file of type 0 or 1."


def read_midi(data: bytes) -> Song:
    """Bytes of a .mid file -> Song. Raises UnreadableFile, EmptyMelody, TooLarge."""
    score, division = _parse(data)
    parts, drums = _parts(score, division)
    if not parts:
        what = "only drums" if drums else "no notes"
        raise EmptyMelody(f"The MIDI file holds {what}.", "Give one with a melody track.")
    end = max(note.offset for part in parts for note in part.notes)
    remarks: list[str] = []
    symbols = _symbol_tracks(score, division)
    blocks = block_chord_part(parts, remarks)
    chords = _chords(symbols, blocks, end, remarks)
    melody = melody_part([part for part in parts if part is not blocks], len(parts), remarks)
    line = skyline(melody.notes)
    if len(line) < len(melody.notes):
        remarks.append(f"Kept the highest line of the melody track: {len(line)} of {len(melody.notes)} notes.")
    shift = _played_shift(line)
    if shift is not None:
        remarks.append("Rounded to sixteenths: the melody was played, not written.")
    return Song(
        notes=_settle(line, shift),
        chords=_settle(chords, shift),
        meters=_meters(score, division, remarks),
        tempos=_tempos(score, division),
        keys=_keys(score, division),
        remarks=tuple(remarks),
    )


def read_block_chords(data: bytes) -> tuple[ChordSpan, ...]:
    """The chords of a file that has but one track of block chords, be it without a melody; else none. Raises
    UnreadableFile, TooLarge."""
    parts, _ = _parts(*_parse(data))
    blocks = [part for part in parts if part.chord_share >= BLOCK_SHARE]
    return block_chords(blocks[0]) if len(blocks) == 1 else ()


def _parse(data: bytes) -> tuple[Any, int]:
    """A symusic score in ticks, and ticks a quarter."""
    if data[:4] != b"MThd" or len(data) < 14:
        raise UnreadableFile("This is not a MIDI file.", _HINT)
    form, division = int.from_bytes(data[8:10]), int.from_bytes(data[12:14])
    if form > 1:
        raise UnreadableFile(f"MIDI files of type {form} hold no single song.", _HINT)
    if not 1 <= division < 0x8000:
        raise UnreadableFile("The MIDI file counts SMPTE time, not beats.", _HINT)
    try:
        score: Any = symusic.Score.from_midi(data)
        notes = score.note_num()
    except (RuntimeError, ValueError, OSError, MemoryError) as error:
        raise UnreadableFile("The MIDI file is damaged.", _HINT) from error
    if notes > MAX_NOTES:
        raise TooLarge(f"The MIDI file has {notes} notes.", f"At most {MAX_NOTES} are read.")
    if not 0 <= score.end() <= MAX_BEATS * division:
        raise TooLarge("The MIDI file is too long.", f"At most {MAX_BEATS} beats are read.")
    return score, division


def _parts(score: Any, division: int) -> tuple[list[Part], bool]:
    """Pitched tracks with notes, in beats, and whether there are drums."""
    parts, drums = [], False
    for track in score.tracks:
        drums |= bool(track.is_drum and len(track.notes))
        if track.is_drum or not len(track.notes):
            continue
        columns = track.notes.numpy()
        onset = (columns["time"] / division).tolist()
        # A note of no length sounds for a 64th.
        duration = (np.maximum(columns["duration"], division / 16) / division).tolist()
        rows = zip(onset, duration, columns["pitch"].tolist(), columns["velocity"].tolist(), strict=True)
        notes = sorted((Note(a, d, p, v) for a, d, p, v in rows if a >= 0), key=lambda n: (n.onset, n.pitch))
        if notes:
            parts.append(Part(_name(track), tuple(notes)))
    return parts, drums


def _name(track: Any) -> str:
    try:
        return str(track.name).strip()
    except UnicodeDecodeError:  # written in another encoding
        return ""


def _symbol_tracks(score: Any, division: int) -> list[list[tuple[float, str]]]:
    """(beat, text) of everything that may be chord symbols: the markers, then each track's lyrics."""
    found = []
    for events in (score.markers, *(track.lyrics for track in score.tracks)):
        try:
            texts = sorted((event.time / division, str(event.text).strip()) for event in events)
        except UnicodeDecodeError:
            continue
        found.append([(beat, text) for beat, text in texts if text and beat >= 0])
    return found


def _chords(
    symbols: list[list[tuple[float, str]]], blocks: Part | None, end: float, remarks: list[str]
) -> tuple[ChordSpan, ...]:
    for events in symbols:
        chords = _symbol_chords(events, end, certain=blocks is not None)
        if chords:
            remarks.append("Read the chords from the chord symbols.")
            return chords
    if blocks is None:
        return ()
    remarks.append(f"Read the chords from the track '{blocks.name}'." if blocks.name else "Read a track as chords.")
    return block_chords(blocks)


def _symbol_chords(events: list[tuple[float, str]], end: float, certain: bool) -> tuple[ChordSpan, ...]:
    """Chords that last until the next symbol; nothing when the texts look like lyrics or section letters."""
    parsed: list[tuple[float, Chord | None]] = []
    for beat, text in events:
        try:
            parsed.append((beat, Chord.parse(text)))
        except (UnknownChord, WrongValue):
            continue
    letters = all(re.fullmatch(r"[A-G]", text) for _, text in events)
    if not parsed or len(parsed) < 0.9 * len(events) or (letters and not certain):
        return ()
    stops = [beat for beat, _ in parsed[1:]] + [max(end, parsed[-1][0])]
    return tuple(
        ChordSpan(beat, stop - beat, chord)
        for (beat, chord), stop in zip(parsed, stops, strict=True)
        if chord is not None and stop - beat > _EPSILON
    )


def _off_grid(beat: float) -> bool:
    return all(abs(beat * step - round(beat * step)) > _ON_GRID * step for step in (16, 12))


def _played_shift(line: tuple[Note, ...]) -> float | None:
    """How late, in beats, a played melody lies behind the 16ths on the whole; None when it was written."""
    if sum(_off_grid(note.onset) for note in line) <= len(line) / 4:
        return None
    turns = np.exp(2j * np.pi * 4 * np.array([note.onset for note in line]))
    return float(np.angle(turns.mean())) / (2 * np.pi * 4)


def _settle(events: tuple[Event, ...], shift: float | None) -> tuple[Event, ...]:
    """Round what no notation would hold: every time of a played melody, else only odd ends."""

    def sixteenth(beat: float) -> float:
        return max(0.0, round((beat - (shift or 0.0)) * 4) / 4)

    played = shift is not None
    starts: list[float] = [sixteenth(event.onset) if played else event.onset for event in events]
    settled: list[Event] = []
    for index, event in enumerate(events):
        start, following = starts[index], starts[index + 1] if index + 1 < len(starts) else float("inf")
        stop = sixteenth(event.offset) if played or _off_grid(event.offset) else event.offset
        if stop - start < _EPSILON:
            stop = start + 0.25 if played else event.offset
        stop = min(stop, following)
        if stop - start > _EPSILON:
            # An event that stayed put keeps its exact length, so that files come back unchanged.
            same = start == event.onset and stop == event.offset
            settled.append(event if same else replace(event, onset=start, duration=stop - start))
    return tuple(settled)


def _meters(score: Any, division: int, remarks: list[str]) -> tuple[Meter, ...]:
    """Time signatures as metre events on bar lines. A short first bar is read as a pickup."""
    found: dict[float, Meter] = {}
    for event in score.time_signatures:
        try:
            meter = Meter(event.time / division, int(event.numerator), int(event.denominator))
        except WrongValue:
            remarks.append(f"Ignored the time signature {event.numerator}/{event.denominator}.")
            continue
        found[meter.onset] = meter
    meters = [found[onset] for onset in sorted(found)]
    if any(meter.numerator == 1 and _lasts(meter, meters) > 4 * meter.bar_beats for meter in meters):
        remarks.append("The file gives one beat a bar; read it in 4/4.")
        meters = []
    if not meters or meters[0].onset > 1 / 16:
        meters.insert(0, Meter(0.0, 4, 4))
    if len(meters) > 1 and _is_pickup(meters[0], meters[1]):
        meters.pop(0)
    else:
        meters[0] = Meter(0.0, meters[0].numerator, meters[0].denominator)
    kept = meters[:1]
    for meter in meters[1:]:
        bars = (meter.onset - kept[-1].onset) / kept[-1].bar_beats
        if str(meter) != str(kept[-1]) or abs(bars - round(bars)) > _EPSILON:
            kept.append(meter)
    return tuple(kept)


def _lasts(meter: Meter, meters: list[Meter]) -> float:
    return next((other.onset for other in meters if other.onset > meter.onset), float("inf")) - meter.onset


def _is_pickup(first: Meter, second: Meter) -> bool:
    """A first bar cut short by the next signature, or one bar of a shorter metre."""
    length = second.onset - first.onset
    cut = length < first.bar_beats - _EPSILON
    return cut or (abs(length - first.bar_beats) < _EPSILON and first.bar_beats < second.bar_beats)


def _tempos(score: Any, division: int) -> tuple[Tempo, ...]:
    found = {0.0: 120.0}
    for event in score.tempos:
        if event.mspq > 0:
            found[max(0.0, event.time / division)] = round(60e6 / event.mspq, 2)
    rows = sorted(found.items())
    changes = rows[:1] + [after for before, after in pairwise(rows) if after[1] != before[1]]
    return tuple(Tempo(onset, bpm) for onset, bpm in changes)


def _keys(score: Any, division: int) -> tuple[KeyChange, ...]:
    changes = [
        KeyChange(max(0.0, event.time / division), Key.from_fifths(event.key, "minor" if event.tonality else "major"))
        for event in score.key_signatures
        if -7 <= event.key <= 7
    ]
    changes.sort(key=lambda change: change.onset)
    return tuple(changes[:1]) + tuple(after for before, after in pairwise(changes) if after.key != before.key)
