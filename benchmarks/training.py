"""Training speed of the online release model: bf16 autocast against fp32, the same steps of the same script.

    python benchmarks/training.py [--steps 8] [--rounds 3] [--recipe recipes/release/online.yaml] [--pack FILE.npz]

Whole optimiser steps are timed (forward, backward, clipping, AdamW), without validation and saving. The two
precisions take turns, so that both meet the same load of the machine; the fastest round of each counts.
A machine that has no bf16 instructions, or whose products are no faster with them, is refused.
Without --pack the music is random notes and chords: what they are changes nothing about the time.
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from sideman.data.pack import Pack
from sideman.train.mle import Run
from sideman.train.recipe import load_recipe
from sideman.train.running import chosen_precision

PRECISIONS = ("32-true", "bf16-mixed")


def random_pack(path: Path, pieces: int = 32, frames: int = 256) -> Path:
    """Pieces of one window each, in the collections the recipe mixes."""
    rng, total = np.random.default_rng(0), pieces * frames
    Pack(
        melody=rng.integers(55, 80, total, dtype=np.int16), melody_onset=rng.random(total) < 0.4,
        chord=rng.integers(0, 12, total, dtype=np.int16), chord_onset=rng.random(total) < 0.1,
        form=rng.integers(1, 9, (total, 3), dtype=np.uint8),
        chords=np.array([(root, 0b10010001, root) for root in range(12)], np.int16),
        starts=np.arange(0, total + 1, frames, dtype=np.int64), ids=np.array([str(n) for n in range(pieces)]),
        split=np.zeros(pieces, np.uint8), collection=np.arange(pieces, dtype=np.uint8) % 2,
        collections=np.array(["pop909", "nottingham"]),
    ).save(path)  # fmt: skip
    return path


def tokens_per_second(run: Run, steps: int) -> float:
    start, tokens = time.perf_counter(), 0
    for _ in range(steps):
        batch = run.source.draw(0, run.step, run.recipe.batch)
        run._update(batch)
        run.step += 1
        tokens += 2 * int(batch.lengths.sum())
    return tokens / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, default=Path(__file__).parent.parent / "recipes/release/online.yaml")
    parser.add_argument("--steps", type=int, default=8, help="steps a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pack", type=Path)
    arguments = parser.parse_args()
    if chosen_precision("auto") != "bf16-mixed":
        parser.error("bf16 products are not clearly faster than fp32 here. Measure on a GPU or another CPU.")
    with tempfile.TemporaryDirectory() as folder:
        pack = arguments.pack or random_pack(Path(folder) / "random.npz")
        runs = {
            precision: Run(
                load_recipe(arguments.recipe, (f"precision={precision}", f"data.pack={pack}", f"run=at-{precision}")),
                Path(folder), False,
            )
            for precision in PRECISIONS
        }  # fmt: skip
        best = dict.fromkeys(PRECISIONS, 0.0)
        for run in runs.values():
            tokens_per_second(run, 1)  # kernels are chosen and memory is fetched at the first step
        for _ in range(arguments.rounds):
            for precision, run in runs.items():
                best[precision] = max(best[precision], tokens_per_second(run, arguments.steps))
    cores = f"{os.cpu_count()} cores, {torch.get_num_threads()} threads"
    print(f"{platform.processor() or platform.machine()}, {cores}, {run.fabric.device.type}")
    print("| precision | tokens/s |\n|---|---:|")
    for precision, rate in best.items():
        print(f"| {precision} | {rate:,.0f} |")
    print(f"bf16 is {best['bf16-mixed'] / best['32-true']:.2f} times fp32")


if __name__ == "__main__":
    main()
