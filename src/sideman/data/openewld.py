"""OpenEWLD (Simonetta et al., 2018): lead sheets of Wikifonia origin in packed MusicXML.

The sheets lie in `dataset/<authors>/<title>/<title>.mxl`; an id is `<authors>/<title>`.
"""

from pathlib import Path

from sideman.data.piece import Discarded, Piece
from sideman.data.score_folder import convert_score, score_paths


def pieces(root: Path) -> list[str]:
    """Sorted ids of all sheets; `root` is the unpacked tree or the folder that holds it."""
    return sorted(_sheets(root))


def convert(root: Path, piece_id: str) -> Piece:
    """One sheet -> Piece. Raises Discarded."""
    folder = _folder(root) / piece_id
    path = folder / f"{folder.name}.mxl"
    if not path.is_file():
        path = _sheets(root).get(piece_id, path)
    if not path.is_file():
        raise Discarded("the file cannot be opened")
    return convert_score("openewld", path, piece_id, piece_id.rpartition("/")[2])


def _sheets(root: Path) -> dict[str, Path]:
    """Files by `<authors>/<title>`."""
    return {name.rpartition("/")[0]: path for name, path in score_paths(_folder(root)).items() if name.count("/") == 2}


def _folder(root: Path) -> Path:
    """The `dataset` folder at or one below `root`, else `root` itself."""
    root = Path(root)
    return next((f for f in (root / "dataset", *sorted(root.glob("*/dataset"))) if f.is_dir()), root)
