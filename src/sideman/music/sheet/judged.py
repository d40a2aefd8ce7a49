"""What a judge reads of a sheet, as M3 patches: CLaMP 2 what it was taught on, our own judge the notes alone."""

import re
from typing import Literal

import numpy as np

from sideman.music.sheet import m3_patches
from sideman.music.sheet.m3_patches import Patches
from sideman.music.sheet.patches import split, untag
from sideman.music.sheet.prompts import without_prompt
from sideman.music.sheet.rests import complete

Reader = Literal["clamp2", "judge"]
_VOICE_BAR = re.compile(r"\[V:(\w+)\]([^\[]*(?:\[(?!V:)[^\[]*)*)")
_INLINE_KEY = re.compile(r"\[K:[^\]]*\]")


def judged(text: str, reader: Reader) -> Patches:
    """A sheet, reduced or a model's own output, as `reader` is given it. Raises BadSheet where CLaMP 2, which reads
    every rest, cannot be given them."""
    return m3_patches.encode(without_prompt(complete(text)) if reader == "clamp2" else notes_alone(text))


def notes_alone(text: str) -> str:
    """Metre, key and bars: without names of instruments, tempo, tags and prompt, which would tell a piece as well."""
    header, body = split(without_prompt(text))
    return "\n".join([*(line for line in header if line[:2] in ("L:", "M:", "K:")), *map(untag, body), ""])


def cropped(text: str, patches: int, rng: np.random.Generator) -> str:
    """A beginning, middle or end of a sheet, of about as many bars of voices as there is room for; its voices in the
    keys they have come to there."""
    header, body = split(text)
    sizes = np.cumsum([0, *(line.count("[V:") for line in body)])
    last = int(np.searchsorted(sizes, max(0, sizes[-1] - patches)))  # from here all that is left fits
    last = min(last, max(0, len(body) - 1))
    first = int(rng.integers(last + 1))
    end = max(first + 1, int(np.searchsorted(sizes, sizes[first] + patches, side="right")) - 1)
    return "\n".join([*header, *_in_key(body, first, end), ""])


def _in_key(body: list[str], first: int, end: int) -> list[str]:
    """Lines `first` to `end`, the first one with the inline keys that hold there."""
    keys: dict[str, str] = {}
    for line in body[:first] if any("[K:" in line for line in body[:first]) else ():
        for voice, bar in _VOICE_BAR.findall(line):
            found = _INLINE_KEY.findall(bar)
            if found:
                keys[voice] = found[-1]
    lines = body[first:end]
    for voice, key in keys.items():
        lines[0] = lines[0].replace(f"[V:{voice}]", f"[V:{voice}]{key}")
    return lines
