"""A `w:` line of ABC -> syllables under the notes of the music line before it."""

import re

from sideman.formats.score_draft import DraftEvent
from sideman.music.score import Syllable

MAX_VERSES = 12
# An escaped hyphen is a character of its syllable.
_PIECES = re.compile(r"[*_|]|-|(?:\\-|[^\s\-*_|])+")


def sing(line: str, sung: list[tuple[int, DraftEvent]], verse: int) -> None:
    """Put one verse under `sung`, the notes of the line with the numbers of their bars."""
    if verse >= MAX_VERSES:
        return
    at = 0
    last: DraftEvent | None = None
    follows = False  # whether a hyphen has just been read
    for piece in _PIECES.findall(line):
        if piece == "|":
            bar = sung[at][0] if at < len(sung) else 0
            while at < len(sung) and sung[at][0] == bar:
                at += 1
        elif piece == "-" and last is not None and not follows:
            _change(last, verse, hyphen=True)
        elif piece in "*-_":
            if piece == "_" and last is not None:
                _change(last, verse, held=True)
            at += 1
        elif at < len(sung):
            last = sung[at][1]
            last.lyrics += [None] * (verse + 1 - len(last.lyrics))
            last.lyrics[verse] = Syllable(piece.replace("\\-", "-").replace("~", " "))
            at += 1
        follows = piece == "-"


def _change(event: DraftEvent, verse: int, hyphen: bool = False, held: bool = False) -> None:
    syllable = event.lyrics[verse]
    assert syllable is not None
    event.lyrics[verse] = Syllable(syllable.text, hyphen or syllable.hyphen, held or syllable.held)
