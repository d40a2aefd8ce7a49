"""How long the conversion of a whole collection takes, process start included.

    python benchmarks/convert.py --data ../shared/data [--workers 2] [nottingham pop909 ...]

Each archive is unpacked first (not timed); then the command a user types is run three times, and the
best time is shown beside the number of pieces converted and discarded.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sideman.data.fetch import fetch

_COMMAND = "from sideman.cli_data import data; data()"


def measure(name: str, home: Path, workers: int, rounds: int) -> tuple[list[float], dict[str, int]]:
    """Wall seconds of each round, and the manifest of the last."""
    command = [sys.executable, "-c", _COMMAND, "convert", name, "--workers", str(workers)]
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(command, env={**os.environ, "SIDEMAN_HOME": str(home)}, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    manifest = json.loads((home / "data" / name / "manifest.json").read_text())
    return seconds, manifest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["nottingham", "pop909"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of NAME.tar.gz archives")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, {arguments.workers} processes, best of {arguments.rounds}\n")
    print("| collection | best s | all s | pieces | discarded |\n|---|---:|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.names:
            fetch(name, arguments.data / f"{name}.tar.gz", Path(folder))
            seconds, manifest = measure(name, Path(folder), arguments.workers, arguments.rounds)
            lost = manifest["pieces"] - manifest["converted"]
            every = ", ".join(f"{s:.1f}" for s in seconds)
            print(f"| {name} | {min(seconds):.1f} | {every} | {manifest['pieces']} | {lost} |", flush=True)


if __name__ == "__main__":
    main()
