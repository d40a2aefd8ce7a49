"""What the OpenScore collections share: a folder of .mxl scores named by id, and tables that say what they are.

Scores are joined to the tables by id, since the tables' paths do not always match the folders. A folder
`<composer>/<set>/...` whose set is `_` holds single pieces, any other one work.
"""

import csv
import unicodedata
from collections import Counter
from functools import lru_cache
from pathlib import Path

from sideman.data.piece import Discarded
from sideman.data.sheet_piece import SheetPiece
from sideman.errors import SidemanError, UnreadableFile, WrongValue
from sideman.formats.score_abc_write import to_abc
from sideman.formats.score_musicxml import read
from sideman.music.movements import movements
from sideman.music.score import Score
from sideman.music.sheet.clean import ascii_of
from sideman.music.sheet.prompts import Prompt

# Born before: period. What comes later is Romantic, as in the published prompts.
_PERIODS = ((1700, "Baroque"), (1785, "Classical"))
# Composers of scores that the tables do not list, and when they were born.
_BORN = {
    "Arne, Thomas": 1710, "Berg, Alban": 1885, "Berlioz, Hector": 1803, "Chopin, Frederic": 1810,
    "Donaudy, Stefano": 1879, "Flegier, Ange": 1846, "Ives, Charles": 1874, "Leoncavallo, Ruggero": 1857,
    "Liszt, Franz": 1811, "Massenet, Jules": 1842, "Obradors, Fernando": 1897, "Paladilhe, Emile": 1844,
    "Quilter, Roger": 1877, "Rossini, Gioachino": 1792, "Schoenberg, Arnold": 1874, "Tosti, Francesco Paolo": 1846,
    "Verdi, Giuseppe": 1813, "Zemlinsky, Alexander von": 1871,
}  # fmt: skip
_PUBLISHED = {"Faisst, Clara Mathilda": "Faisst, Clara"}  # as the published prompts have it


def scores(root: Path, prefix: str) -> dict[str, Path]:
    """Score files by id (`lc6583477`), sorted. Raises UnreadableFile where there is none."""
    return _scores(root, prefix)


@lru_cache(maxsize=2)
def _scores(root: Path, prefix: str) -> dict[str, Path]:
    found = {path.stem: path for path in root.rglob(f"{prefix}*.mxl")}
    if not found:
        raise UnreadableFile(f"There are no scores under {root}.", f"It should contain scores/*/*/**/{prefix}*.mxl.")
    return dict(sorted(found.items()))


def sheets(root: Path, prefix: str, score_id: str, instrumentation: str) -> list[SheetPiece]:
    """The movements of a score (`sq7313978/2`), or its only one (`sq7313978`), as standard ABC with their metadata.

    What reading dropped counts for the first. Raises Discarded, or WrongValue for an unknown id.
    """
    path = _scores(root, prefix).get(score_id)
    if path is None:
        raise WrongValue(f"There is no score '{score_id}'.", f"Ids look like {prefix}6583477.")
    folders = _folders(path)
    composer = composer_name(folders[0])
    names = _table(root, "scores", "id", "name")
    title = ascii_of(names.get(score_id.removeprefix(prefix)) or folders[-1].replace("_", " "))
    score = _read(path)
    parts = movements(score)
    return [
        SheetPiece(
            id=f"{score_id}/{number}" if len(parts) > 1 else score_id,
            abc=to_abc(part),
            work="/".join(folders if folders[1:2] == ["_"] else folders[:2]),
            title=title,
            prompt=Prompt(_period(root, composer), composer, instrumentation),
            losses=Counter(score.losses) if number == 1 else Counter(),
        )
        for number, part in enumerate(parts, start=1)
    ]


def _read(path: Path) -> Score:
    try:
        return read(path)
    except SidemanError as error:
        raise Discarded(f"unreadable: {error.code}") from None


def _folders(path: Path) -> list[str]:
    """Composer, set and title, by the folders a score lies in."""
    parts = [unicodedata.normalize("NFC", part) for part in path.parent.parts]
    return parts[parts.index("scores") + 1 :] if "scores" in parts else parts[-3:]


def composer_name(folder: str) -> str:
    """`Hensel,_Fanny_(Mendelssohn)` -> `Hensel, Fanny`."""
    name = ascii_of(folder).replace("_", " ").partition(" (")[0].partition(" - ")[0].strip()
    return _PUBLISHED.get(name, name)


def _period(root: Path, composer: str) -> str:
    born = _births(root).get(composer) or _BORN.get(composer)
    if born is None:
        return ""
    return next((period for before, period in _PERIODS if born < before), "Romantic")


@lru_cache(maxsize=2)
def _births(root: Path) -> dict[str, int]:
    """Year of birth of each composer in the tables; where only the death is known, sixty years before it."""
    born = {path: int(year) for path, year in _table(root, "composers", "path", "born").items() if year.isdecimal()}
    died = {path: int(year) for path, year in _table(root, "composers", "path", "died").items() if year.isdecimal()}
    return {composer_name(path): born.get(path, died.get(path, 0) - 60) for path in {**born, **died}}


@lru_cache(maxsize=8)
def _table(root: Path, name: str, key: str, value: str) -> dict[str, str]:
    """Two columns of a table; empty where the source has no such table."""
    path = next(iter(root.rglob(f"data/{name}.tsv")), None)
    if path is None:
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        return {row[key]: row.get(value) or "" for row in csv.DictReader(stream, delimiter="\t") if row.get(key)}
