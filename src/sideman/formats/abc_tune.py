"""One ABC tune as written: sounds, chord symbols, bar lines and part labels in the order of the text.

Pitches, lengths and the state a sound stands in (metre, key, tempo) are resolved here; repeats,
endings and parts are left as written for `abc_play.py`.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sideman.errors import TooLarge, UnknownChord, UnreadableFile
from sideman.formats.abc_fields import (
    TICKS,
    Signature,
    accidental,
    default_unit,
    length_factor,
    parse_key,
    parse_meter,
    parse_tempo,
    parse_unit,
    playing_order,
)
from sideman.formats.abc_tokens import lines, tokens
from sideman.music.chord import Chord
from sideman.music.pitch import LETTERS, Key
from sideman.music.song import Meter

MAX_SOUNDS = 50_000
_STOP = re.compile(
    r"(?P<accidental>\^\^|\^|__|_|=)?(?P<letter>[A-Ga-gz])(?P<octave>[,']*)(?P<length>[\d/]*)(?P<tie>-?)"
)
_TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_SHARP_BASS = re.compile(r"/([A-Ga-g])\+$")


@dataclass(frozen=True, slots=True)
class State:
    """What holds where a sound stands. `bpm` is None until the tune names a tempo."""

    meter: Meter | None = None
    key: Key | None = None
    bpm: float | None = None


@dataclass(slots=True)
class Sound:
    """A note or a rest (`pitch` None) of `ticks` length."""

    ticks: int
    pitch: int | None
    state: State
    tied: bool = False


@dataclass(frozen=True, slots=True)
class Symbol:
    """Chord symbols that stand together: one for each time through. None is `N.C.`."""

    chords: tuple[Chord | None, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar line. `ends` counts the extra passes a closing repeat sign asks for; `endings` are the
    passes for which what follows is played."""

    starts: bool = False
    ends: int = 0
    double: bool = False
    endings: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Label:
    """The start of a part."""

    name: str


Item = Sound | Symbol | Bar | Label


@dataclass(slots=True)
class Tune:
    """A tune as written. `order` is the playing order by part letters, empty when none is given."""

    items: list[Item] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    title: str = ""
    composer: str = ""
    losses: Counter[str] = field(default_factory=Counter)


def parse_tune(text: str) -> Tune:
    """The written tune. Raises UnreadableFile without a key field, TooLarge beyond MAX_SOUNDS."""
    reader = _Reader()
    for line in lines(text):
        if line.name:
            reader.field(line.name, line.value)
        elif reader.in_body:
            reader.music(line.value)
    if not reader.in_body:
        raise UnreadableFile("The tune has no key field.", "An ABC tune needs a line such as K:G before its notes.")
    return reader.tune


