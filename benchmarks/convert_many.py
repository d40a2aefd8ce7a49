"""Conversion of many pieces: pieces a second, the memory it needs, and that a kill in the middle costs little.

    python benchmarks/convert_many.py [--pieces 5000 50000] [--workers 2]

The songs are random melodies with chords in ABC, 500 a file, in the form of the Nottingham collection, and the command
is the one a user types. For each number of pieces it runs once to the end; for the largest it is also killed (SIGKILL)
when half the parts are there and given again, and the two caches are compared byte by byte. Memory is the largest
resident set of the process that coordinates.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

_CODE = """
import resource, sys
if __name__ == "__main__":
    from sideman.cli_data import data
    try:
        data(sys.argv[1:])
    finally:
        print("memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
_A_FILE = 500
_CHORDS = ("C", "F", "G7", "Am", "Dm7", "Em", "A7", "D7")
_NOTES = "CDEFGABcdefg"


def write_songs(folder: Path, pieces: int) -> None:
    """`pieces` tunes of 8 bars, a chord a bar, eight notes in a bar."""
    place = folder / "ABC_cleaned"
    place.mkdir(parents=True)
    for number, first in enumerate(range(0, pieces, _A_FILE)):
        rng, tunes = np.random.default_rng(number), []
        for tune in range(first + 1, min(first + _A_FILE, pieces) + 1):
            notes = rng.integers(0, len(_NOTES), (8, 8)).tolist()
            chords = rng.integers(0, len(_CHORDS), 8).tolist()
            bars = [f'"{_CHORDS[c]}"' + "".join(_NOTES[n] for n in bar) for c, bar in zip(chords, notes, strict=True)]
            tunes.append(f"X:{tune}\nT:Song {tune}\nM:4/4\nL:1/8\nK:C\n" + "|".join(bars) + "|]\n")
        (place / f"shard{number:05}.abc").write_text("\n".join(tunes))


def command(script: Path, source: Path, home: Path, workers: int) -> subprocess.Popen[str]:
    words = ["convert", "nottingham", "--source", str(source), "--workers", str(workers)]
    environment = {**os.environ, "SIDEMAN_HOME": str(home)}
    return subprocess.Popen(
        [sys.executable, str(script), *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[float, str]:
    """Largest resident set in MB, and what was said on stderr."""
    out, err = process.communicate()
    if process.returncode:
        raise SystemExit(err)
    size = next(int(line.split()[1]) for line in out.splitlines() if line.startswith("memory"))
    return size / (1 << 20 if sys.platform == "darwin" else 1 << 10), err.strip()


def killed_and_resumed(script: Path, source: Path, home: Path, workers: int, parts: int) -> str:
    """Kill a conversion when it has made `parts` parts, give the command again; what the second one said."""
    process, folder = command(script, source, home, workers), home / "data" / "nottingham"
    while len(list(folder.glob("parts-*/*.npz"))) < parts:
        if process.poll() is not None:
            raise SystemExit(process.communicate()[1])
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return finish(command(script, source, home, workers))[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pieces", type=int, nargs="+", default=[5000, 50_000])
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, {arguments.workers} processes, load {os.getloadavg()[0]:.1f}\n")
    print("| pieces | s | pieces/s | MB |\n|---:|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch) / "command.py"
        script.write_text(_CODE)
        for pieces in sorted(arguments.pieces):
            source, home = Path(scratch) / f"songs-{pieces}", Path(scratch) / f"home-{pieces}"
            write_songs(source, pieces)
            start = time.perf_counter()
            memory, _ = finish(command(script, source, home, arguments.workers))
            seconds = time.perf_counter() - start
            print(f"| {pieces} | {seconds:.0f} | {pieces / seconds:.0f} | {memory:.0f} |", flush=True)
        said = killed_and_resumed(script, source, Path(scratch) / "killed", arguments.workers, max(1, pieces // 1024))
        whole, resumed = (
            (place / "data/nottingham/cache.npz").read_bytes() for place in (home, script.parent / "killed")
        )
        print(f"\nKilled and given again: {said} The cache is {'the same' if whole == resumed else 'ANOTHER'}.")


if __name__ == "__main__":
    main()
