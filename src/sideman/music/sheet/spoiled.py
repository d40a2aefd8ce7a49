"""Sheets made wrong on purpose, so that a judge learns to hear what is right: of the same notes, bars and texture, but
with voices that do not belong together, bars in no order, wrong notes or wrong lengths."""

import re
from collections import defaultdict
from collections.abc import Callable

import numpy as np

from sideman.music.sheet.patches import split

_VOICE = re.compile(r"(\[V:\w+\])")
_UNHEARD = re.compile(r'(\[[A-Za-z]:[^\]]*\]|"[^"]*"|![^!]*!)')
_NOTE = re.compile(r"[A-Ga-g]")
_LENGTH = re.compile(r"(?<=[A-Ga-gz,'\]])\d+")
_LETTERS = "ABCDEFGabcdefg"
LEAST, MOST = 0.1, 0.5  # share of the notes or lengths that are made wrong


def spoil(text: str, rng: np.random.Generator) -> str:
    """A sheet spoiled in one of four ways, drawn by chance; one that changes nothing gives way to wrong notes."""
    ways: tuple[Callable[[str, np.random.Generator], str], ...] = (
        voices_apart, bars_in_disorder, wrong_notes, wrong_lengths,
    )  # fmt: skip
    out = ways[int(rng.integers(len(ways)))](text, rng)
    return wrong_notes(text, rng) if out == text else out


def voices_apart(text: str, rng: np.random.Generator) -> str:
    """Every voice has its bars in an order of its own."""
    header, body = split(text)
    lines = [_VOICE.split(line) for line in body]
    bars: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        for voice, bar in zip(line[1::2], line[2::2], strict=True):
            bars[voice].append(bar)
    mixed = {voice: iter(rng.permutation(np.array(own, np.object_)).tolist()) for voice, own in bars.items()}
    written = ["".join([line[0], *(voice + next(mixed[voice]) for voice in line[1::2])]) for line in lines]
    return "\n".join([*header, *written, ""])


def bars_in_disorder(text: str, rng: np.random.Generator) -> str:
    """All voices together, but no bar where it belongs."""
    header, body = split(text)
    return "\n".join([*header, *(body[i] for i in rng.permutation(len(body)).tolist()), ""])


def wrong_notes(text: str, rng: np.random.Generator) -> str:
    """Some notes are any others."""
    return _replaced(text, _NOTE, _LETTERS, rng)


def wrong_lengths(text: str, rng: np.random.Generator) -> str:
    """Some lengths are any others, so that bars are too long and too short."""
    return _replaced(text, _LENGTH, "123468", rng)


def _replaced(text: str, pattern: re.Pattern[str], others: str, rng: np.random.Generator) -> str:
    share = rng.uniform(LEAST, MOST)

    def other(found: re.Match[str]) -> str:
        return others[int(rng.integers(len(others)))] if rng.random() < share else found[0]

    header, body = split(text)
    heard = (_UNHEARD.split(line) for line in body)
    lines = ["".join(part if n % 2 else pattern.sub(other, part) for n, part in enumerate(parts)) for parts in heard]
    return "\n".join([*header, *lines, ""])
