"""Figures of folders of sheets next to real ones: alignment, a judge's score, diversity, overlap.

    python benchmarks/sheet_figures.py runs/release-sheet-dpo/round-*/original --judge runs/release-sheet-judge \\
        [--pack runs/sheets.npz] [--collection openscore-lieder] [--composer "Schubert, Franz"]

A folder holds .abc files, as a model writes them or interleaved. Columns are those of docs/preference.md; the last line
is pieces of the pack that neither judge nor model learned from, their overlap being with works of the same composer.
"""

import argparse
import tempfile
from pathlib import Path

from sideman.data.sheets import load_sheet_pack
from sideman.evaluate.sheets import measure, read_sheets
from sideman.train.preference.rounds import table
from sideman.train.sheet_recipe import SheetDataConfig


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--judge", required=True, help="a run of stage sheet-judge, or CLaMP 2")
    parser.add_argument("--pack", default="runs/sheets.npz")
    parser.add_argument("--collection", default="openscore-lieder")
    parser.add_argument("--composer", action="append", default=[])
    given = parser.parse_args()
    weights = dict.fromkeys(given.collection.split(","), 1.0)
    data = SheetDataConfig(given.pack, weights=weights, composers=tuple(given.composer))
    sets = {str(folder): read_sheets(folder) for folder in given.folders}
    with tempfile.TemporaryDirectory() as scratch:
        rows, judge = measure(sets, load_sheet_pack(Path(given.pack)), data, given.judge, Path(scratch) / "real.npz")
    print(table(rows, judge), end="")


if __name__ == "__main__":
    main()
