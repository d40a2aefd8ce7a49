"""What a conversion did, for machines (`manifest.json`) and for people (`report.md`).

Nothing vanishes uncounted: every piece that was discarded is named with its reason, every note and
chord that was dropped or changed is counted under one.
"""

from pathlib import Path

import msgspec

from sideman import __version__
from sideman.data.collections import Collection
from sideman.data.pack import SPLITS
from sideman.errors import UnreadableFile
from sideman.files import write_atomic

FORMAT = 1


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one converted collection; equal inputs give equal reports.

    `pieces` counts what the source holds, `converted` what the cache holds; `discarded` maps a reason to
    the ids it struck; `losses` maps a reason to a count of notes, chords or bars; `simplified` maps
    `X -> Y` to how often chord X must become Y in our own vocabulary (the cache keeps X).
    `meters`, `keys` and `qualities` count pieces by each metre they use, pieces by first key, and chords;
    `jsonl_losses` is what the reference's cache files cannot hold, where they were written.
    """

    collection: str
    licence: str
    use: str
    pieces: int
    converted: int
    works: int
    frames: int
    notes: int
    chords: int
    splits: dict[str, int]
    discarded: dict[str, list[str]]
    losses: dict[str, int]
    simplified: dict[str, int]
    meters: dict[str, int]
    keys: dict[str, int]
    qualities: dict[str, int]
    jsonl_losses: dict[str, int] = {}
    sideman: str = __version__
    format: int = FORMAT

    def save(self, folder: Path, row: Collection) -> None:
        """Write `report.md` and `manifest.json`."""
        write_atomic(folder / "report.md", self.text(row).encode())
        write_atomic(folder / "manifest.json", msgspec.json.format(msgspec.json.encode(self), indent=2))

    def text(self, row: Collection) -> str:
        """The report as Markdown."""
        discarded = sum(map(len, self.discarded.values()))
        lines = [
            f"# {row.title}",
            "",
            f"{self.converted} of {self.pieces} pieces converted, {discarded} discarded; "
            f"{self.works} different works; {self.notes} notes, {self.chords} chords, "
            f"{self.frames} frames (16th notes).",
            "",
            f"Licence: {row.licence}. {row.note}",
            "",
            "Splits: " + ", ".join(f"{split} {self.splits.get(split, 0)}" for split in SPLITS) + ".",
            "",
            "## Discarded pieces",
            "",
        ]
        lines += [f"- {why} ({len(ids)}): {', '.join(ids)}" for why, ids in self.discarded.items()] or ["None."]
        lines += _section("What was dropped or changed in the others", self.losses)
        simplified = sum(self.simplified.values())
        title = f"Chords outside our own vocabulary ({simplified} of {self.chords}), and what stands for them"
        lines += _section(title, self.simplified)
        if self.jsonl_losses:
            lines += _section("What the reference's cache files cannot hold", self.jsonl_losses)
        return "\n".join([*lines, ""])


def _section(title: str, counts: dict[str, int]) -> list[str]:
    return ["", f"## {title}", "", *([f"- {what}: {count}" for what, count in counts.items()] or ["Nothing."])]


def load_report(path: Path) -> Report:
    """Read a `manifest.json`. Raises UnreadableFile."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except FileNotFoundError:
        raise UnreadableFile(f"There is no {path}.", "Make it with: sideman data convert NAME") from None
    except (OSError, msgspec.DecodeError) as error:
        raise UnreadableFile(f"{path} is damaged ({error}).", "Make it again: sideman data convert NAME") from None
