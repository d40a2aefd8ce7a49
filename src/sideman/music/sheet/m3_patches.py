"""Patches of the music encoder M3 and of CLaMP 2: a bar of a voice, a header line, or a run of MIDI messages
(spec 7.1), 64 characters each.

Ids are ASCII codes. The text is ASCII already: interleaved ABC as `music.sheet` writes it, or MTF.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sideman.errors import WrongValue

PATCH = 64
VOCABULARY = 128
PAD, BOS, EOS, MASK = range(4)
WINDOW = 512  # patches the published networks read at once
MTF_START = "ticks_per_beat"

Patches = NDArray[np.int64]

_BARLINES = ("|:", "::", ":|", "[|", "||", "|]", "|")
_SPLIT = re.compile("(" + "|".join(map(re.escape, _BARLINES)) + ")")
_LINE = re.compile(r"[^\n]+\n?")
_HEADER = re.compile(r"[A-Za-z]:|%%")


def encode(text: str, special: bool = True) -> Patches:
    """Text -> patches [n, 64], with `special` between a begin and an end patch. Raises WrongValue for text
    beyond ASCII."""
    rows = [encode_unit(unit) for unit in units(text)]
    if special:
        rows = [np.full(PATCH, BOS), *rows, np.array([BOS] + [EOS] * (PATCH - 1))]
    return np.stack(rows).astype(np.int64) if rows else np.zeros((0, PATCH), np.int64)


def encode_unit(unit: str) -> Patches:
    """One patch [64]: BOS, the characters, EOS, cut where it is full."""
    ids = [BOS, *(ord(char) for char in unit), EOS][:PATCH]
    if max(ids) >= VOCABULARY:
        raise WrongValue(f"{unit!r} is not ASCII.", "Transliterate the text first.")
    return np.array(ids + [PAD] * (PATCH - len(ids)))


def decode(patches: Patches) -> list[str]:
    """The text of each patch, empty for special ones; what was cut stays cut."""
    return ["".join(chr(i) for i in row if i > MASK) for row in patches.tolist()]


def units(text: str) -> list[str]:
    """The texts that become a patch each."""
    lines = _LINE.findall(text)
    if lines and lines[0].split()[:1] == [MTF_START]:
        return _merged(lines)
    return [unit for line in lines for unit in ([line] if _HEADER.match(line) else _bars(line))]


def _bars(line: str) -> list[str]:
    """Text and the barline that closes it, a leading barline with the first; what follows the last one is dropped."""
    parts = [part for part in _SPLIT.split(line) if part]
    if parts[0] in _BARLINES:
        parts = ["".join(parts[:2]), *parts[2:]]
    bars = [text + barline for text, barline in zip(parts[::2], parts[1::2], strict=False)]
    return [*bars[:-1], f"{bars[-1]}\n"] if bars else []


def _merged(lines: Sequence[str]) -> list[str]:
    """MIDI messages of one type share a patch as long as it has room, separated by tabs."""
    out: list[str] = []
    for line in lines:
        kind, _, values = line.partition(" ")
        if out and out[-1].startswith(kind) and len(out[-1]) + len(values) <= PATCH - 2:
            out[-1] = f"{out[-1][:-1]}\t{values}"
        else:
            out.append(line)
    return out


def truncate(patches: Patches, limit: int = WINDOW, draw: np.random.Generator | None = None) -> Patches:
    """At most `limit` patches: the first, or with `draw` the first, the last or some in the middle, alike often."""
    spare = len(patches) - limit
    if spare <= 0:
        return patches
    at = 0 if draw is None else (0, spare, int(draw.integers(spare + 1)))[int(draw.integers(3))]
    return patches[at : at + limit]
