"""Which of the generated pieces a model should be more like, and which less (spec 6.2)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.errors import BadSheet, WrongValue
from sideman.music.sheet.alignment import align
from sideman.music.sheet.features import COPIED
from sideman.music.sheet.interleaved import read_interleaved
from sideman.music.sheet.patches import split
from sideman.music.sheet.rests import complete

_NAME = re.compile(r'\bnm="([^"]+)"')


@dataclass(frozen=True)
class Choice:
    """Places of pieces, best first: `chosen` and `rejected`. `misaligned`, `ungrouped`, `copied`: how many better ones
    were passed over for each reason before there were enough."""

    chosen: tuple[int, ...]
    rejected: tuple[int, ...]
    misaligned: int = 0
    ungrouped: int = 0
    copied: int = 0


def choose(
    texts: Sequence[str],
    scores: NDArray[np.float64],
    nearest: NDArray[np.float64],
    portion: float = 0.1,
    copied: float = COPIED,
) -> Choice:
    """Of N pieces in original text the best `portion` that are aligned, grouped and no copies, and the worst `portion`.

    `scores` [N]: the judge's; `nearest` [N]: likeness to the most alike real piece. A piece is never on both sides: if
    so few pass that they would meet, there are fewer rejected ones. Raises WrongValue for fewer than two pieces a side
    in all.
    """
    wanted = int(len(texts) * portion)
    if wanted < 1:
        raise WrongValue(
            f"{len(texts)} pieces with portion {portion:g} are none to choose.", "Generate more, or raise portion."
        )
    order = np.argsort(-scores, kind="stable").tolist()
    chosen: list[int] = []
    passed_over = {"misaligned": 0, "ungrouped": 0, "copied": 0}
    for place in order:
        if len(chosen) == wanted:
            break
        fault = _fault(texts[place], float(nearest[place]), copied)
        if fault:
            passed_over[fault] += 1
        else:
            chosen.append(place)
    taken = set(chosen)
    return Choice(tuple(chosen), tuple(place for place in order[-wanted:] if place not in taken), **passed_over)


def _fault(text: str, nearest: float, copied: float) -> str:
    if not is_aligned(text):
        return "misaligned"
    if not is_grouped(text):
        return "ungrouped"
    return "copied" if nearest > copied else ""


def is_aligned(text: str) -> bool:
    """Whether all voices have the same barlines and bars of the same length, once their rests are put back."""
    try:
        return align(read_interleaved(complete(text))).good
    except BadSheet:
        return False


def is_grouped(text: str) -> bool:
    """Whether the staves of every named instrument stand together."""
    header, _ = split(text)
    seen: list[str] = []
    for line in header:
        found = _NAME.search(line) if line.startswith("V:") else None
        if found is None:
            continue
        if found[1] in seen[:-1] and found[1] != seen[-1]:
            return False
        seen.append(found[1])
    return True
