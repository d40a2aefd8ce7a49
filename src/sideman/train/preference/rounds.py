"""What a round leaves on disk: its pieces, who was chosen, its figures; and the table of all rounds (spec 6.2, 9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sideman.files import write_atomic
from sideman.train.preference.choose import Choice

# Column -> figure, decimals, factor.
COLUMNS = {
    "score": ("score", 3, 1), "±": ("score_error", 3, 1), "unseen": ("score_unseen", 3, 1),
    "uneven bars %": ("uneven", 2, 100),
    "perplexity": ("perplexity", 3, 1), "self-similarity": ("self_similarity", 3, 1),
    "diversity": ("diversity", 3, 1), "overlap": ("overlap", 3, 1), "most": ("overlap_most", 3, 1),
    "copied %": ("copied", 1, 100), "bars": ("bars", 1, 1), "pieces": ("pieces", 0, 1), "unreadable": ("lost", 0, 1),
}  # fmt: skip
Figures = dict[str, float]


@dataclass(frozen=True)
class RoundFolder:
    """`runs/NAME/round-K`: `original/N.abc`, `preference.json`, `figures.json`, and `model`, which wrote the pieces,
    except in round 0."""

    path: Path

    @property
    def model(self) -> Path:
        return self.path / "model"

    def place(self, number: int) -> Path:
        return self.path / "original" / f"{number:05}.abc"

    def write_piece(self, number: int, text: str) -> None:
        write_atomic(self.place(number), text.encode())

    def pieces(self, count: int) -> list[str]:
        """The pieces 0..count-1, all of which are there."""
        return [self.place(number).read_text(encoding="utf-8") for number in range(count)]

    def missing(self, count: int) -> list[int]:
        """Which of the pieces 0..count-1 have yet to be written."""
        return [number for number in range(count) if not self.place(number).exists()]

    def write_figures(self, figures: Mapping[str, float]) -> None:
        rounded = {name: round(float(value), 6) for name, value in figures.items()}
        write_atomic(self.path / "figures.json", msgspec.json.format(msgspec.json.encode(rounded), indent=1))

    def figures(self) -> Figures | None:
        """Its row of the table, if it has come to that. A figure that is not known is NaN."""
        path = self.path / "figures.json"
        if not path.exists():
            return None
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, float | None])
        return {name: float("nan") if value is None else value for name, value in found.items()}

    def write_choice(self, choice: Choice, numbers: Sequence[int]) -> None:
        """The file of preferences as published: paths of the chosen and of the rejected pieces. `numbers`: of the
        pieces that the choice counts."""
        sides = {"chosen": choice.chosen, "rejected": choice.rejected}
        paths = {side: [str(self.place(numbers[at])) for at in places] for side, places in sides.items()}
        write_atomic(self.path / "preference.json", msgspec.json.format(msgspec.json.encode(paths), indent=4))

    def sides(self) -> tuple[list[str], list[str]]:
        """Texts of the chosen and of the rejected pieces."""
        paths = msgspec.json.decode((self.path / "preference.json").read_bytes(), type=dict[str, list[str]])
        chosen, rejected = (
            [self.place(int(Path(path).stem)).read_text(encoding="utf-8") for path in paths[side]]
            for side in ("chosen", "rejected")
        )
        return chosen, rejected


def table(rows: Mapping[str, Figures], judge: str) -> str:
    """Sets of sheets by name in Markdown, those without figures left out; scores are those of `judge`."""
    lines = [
        f"Scores by: {judge}.", "",
        f"| sheets | {' | '.join(COLUMNS)} |",
        f"|:--|{'--:|' * len(COLUMNS)}",
    ]  # fmt: skip
    for title, row in rows.items():
        cells = [_cell(row.get(name), decimals, factor) for name, decimals, factor in COLUMNS.values()]
        lines += [f"| {title} | {' | '.join(cells)} |"] if row else []
    return "\n".join(lines) + "\n"


def _cell(value: float | None, decimals: int, factor: float) -> str:
    return "" if value is None or value != value else f"{value * factor:.{decimals}f}"
