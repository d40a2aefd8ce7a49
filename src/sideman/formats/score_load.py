"""Any file we read -> Score. Of MIDI the melody is read, as `sideman options` does."""

from pathlib import Path

from sideman.errors import TooLarge, UnreadableFile
from sideman.formats.load import MAX_BYTES
from sideman.formats.score_abc import from_abc
from sideman.formats.score_musicxml import read as read_musicxml
from sideman.music.score import Score

READABLE = (".abc", ".musicxml", ".mxl", ".xml", ".mid", ".midi")
_HINT = f"Give one of {', '.join(READABLE)}."


def load_file(path: Path) -> bytes:
    """The bytes of a file that may be a score. Raises UnreadableFile, TooLarge."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TooLarge(f"{path} is larger than {MAX_BYTES // 1_000_000} MB.", "Give a smaller file.")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"Cannot read {path}: {error.strerror or error}.", _HINT) from error


def read_score(data: bytes, name: str) -> Score:
    """The score in a file called `name`; what it is shows in its first bytes. Raises UnreadableFile, TooLarge, and
    what else the format's reader raises."""
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"MThd"):
        return _of_midi(data)
    if start.startswith((b"PK\x03\x04", b"<", b"\xff\xfe", b"\xfe\xff")):
        return read_musicxml(data)
    return from_abc(abc_text(data, name))


def abc_text(data: bytes, name: str) -> str:
    """The text of an ABC file. Raises UnreadableFile for other files."""
    if Path(name).suffix.lower() not in ("", ".abc", ".txt"):
        raise UnreadableFile(f"{name} is not what its name says.", _HINT)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if "\0" in text:
        raise UnreadableFile(f"{name} is no text.", _HINT)
    return text


def _of_midi(data: bytes) -> Score:
    from sideman.formats.abc_write import write_abc
    from sideman.formats.midi import read_midi

    return from_abc(write_abc(read_midi(data)))
