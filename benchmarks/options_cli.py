"""`sideman options` on a 64-beat melody, the whole process from start to exit, five progressions.

python benchmarks/options_cli.py [--rounds 7]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sideman.formats.load import save_song
from sideman.music.song import Note, Song

# Sixteen bars of eighths and quarters around a C major scale.
STEPS = (60, 62, 64, 67, 65, 64, 62, 60, 59, 60, 64, 62, 67, 69, 67, 65)


def melody() -> Song:
    notes = [Note(bar * 4 + i, 1.0 if i % 2 else 0.5, STEPS[(bar + 3 * i) % 16]) for bar in range(16) for i in range(4)]
    return Song(notes=(*notes[:-1], Note(63, 1, 60)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "melody.mid")
        save_song(melody(), path)
        times = []
        for _ in range(parser.parse_args().rounds):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-m", "sideman", "options", path], check=True, capture_output=True)
            times.append(time.perf_counter() - start)
    print(f"first {times[0]:.2f} s, best {min(times):.2f} s, median {statistics.median(times):.2f} s")


if __name__ == "__main__":
    main()
