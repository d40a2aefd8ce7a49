"""Sets of sheets, generated or real, measured next to the real pieces of a pack: alignment, overlap, a judge's score.

The measures themselves are `music.sheet.measures` and `music.sheet.features`, which training uses as well.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sideman.data.sheets import SheetPack
from sideman.errors import UnreadableFile, WrongValue
from sideman.formats.load import MAX_BYTES

if TYPE_CHECKING:
    from sideman.train.preference.rounds import Figures
    from sideman.train.sheet_recipe import SheetDataConfig


def read_sheets(folder: Path) -> list[str]:
    """The `.abc` files of a folder, in the order of their names. Raises UnreadableFile where there are none."""
    paths = sorted(folder.glob("*.abc"))
    if not paths:
        raise UnreadableFile(f"There are no .abc files in {folder}.", "Give a folder of sheets, e.g. round-0/original.")
    return [_read(path) for path in paths]


def measure(
    sets: Mapping[str, Sequence[str]], pack: SheetPack, data: "SheetDataConfig", judge: str, kept: Path
) -> tuple[dict[str, "Figures"], str]:
    """Figures of each set and of `real`, the pieces of the validation and test splits that `data` asks for; and the
    judge's name. Features of real pieces are kept in the file `kept`.

    Raises WrongValue for a set that holds nothing to judge, and what opening the judge does.
    """
    import torch

    from sideman.train.preference.judge import Judge
    from sideman.train.preference.real import RealSheets

    opened = Judge(judge, torch.device("cpu"))
    real = RealSheets(pack, data, opened, kept)
    rows: dict[str, Figures] = {}
    for name, texts in sets.items():
        features, places = opened.features(texts)
        if not places:
            raise WrongValue(f"{name} holds no sheet that can be judged.", "Are they interleaved ABC?")
        figures = real.figures(features, [texts[place] for place in places])
        rows[name] = {"pieces": len(places), "lost": len(texts) - len(places), **figures}
    return rows | {"real": real.own_figures()}, opened.name


def _read(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise UnreadableFile(f"{path} is larger than {MAX_BYTES:,} bytes.", "That is no sheet of ours.")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UnreadableFile(f"{path} is no text.", "Give ABC.") from None
