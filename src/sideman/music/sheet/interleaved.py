"""Standard ABC, one block a voice, <-> interleaved ABC, one line a bar of all voices (spec 1.3, 1.5, 1.8)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from sideman.errors import BadSheet
from sideman.music.sheet.bars import VoiceBars, split_bars, split_first_bar, split_voice_bar
from sideman.music.sheet.clean import body_start
from sideman.music.sheet.patches import split, untag

VOICE_TAG = re.compile(r"\[V:(\w+)\]")
_DECLARED = re.compile(r"V:\s*(\w+)")
_GROUP = re.compile(r"\(([^()]*)\)")
_WRAP = 100


@dataclass(slots=True)
class Sheet:
    """A piece: its header lines, and its voices by name in the order of the body."""

    header: list[str]
    voices: dict[str, VoiceBars] = field(default_factory=dict)

    def __len__(self) -> int:
        """Bars of the longest voice."""
        return max(map(len, self.voices.values()), default=0)


def read_standard(text: str) -> Sheet:
    """Clean standard ABC -> Sheet. Raises BadSheet without a `V:1` or where voices differ in their number of bars."""
    lines = text.splitlines()
    body = body_start(lines)
    if body == len(lines):
        raise BadSheet("The piece has no line 'V:1'.", "Write each voice as a block that begins with a line V:n.")
    parts: dict[str, list[str]] = {}
    for line in lines[body:]:
        if line.startswith("V:"):
            music = parts.setdefault(line.strip()[2:].strip(), [])
        else:
            music.append(line)
    sheet = Sheet(lines[:body], {name: split_bars("\n".join(part)) for name, part in parts.items()})
    counts = {name: len(voice) for name, voice in sheet.voices.items()}
    if len(set(counts.values())) > 1:
        raise BadSheet("The voices differ in their number of bars.", ", ".join(f"V:{v} {n}" for v, n in counts.items()))
    if not len(sheet):
        raise BadSheet("The piece has no bars.")
    return sheet


def write_interleaved(sheet: Sheet) -> str:
    """Sheet -> interleaved ABC."""
    lines = ("".join(f"[V:{name}]{voice.bar(i)}" for name, voice in sheet.voices.items()) for i in range(len(sheet)))
    return "".join(line + "\n" for line in [*sheet.header, *lines])


def read_interleaved(text: str) -> Sheet:
    """Interleaved ABC in which every voice has every bar -> Sheet, voices by number. Raises BadSheet."""
    header, body = split(text)
    sheet = Sheet(header, {name: VoiceBars([], []) for name in declared_voices(header)})
    if not body or not sheet.voices:
        raise BadSheet("The piece has no music." if not body else "The piece declares no voices.")
    for i, line in enumerate(body):
        bars = dict(voice_bars(untag(line)))
        for name, voice in sheet.voices.items():
            if name not in bars:
                raise BadSheet(f"Bar {i + 1} lacks voice {name}.", "Complete it first: music.sheet.rests.complete.")
            if i == 0:
                voice.prefix, voice.left, bar, right = split_first_bar(bars[name])
            else:
                bar, right = split_voice_bar(bars[name])
            voice.texts.append(bar)
            voice.barlines.append(right)
    return sheet


def write_standard(sheet: Sheet) -> str:
    """Sheet -> standard ABC: a block for each voice, wrapped at about a hundred characters."""
    lines = list(sheet.header)
    for name, voice in sheet.voices.items():
        lines += [f"V:{name}", *_wrapped(voice.bar(i) for i in range(len(voice)))]
    return "".join(line + "\n" for line in lines)


def _wrapped(bars: Iterable[str]) -> list[str]:
    lines = [""]
    for bar in bars:
        if lines[-1] and len(lines[-1]) + len(bar) > _WRAP:
            lines.append("")
        lines[-1] += bar
    return lines


def voice_bars(line: str) -> list[tuple[str, str]]:
    """(voice, text with barlines) of an interleaved line without its stream tag."""
    pieces = VOICE_TAG.split(line)
    return list(zip(pieces[1::2], pieces[2::2], strict=True))


def declared_voices(header: Iterable[str]) -> list[str]:
    """Names of the voices a header declares, numbers in ascending order."""
    names = {found[1] for line in header if (found := _DECLARED.match(line))}
    return sorted(names, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))


def second_voices(header: Iterable[str]) -> set[str]:
    """Voices that share a staff with one before them in `%%score`: their rests are invisible (spec 1.7)."""
    score = " ".join(line for line in header if line.startswith("%%score"))
    return {name for group in _GROUP.findall(score) for name in re.findall(r"\w+", group)[1:]}
