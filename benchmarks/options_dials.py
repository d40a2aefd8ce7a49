"""What each dial of the options does to the music, on pieces of the test split: five options a setting.

python benchmarks/options_dials.py [--pieces 8] [--collection pop909,nottingham] [--seed 0]
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from sideman.evaluate.model_systems import song_of
from sideman.evaluate.pieces import load_packs, select
from sideman.home import home
from sideman.music.cadence import TARGETS
from sideman.music.chord import Chord
from sideman.music.measures import bar_count
from sideman.music.pitch import parse_key
from sideman.music.roman import in_key
from sideman.music.song import Song
from sideman.options.answer import Option
from sideman.options.likeness import Style, read_chart
from sideman.options.offer import offer
from sideman.options.request import Request

EXAMPLE = "Dm9 . G13 . | Cmaj9 | Fmaj7 . Em7 A7b9 | Dm9"


def chords(option: Option) -> list[Chord]:
    return [chord for each in option.chords if (chord := Chord.parse(each.symbol)) is not None]


def tones(option: Option) -> float:
    return float(np.mean([len(chord.tones) for chord in chords(option)]))


def foreign(option: Option) -> float:
    key = parse_key(option.explanation.keys[0].key)
    return float(np.mean([not in_key(chord, key) for chord in chords(option)]))


def motion(option: Option) -> float:
    steps = [(two.bass - one.bass) % 12 for one, two in pairwise(chords(option))]
    return float(np.mean([min(step, 12 - step) for step in steps])) if steps else 0.0


def inverted(option: Option) -> float:
    return float(np.mean([chord.bass != chord.root for chord in chords(option)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pieces", type=int, default=8, help="at most so many in all")
    parser.add_argument("--collection", default="pop909,nottingham")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    names = arguments.collection.split(",")
    pieces = select(load_packs(names, home()), "test", names, max(1, arguments.pieces // len(names))).truth
    songs = [(song_of(piece), bar_count(piece)) for piece in pieces]
    style = read_chart(EXAMPLE)

    def likeness(option: Option, bars: float) -> float:
        return style.likeness(Style.of(chords(option), bars))

    def row(name: str, measures: Sequence[Callable[[Option, float], float]], **dials: object) -> None:
        found = []
        for song, bars in songs:
            options = offer(request(song, arguments.seed, dials)).options
            found += [[measure(option, bars) for measure in measures] for option in options if option.chords]
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in np.mean(found, axis=0)) + " |", flush=True)

    def per_bar(option: Option, bars: float) -> float:
        return len(option.chords) / bars

    def harmony(option: Option, bars: float) -> float:
        return option.note_in_chord or 0.0

    def plain(measure: Callable[[Option], float]) -> Callable[[Option, float], float]:
        return lambda option, bars: measure(option)

    measures = [harmony, per_bar, plain(tones), plain(foreign), plain(motion), plain(inverted), likeness]
    print("| dial | note in chord | chords a bar | tones a chord | out of the key | bass motion | inverted | like |")
    print("| :-- |" + " --: |" * len(measures))
    row("none", measures)
    for dial, settings in (
        ("complexity", ("triads", "sevenths", "extensions")),
        ("bass", (0.0, 0.5, 1.0)),
        ("key", ("lock", "free")),
        ("surprise", (0.0, 0.5, 1.0)),
        ("density", (0.5, 2.0)),
    ):
        for setting in settings:
            row(f"{dial} {setting}", measures, **{dial: setting})
    row(f"like `{EXAMPLE}`".replace("|", "\\|"), measures, like=style)
    print("\n| cadence asked for | note in chord | options that end so |\n| :-- | --: | --: |")
    for target in TARGETS:
        row(target, [harmony, partial(ends, target)], cadence=target)


def ends(target: str, option: Option, bars: float) -> float:
    return float(option.explanation.cadence == target)


def request(song: Song, seed: int, dials: dict[str, object]) -> Request:
    return Request(song, seed=seed, **dials)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
