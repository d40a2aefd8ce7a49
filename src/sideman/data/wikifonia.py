"""Wikifonia: lead sheets in MusicXML, in any folder layout, as the copies in circulation have them.

Files are named `Artist - Title.mxl`; an id is the path below the given folder without the ending, and
all sheets of one title count as versions of one work.
"""

from pathlib import Path

from sideman.data.piece import Discarded, Piece
from sideman.data.score_folder import convert_score, score_paths


def pieces(root: Path) -> list[str]:
    """Sorted ids of all .mxl, .musicxml and .xml files under `root`."""
    return list(score_paths(Path(root)))


def convert(root: Path, piece_id: str) -> Piece:
    """One sheet -> Piece. Raises Discarded."""
    stem = Path(root) / piece_id
    path = next((p for e in (".mxl", ".musicxml", ".xml") if (p := Path(f"{stem}{e}")).is_file()), None)
    path = path or score_paths(Path(root)).get(piece_id)
    if path is None:
        raise Discarded("the file cannot be opened")
    title = stem.name.partition(" - ")[2] or stem.name
    return convert_score("wikifonia", path, piece_id, title)
