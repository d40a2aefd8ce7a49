"""A score of several movements -> a score for each: where the numbers of its bars begin again, one does.

A movement begins with the clefs, keys, metre and tempo in force there, and keeps only the voices it uses.
"""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

from sideman.music.score import ZERO, Part, Score, StaffBar, Voice

T = TypeVar("T")


def movements(score: Score) -> tuple[Score, ...]:
    """The movements of a score in order; the score itself where it has one."""
    starts = [0, *_restarts(score)]
    if len(starts) == 1:
        return (score,)
    return tuple(_cut(score, first, last) for first, last in pairwise([*starts, len(score.bars)]))


def _restarts(score: Score) -> list[int]:
    """Bars with which a further movement begins: one numbered 1, or the pickup before it."""
    found: list[int] = []
    for i, bar in enumerate(score.bars[1:], start=1):
        if bar.number in ("0", "1") and score.bars[i - 1].number != "0":
            before = score.bars[i - 1]
            pickup = not before.number and before.right == "regular"
            if i - pickup > (found[-1] if found else 0):
                found.append(i - pickup)
    return [start for start in found if any(bar.number not in ("", "0") for bar in score.bars[:start])]


def _cut(score: Score, first: int, last: int) -> Score:
    """Bars `first` to `last` as a score."""
    bars = list(score.bars[first:last])
    metres = [bar.metre for bar in score.bars[: first + 1] if bar.metre is not None]
    tempos = [tempo for bar in score.bars[:first] for tempo in bar.tempos]
    opening = bars[0].tempos
    if tempos and not any(tempo.onset == ZERO for tempo in opening):
        opening = (replace(tempos[-1], onset=ZERO), *opening)
    bars[0] = replace(bars[0], metre=metres[-1] if metres else None, tempos=opening)
    return replace(score, bars=tuple(bars), parts=tuple(_part(part, first, last) for part in score.parts))


def _part(part: Part, first: int, last: int) -> Part:
    staves = tuple((_opening(staff, first), *staff[first + 1 : last]) for staff in part.staves)
    voices = [replace(voice, bars=voice.bars[first:last]) for voice in part.voices]
    homes: set[int] = set()
    kept = []
    for voice in voices:
        if voice.staff not in homes or _sounds(voice):
            kept.append(voice)
        homes.add(voice.staff)
    return replace(part, voices=tuple(kept), staves=staves)


def _opening(staff: tuple[StaffBar, ...], first: int) -> StaffBar:
    """What a staff shows in bar `first`, with the clef and the key that hold there."""
    bar = staff[first]
    clefs = [entry for before in staff[:first] for entry in before.clefs]
    keys = [entry for before in staff[:first] for entry in before.keys]
    return replace(bar, clefs=_held(clefs, bar.clefs), keys=_held(keys, bar.keys))


def _held(before: list[tuple[Fraction, T]], here: tuple[tuple[Fraction, T], ...]) -> tuple[tuple[Fraction, T], ...]:
    """Changes of a bar, led by the last one before it unless one stands at its start."""
    if not before or any(onset == ZERO for onset, _ in here):
        return here
    return ((ZERO, before[-1][1]), *here)


def _sounds(voice: Voice) -> bool:
    """Whether a voice has a note or a rest one sees."""
    return any(event.notes or not event.hidden for bar in voice.bars for event in bar)
