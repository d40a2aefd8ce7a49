"""Any file we read -> Song, and Song -> any file we write.

What a file is shows in its first bytes; its name only decides where those say nothing.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from sideman.errors import TooLarge, UnreadableFile, WrongValue
from sideman.files import write_atomic
from sideman.music.song import Song

MAX_BYTES = 5_000_000
READABLE = (".mid", ".midi", ".musicxml", ".mxl", ".xml", ".abc", ".json")
_HINT = f"Give one of {', '.join(READABLE)}."


def load_song(path: Path) -> Song:
    """The song in a file, titled by the file's name where it has no title. Raises UnreadableFile,
    TooLarge, EmptyMelody, and what else the format's reader raises."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TooLarge(f"{path} is larger than {MAX_BYTES // 1_000_000} MB.", "Give a smaller file.")
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"Cannot read {path}: {error.strerror or error}.") from error
    return read_song(data, path.name)


def read_song(data: bytes, name: str) -> Song:
    """The song in an uploaded file called `name`. Raises what `load_song` does."""
    if len(data) > MAX_BYTES:
        raise TooLarge(f"The file is larger than {MAX_BYTES // 1_000_000} MB.", "Give a smaller file.")
    song = _reader(data, name)(data)
    return song if song.title else replace(song, title=Path(name).stem)


def load_example(path: Path) -> Song:
    """A song for its chords' sake: a MIDI file may hold them alone. Raises what `load_song` does."""
    song = load_song(path)
    return song if song.chords else _with_block_chords(song, Path(path).read_bytes())


def read_example(data: bytes, name: str) -> Song:
    """An uploaded song for its chords' sake. Raises what `load_song` does."""
    song = read_song(data, name)
    return song if song.chords else _with_block_chords(song, data)


def _with_block_chords(song: Song, data: bytes) -> Song:
    if not data.startswith(b"MThd"):
        return song
    from sideman.formats.midi import read_block_chords

    return replace(song, chords=read_block_chords(data))


def save_song(song: Song, path: Path) -> None:
    """Write a song, whole or not at all, in the format its suffix names. Raises WrongValue, CannotWrite."""
    path = Path(path)
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise WrongValue(f"{path.name} has no ending we write.", f"Use one of {', '.join(_WRITERS)}.")
    write_atomic(path, write(song))


def _reader(data: bytes, name: str) -> Callable[[bytes], Song]:
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    suffix = Path(name).suffix.lower()
    if start.startswith(b"MThd"):
        return _midi
    if start.startswith((b"PK\x03\x04", b"<", b"\xff\xfe", b"\xfe\xff")):
        return _musicxml
    if start.startswith(b"{"):
        return _json
    if suffix == ".abc" or re.search(rb"^[XK]:", start, re.MULTILINE):
        return _abc
    if not start:
        raise UnreadableFile("The file is empty.", _HINT)
    if suffix in READABLE:
        raise UnreadableFile(f"This is not a {suffix} file, whatever its name says.", _HINT)
    raise UnreadableFile("This kind of file is not read.", _HINT)


def _midi(data: bytes) -> Song:
    from sideman.formats.midi import read_midi

    return read_midi(data)


def _musicxml(data: bytes) -> Song:
    from sideman.formats.musicxml import read_musicxml

    return read_musicxml(data)


def _abc(data: bytes) -> Song:
    from sideman.formats.abc import read_abc

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return read_abc(text)


def _json(data: bytes) -> Song:
    from sideman.formats.hooktheory import entry_song, read_entry
    from sideman.formats.json_song import read_json

    try:
        fields = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, ValueError, RecursionError):
        fields = {}  # read_json says what is wrong
    return entry_song(read_entry(data)) if "annotations" in fields else read_json(data)


def _write_midi(song: Song) -> bytes:
    from sideman.formats.midi_write import write_midi

    return write_midi(song)


def _write_musicxml(song: Song) -> bytes:
    from sideman.formats.musicxml_write import write_musicxml

    return write_musicxml(song)


def _write_abc(song: Song) -> bytes:
    from sideman.formats.abc_write import write_abc

    return write_abc(song).encode()


def _write_json(song: Song) -> bytes:
    from sideman.formats.json_song import write_json

    return write_json(song)


def _write_chart(song: Song) -> bytes:
    from sideman.formats.chart import write_chart

    return write_chart(song).encode()


_WRITERS: dict[str, Callable[[Song], bytes]] = {
    ".mid": _write_midi,
    ".midi": _write_midi,
    ".musicxml": _write_musicxml,
    ".xml": _write_musicxml,
    ".abc": _write_abc,
    ".json": _write_json,
    ".txt": _write_chart,
}
