"""How training speeds up with processes: torchrun with 1, 2, ... of them, one thread each, the same steps and batch.

    python benchmarks/scaling.py [--processes 1 2] [--steps 12] [--rounds 2] [--pack FILE.npz]

The network is the online release model, 16 windows of 256 frames a step whatever the number of processes. The rounds
take turns; of each the fastest step counts, as the log has it, without the first two. On GPUs a process has one each.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from training import random_pack

RECIPE = Path(__file__).parent.parent / "recipes/release/online.yaml"
WARM = 2


def tokens_per_second(processes: int, steps: int, pack: Path, folder: Path) -> float:
    """The fastest step of one run."""
    run = f"scaling-{processes}"
    choices = [f"run={run}", f"data.pack={pack}", f"steps={steps}", "log_every=1", "sample_every=100000"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command += ["-m", "sideman", "train", str(RECIPE), "--runs", str(folder), *choices, "validate_every=100000"]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    log = [json.loads(line) for line in (folder / run / "log.jsonl").read_text().splitlines()]
    return max(line["tokens_per_second"] for line in log if line["step"] > WARM and "tokens_per_second" in line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--pack", type=Path)
    arguments = parser.parse_args()
    best = dict.fromkeys(arguments.processes, 0.0)
    with tempfile.TemporaryDirectory() as scratch:
        pack = arguments.pack or random_pack(Path(scratch) / "random.npz")
        for number in range(arguments.rounds):
            for processes in best:
                folder = Path(scratch) / f"{number}-{processes}"
                best[processes] = max(best[processes], tokens_per_second(processes, arguments.steps, pack, folder))
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| processes | tokens/s | times the first | of the ideal |\n|--:|--:|--:|--:|")
    one, first = arguments.processes[0], best[arguments.processes[0]]
    for processes, rate in best.items():
        print(f"| {processes} | {rate:,.0f} | {rate / first:.2f} | {100 * rate / first * one / processes:.0f} % |")


if __name__ == "__main__":
    main()
