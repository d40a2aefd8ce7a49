"""Bars in which a voice rests: left out of what models read (reduction, spec 1.6) and put back (completion, 1.7).

Reduction leaves out exactly what completion puts back, so nothing is lost: a rest that is spelled otherwise, closed by
another barline or of another length stays, and so does one voice where all rest. The reference looks at letters
alone; that is `reference`.
"""

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from sideman.errors import BadSheet
from sideman.music.sheet.bars import split_first_bar, split_voice_bar
from sideman.music.sheet.durations import duration, spell
from sideman.music.sheet.interleaved import declared_voices, second_voices, voice_bars
from sideman.music.sheet.patches import split, untag

_RESTS = re.compile(r"(?:[zx][\d/]*\s*)+")
_SOUNDING = re.compile(r"[A-WYa-wy]")
_OPENING, _CLOSING = "{[(", "}])"


@dataclass(frozen=True, slots=True)
class _Rule:
    """How rests are written in a piece: its voices in order, and those with invisible rests."""

    voices: tuple[str, ...]
    invisible: frozenset[str]

    @classmethod
    def of(cls, header: list[str]) -> "_Rule":
        return cls(tuple(declared_voices(header)), frozenset(second_voices(header)))

    def rest(self, voice: str, length: Fraction) -> str:
        return ("x" if voice in self.invisible else "z") + spell(length)


def reduce(text: str, reference: bool = False) -> str:
    """Interleaved ABC without the bars in which a voice rests. `reference` also loses bars in which all do."""
    header, body = split(text)
    rule = _Rule.of(header)
    before: Fraction | None = _metre_length(header)
    lines = []
    for i, line in enumerate(body):
        bars = voice_bars(line)
        if reference:
            kept = [name for name, bar in bars if _SOUNDING.search(_text(bar, first=i == 0))]
        else:
            kept, before = _needed(bars, rule, before, first=i == 0)
        lines.append("".join(f"[V:{name}]{bar}" for name, bar in bars if name in kept))
    return "".join(line + "\n" for line in [*header, *filter(None, lines)])


def _text(bar: str, first: bool) -> str:
    return split_first_bar(bar)[2] if first else split_voice_bar(bar)[0]


def _needed(
    bars: list[tuple[str, str]], rule: _Rule, before: Fraction | None, first: bool
) -> tuple[list[str], Fraction | None]:
    """Voices of a line without which completion would not give it back, and the length it then goes by."""
    texts = {name: split_voice_bar(bar) for name, bar in bars}
    kept = [name for name, (text, _) in texts.items() if not _RESTS.fullmatch(text) or name not in rule.voices]
    kept = kept or [bars[0][0]]
    while True:
        length = _common([texts[name][0] for name in kept], before, first)
        barline = texts[kept[-1]][1]
        restored = {name: (rule.rest(name, length), barline) for name in rule.voices} if length else {}
        others = [name for name in texts if name in kept or restored.get(name) != texts[name]]
        if others == kept:
            return kept, length
        kept = others


def complete(text: str, reference: bool = False) -> str:
    """Reduced text, as models write it, -> interleaved ABC in which every declared voice has every bar.

    Stream tags go. `reference` puts missing brackets of `%%score` behind its end of line, refuses a piece without that
    line, and takes a bar without a barline for one. Raises BadSheet where the length of a rest cannot be told.
    """
    header, body = split(text)
    header = _balanced(header, reference)
    if reference and not any(line.startswith("%%score") for line in header):
        raise BadSheet("The piece has no %%score line.")
    rule = _Rule.of(header)
    before = None if reference else _metre_length(header)
    lines = []
    for i, line in enumerate(body):
        done, before = _completed(untag(line), rule, before, i == 0, reference)
        lines.append(done)
    return "".join(line + "\n" for line in [*header, *lines])


def _completed(
    line: str, rule: _Rule, before: Fraction | None, first: bool, reference: bool
) -> tuple[str, Fraction | None]:
    opening = line.partition("[V:")[0] if first else ""
    bars = dict(voice_bars(line))
    parted = {name: split_voice_bar(bar) for name, bar in bars.items()}
    if reference:
        parted = {name: (text, right) if right else ("", text) for name, (text, right) in parted.items()}
    length = _common([text for text, _ in parted.values()], before, first, reference)
    barline = next((right for _, right in reversed(parted.values()) if right), "" if reference else "|")
    written = []
    for name in rule.voices:
        if name in parted:
            text, right = parted[name]
            written.append(f"[V:{name}]{text}{right or (barline if not reference else '')}")
        elif length is None:
            raise BadSheet("The length of a bar of rests is not known.", "Give the piece a metre (M:).")
        else:
            written.append(f"[V:{name}]{opening}{rule.rest(name, length)}{barline}")
    return "".join(written), length


def _common(texts: list[str], before: Fraction | None, first: bool, empty: bool = False) -> Fraction | None:
    """The most frequent length of some voices' bars, of equally frequent ones the first; else that of the bar before.
    Bars without music count only with `empty`."""
    lengths = [duration(_without_left(text) if first else text) for text in texts]
    known = Counter(length for length in lengths if length is not None and (length or empty))
    return known.most_common(1)[0][0] if known else before


def _without_left(text: str) -> str:
    """A first bar without its opening barline, which is no part of its length."""
    return split_first_bar(text + "|")[2]


def _balanced(header: list[str], reference: bool) -> list[str]:
    """A header whose `%%score` has all its closing brackets."""
    lines = list(header)
    for i, line in enumerate(lines):
        if line.startswith("%%score") and (missing := _missing_brackets(line)):
            if not reference:
                lines[i] = f"{line.rstrip()} {missing}"
            elif i + 1 < len(lines):
                lines[i + 1] = missing + lines[i + 1]
    return lines


def _missing_brackets(line: str) -> str:
    """The closing brackets a line lacks, innermost first."""
    stack: list[str] = []
    for sign in line:
        if sign in _OPENING:
            stack.append(_CLOSING[_OPENING.index(sign)])
        elif stack and sign == stack[-1]:
            stack.pop()
    return "".join(reversed(stack))


def _metre_length(header: list[str]) -> Fraction | None:
    """Length of a bar by the metre and the unit length of a header."""
    metre = next((line[2:].strip() for line in header if line.startswith("M:")), "")
    unit = next((line[2:].strip() for line in header if line.startswith("L:")), "1/8")
    metre = {"C": "4/4", "C|": "2/2"}.get(metre, metre)
    try:
        return Fraction(metre) / Fraction(unit)
    except (ValueError, ZeroDivisionError):
        return None


def plain_rests(text: str) -> str:
    """Interleaved ABC in which a bar of rests alone is one rest, visible only in the first voice of a staff."""
    header, body = split(text)
    rule = _Rule.of(header)
    lines = []
    for i, line in enumerate(body):
        bars = [
            f"[V:{name}]{_one_rest(bar, name, rule) if i else _first_rest(bar, name, rule)}"
            for name, bar in voice_bars(line)
        ]
        lines.append("".join(bars))
    return "".join(line + "\n" for line in [*header, *lines])


def _one_rest(bar: str, voice: str, rule: _Rule) -> str:
    text, right = split_voice_bar(bar)
    if not _RESTS.fullmatch(text) or not (length := duration(text)):
        return bar
    return rule.rest(voice, length) + right


def _first_rest(bar: str, voice: str, rule: _Rule) -> str:
    prefix, left, text, right = split_first_bar(bar)
    return prefix + left + _one_rest(text + right, voice, rule)
