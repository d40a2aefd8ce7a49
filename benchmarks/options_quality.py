"""How good five options are: against the chords of the data, the harmoniser by rule, and each other.

    python benchmarks/options_quality.py [--pieces 60] [--collection pop909,nottingham] [--split test] [--seed 0]

Roots are compared frame by frame where both have a chord. "Best of 5" takes, for each piece, the option nearest to
the data: what a player finds who looks through all of them; "in each bar" takes the best of N for each bar, as who
keeps bars and asks again. The rules have one answer, the same in every column; the key prior is drawn N times, and
"its N commonest" puts the N commonest chords of the key on every bar. Harmonies other than the data's are not wrong:
read it as a hint.
"""

import argparse
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sideman.evaluate import viterbi
from sideman.evaluate.agreement import same_root
from sideman.evaluate.baselines import KeyPrior, fit_key_prior, with_chords, without_chords
from sideman.evaluate.model_systems import offered
from sideman.evaluate.pieces import load_packs, select
from sideman.home import home
from sideman.music.frames import Frames
from sideman.music.measures import bar_starts, chord_masks, note_in_chord, silence
from sideman.music.tonality import estimate_key

N = 5
TOPS = (1, 5, 16)


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


def commonest(prior: KeyPrior, melody: Frames, count: int) -> list[Frames]:
    """The commonest chords of the melody's key, one all the way in each answer."""
    key = estimate_key(melody.melody)
    return [with_chords(melody, [0], [chord.transpose(key.tonic)]) for chord in prior.chords[key.mode][:count]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pieces", type=int, default=60, help="at most so many in all")
    parser.add_argument("--collection", default="pop909,nottingham")
    parser.add_argument("--split", default="test")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    names = arguments.collection.split(",")
    packs = load_packs(names, home())
    prior = fit_key_prior(select(packs, "train", names).truth)
    chosen = select(packs, arguments.split, names, max(1, arguments.pieces // len(names)))
    rows: list[dict[str, float]] = []
    everything: dict[str, list[Frames]] = {"the data": [], "by rule (Viterbi)": [], "options, ranked first": []}
    everything["options, all five"] = []
    bars: dict[str, list[list[float]]] = {}
    for truth in chosen.truth:
        melody = without_chords(truth)
        start = time.perf_counter()
        options = offered(melody, N, arguments.seed)
        seconds = time.perf_counter() - start
        rule = viterbi.harmonise(melody)
        rows.append({
            "by rule (Viterbi)": share(rule, truth),
            "options, ranked first": share(options[0], truth),
            "options, mean of 5": float(np.mean([share(o, truth) for o in options])),
            "options, best of 5": max(share(o, truth) for o in options),
            "mean difference of two options": mean_difference(options),
            "options found": len(options),
            "seconds": seconds,
        })  # fmt: skip
        drawn = [prior.harmonise(melody, seed) for seed in range(max(TOPS))]
        common = commonest(prior, melody, max(TOPS))
        for name, found in (
            ("options", [options[:1], options, offered(melody, max(TOPS), arguments.seed)]),
            ("by rule (Viterbi)", [[rule]] * len(TOPS)),
            ("key prior, drawn", [drawn[:top] for top in TOPS]),
            ("key prior, its N commonest", [common[:top] for top in TOPS]),
        ):
            bars.setdefault(name, []).append([bar_by_bar(progressions, truth) for progressions in found])
        everything["the data"].append(truth)
        everything["by rule (Viterbi)"].append(rule)
        everything["options, ranked first"].append(options[0])
        everything["options, all five"] += options
    print(f"{len(rows)} pieces of {arguments.collection}, {arguments.split} split, seed {arguments.seed}\n")
    print("| mean over pieces | same root as the data |\n| :-- | --: |")
    for name in rows[0]:
        print(f"| {name} | {np.mean([row[name] for row in rows]):.3f} |")
    print(
        "\n| the data's root in each bar | "
        + " | ".join(f"top-{top}" for top in TOPS)
        + " |\n| :-- |"
        + " --: |" * len(TOPS)
    )
    for name, shares in bars.items():
        print(f"| {name} | " + " | ".join(f"{share:.3f}" for share in np.mean(shares, axis=0)) + " |")
    print("\n| all frames | note in chord | silence under melody |\n| :-- | --: | --: |")
    for name, pieces in everything.items():
        print(f"| {name} | {note_in_chord(pieces):.3f} | {silence(pieces):.3f} |")


if __name__ == "__main__":
    main()
