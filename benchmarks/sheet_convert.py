"""How long it takes to make sheets of a collection of scores, in all fifteen keys.

    python benchmarks/sheet_convert.py --data ../shared/data [--workers 2] [--scores 200] [openscore-lieder ...]

The archive is unpacked first (not timed). Then, over processes: MusicXML -> standard ABC -> cleaned, checked,
interleaved and reduced -> fifteen keys -> patches. Shown are the wall time and, summed over the processes, the CPU
time of each step.
With --scores only as many, evenly spread, are taken, and the wall time is also extrapolated to all of them.
"""

import argparse
import os
import tempfile
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

from sideman.data.fetch import fetch
from sideman.data.processes import over_processes
from sideman.data.sheet_convert import converter
from sideman.errors import SidemanError
from sideman.music.sheet.keys import KEYS
from sideman.music.sheet.patches import encode
from sideman.music.sheet.prepare import prepare
from sideman.music.sheet.transpose import transpose

STEPS = ("read", "prepare", "transpose", "encode")


def measure(name: str, root: Path, ids: list[str]) -> list[list[float]]:
    """For each score the CPU seconds of the four steps, and how many pieces, texts and patches came out."""
    rows = []
    for score_id in ids:
        marks = [time.process_time()]
        pieces = converter(name).sheets(root, score_id)
        marks.append(time.process_time())
        texts = []
        for piece in pieces:
            try:
                texts.append(prepare(piece.abc))
            except SidemanError as error:
                print(f"{piece.id}: {error.message}")
        marks.append(time.process_time())
        moved = [transpose(text, key) for text in texts for key in KEYS]
        marks.append(time.process_time())
        patches = sum(len(encode(text)) for text in moved)
        marks.append(time.process_time())
        spent = [after - before for before, after in pairwise(marks)]
        rows.append([*spent, len(texts), len(moved), patches])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["openscore-lieder"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of NAME.tar.gz archives")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scores", type=int, help="as many, evenly spread, instead of all")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, {arguments.workers} processes, load {os.getloadavg()[0]:.1f}\n")
    print("| collection | scores | pieces | texts | patches | wall s | wall s for all | " + " | ".join(STEPS) + " |")
    print("|---|" + "---:|" * 10)
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.names:
            root = fetch(name, arguments.data / f"{name}.tar.gz", Path(folder))
            every = converter(name).scores(root)
            ids = every[:: max(len(every) // arguments.scores, 1)] if arguments.scores else every
            start = time.perf_counter()
            job = partial(measure, name, root)
            rows = list(over_processes(f"Measuring {name}", ids, job, arguments.workers, 4))
            wall = time.perf_counter() - start
            totals = [sum(column) for column in zip(*rows, strict=True)]
            counts = " | ".join(f"{count:.0f}" for count in totals[len(STEPS) :])
            steps = " | ".join(f"{seconds:.1f}" for seconds in totals[: len(STEPS)])
            print(
                f"| {name} | {len(ids)} | {counts} | {wall:.0f} | {wall * len(every) / len(ids):.0f} | {steps} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
