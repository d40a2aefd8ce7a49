"""Hooktheory (Donahue et al., ISMIR 2022): one gzipped JSON object of annotated song excerpts.

Kept are entries with melody and harmony and a steady tempo; they keep the split of the source.
"""

import gzip
import zlib
from collections import Counter
from functools import lru_cache
from pathlib import Path

import msgspec

from sideman.data.piece import Discarded, Piece
from sideman.errors import UnreadableFile, WrongValue
from sideman.formats.hooktheory import Entry, entry_song, read_entry

FILE = "Hooktheory.json.gz"
_REQUIRED = {"MELODY": "no melody is annotated", "HARMONY": "no harmony is annotated"}
_SPLITS = {"TRAIN": "train", "VALID": "valid", "TEST": "test"}


def pieces(root: Path) -> list[str]:
    """Sorted ids of all entries; `root` is the file or the folder that holds it. Raises UnreadableFile."""
    return sorted(_entries(_source(Path(root))))


def convert(root: Path, piece_id: str) -> Piece:
    """One entry -> Piece. Raises Discarded, UnreadableFile."""
    losses: Counter[str] = Counter()
    try:
        entry = read_entry(_entries(_source(Path(root)))[piece_id])
        _check(entry)
        song = entry_song(entry, losses)
    except (UnreadableFile, WrongValue):
        raise Discarded("the entry is damaged") from None
    if not song.notes:
        raise Discarded("there is no melody")
    if not song.chords:
        raise Discarded("there are no chords")
    names = entry.hooktheory
    work = f"hooktheory:{names.artist}/{names.song}" if names.song else f"hooktheory:{piece_id}"
    return Piece(id=piece_id, song=song, work=work, split=_SPLITS.get(entry.split), losses=losses)


def _check(entry: Entry) -> None:
    for tag, reason in _REQUIRED.items():
        if tag not in entry.tags:
            raise Discarded(reason)
    if "TEMPO_CHANGES" in entry.tags:
        raise Discarded("the tempo changes")


def _source(root: Path) -> Path:
    return root / FILE if root.is_dir() else root


@lru_cache(maxsize=1)
def _entries(path: Path) -> dict[str, msgspec.Raw]:
    """Entry id -> its JSON text, unparsed."""
    try:
        with gzip.open(path) as stream:
            return msgspec.json.decode(stream.read(), type=dict[str, msgspec.Raw])
    except (OSError, EOFError, zlib.error, msgspec.DecodeError, ValueError) as error:
        raise UnreadableFile(f"Cannot read {path}: {error}.", f"Fetch {FILE} again.") from error
