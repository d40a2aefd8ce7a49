"""The Nottingham collection (folk tunes with chords, ABC) -> pieces.

A piece is one tune, named by file stem and tune number (`ashover:12`), since numbers start again in
each file. Versions of a tune share their title, and so a work.
"""

import re
from functools import lru_cache
from pathlib import Path

from sideman.data.piece import Discarded, Piece
from sideman.errors import UnreadableFile, WrongValue
from sideman.formats.abc import read_tune, split_tunes, tune_number

FOLDER = "ABC_cleaned"
_NOT_A_NAME = re.compile(r"[^a-z0-9 ]+")
_VARIATION = re.compile(r" (variations?|descant)$")
_ARTICLE = re.compile(r"^(the|a|an) | (the|a|an)$")


def pieces(root: Path) -> list[str]:
    """Sorted ids of all tunes under an unpacked source tree. Raises UnreadableFile."""
    ids = [f"{path.stem}:{number}" for path in _files(root) for number in _tunes(path)]
    return sorted(ids, key=lambda name: (name.partition(":")[0], int(name.partition(":")[2])))


def convert(root: Path, piece_id: str) -> Piece:
    """One tune as played. Raises Discarded without chords or melody, WrongValue for an unknown id."""
    song, losses = read_tune(tune(root, piece_id))
    if not song.notes:
        raise Discarded("no melody")
    if not song.chords:
        raise Discarded("no chords")
    return Piece(piece_id, song, work=work_of(piece_id, song.title), losses=losses)


def tune(root: Path, piece_id: str) -> str:
    """The text of a tune. Raises WrongValue for an unknown id."""
    stem, _, number = piece_id.partition(":")
    path = next((path for path in _files(root) if path.stem == stem), None)
    text = _tunes(path).get(int(number)) if path and number.isdecimal() else None
    if text is None:
        raise WrongValue(f"The Nottingham collection has no tune '{piece_id}'.", "Ids look like ashover:12.")
    return text


def work_of(piece_id: str, title: str) -> str:
    """The work a tune is a version of: its title, or the tune alone where that says nothing."""
    return f"nottingham:{_work(title) or piece_id}"


def _files(root: Path) -> list[Path]:
    for folder in (root / FOLDER, root / "nottingham-dataset-master" / FOLDER, root):
        found = sorted(folder.glob("*.abc"))
        if found:
            return found
    raise UnreadableFile(f"There are no Nottingham tunes under {root}.", f"It should contain {FOLDER}/*.abc.")


@lru_cache(maxsize=32)
def _tunes(path: Path) -> dict[int, str]:
    """Tunes of a file by their numbers."""
    tunes = split_tunes(path.read_text(encoding="utf-8", errors="replace"))
    return {number: tune for tune in tunes if (number := tune_number(tune)) is not None}


def _work(title: str) -> str:
    """A title without case, punctuation, articles and `variation`; empty where the title is missing."""
    plain = " ".join(_NOT_A_NAME.sub("", title.lower()).split())
    return "" if plain.startswith("missing title") else _VARIATION.sub("", _ARTICLE.sub("", plain))
