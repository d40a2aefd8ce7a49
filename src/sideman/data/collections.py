"""The named collections: where each comes from, its licence, and what it may be used for.

The rows are data (`collections.json`); the converter of a collection is the module of the same name
in this package, see `piece.py` and `sheet_piece.py` for what it offers.
"""

from functools import lru_cache
from importlib.resources import files
from typing import Literal

import msgspec

from sideman.errors import WrongValue


class Collection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row. `file` is the name of the download. A download must have one of the digests in `sha256`
    where some are given; `known` lists further good archives (such as subsets) met elsewhere.
    `use` says whether models may be trained on it or only measured, `holds` whether it gives songs (melody
    and chords), sheets (music of all voices as it is written), or both."""

    name: str
    title: str
    url: str
    file: str
    sha256: tuple[str, ...]
    known: tuple[str, ...]
    licence: str
    homepage: str
    use: Literal["train", "evaluate"]
    note: str
    holds: tuple[Literal["songs", "sheets"], ...] = ("songs",)

    @property
    def repository(self) -> str:
        """Name of the public repository, with which the top folder of its archives begins."""
        return self.homepage.rpartition("/")[2]


@lru_cache(maxsize=1)
def collections() -> dict[str, Collection]:
    """All collections by name, in the order of the table."""
    text = files("sideman.data").joinpath("collections.json").read_bytes()
    return {row.name: row for row in msgspec.json.decode(text, type=list[Collection])}


def collection(name: str) -> Collection:
    """The collection called `name`. Raises WrongValue."""
    known = collections()
    if name not in known:
        raise WrongValue(f"There is no collection '{name}'.", f"Known are: {', '.join(known)}.")
    return known[name]
