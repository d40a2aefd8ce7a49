"""What can be asked of the compose room, checked."""

import math
import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from sideman.compose.header import Header
from sideman.compose.strict import MOST_LINES
from sideman.engine.sheet_sampling import SheetSampling
from sideman.errors import BadSheet, WrongValue
from sideman.music.sheet.keys import parse_key
from sideman.music.sheet.patches import decode, encode_prefix, split, untag
from sideman.music.sheet.prompts import Prompt, without_prompt

MOST_PIECES = 64
MOST_CHARACTERS = 100_000
_METRE = re.compile(r"([1-9]\d?)/(1|2|4|8|16|32)|C\|?")
_NEAREST = 5

Seconds = Annotated[float, msgspec.Meta(gt=0)]


class ComposeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`count` pieces of `bars` lines each, or as long as the model makes them; piece n has seed `seed + n`.

    `period`, `composer`, `instrumentation`: the prompt, all three or none, as the model knows it. `key` (`G`, `Bbm`),
    `meter` (`3/4`), `tempo` (quarter notes a minute): what the header has to say. `begin`: a beginning in
    (interleaved) ABC, which is kept. `constrained`: the header can be read and all voices of a bar are equally long;
    otherwise the model writes what it likes and `bars`, `key`, `meter`, `tempo` cannot be asked for. `seconds`: what
    there is by then is the answer. Sampling as in `SheetSampling`."""

    bars: int | None = None
    period: str = ""
    composer: str = ""
    instrumentation: str = ""
    key: str = ""
    meter: str = ""
    tempo: float | None = None
    begin: str = ""
    model: str | None = None
    count: int = 1
    seed: int = 0
    temperature: float = 0.9
    top_k: int = 9
    top_p: float = 0.9
    constrained: bool = True
    seconds: Seconds | None = None

    def check(self) -> None:
        """Raises WrongValue or BadSheet, saying which field is wrong."""
        if self.bars is not None:
            _within("bars", self.bars, 1, MOST_LINES)
        _within("count", self.count, 1, MOST_PIECES)
        _within("temperature", self.temperature, 0, 5)
        _within("top_k", self.top_k, 0, 128)
        _within("top_p", self.top_p, 0, 1)
        if not 0 <= self.seed < 2**63:
            raise WrongValue(f"seed is {self.seed}.", "Give a whole number from 0 up.")
        if self.tempo is not None:
            _within("tempo", self.tempo, 10, 400)
        if self.meter and not _METRE.fullmatch(self.meter):
            raise WrongValue(f"'{self.meter}' is no metre.", "Write one like 4/4, 6/8 or C.")
        if self.key and not _is_key(self.key):
            raise WrongValue(f"'{self.key}' is no key.", "Write one like G, Bbm or F#m.")
        words = (self.period, self.composer, self.instrumentation)
        if any(words) and not all(words):
            raise WrongValue("A prompt needs period, composer and instrumentation.", "Give all three, or none.")
        self._check_beginning()
        if not self.constrained and (self.key or self.meter or self.tempo or self.bars):
            raise WrongValue(
                "bars, key, meter and tempo can only be asked for with constrained writing.",
                "Leave them out, or do not switch it off.",
            )

    @property
    def prompt(self) -> Prompt:
        return Prompt(self.period, self.composer, self.instrumentation)

    @property
    def sampling(self) -> SheetSampling:
        return SheetSampling(self.temperature, self.top_k, self.top_p, floor=not self.constrained)

    @property
    def wanted(self) -> dict[str, str]:
        """Header lines that have to be, by their field."""
        unit = f"{self.tempo:g}" if self.tempo is not None else ""
        lines = {"Q:": f"Q:1/4={unit}", "M:": f"M:{self.meter}", "K:": f"K:{self.key}"}
        asked = {"Q:": unit, "M:": self.meter, "K:": self.key}
        return {kind: line for kind, line in lines.items() if asked[kind]}

    def beginning(self) -> tuple[tuple[str, ...], list[str]]:
        """Header lines and body lines of `begin`, without prompt and tags."""
        header, body = split(without_prompt(self.begin))
        kept = tuple(line for line in header if not re.match(r"[XTCZWw]:", line))
        return kept, [untag(line) + "\n" for line in body]

    def _check_beginning(self) -> None:
        if not self.begin:
            return
        if len(self.begin) > MOST_CHARACTERS:
            raise WrongValue(f"The beginning has more than {MOST_CHARACTERS:,} characters.", "Give less of it.")
        decode(encode_prefix(self.begin)[0])  # raises WrongValue for what is not ASCII
        lines, body = self.beginning()
        header = Header()
        for line in lines:
            if line[:2] in self.wanted:
                raise WrongValue(f"The beginning has its own {line[:2]} line.", f"Leave out {line!r} or the wish.")
            if why := header.objection(line):
                raise BadSheet(f"The beginning cannot be gone on from: {line!r} is {why}.", _DIALECT)
            header.add(line)
        if body and (why := header.objection("")):
            raise BadSheet(f"The beginning cannot be gone on from: {why}; it needs {header.remedy()!r}.", _DIALECT)
        if body and self.wanted:
            raise WrongValue("What the header says cannot be asked for behind a beginning with music.")
        if self.bars is not None and len(body) >= self.bars:
            raise WrongValue(f"The beginning already has {len(body)} bars.", "Ask for more bars in all.")


_DIALECT = "Give interleaved ABC: the header %%score, L, Q, M, K, V, then one line a bar with [V:n] before each voice."


def check_prompt(prompt: Prompt, known: Sequence[Sequence[str]], model: str) -> None:
    """Raises WrongValue with the nearest prompts a model knows where this is none of them."""
    wanted = (prompt.period, prompt.composer, prompt.instrumentation)
    if not prompt.complete or wanted in {tuple(each) for each in known}:
        return
    if not known:
        raise WrongValue(f"The model '{model}' takes no prompts.", "Leave out period, composer and instrumentation.")
    ranked = sorted(known, key=lambda each: -_likeness(wanted, each))
    nearest = "; ".join(" / ".join(each) for each in ranked[:_NEAREST])
    raise WrongValue(f"The model '{model}' does not know {' / '.join(wanted)}.", f"The nearest it knows: {nearest}.")


def _likeness(wanted: Sequence[str], known: Sequence[str]) -> float:
    """The composer counts most."""
    from difflib import SequenceMatcher

    return sum(
        weight * SequenceMatcher(None, a.lower(), b.lower()).ratio()
        for weight, a, b in zip((1.0, 3.0, 1.5), wanted, known, strict=True)
    )


def _is_key(text: str) -> bool:
    try:
        found = parse_key(text)
    except BadSheet:
        return False
    return found is not None and str(found) == text and not found.rest


def _within(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise WrongValue(f"{name} is {value:g}; it must be from {low:g} to {high:g}.")
