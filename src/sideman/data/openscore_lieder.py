"""OpenScore Lieder (songs for voice and piano, MusicXML) -> sheets. A cycle is one work."""

from pathlib import Path

from sideman.data import openscore
from sideman.data.sheet_piece import SheetPiece

_PREFIX = "lc"


def sheets(root: Path) -> list[str]:
    """Sorted ids of all songs under an unpacked source tree. Raises UnreadableFile."""
    return list(openscore.scores(root, _PREFIX))


def sheet(root: Path, piece_id: str) -> SheetPiece:
    """One song. Raises Discarded, or WrongValue for an unknown id."""
    return openscore.sheet(root, _PREFIX, piece_id, "Art Song")
