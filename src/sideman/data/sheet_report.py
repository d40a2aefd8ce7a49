"""What a conversion to sheets did, for machines (`sheets.json`) and for people (`sheets.md`).

As with songs nothing vanishes uncounted: a piece that was discarded is named with its reason, what reading its
score dropped is counted.
"""

from pathlib import Path

import msgspec

from sideman import __version__
from sideman.data.collections import Collection
from sideman.data.pack import SPLITS
from sideman.files import write_atomic

CONTEXT_PATCHES = 1024


class SheetReport(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one converted collection; equal inputs give equal reports.

    `scores` counts what the source holds, `pieces` what came of it (a quartet gives its movements);
    `discarded` maps a reason to the ids it struck, `losses` a reason to how often it was met in pieces that
    were kept. `uneven_bars` counts bars whose voices differ in length. `patches` is the median size of a piece with
    its prompt, `long_pieces` how many have more than 1024. `keys`, `metres` and `composers` count pieces.
    """

    collection: str
    licence: str
    use: str
    scores: int
    pieces: int
    works: int
    bars: int
    uneven_bars: int
    characters: int
    patches: int
    long_pieces: int
    splits: dict[str, int]
    discarded: dict[str, list[str]]
    losses: dict[str, int]
    keys: dict[str, int]
    metres: dict[str, int]
    composers: dict[str, int]
    sideman: str = __version__

    def save(self, folder: Path, row: Collection) -> None:
        """Write `sheets.md` and `sheets.json`."""
        write_atomic(folder / "sheets.md", self.text(row).encode())
        write_atomic(folder / "sheets.json", msgspec.json.format(msgspec.json.encode(self), indent=2))

    def text(self, row: Collection) -> str:
        """The report as Markdown."""
        discarded = sum(map(len, self.discarded.values()))
        lines = [
            f"# {row.title}: sheets",
            "",
            f"Licence: {row.licence}. {row.note}",
            "",
            f"{self.scores} scores: {self.pieces} pieces ({discarded} more discarded) of {self.works} works, "
            f"{self.bars} bars ({self.uneven_bars} whose voices differ in length), {self.characters} characters, "
            f"{self.patches} patches in the median piece, {self.long_pieces} pieces of more than {CONTEXT_PATCHES}.",
            "",
            "Splits: " + ", ".join(f"{split} {self.splits.get(split, 0)}" for split in SPLITS) + ".",
        ]
        named = {f"{why} ({len(ids)})": ", ".join(ids) for why, ids in self.discarded.items()}
        for title, rows in (
            ("Discarded pieces", named),
            ("What reading dropped or changed in the others", self.losses),
            ("Keys", self.keys),
            ("Metres", self.metres),
            ("Composers", self.composers),
        ):
            lines += ["", f"## {title}", "", *([f"- {what}: {much}" for what, much in rows.items()] or ["None."])]
        return "\n".join([*lines, ""])
