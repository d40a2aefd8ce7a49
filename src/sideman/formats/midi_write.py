"""Song -> Standard MIDI File, type 1, 480 ticks a quarter (16ths and triplets are exact).

Track 0 conducts: tempo map, metre, key, and chord symbols as markers, with `N.C.` where a chord ends
in silence. Then come the melody and the chords as played voicings. A pickup is written as a bar cut
short: the time signature is stated at 0 and again at the first bar line.
"""

from collections.abc import Iterable, Sequence

from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, Meter, Note, Song

TICKS = 480
_CHORD_VELOCITY, _BASS_VELOCITY = 60, 68
_BASS_OCTAVE = 36
# General MIDI programs: piano for the melody, electric piano for the chords.
_MELODY_PROGRAM, _CHORD_PROGRAM = 0, 4
_DRUM_CHANNEL = 9
# At one tick a note ends before the next one starts, and everything else comes before notes.
_SETUP, _OFF, _ON = 0, 1, 2

Event = tuple[int, int, bytes]


def write_midi(song: Song, voicings: Sequence[Sequence[int]] = ()) -> bytes:
    """A song as bytes of a .mid file; without chords there is no chord track. `voicings`: the pitches each chord is
    played on, the bass first; without them in close position."""
    tracks = [_conductor(song, markers=True), _melody_track(song)]
    if song.chords:
        tracks.append(_chord_track("Chords", 1, song.chords, voicings=voicings))
    return _file(tracks)


def write_options_midi(melody: Song, progressions: Sequence[tuple[str, tuple[ChordSpan, ...]]]) -> bytes:
    """A melody and one chord track for each (name, progression), its symbols inside as text events."""
    channels = [channel for channel in range(1, 16) if channel != _DRUM_CHANNEL]
    tracks = [_conductor(melody, markers=False), _melody_track(melody)]
    for index, (name, chords) in enumerate(progressions):
        symbols = [(t, _SETUP, _meta(0x01, text)) for t, text in _symbols(chords, melody.key)]
        tracks.append(_chord_track(name, channels[index % len(channels)], chords, symbols))
    return _file(tracks)


def _ticks(beats: float) -> int:
    return max(0, round(beats * TICKS))


def _conductor(song: Song, markers: bool) -> list[Event]:
    events: list[Event] = [(0, _SETUP, _meta(0x03, song.title or "Song"))]
    for tempo in song.tempos:
        microseconds = min(0xFFFFFF, max(1, round(60e6 / tempo.bpm)))
        events.append((_ticks(tempo.onset), _SETUP, _meta(0x51, microseconds.to_bytes(3))))
    for onset, meter in _signatures(song.meters):
        payload = bytes([meter.numerator, meter.denominator.bit_length() - 1, 24, 8])
        events.append((_ticks(onset), _SETUP, _meta(0x58, payload)))
    for change in song.keys:
        payload = bytes([change.key.fifths % 256, change.key.mode == "minor"])
        events.append((_ticks(change.onset), _SETUP, _meta(0x59, payload)))
    if markers:
        events += [(t, _SETUP, _meta(0x06, text)) for t, text in _symbols(song.chords, song.key)]
    return events


def _signatures(meters: tuple[Meter, ...]) -> list[tuple[float, Meter]]:
    """Time signatures to state, and where: the first one also opens the pickup."""
    stated = [(meter.onset, meter) for meter in meters]
    onset, first = stated[0]
    if onset > 0:
        pickup = onset % first.bar_beats
        stated[0] = (pickup, first)
        if pickup > 0:
            stated.insert(0, (0.0, first))
    return stated


def _symbols(chords: Sequence[ChordSpan], key: Key | None) -> Iterable[tuple[int, str]]:
    for index, span in enumerate(chords):
        yield _ticks(span.onset), span.chord.name(key)
        stop = _ticks(span.offset)
        if index + 1 == len(chords) or _ticks(chords[index + 1].onset) > stop:
            yield stop, "N.C."


def _melody_track(song: Song) -> list[Event]:
    return [*_head("Melody", 0, _MELODY_PROGRAM), *_sound(song.notes, 0)]


def _chord_track(
    name: str,
    channel: int,
    chords: Sequence[ChordSpan],
    extra: Iterable[Event] = (),
    voicings: Sequence[Sequence[int]] = (),
) -> list[Event]:
    notes = []
    for index, span in enumerate(chords):
        close = (_BASS_OCTAVE + span.chord.bass, *span.chord.voicing())
        bass, *upper = voicings[index] if voicings else close
        notes.append(Note(span.onset, span.duration, bass, _BASS_VELOCITY))
        notes += [Note(span.onset, span.duration, pitch, _CHORD_VELOCITY) for pitch in upper if pitch != bass]
    return [*_head(name, channel, _CHORD_PROGRAM), *extra, *_sound(notes, channel)]


def _head(name: str, channel: int, program: int) -> list[Event]:
    return [(0, _SETUP, _meta(0x03, name)), (0, _SETUP, bytes([0xC0 | channel, program]))]


def _sound(notes: Iterable[Note], channel: int) -> Iterable[Event]:
    for note in notes:
        start = _ticks(note.onset)
        yield start, _ON, bytes([0x90 | channel, note.pitch, min(127, max(1, note.velocity))])
        yield max(start + 1, _ticks(note.offset)), _OFF, bytes([0x80 | channel, note.pitch, 0])


def _meta(kind: int, payload: str | bytes) -> bytes:
    raw = payload.encode() if isinstance(payload, str) else payload
    return bytes([0xFF, kind]) + _variable(len(raw)) + raw


def _variable(value: int) -> bytes:
    """A number in groups of seven bits, the highest first."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.insert(0, value & 0x7F | 0x80)
    return bytes(groups)


def _file(tracks: list[list[Event]]) -> bytes:
    head = b"MThd" + (6).to_bytes(4) + (1).to_bytes(2) + len(tracks).to_bytes(2) + TICKS.to_bytes(2)
    return head + b"".join(_chunk(track) for track in tracks)


def _chunk(events: list[Event]) -> bytes:
    body, at = bytearray(), 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        body += _variable(tick - at) + message
        at = tick
    body += _variable(0) + _meta(0x2F, b"")
    return b"MTrk" + len(body).to_bytes(4) + bytes(body)
