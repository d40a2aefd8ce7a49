"""Whether composed pieces are scores: how many convert to MusicXML and are engraved, how many bars have voices of
different lengths, with and without constraints.

    python benchmarks/compose_quality.py [--pieces 100] [--bars 16] [--temperature 0.9] [--model sheet] [--free]
        [--prompt Romantic "Schubert, Franz" "Art Song"]

Needs the extra `score`. Pieces are written eight at a time; with --free the model writes what it likes, in --seconds.
"""

import argparse
import collections
import time
from collections.abc import Iterator

import numpy as np

from sideman.compose.compose import Finished, compose
from sideman.compose.request import ComposeRequest
from sideman.errors import SidemanError
from sideman.formats.score_abc import from_abc
from sideman.formats.score_engrave import svg_pages
from sideman.formats.score_musicxml_write import write
from sideman.music.sheet.alignment import align
from sideman.music.sheet.interleaved import read_interleaved

AT_ONCE = 8


def pieces(given: argparse.Namespace) -> Iterator[Finished]:
    period, composer, instrumentation = given.prompt
    for first in range(0, given.pieces, AT_ONCE):
        request = ComposeRequest(
            bars=None if given.free else given.bars, count=min(AT_ONCE, given.pieces - first), seed=first,
            temperature=given.temperature, constrained=not given.free, model=given.model,
            seconds=given.seconds if given.free else None,
            period=period, composer=composer, instrumentation=instrumentation,
        )  # fmt: skip
        yield from (event for event in compose(request) if isinstance(event, Finished))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pieces", type=int, default=100)
    parser.add_argument("--bars", type=int, default=16)
    parser.add_argument("--temperature", type=float, default=0.9)
    parser.add_argument("--model", default="sheet")
    parser.add_argument("--prompt", nargs=3, default=("", "", ""), metavar=("PERIOD", "COMPOSER", "INSTRUMENTATION"))
    parser.add_argument("--free", action="store_true", help="without constraints")
    parser.add_argument("--seconds", type=float, default=60.0, help="of a batch of free pieces")
    given = parser.parse_args()
    counts, failures, seconds = collections.Counter[str](), collections.Counter[str](), []
    began = time.perf_counter()
    for piece in pieces(given):
        counts["pieces"] += 1
        seconds.append(piece.seconds)
        try:
            if piece.problem:
                raise SidemanError(piece.problem)
            sheet = read_interleaved(piece.abc)
            counts["bars"] += piece.bars
            counts["uneven"] += align(sheet).uneven
            score = from_abc(piece.abc)
            write(score)
            counts["converted"] += 1
            counts["engraved"] += bool(svg_pages(score))
        except SidemanError as error:
            failures[error.message[:100]] += 1
    total, uneven = counts["pieces"], counts["uneven"] / max(1, counts["bars"])
    print(
        f"{total} pieces: {counts['converted'] / total:.1%} convert to MusicXML, "
        f"{counts['engraved'] / total:.1%} are engraved; {uneven:.2%} of {counts['bars']} bars are uneven; "
        f"a batch of {AT_ONCE} took {np.median(seconds):.1f} s, all {time.perf_counter() - began:.0f} s"
    )
    for message, count in failures.most_common():
        print(f"  {count} x {message}")


if __name__ == "__main__":
    main()
