"""OpenScore Lieder (songs for voice and piano, MusicXML) -> sheets. A cycle is one work."""

from pathlib import Path

from sideman.data import openscore
from sideman.data.sheet_piece import SheetPiece

_PREFIX = "lc"


def scores(root: Path) -> list[str]:
    """Sorted ids of all scores under an unpacked source tree. Raises UnreadableFile."""
    return list(openscore.scores(root, _PREFIX))


def sheets(root: Path, score_id: str) -> list[SheetPiece]:
    """One score. Raises Discarded, or WrongValue for an unknown id."""
    return openscore.sheets(root, _PREFIX, score_id, "Art Song")
