"""How soon a turn of a melody to another key is told, and how often one is told that there is not.

The melodies of the validation split, first 256 frames, as they are and moved from beat 16 on.

    python benchmarks/turns.py [--pack runs/release.npz]
"""

import argparse
from pathlib import Path

import numpy as np

from sideman.data.pack import load_pack
from sideman.music.frames import SILENT, WINDOW_FRAMES
from sideman.music.turns import turns_in

AT, HEARD = 64, 128  # the frame that turns; frames heard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, default=Path("runs/release.npz"))
    pack = load_pack(parser.parse_args().pack)
    melodies = [pack.frames(piece).melody[:WINDOW_FRAMES].astype(int) for piece in pack.pieces("valid")]
    melodies = [melody for melody in melodies if len(melody) >= HEARD]
    alarms = [len(turns_in(melody.tolist())) for melody in melodies]
    print(f"{len(melodies)} melodies as they are: {np.mean(alarms):.2f} turns each")
    print("| semitones | told after frames: 25 % | 50 % | 75 % | 90 % | not within 64 |")
    print("|--:|--:|--:|--:|--:|--:|")
    for step in (6, -1, 2, -5):
        waits = np.array([_wait(melody, step) for melody in melodies])
        told = np.quantile(waits, (0.25, 0.5, 0.75, 0.9), method="higher")  # between a number and infinity is nothing
        shares = " | ".join("-" if np.isinf(wait) else f"{wait:.0f}" for wait in told)
        print(f"| {step:+d} | {shares} | {np.isinf(waits).mean():.0%} |")


def _wait(melody: np.ndarray, step: int) -> float:
    """Frames from the turn until it is told."""
    moved = melody[:HEARD].copy()
    moved[AT:] = np.where(moved[AT:] == SILENT, SILENT, moved[AT:] + step)
    return min((float(known - AT) for _, known in turns_in(moved.tolist()) if known > AT), default=np.inf)


if __name__ == "__main__":
    main()
