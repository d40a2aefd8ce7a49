"""How soon a system finds its harmony again after the melody has turned to another key, as a number.

The yardstick is the same system on the melody that does not turn, with the same draws, beat by beat: that leaves out
what else changes along a piece. Both are pooled over pieces and seeds. With `k` beats since the turn,

    r(k) = note in chord of beats k-1, k, k+1 (those since the turn, before the next) / the same without the turn
    s(k) = note in chord of beats k .. k+3 / the same without the turn

and the beats to recover are the smallest `k` where r(k) and s(k) are 0.9 or more: harmony is back, and for a bar, not
for one lucky beat. Three beats are smoothed because one beat of 182 pieces and 3 seeds still moves by some points. 0
means that the turn was not to be heard, infinity that harmony stayed away until the next turn. The interval comes from
drawing the pieces again with replacement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.evaluate.perturb import Perturbation, Turn
from sideman.music.frames import WINDOW_FRAMES, Frames
from sideman.music.measures import beat_counts, ratio
from sideman.music.metre import FRAMES_PER_BEAT

SHARE = 0.9
SETTLED_BEATS = 4
RESAMPLES, INTERVAL = 500, (0.05, 0.95)
BEATS = WINDOW_FRAMES // FRAMES_PER_BEAT

Counts = NDArray[np.int64]
Runs = Sequence[Sequence[Frames]]


@dataclass(frozen=True)
class Recovery:
    """After one turn: `beats` to recover (infinite: not before the next turn), between `low` and `high` with 90 %
    confidence. Note in chord: `before` the turn, in the `first` four beats and `after` them, and `usual`: after them on
    the melody without the turn."""

    turn: Turn
    beats: float
    low: float
    high: float
    before: float
    first: float
    after: float
    usual: float


@dataclass(frozen=True)
class Adaptation:
    """A system on melodies that turn (`turned`) and the same that do not (`plain`): counts int [P, 2, 64] of frames in
    the chord and frames that count, by piece and beat, over all seeds."""

    name: str
    plain: Counts
    turned: Counts
    recoveries: tuple[Recovery, ...]

    def curve(self, turned: bool) -> NDArray[np.float64]:
        """Note in chord by beat, [64], NaN where nothing counts."""
        inside, valid = (self.turned if turned else self.plain).sum(axis=0)
        return np.where(valid > 0, inside / np.maximum(valid, 1), np.nan)


def adaptation(name: str, plain: Runs, turned: Runs, perturbation: Perturbation) -> Adaptation:
    """Compare what a system did, `runs[seed][piece]`, on melodies that turn and on the same that do not."""
    still, moved = _counts(plain), _counts(turned)
    recoveries = tuple(_recovery(still, moved, turn) for turn in perturbation.turns)
    return Adaptation(name, still, moved, recoveries)


def recovery_beats(plain: Counts, turned: Counts) -> NDArray[np.float64]:
    """Beats to recover, float [...], from counts [..., 2, K] of the K beats since a turn; see above."""
    beats = np.arange(plain.shape[-1])
    reached = _back(plain, turned, beats - 1, beats + 2) & _back(plain, turned, beats, beats + SETTLED_BEATS)
    return np.where(reached.any(-1), reached.argmax(-1), np.inf)


def to_markdown(adaptations: Sequence[Adaptation]) -> str:
    """A row a system and turn."""
    lines = [
        "| system | turn at beat | beats to recover 90 % | note in chord before (%) | first 4 beats | after them | "
        "after them, without the turn |",
        "| :-- | --: | --: | --: | --: | --: | --: |",
    ]
    for one in adaptations:
        for found in one.recoveries:
            turn = f"{found.turn.beat} ({found.turn.step:+d})"
            shares = " | ".join(f"{100 * x:.1f}" for x in (found.before, found.first, found.after, found.usual))
            lines.append(f"| {one.name} | {turn} | {recovery_text(found)} | {shares} |")
    return "\n".join(lines) + "\n"


def recovery_text(found: Recovery) -> str:
    """`3 (2 to 5)`; beats that were not enough as `> 8`."""
    room = found.turn.until - found.turn.beat
    best, low, high = (f"> {room}" if np.isinf(x) else f"{x:.0f}" for x in (found.beats, found.low, found.high))
    return f"{best} ({low} to {high})"


def to_json(one: Adaptation) -> list[dict[str, object]]:
    """Each turn with its figures; null for harmony that did not come back."""
    return [
        {
            "beat": found.turn.beat, "step": found.turn.step,
            **{name: None if np.isinf(x) else x for name, x in
               (("recovery", found.beats), ("low", found.low), ("high", found.high))},
            "before": found.before, "first": found.first, "after": found.after, "usual": found.usual,
        }
        for found in one.recoveries
    ]  # fmt: skip


def _counts(runs: Runs) -> Counts:
    """Counts by piece, over the seeds."""
    return np.asarray(np.sum([beat_counts(run, BEATS) for run in runs], axis=0))


def _recovery(plain: Counts, turned: Counts, turn: Turn) -> Recovery:
    since = slice(turn.beat, turn.until)
    still, moved = plain[..., since], turned[..., since]
    pieces = len(plain)
    again = np.random.default_rng(0).multinomial(pieces, np.full(pieces, 1 / pieces), RESAMPLES)
    drawn = recovery_beats(np.tensordot(again, still, 1), np.tensordot(again, moved, 1))
    # Picked and not interpolated: between a number and infinity there is nothing.
    low, high = np.sort(drawn)[[int(RESAMPLES * share) for share in INTERVAL]].tolist()
    return Recovery(
        turn,
        float(recovery_beats(still.sum(0), moved.sum(0))),
        low,
        high,
        before=_share(turned[..., max(0, turn.beat - 8) : turn.beat]),
        first=_share(moved[..., :SETTLED_BEATS]),
        after=_share(moved[..., SETTLED_BEATS:]),
        usual=_share(still[..., SETTLED_BEATS:]),
    )


def _share(counts: Counts) -> float:
    inside, valid = counts.sum(axis=(0, 2)).tolist()
    return ratio(inside, valid)


def _back(plain: Counts, turned: Counts, first: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the share of each window is 90 % of what it is without the turn, but for rounding; False where one has
    no case."""
    with np.errstate(invalid="ignore"):
        return np.asarray(_shares(turned, first, stop) >= SHARE * _shares(plain, first, stop) - 1e-9)


def _shares(counts: Counts, first: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.float64]:
    """Pooled share of the beats first..stop-1 of each window, [..., K]; NaN for a window without a case."""
    length = counts.shape[-1]
    summed = np.concatenate([np.zeros((*counts.shape[:-1], 1)), counts.cumsum(-1)], -1)
    within = summed[..., stop.clip(max=length)] - summed[..., first.clip(min=0)]
    inside, valid = within[..., 0, :], within[..., 1, :]
    return np.where(valid > 0, inside / np.maximum(valid, 1), np.nan)
