"""Standard MIDI Files -> MTF, the text in which M3 reads MIDI: one line a message, all tracks in one (spec 7.2).

Texts and system exclusive messages are left out, as for the published weights. They lost the time of such a message
too; here it goes to the next one, or with `reference` it is lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sideman.errors import TooLarge, UnreadableFile

MAX_MESSAGES = 1_000_000
_HINT = "Export it again as a standard MIDI file of type 0 or 1."
_END = "end_of_track"
# Status without channel -> message, its number of data bytes.
_CHANNEL = {
    0x8: ("note_off", 2), 0x9: ("note_on", 2), 0xA: ("polytouch", 2), 0xB: ("control_change", 2),
    0xC: ("program_change", 1), 0xD: ("aftertouch", 1), 0xE: ("pitchwheel", 2),
}  # fmt: skip
_TEXTS = {*range(0x01, 0x08), 0x09, 0x7F}  # and what sequencers keep for themselves
_SYSTEM_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}
_FRAME_RATES = ("24", "25", "29.97", "30")
_MAJOR = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_MINOR = ("Abm", "Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m", "D#m", "A#m")


@dataclass(frozen=True, slots=True)
class Message:
    """`time` in ticks from the start; `kind` is empty for what is left out. Channel messages say their time first,
    others last."""

    time: int
    kind: str
    values: str = ""
    time_first: bool = False

    def line(self, delta: int) -> str:
        middle = (delta, self.values) if self.time_first else (self.values, delta)
        return " ".join(str(part) for part in (self.kind, *middle) if part != "")


def read_mtf(data: bytes, reference: bool = False) -> str:
    """Bytes of a .mid file -> MTF, no line break at its end. Raises UnreadableFile, TooLarge."""
    try:
        division, tracks = _chunks(data)
        messages = [message for track in tracks for message in _messages(track)]
    except (IndexError, ValueError) as error:
        raise UnreadableFile("The MIDI file is damaged.", _HINT) from error
    if len(messages) > MAX_MESSAGES:
        raise TooLarge(f"The MIDI file has {len(messages):,} messages.", f"At most {MAX_MESSAGES:,} are read.")
    messages.sort(key=lambda message: message.time)
    lines, last, end = [f"ticks_per_beat {division}"], 0, 0
    for message in messages:
        end = message.time
        if message.kind not in ("", _END):
            lines.append(message.line(message.time - last))
        if message.kind != _END and (message.kind or reference):
            last = message.time
    return "\n".join([*lines, f"{_END} {end - last}"])


def _chunks(data: bytes) -> tuple[int, list[bytes]]:
    """Ticks a quarter, and the bytes of each track."""
    if data[:4] != b"MThd" or len(data) < 14:
        raise UnreadableFile("This is not a MIDI file.", _HINT)
    form, division = int.from_bytes(data[8:10]), int.from_bytes(data[12:14])
    if form > 1:
        raise UnreadableFile(f"MIDI files of type {form} hold no single song.", _HINT)
    if not 1 <= division < 0x8000:
        raise UnreadableFile("The MIDI file counts SMPTE time, not beats.", _HINT)
    at, tracks = 8 + int.from_bytes(data[4:8]), []
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8])
        if at + 8 + size > len(data):
            raise ValueError("the file ends in the middle of a track")
        if name == b"MTrk":
            tracks.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    if len(tracks) < int.from_bytes(data[10:12]):
        raise ValueError("the file ends before its last track")
    return division, tracks


def _messages(track: bytes) -> Iterator[Message]:
    """The messages of a track, those left out among them. Raises IndexError, ValueError where it is damaged."""
    at, now, running = 0, 0, 0
    while at < len(track):
        delta, at = _number(track, at)
        now += delta
        status = track[at]
        if status >= 0x80:
            at += 1
        elif running:
            status = running
        else:
            raise ValueError("data without a status")
        if status == 0xFF:
            size, body = _number(track, at + 1)
            yield _meta(now, track[at], _cut(track, body, size))
            at = body + size
        elif status in (0xF0, 0xF7):
            size, body = _number(track, at)
            _cut(track, body, size)
            yield Message(now, "")
            at = body + size
        elif status >= 0xF0:
            at += _SYSTEM_BYTES.get(status, 0)
            yield Message(now, "")
        else:
            running = status
            size = _CHANNEL[status >> 4][1]
            yield _channel(now, status, _cut(track, at, size))
            at += size


def _channel(time: int, status: int, data: bytes) -> Message:
    kind = _CHANNEL[status >> 4][0]
    if max(data) > 127:
        raise ValueError("a status in the middle of a message")
    values = (str((data[0] | data[1] << 7) - 8192),) if kind == "pitchwheel" else map(str, data)
    return Message(time, kind, " ".join((str(status & 15), *values)), time_first=True)


def _meta(time: int, kind: int, data: bytes) -> Message:
    if kind in _TEXTS:
        return Message(time, "")
    if kind == 0x2F:
        return Message(time, _END)
    if kind == 0x00:
        return Message(time, "sequence_number", str(int.from_bytes(data[:2])))
    if kind == 0x20:
        return Message(time, "channel_prefix", str(data[0]))
    if kind == 0x21:
        return Message(time, "midi_port", str(data[0] if data else 0))
    if kind == 0x51:
        return Message(time, "set_tempo", str(int.from_bytes(_cut(data, 0, 3))))
    if kind == 0x54:
        values = (_FRAME_RATES[data[0] >> 5], str(data[0] & 31), *map(str, _cut(data, 1, 4)))
        return Message(time, "smpte_offset", " ".join(values))
    if kind == 0x58:
        return Message(time, "time_signature", f"{data[0]} {2 ** data[1]} {data[2]} {data[3]}")
    if kind == 0x59:
        sharps = int.from_bytes(data[:1], signed=True)
        if not -7 <= sharps <= 7:
            raise ValueError(f"a key of {sharps} sharps")
        return Message(time, "key_signature", (_MINOR if data[1] else _MAJOR)[sharps + 7])
    return Message(time, "unknown_meta", f"{kind} {tuple(data)}")


def _cut(data: bytes, at: int, size: int) -> bytes:
    """Exactly `size` bytes. Raises ValueError where there are fewer."""
    if at + size > len(data):
        raise ValueError("a message ends early")
    return data[at : at + size]


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends. Raises ValueError beyond four bytes."""
    value = 0
    for end in range(at, at + 4):
        value = value << 7 | data[end] & 127
        if data[end] < 128:
            return value, end + 1
    raise ValueError("a number of more than four bytes")