class _Reader:
    """State of reading one tune, line by line. Used once."""

    def __init__(self) -> None:
        self.tune = Tune()
        self.in_body = False
        self.state = State()
        self.unit: int | None = None
        self.signature: Signature = {}
        self.bar_accidentals: Signature = {}
        self.sounds: list[Sound] = []  # the last one, for ties and broken rhythms
        self.positions: tuple[tuple[str, str], ...] = ()  # staff positions (letter, octave) of the last sound
        self.tied: dict[tuple[str, str], int] = {}  # staff positions a tie leads to, with their pitches
        self.tuplet = (1, 1, 0)  # factor as (numerator, denominator), sounds left
        self.broken = (1, 1)
        self.symbol_open = False
        self.hidden = False  # inside a voice overlay
        self.voice, self.first_voice = "", ""
        self.actions: dict[str, Callable[[re.Match[str]], None]] = {
            "note": self._note, "rest": self._rest, "stop": self._stop, "text": self._text, "bar": self._bar,
            "ending": self._ending, "tie": self._tie, "tuplet": self._tuplet, "broken": self._broken,
            "grace": self._grace, "field": self._inline, "overlay": self._overlay,
        }  # fmt: skip

    # Fields

    def field(self, name: str, value: str) -> None:
        if name == "T":
            self.tune.title = self.tune.title or value
        elif name == "C":
            self.tune.composer = self.tune.composer or value
        elif name == "K":
            key, self.signature = parse_key(value)
            self.state = replace(self.state, key=key)
            self.bar_accidentals = {}
            if not self.in_body:  # voices are only listed in the header
                self.in_body, self.voice = True, self.first_voice
        elif name == "M":
            self.state = replace(self.state, meter=parse_meter(value))
        elif name == "L":
            self.unit = parse_unit(value) or self.unit
        elif name == "Q":
            self.state = replace(self.state, bpm=parse_tempo(value, self._unit()) or self.state.bpm)
        elif name in "PY":
            self._part(name, value)
        elif name == "V":
            self.voice = value.split(" ")[0]
            self.first_voice = self.first_voice or self.voice

    def _part(self, name: str, value: str) -> None:
        """`Y:` and a `P:` of several letters before the music give the order; any other `P:` is a label."""
        if name == "Y" or (not self.in_body and re.fullmatch(r"[A-Z0-9().* ]{2,}", value)):
            self.tune.order = playing_order(value)
        elif name == "P":
            self.bar_accidentals = {}
            self.tune.items.append(Label(value))

    def _unit(self) -> int:
        return default_unit(self.state.meter) if self.unit is None else self.unit

    # Music

    def music(self, line: str) -> None:
        if self.unit is None:  # later changes of metre leave the unit alone
            self.unit = self._unit()
        for kind, found in tokens(line):
            if found is None:
                self.tune.losses["unknown character skipped"] += 1
            elif self._is_hidden(kind):
                self.tune.losses["note of another voice dropped"] += kind in ("note", "stop")
            elif kind in self.actions:
                self.actions[kind](found)
            if kind != "text":
                self.symbol_open = False

    def _is_hidden(self, kind: str) -> bool:
        """Whether a token belongs to another voice: a `V:` one, or an overlay, which ends with its bar."""
        if self.voice != self.first_voice:
            return kind != "field"
        return self.hidden and kind not in ("bar", "field")

    def _note(self, found: re.Match[str]) -> None:
        pitch = self._pitch(found)
        self.positions = ((found["letter"], found["octave"]),)
        self._sound(pitch, length_factor(found["length"]))

    def _rest(self, found: re.Match[str]) -> None:
        if found[0][0] == "y":  # a spacer
            return
        numerator, denominator = length_factor(found["rest_length"])
        if found[0][0] in "ZX":  # whole bars
            bar = self.state.meter.bar_beats if self.state.meter else 4
            numerator, denominator = round(numerator * bar * TICKS), denominator * self._unit()
        self.positions = ()
        self._sound(None, (numerator, denominator))

    def _stop(self, found: re.Match[str]) -> None:
        """Notes struck together: the top one is the melody."""
        notes = [(n, self._pitch(n)) for n in _STOP.finditer(found["stopped"]) if n["letter"] != "z"]
        if not notes:
            return
        self.tune.losses["lower note of a double stop dropped"] += len(notes) - 1
        inner, outer = length_factor(notes[0][0]["length"]), length_factor(found["stop_length"])
        self.positions = tuple((n["letter"], n["octave"]) for n, _ in notes)
        self._sound(max(p for _, p in notes), (inner[0] * outer[0], inner[1] * outer[1]))
        if any(n["tie"] for n, _ in notes):
            self._tie(found)

    def _pitch(self, found: re.Match[str]) -> int:
        letter, octave = found["letter"], found["octave"]
        name = letter.upper()
        if found["accidental"]:
            self.bar_accidentals[name] = accidental(found["accidental"])
        elif (letter, octave) in self.tied:
            return self.tied[letter, octave]
        shift = self.bar_accidentals.get(name, self.signature.get(name, 0))
        pitch = 60 + LETTERS[name] + 12 * (letter.islower() + octave.count("'") - octave.count(",")) + shift
        if not 0 <= pitch <= 127:
            raise UnreadableFile(f"The note {found[0][:20]} is outside the MIDI range.")
        return pitch

    def _sound(self, pitch: int | None, factor: tuple[int, int]) -> None:
        numerator, denominator, left = self.tuplet
        top = self._unit() * factor[0] * numerator * self.broken[0]
        ticks = max(1, round(top / (factor[1] * denominator * self.broken[1])))
        self.tuplet = (numerator, denominator, left - 1) if left > 1 else (1, 1, 0)
        self.broken = (1, 1)
        self.sounds.append(Sound(ticks, pitch, self.state))
        if len(self.sounds) > MAX_SOUNDS:
            raise TooLarge("The tune has too many notes.", f"At most {MAX_SOUNDS} are read.")
        self.tune.items.append(self.sounds[-1])
        self.tied = {}

    def _tie(self, _: re.Match[str]) -> None:
        if self.sounds and self.sounds[-1].pitch is not None:
            self.sounds[-1].tied = True
            if len(self.positions) == 1:
                self.tied = {self.positions[0]: self.sounds[-1].pitch}

    def _tuplet(self, found: re.Match[str]) -> None:
        """`(p:q:r`: p notes in the time of q, for the next r notes."""
        p = int(found["p"])
        compound = self.state.meter is not None and self.state.meter.pulse_beats in (1.5, 0.75)
        q = int(found["q"] or 0) or _TUPLETS.get(p, 3 if compound else 2)
        self.tuplet = (q, p, int(found["r"] or 0) or p)

    def _broken(self, found: re.Match[str]) -> None:
        """`>` dots the sound before and halves the one after, `<` the other way round."""
        if not self.sounds:
            return
        whole = 1 << len(found[0])
        long, short = (2 * whole - 1, whole), (1, whole)
        before, self.broken = (long, short) if found[0][0] == ">" else (short, long)
        self.sounds[-1].ticks = self.sounds[-1].ticks * before[0] // before[1]

    def _grace(self, found: re.Match[str]) -> None:
        self.tune.losses["grace note dropped"] += sum(c in "ABCDEFGabcdefg" for c in found[0])

    def _overlay(self, _: re.Match[str]) -> None:
        self.hidden = True

    def _inline(self, found: re.Match[str]) -> None:
        self.field(found[0][1], found[0][3:-1].strip())

    def _bar(self, found: re.Match[str]) -> None:
        sign = found[0].removesuffix(found["number"] or "").replace(" ", "")
        self.bar_accidentals = {}
        self.hidden = False
        ends = len(sign) - len(sign.lstrip(":"))
        starts = sign.endswith(":") and sign != ":"
        if not sign.strip(":"):  # `::` closes and opens
            ends = max(1, ends // 2)
        bar = Bar(starts, ends, "||" in sign or "]" in sign or sign.startswith("[|"), _endings(found["number"]))
        self.tune.items.append(bar)

    def _ending(self, found: re.Match[str]) -> None:
        self.bar_accidentals = {}
        self.tune.items.append(Bar(endings=_endings(found[0])))

    def _text(self, found: re.Match[str]) -> None:
        """A chord symbol; a second one in a row is for the second time through."""
        text = found[0][1:-1].strip()
        if not text or text[0] in "^_<>@":
            return
        try:
            chord = read_chord(text)
        except UnknownChord:
            self.tune.losses["unreadable chord symbol dropped"] += 1
            return
        last = self.tune.items[-1] if self.tune.items else None
        if self.symbol_open and isinstance(last, Symbol):
            self.tune.items[-1] = Symbol((*last.chords, chord))
        else:
            self.tune.items.append(Symbol((chord,)))
        self.symbol_open = True


def read_chord(text: str) -> Chord | None:
    """A chord as ABC collections spell it: `Gd` (dim), `Da` (aug), `D/f+` (over F#), `(D7)`, `D m`."""
    clean = text.replace(" ", "").rstrip(";")
    if clean.startswith("(") and clean.endswith(")"):
        clean = clean[1:-1]
    return Chord.parse(_SHARP_BASS.sub(r"/\1#", clean))


def _endings(text: str | None) -> tuple[int, ...]:
    """`1`, `1,3`, `1-3`, `[2` -> the passes."""
    out: set[int] = set()
    for first, last in re.findall(r"(\d{1,2})(?:-(\d{1,2}))?", text or ""):
        out |= set(range(int(first), int(last or first) + 1))
    return tuple(sorted(out))
