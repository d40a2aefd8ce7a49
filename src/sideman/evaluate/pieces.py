"""The pieces an evaluation runs on: the first 256 frames of each, from converted collections or a pack file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sideman.data.collections import collection, collections
from sideman.data.pack import SPLITS, Pack, load_pack, merge_packs
from sideman.errors import UnreadableFile, WrongValue
from sideman.music.frames import SILENT, WINDOW_FRAMES, Frames

ALL = "all"
LEARN_FROM = ("pop909", "nottingham")


@dataclass(frozen=True)
class Pieces:
    """Ground truth to measure against: `truth[i]` is piece `ids[i]` of `collections[i]`; `unusable` were left out."""

    truth: list[Frames]
    ids: list[str]
    collections: list[str]
    unusable: int

    def of(self, collection: str) -> list[int]:
        """Numbers of the pieces of one collection."""
        return [i for i, name in enumerate(self.collections) if name == collection]


@dataclass(frozen=True)
class Choice:
    """Collections whose pieces are measured together, and the split they are taken from."""

    collections: tuple[str, ...]
    split: str

    @property
    def title(self) -> str:
        return f"{', '.join(self.collections) or 'all collections'} ({self.split})"


def parse_choice(text: str, split: str) -> Choice:
    """`pop909,nottingham`, or `openewld:all` for a split of its own instead of `split`."""
    names, colon, own = text.partition(":")
    return Choice(tuple(name.strip() for name in names.split(",") if name.strip()), own if colon else split)


def load_packs(names: Sequence[str], home: Path) -> Pack:
    """The converted collections `names` under `home` as one pack. Raises WrongValue, UnreadableFile."""
    packs = []
    for name in names:
        collection(name)
        path = home / "data" / name / "cache.npz"
        if not path.is_file():
            raise UnreadableFile(f"{name} is not converted yet.", f"Run: sideman data convert {name}")
        packs.append(load_pack(path))
    return merge_packs(packs)


def select(pack: Pack, split: str, names: Sequence[str] = (), limit: int | None = None) -> Pieces:
    """At most `limit` pieces of each of the collections `names` (none: all), evenly spread over its list.

    `split` may be `all`. A piece without a note or without a chord in its first 256 frames is left out and
    counted. Raises WrongValue.
    """
    if split not in (*SPLITS, ALL):
        raise WrongValue(f"'{split}' is not a split.", f"Splits are: {', '.join(SPLITS)}, {ALL}.")
    if limit is not None and limit < 1:
        raise WrongValue(f"A limit of {limit} leaves no piece.", "Give at least 1.")
    found = Pieces([], [], [], 0)
    unusable = 0
    for name in names or pack.collections.tolist():
        rows = []
        for index in pack.pieces(None if split == ALL else split, name).tolist():
            frames = pack.frames(index).crop(0, WINDOW_FRAMES)
            if (frames.melody == SILENT).all() or (frames.chord == SILENT).all():
                unusable += 1
            else:
                rows.append((str(pack.ids[index]), frames))
        count = len(rows) if limit is None else min(limit, len(rows))
        for identifier, frames in (rows[i * len(rows) // count] for i in range(count)):
            found.truth.append(frames)
            found.ids.append(identifier)
            found.collections.append(name)
    if not found.truth:
        raise WrongValue(f"There is no piece with melody and chords in the {split} split.", "Choose another one.")
    return Pieces(found.truth, found.ids, found.collections, unusable)


def training_pieces(pack: Pack, home: Path) -> list[Frames]:
    """Whole pieces a baseline may learn from: the train split of `pack`, of the collections one may train on.

    Without any in the pack they come from the converted LEARN_FROM. Raises UnreadableFile.
    """
    known = collections()
    names = [name for name in pack.collections.tolist() if name not in known or known[name].use == "train"]
    found = [pack.frames(index) for name in names for index in pack.pieces("train", name).tolist()]
    return found or training_pieces(load_packs(LEARN_FROM, home), home)
