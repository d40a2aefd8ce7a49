"""A file -> the beginning of a piece as `ComposeRequest.begin` takes it."""

import re
from unicodedata import normalize

from sideman.formats.score_abc_write import to_abc
from sideman.formats.score_load import abc_text, read_score
from sideman.music.score import Score
from sideman.music.sheet.patches import split
from sideman.music.sheet.prepare import interleave
from sideman.music.sheet.prompts import without_prompt

_CLOSING = re.compile(r"\|\](?=\[V:|$)")
_UNNAMED = re.compile(r"[XTCZWwSNOAB]:")


def beginning(data: bytes, name: str) -> str:
    """Interleaved ABC of a .abc, .musicxml, .mxl or .mid file: header and bars. ABC that is interleaved already, or is a
    header alone, stays as it is. Raises UnreadableFile, TooLarge, BadSheet, EmptyMelody."""
    if not data.startswith((b"MThd", b"PK\x03\x04", b"<", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf<")):
        text = abc_text(data, name)
        header, body = split(without_prompt(text))
        if body:
            return opened(text)
        if all(re.match(r"[A-Z]:|%%", line) for line in header if line.strip()):
            return text
    return opened(interleaved(read_score(data, name)))


def interleaved(score: Score) -> str:
    """A score as interleaved ABC in ASCII, one line a bar, without titles. Raises BadSheet."""
    plain = normalize("NFKD", to_abc(score)).encode("ascii", "ignore").decode()
    lines = plain.splitlines(keepends=True)
    return interleave("".join(line for line in lines if not _UNNAMED.match(line)))


def opened(text: str) -> str:
    """A sheet that goes on: its last bar does not close the piece."""
    head, line, rest = text.rstrip("\n").rpartition("\n")
    return f"{head}{line}{_CLOSING.sub('|', rest)}\n"
