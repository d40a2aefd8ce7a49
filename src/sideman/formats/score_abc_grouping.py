"""The `%%score` line of ABC -> which voices share a staff, which staves a part, which parts a bracket."""

import re
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Literal

from sideman.music.score import Group


@dataclass(slots=True)
class _Range:
    """Staves `first` up to `last` (excluded) within brackets of one kind."""

    kind: Literal["bracket", "brace"]
    first: int
    last: int
    joined: bool = False


@dataclass(slots=True)
class Grouping:
    """Voices by part and staff, and the groups of parts."""

    parts: list[list[list[str]]] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)


def read_grouping(directive: str, voices: list[str], named: Container[str]) -> Grouping:
    """`1 { ( 2 4 ) | 3 }` -> Grouping. `voices` not mentioned become parts of their own at the end.

    A brace holds the staves of one part, unless a later voice in it is `named` as a part of its own.
    Brackets that are never closed end with the line.
    """
    staves, ranges = _staves(directive, voices)
    mentioned = {voice for staff in staves for voice in staff}
    staves += [[voice] for voice in voices if voice not in mentioned]
    joined = [r for r in ranges if r.kind == "brace" and not _is_group(staves[r.first + 1 : r.last], named)]
    found = Grouping()
    starts: list[int] = []  # first staff of each part
    for number, staff in enumerate(staves):
        if any(r.first < number < r.last for r in joined):
            found.parts[-1].append(staff)
        else:
            found.parts.append([staff])
            starts.append(number)
    for r in ranges:
        first = sum(start < r.first for start in starts)
        last = sum(start < r.last for start in starts) - 1
        if r not in joined and last > first:
            found.groups.append(Group(first, last, r.kind, r.joined))
    return found


def _is_group(staves: list[list[str]], named: Container[str]) -> bool:
    return any(staff[0] in named for staff in staves)


def _staves(directive: str, voices: list[str]) -> tuple[list[list[str]], list[_Range]]:
    """Staves in order, and the brackets around them."""
    staves: list[list[str]] = []
    ranges: list[_Range] = []
    opened: list[_Range] = []
    shared = False
    seen: set[str] = set()
    for token in re.findall(r"[(){}\[\]|]|[^\s(){}\[\]|]+", directive):
        if token in "{[":
            opened.append(_Range("brace" if token == "{" else "bracket", len(staves), len(staves)))
        elif token in "}]":
            if opened:
                ranges.append(opened.pop())
                ranges[-1].last = len(staves)
        elif token == "|":
            for r in opened:
                r.joined = True
        elif token in "()":
            shared = token == "("
            if shared:
                staves.append([])
        elif token in voices and token not in seen:
            seen.add(token)
            if not shared:
                staves.append([])
            staves[-1].append(token)
    for r in reversed(opened):
        r.last = len(staves)
        ranges.append(r)
    empty = [number for number, staff in enumerate(staves) if not staff]
    for r in ranges:
        r.first -= sum(number < r.first for number in empty)
        r.last -= sum(number < r.last for number in empty)
    kept = sorted((r for r in ranges if r.last > r.first), key=lambda r: (r.first, -r.last))
    return [staff for staff in staves if staff], kept
