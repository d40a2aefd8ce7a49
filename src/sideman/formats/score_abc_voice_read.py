"""The music lines of one ABC voice -> draft bars.

The reader takes tokens in order and remembers what they leave open: slurs and decorations for the next
note, a tuplet's remaining notes, a broken rhythm, what accidentals the bar has said.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from sideman.errors import TooLarge, UnreadableFile
from sideman.formats.abc_fields import accidental, length_factor
from sideman.formats.score_abc_fields import read_clef, read_key, read_metre, read_tempo, tempo_words
from sideman.formats.score_abc_tokens import tokens
from sideman.formats.score_draft import DraftBar, DraftEvent, DraftNote
from sideman.formats.score_signs import BY_DECORATION, BY_LINE, DYNAMICS, SHORTHANDS
from sideman.music.score import ZERO, KeySignature, Mark, Metre, Pitch, RightBarline

MAX_BARS = 20_000
MAX_EVENTS = 200_000
_NOTE = re.compile(r"(\^\^|\^|__|_|=)?([A-Ga-g])([,']*)([\d/]*)(-?)")
_CHORD = re.compile(r"[A-G][#b♯♭]?(?![a-z]{4})[^\s]{0,12}")
_STROKES = re.compile(r"/{1,5}-?")
_RATIOS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}


class VoiceReader:
    """Reads one voice. `metre`, `key` and `unit` (quarter notes of L:) are those of the header."""

    def __init__(self, name: str, metre: Metre, key: KeySignature, unit: Fraction, losses: Counter[str]) -> None:
        self.name, self.metre, self.unit, self.losses = name, metre, unit, losses
        self.bars: list[DraftBar] = []
        self.at = DraftBar(keys=[(0, ZERO, key)])
        self.sung: list[tuple[int, DraftEvent]] = []  # (bar, note) of the last line, for its lyrics
        self.overlays = self.most_overlays = 0
        self._key = key
        self._now = ZERO
        self._staff = 0  # relative to the voice's own
        self._said: dict[tuple[str, int], int] = {}
        self._tied: dict[tuple[str, int], int] = {}  # alterations that ties carry into the next event
        self._marks: list[str] = []  # decorations and texts for the next event
        self._slurs = 0
        self._tuplets: list[list[int]] = []  # [actual, normal, events left], the innermost last
        self._tuplet_starts = False
        self._last: DraftEvent | None = None
        self._broken = Fraction(1)  # factor for the next event
        self._events = 0
        self._in_grace = False
        self._kinds: dict[str, Callable[[re.Match[str]], None]] = {
            "field": self._field, "text": self._text, "bar": self._bar, "grace": self._graces,
            "decoration": self._decoration, "note": self._note, "chord": self._chord, "rest": self._rest,
            "tuplet": self._tuplet, "slur": self._slur, "slur_end": self._slur_end, "broken": self._break,
            "tie": self._tie, "overlay": self._overlay, "blank": self._blank,
        }  # fmt: skip

    def read(self, music: str) -> None:
        """A music line, or the piece of one that belongs to this voice."""
        for kind, found in tokens(music):
            if kind == "unknown":
                self.losses["characters that mean nothing"] += 1
            elif kind != "nothing" and found is not None:
                self._kinds[kind](found)

    def field(self, name: str, value: str) -> None:
        """A field that holds from here on: M, L, K, Q or I:staff."""
        if name == "M":
            self.metre = self.at.metre = read_metre(value) or self.metre
        elif name == "L":
            self.unit = 4 * Fraction(*length_factor(value)) if re.fullmatch(r"1/\d{1,3}", value.strip()) else self.unit
        elif name == "K":
            self._read_key(value)
        elif name == "Q":
            tempo = read_tempo(value, self._now, self.unit)
            self.at.tempos += [tempo] if tempo is not None else []
            self._marks += [f'"^{tempo_words(value)}'] * bool(tempo_words(value))
        elif name == "I" and re.fullmatch(r"staff\s*[+-]?\d", value.strip()):
            self._staff = int(value.strip()[5:])

    def close(self) -> None:
        """The end of the piece: what stands after the last bar line is a bar if it sounds."""
        if self.at.events:
            self._end_bar()

    def pad(self, bars: int) -> None:
        """Empty bars until there are `bars`."""
        while len(self.bars) < bars:
            self.bars.append(DraftBar())

    def _field(self, found: re.Match[str]) -> None:
        self.field(found["name"], found["content"])

    def _read_key(self, value: str) -> None:
        key, clef = read_key(value), read_clef(value)
        if key is not None:
            self._key = key
            self._said.clear()
            self.at.keys.append((0, self._now, key))
        if clef is not None:
            self.at.clefs.append((0, self._now, clef))

    def _text(self, found: re.Match[str]) -> None:
        self._marks.append('"' + found["words"])

    def _decoration(self, found: re.Match[str]) -> None:
        short = found["short"]
        self._marks.append("!" + (SHORTHANDS[short] if short else found["long"] or found["plus"]))

    def _slur(self, _: re.Match[str]) -> None:
        self._slurs += 1

    def _slur_end(self, _: re.Match[str]) -> None:
        if self._last is not None:
            self._last.slurs_stop += 1

    def _tie(self, _: re.Match[str]) -> None:
        if self._last is not None:
            for note in self._last.notes:
                note.tie = True
                self._tied[note.pitch.step, note.pitch.octave] = note.pitch.alter

    def _blank(self, _: re.Match[str]) -> None:
        if self._last is not None:
            self._last.beamed = False

    def _tuplet(self, found: re.Match[str]) -> None:
        actual = int(found["p"])
        compound = self.metre.bottom >= 8 and self.metre.length * self.metre.bottom % 12 == 0
        normal = int(found["q"] or 0) or _RATIOS.get(actual, 3 if compound else 2)
        count = int(found["r"] or 0) or actual
        if not 1 <= actual <= 128 or normal > 128:
            raise UnreadableFile(f"{actual} notes in the time of {normal} is not a tuplet.", "Write one like (3abc.")
        self._tuplets.append([actual, normal, count])
        self._tuplet_starts = True

    def _note(self, found: re.Match[str]) -> None:
        carried = self._take_ties()
        pitch = self._pitch(found["accidental"], found["step"], found["octave"], carried)
        self._add([DraftNote(pitch, tied=True)], found["length"])

    def _chord(self, found: re.Match[str]) -> None:
        carried = self._take_ties()
        notes: list[DraftNote] = []
        inner = ""
        for part in _NOTE.finditer(re.sub(r"![^!]*!", "", found["notes"])):
            pitch = self._pitch(part[1], part[2], part[3], carried)
            inner = inner or part[4]
            if all(note.pitch != pitch for note in notes):
                notes.append(DraftNote(pitch, tie=bool(part[5]), tied=True))
        if notes:
            self._add(notes, found["chord_length"], inner)
        self._tied |= {(n.pitch.step, n.pitch.octave): n.pitch.alter for n in notes if n.tie}

    def _take_ties(self) -> dict[tuple[str, int], int]:
        carried, self._tied = self._tied, {}
        return carried

    def _pitch(self, sign: str | None, letter: str, marks: str, carried: dict[tuple[str, int], int]) -> Pitch:
        """A pitch with the accidental it has, the bar has said, a tie brings along, or the signature gives."""
        step = letter.upper()
        octave = (5 if letter.islower() else 4) + marks.count("'") - marks.count(",")
        if not -2 <= octave <= 11:
            raise UnreadableFile(f"'{letter}{marks[:20]}' is out of every instrument's range.")
        place = (step, octave)
        if sign:
            self._said[place] = accidental(sign)
        elif place not in self._said and place in carried:
            return Pitch(step, carried[place], octave)
        return Pitch(step, self._said.get(place, self._key.alter(step)), octave)

    def _rest(self, found: re.Match[str]) -> None:
        self._tied = {}
        hidden = found["kind"] in "xX"
        if found["kind"] in "zx":
            self._add([], found["rest_length"], hidden=hidden)
            return
        bars = min(int(found["rest_length"] or 1), MAX_BARS) if (found["rest_length"] or "1").isdecimal() else 1
        for number in range(bars):
            if number:
                self._end_bar()
            self._place(DraftEvent(self._voice(), self._now, self.metre.length, hidden=hidden))

    def _add(self, notes: list[DraftNote], length: str, inner: str = "", hidden: bool = False) -> None:
        """An event at the present time; inside a chord the first note may have a length of its own."""
        units = _units(length) * _units(inner)
        if self._in_grace:
            event = DraftEvent(self._voice(), self._now, ZERO, notes, self._staff, value=units * self.unit, beamed=True)
            self._place(event)
            return
        written = units * self.unit * self._broken
        self._broken = Fraction(1)
        actual = math.prod(tuplet[0] for tuplet in self._tuplets)
        normal = math.prod(tuplet[1] for tuplet in self._tuplets)
        duration = written * normal / actual
        event = DraftEvent(self._voice(), self._now, duration, notes, self._staff, hidden, beamed=True)
        if actual != normal:
            event.tuplet, event.tuplet_starts = (actual, normal), self._tuplet_starts
        self._tuplet_starts = False
        self._count_down()
        self._place(event)
        if notes:
            self.sung.append((len(self.bars), event))

    def _count_down(self) -> None:
        """One event of the innermost tuplet is done; a tuplet that ends counts as one event outside."""
        while self._tuplets:
            self._tuplets[-1][2] -= 1
            if self._tuplets[-1][2] > 0:
                break
            self._tuplets.pop()

    def _place(self, event: DraftEvent) -> None:
        for mark in self._marks:
            self._hang(mark, event)
        self._marks.clear()
        event.slurs_start, self._slurs = self._slurs, 0
        self.at.events.append(event)
        self._now += event.duration
        self._last = event
        self._events += 1
        if self._events > MAX_EVENTS:
            raise TooLarge(f"A voice has more than {MAX_EVENTS:,} notes.", "Give a single movement.")

    def _hang(self, mark: str, event: DraftEvent) -> None:
        """A decoration or text on its event, or as a mark of the staff at its time."""
        name = mark[1:]
        if mark[0] == "!" and name in BY_DECORATION:
            event.signs.append(BY_DECORATION[name])
        elif mark[0] == "!" and _STROKES.fullmatch(name):
            event.strokes, event.strokes_join = name.count("/"), name.endswith("-")
        else:
            self._mark(mark, event.onset)

    def _mark(self, mark: str, onset: Fraction) -> None:
        name = mark[1:]
        if mark[0] == '"':
            if name[:1] in ("^", "_", "<", ">", "@") or not _CHORD.fullmatch(name):
                text = re.sub("^[\\^_<>@]", "", name).replace("\\%", "%").strip()
                self.at.marks += [(0, Mark(onset, "words", text, name.startswith("_")))] * bool(text)
            else:
                self.at.marks.append((0, Mark(onset, "chord", name)))
        elif name in DYNAMICS:
            self.at.marks.append((0, Mark(onset, "dynamic", name)))
        elif name in BY_LINE:
            kind, text = BY_LINE[name]
            self.at.marks.append((0, Mark(onset, kind, text)))
        else:
            self.losses[f"decorations such as !{name}!"] += 1

    def _voice(self) -> str:
        return f"{self.name}&{self.overlays}" if self.overlays else self.name

    def _graces(self, found: re.Match[str]) -> None:
        """A group of grace notes at the present time; signs before the group are those of the main note."""
        marks, self._marks = self._marks, []
        first = len(self.at.events)
        self._in_grace = True
        for kind, inner in tokens(found["graces"]):
            if inner is not None and kind in ("note", "chord", "slur", "slur_end", "tie", "decoration"):
                self._kinds[kind](inner)
        self._in_grace = False
        self._marks = marks
        for event in self.at.events[first : first + 1]:
            event.slash = bool(found["slash"])
        for event in self.at.events[first:][-1:]:
            event.beamed = False

    def _break(self, found: re.Match[str]) -> None:
        """`a>b`: the first note gains what the second loses."""
        if self._last is None or not self._last.duration:
            return
        short = Fraction(1, 2 ** len(found["broken"]))
        first, second = (2 - short, short) if found["broken"][0] == ">" else (short, 2 - short)
        self._now += self._last.duration * (first - 1)
        self._last.duration *= first
        self._broken = second

    def _overlay(self, _: re.Match[str]) -> None:
        """What follows begins at the bar line again, as a voice of its own."""
        self.overlays += 1
        self.most_overlays = max(self.most_overlays, self.overlays)
        self._now = ZERO

    def _bar(self, found: re.Match[str]) -> None:
        line = found["line"] or ""
        right: RightBarline = "regular"
        if line.startswith(":"):
            right = "repeat"
        elif line.startswith("|]"):
            right = "final"
        elif line.startswith("||"):
            right = "double"
        elif line.startswith("."):
            right = "dotted"
        if line and (self.at.events or self._marks):
            self.at.right = right
            self._end_bar()
        elif right != "regular" and self.bars:
            self.bars[-1].right = right
        if line.endswith(":"):
            self.at.left = "repeat"
        elif line.startswith("[|") and "]" not in line:
            self.at.left = "heavy"
        ending = found["bracket"] or found["ending"]
        if ending:
            self.at.ending = ending.strip().rstrip(",.-")

    def _end_bar(self) -> None:
        for mark in self._marks:
            self._mark(mark, self._now)
        self._marks.clear()
        if self._last is not None:
            self._last.beamed = False
        self.losses["tuplets cut by a bar line"] += bool(self._tuplets)
        self._tuplets.clear()
        self._said.clear()
        self.at.length = max((e.onset + e.duration for e in self.at.events), default=ZERO)
        self.bars.append(self.at)
        self.at = DraftBar()
        self._now, self.overlays, self._broken = ZERO, 0, Fraction(1)
        if len(self.bars) > MAX_BARS:
            raise TooLarge(f"The piece has more than {MAX_BARS:,} bars.", "Give a single movement.")


@lru_cache(1024)
def _units(length: str) -> Fraction:
    """`3/2`, `/`, nothing -> units. Raises UnreadableFile."""
    return Fraction(*length_factor(length))
