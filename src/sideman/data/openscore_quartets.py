"""OpenScore String Quartets (MusicXML) -> sheets. A file is mostly a whole quartet."""

from pathlib import Path

from sideman.data import openscore
from sideman.data.sheet_piece import SheetPiece

_PREFIX = "sq"


def sheets(root: Path) -> list[str]:
    """Sorted ids of all scores under an unpacked source tree. Raises UnreadableFile."""
    return list(openscore.scores(root, _PREFIX))


def sheet(root: Path, piece_id: str) -> SheetPiece:
    """One score. Raises Discarded, or WrongValue for an unknown id."""
    return openscore.sheet(root, _PREFIX, piece_id, "Chamber")
