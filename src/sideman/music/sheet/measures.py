"""Figures of a set of sheets, real or generated: one truth for training and evaluation (spec 6.2, 7.7, 9).

Sheets are reduced or original text. Features are a judge's, float [pieces, D].
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.errors import BadSheet
from sideman.music.sheet import features as likeness
from sideman.music.sheet.alignment import align
from sideman.music.sheet.features import COPIED, Features
from sideman.music.sheet.interleaved import read_interleaved
from sideman.music.sheet.rests import complete
from sideman.music.sheet.shingles import Shingled


@dataclass(frozen=True)
class Bars:
    """Bars of a set of sheets; `uneven`: those whose voices differ in length or cannot be read; `unreadable`: sheets
    whose bars cannot be told at all, which count with none."""

    count: int
    uneven: int
    unreadable: int

    @property
    def error(self) -> float:
        """Share of uneven bars, the bar-alignment error; NaN without bars."""
        return self.uneven / self.count if self.count else float("nan")


def bars(texts: Sequence[str]) -> Bars:
    """Whether the voices of the bars fit together, once their rests are put back."""
    count = uneven = unreadable = 0
    for text in texts:
        try:
            sheet = read_interleaved(complete(text))
        except BadSheet:
            unreadable += 1
            continue
        count += len(sheet)
        uneven += align(sheet).uneven
    return Bars(count, uneven, unreadable)


def judged_figures(features: Features, truth: Features, unseen: Features | None = None) -> dict[str, float]:
    """What a judge says: `score`, the mean likeness to the mean of real pieces, and `score_unseen`, the same against
    pieces the judge did not learn from; `score_error`, the standard error of `score`; `self_similarity`, and 1 minus
    it, `diversity`; `copied`, the share of pieces that are too like a single real one."""
    scores = likeness.scores(truth, features)
    alike = likeness.self_similarity(features)
    out = {
        "score": float(scores.mean()),
        "score_error": float(scores.std(ddof=1)) / len(scores) ** 0.5 if len(scores) > 1 else float("nan"),
        "self_similarity": alike,
        "diversity": 1 - alike,
        "copied": float((likeness.nearest(truth, features) > COPIED).mean()),
    }
    if unseen is not None and len(unseen):
        out["score_unseen"] = likeness.average_score(unseen, features)
    return out


def written_figures(texts: Sequence[str], real: Shingled, among: NDArray[np.bool_] | None = None) -> dict[str, float]:
    """What is on the page: `uneven`, the share of bars whose voices differ in length; `unreadable`, the share of
    sheets without bars to tell; `bars`, their mean number; `overlap`, likeness to the real piece with most of the same
    turns, the mean over the sheets, and `overlap_most`, that of the sheet nearest to one. `among` [N, pieces]: which
    pieces each sheet is compared with, if not all."""
    found, overlap = bars(texts), real.nearest(texts, among)
    return {
        "bars": found.count / max(1, len(texts) - found.unreadable),
        "uneven": found.error,
        "unreadable": found.unreadable / max(1, len(texts)),
        "overlap": float(np.mean(overlap)) if len(overlap) else float("nan"),
        "overlap_most": float(overlap.max(initial=0.0)),
    }
