"""How good five options are: against the chords of the data, the harmoniser by rule, and each other.

    python benchmarks/options_quality.py [--pieces 60] [--collection pop909,nottingham] [--split test] [--seed 0]

Roots are compared frame by frame where both have a chord. "Best of 5" takes, for each piece, the option nearest to
the data: what a player finds who looks through all of them; "bar by bar" takes the best option for each bar, as who
keeps bars and asks again. Harmonies other than the data's are not wrong: read it as a hint.
"""

import argparse
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sideman.evaluate import viterbi
from sideman.evaluate.agreement import same_root
from sideman.evaluate.baselines import without_chords
from sideman.evaluate.model_systems import offered
from sideman.evaluate.pieces import load_packs, select
from sideman.home import home
from sideman.music.frames import Frames
from sideman.music.measures import bar_starts, chord_masks, note_in_chord, silence

N = 5


def share(frames: Frames, truth: Frames) -> float:
    """Frames with the same root, of those in which both have a chord; 0 where that is never."""
    same, valid = same_root(frames, truth)
    return float(same.sum()) / max(1, int(valid.sum()))


def bar_by_bar(options: Sequence[Frames], truth: Frames) -> float:
    """Mean over bars of the share of the option nearest to the data in that bar."""
    edges = [*bar_starts(truth), len(truth)]
    return float(np.mean([max(share(o.crop(a, b), truth.crop(a, b)) for o in options) for a, b in pairwise(edges)]))


def mean_difference(options: Sequence[Frames]) -> float:
    """Mean over pairs of the share of frames that differ in pitch-class set."""
    masks = [chord_masks(option) for option in options]
    pairs = [(a != b).mean() for i, a in enumerate(masks) for b in masks[:i]]
    return float(np.mean(pairs)) if pairs else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pieces", type=int, default=60, help="at most so many in all")
    parser.add_argument("--collection", default="pop909,nottingham")
    parser.add_argument("--split", default="test")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    names = arguments.collection.split(",")
    chosen = select(load_packs(names, home()), arguments.split, names, max(1, arguments.pieces // len(names)))
    rows: list[dict[str, float]] = []
    everything: dict[str, list[Frames]] = {"the data": [], "by rule (Viterbi)": [], "options, ranked first": []}
    everything["options, all five"] = []
    for truth in chosen.truth:
        melody = without_chords(truth)
        start = time.perf_counter()
        options = offered(melody, N, arguments.seed)
        seconds = time.perf_counter() - start
        rule = viterbi.harmonise(melody)
        rows.append({
            "by rule (Viterbi)": share(rule, truth),
            "by rule, bar by bar": bar_by_bar([rule], truth),
            "options, ranked first": share(options[0], truth),
            "options, mean of 5": float(np.mean([share(o, truth) for o in options])),
            "options, best of 5": max(share(o, truth) for o in options),
            "options, best of 5 bar by bar": bar_by_bar(options, truth),
            "mean difference of two options": mean_difference(options),
            "options found": len(options),
            "seconds": seconds,
        })  # fmt: skip
        everything["the data"].append(truth)
        everything["by rule (Viterbi)"].append(rule)
        everything["options, ranked first"].append(options[0])
        everything["options, all five"] += options
    print(f"{len(rows)} pieces of {arguments.collection}, {arguments.split} split, seed {arguments.seed}\n")
    print("| mean over pieces | same root as the data |\n| :-- | --: |")
    for name in rows[0]:
        print(f"| {name} | {np.mean([row[name] for row in rows]):.3f} |")
    print("\n| all frames | note in chord | silence under melody |\n| :-- | --: | --: |")
    for name, pieces in everything.items():
        print(f"| {name} | {note_in_chord(pieces):.3f} | {silence(pieces):.3f} |")


if __name__ == "__main__":
    main()
