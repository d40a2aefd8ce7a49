"""One part of a MusicXML score -> its written bars, each with times relative to its start.

Nothing is unfolded or merged here: notes keep their tie marks, and what steers the playing order
(repeats, endings, signs) is kept in `Marks`. All times are exact fractions of a quarter-note beat.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from xml.etree.ElementTree import Element

from sideman.errors import UnknownChord, UnreadableFile, WrongValue
from sideman.formats.musicxml_harmony import read_chord_text, read_harmony
from sideman.music.chord import Chord
from sideman.music.pitch import LETTERS, Key, Mode

# Quarter notes in each note value.
_UNITS: dict[str, float | Fraction] = {
    "long": 16, "breve": 8, "whole": 4, "half": 2, "quarter": 1, "eighth": Fraction(1, 2), "16th": Fraction(1, 4),
    "32nd": Fraction(1, 8), "64th": Fraction(1, 16),
}  # fmt: skip
_MINOR_MODES = ("minor", "aeolian", "dorian", "phrygian", "locrian")
# Words that steer the playing order where the <sound> attribute is missing, and what they mean.
_WORDS = (
    (re.compile(r"\bd\.?\s?c\.|da\s?capo"), "dacapo"),
    (re.compile(r"\bd\.?\s?s\.|dal\s?segno"), "dalsegno"),
    (re.compile(r"^\(?(to|al)\s?coda"), "tocoda"),
    (re.compile(r"^\W*(\d+x\s)?fine\W*$"), "fine"),
)
_SOUNDS = ("dacapo", "dalsegno", "segno", "coda", "tocoda", "fine")
_MAX_MEASURE_BEATS = 1024


@dataclass(slots=True)
class Marks:
    """What steers the playing order around one bar. Signs hold their position in the bar, in beats."""

    forward: bool = False
    backward: int = 0  # how often the passage is played in all; 0: no repeat sign
    after_jump: bool = False
    ending: tuple[int, ...] = ()  # numbers of a bracket that starts here
    ending_stops: bool = False
    signs: dict[str, Fraction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BarNote:
    """A sounding note in its bar."""

    onset: Fraction
    duration: Fraction
    pitch: int
    tie_start: bool
    tie_stop: bool


@dataclass(slots=True)
class Bar:
    """A written bar. `meter`, `key` and `bpm` are those in force at its start; changes inside follow."""

    meter: tuple[int, int] | None
    key: Key | None
    bpm: float | None
    length: Fraction = Fraction(0)
    notes: list[BarNote] = field(default_factory=list)
    chords: list[tuple[Fraction, Chord | None]] = field(default_factory=list)
    keys: list[tuple[Fraction, Key]] = field(default_factory=list)
    tempos: list[tuple[Fraction, float]] = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)

    @property
    def full(self) -> Fraction:
        """Length of a bar of this metre."""
        numerator, denominator = self.meter or (4, 4)
        return Fraction(4 * numerator, denominator)


@dataclass(slots=True)
class Part:
    """A part with its bars, and counts of what was left out."""

    name: str
    bars: list[Bar]
    lyrics: int
    losses: Counter[str]


def read_part(name: str, measures: list[Element]) -> Part:
    """The <measure> elements of one part -> Part. Raises UnreadableFile for times that are no numbers."""
    reader = _Reader()
    bars = [reader.bar(measure) for measure in measures]
    return Part(name, bars, reader.lyrics, reader.losses)


class _Reader:
    """What carries over from bar to bar, and the bar at hand."""

    def __init__(self) -> None:
        self.divisions = Fraction(1)
        self.semitones = 0
        self.meter: tuple[int, int] | None = None
        self.key: Key | None = None
        self.bpm: float | None = None
        self.lyrics = 0
        self.losses: Counter[str] = Counter()
        self._handlers = {
            "note": self._note, "harmony": self._harmony, "attributes": self._attributes,
            "direction": self._direction, "sound": self._sound, "barline": self._barline,
            "backup": self._backup, "forward": self._forward,
        }  # fmt: skip

    def bar(self, measure: Element) -> Bar:
        """Read one <measure>."""
        self.now = self.longest = self.last_onset = Fraction(0)
        self.whole_rest = False
        # Chords wait here with the note element they stand before: (position, element number, chord).
        self.waiting: list[tuple[Fraction, int, Chord | None]] = []
        self.elements: list[tuple[Fraction, Fraction]] = []
        self.at = Bar(self.meter, self.key, self.bpm)
        for child in measure:
            handler = self._handlers.get(child.tag)
            if handler is not None:
                handler(child)
        bar = self.at
        empty = not self.longest or (self.whole_rest and not bar.notes)
        bar.length = bar.full if empty else self.longest
        bar.chords = self._place_chords()
        return bar

    def _beats(self, element: Element | None) -> Fraction:
        text = (element.text or "").strip() if element is not None else ""
        return _fraction(text or "0") / self.divisions

    def _move(self, beats: Fraction) -> None:
        self.now = max(Fraction(0), self.now + beats)
        if self.now > _MAX_MEASURE_BEATS:
            raise UnreadableFile(f"A bar is longer than {_MAX_MEASURE_BEATS} beats.", "Check the <duration> elements.")
        self.longest = max(self.longest, self.now)

    def _backup(self, element: Element) -> None:
        self._move(-self._beats(element.find("duration")))

    def _forward(self, element: Element) -> None:
        self._move(self._beats(element.find("duration")))

    def _note(self, element: Element) -> None:
        duration = self._beats(element.find("duration"))
        if element.find("grace") is not None or element.find("cue") is not None:
            self.losses["grace notes skipped" if element.find("grace") is not None else "cue notes skipped"] += 1
            if element.find("grace") is None and element.find("chord") is None:
                self._move(duration)
            return
        if element.find("chord") is None:
            self.last_onset = self.now
            self.elements.append((self.now, duration))
            self._move(duration)
        rest = element.find("rest")
        self.whole_rest |= rest is not None and rest.get("measure") == "yes"
        self.lyrics += element.find("lyric") is not None
        if rest is None and duration > 0:
            self._pitched(element, duration)

    def _pitched(self, element: Element, duration: Fraction) -> None:
        pitch = _pitch(element.find("pitch"))
        if pitch is None or element.findtext("notehead", "").strip() == "slash":
            self.losses["notes without pitch skipped"] += 1
            return
        if not 0 <= pitch + self.semitones <= 127:
            self.losses["notes outside the MIDI range skipped"] += 1
            return
        ties = {e.get("type") for e in element.findall("tie")} | {
            e.get("type") for e in element.findall("notations/tied")
        }
        self.at.notes.append(
            BarNote(self.last_onset, duration, pitch + self.semitones, "start" in ties, "stop" in ties)
        )

    def _attributes(self, element: Element) -> None:
        divisions = element.findtext("divisions", "").strip()
        if divisions:
            self.divisions = _fraction(divisions)
            if self.divisions <= 0:
                raise UnreadableFile("The score has divisions that are not positive.")
        transpose = element.find("transpose")
        if transpose is not None:
            octaves = _fraction(transpose.findtext("octave-change", "").strip() or "0")
            semitones = round(_fraction(transpose.findtext("chromatic", "").strip() or "0") + 12 * octaves)
            if self.key is not None:
                self.key = self.key.transpose(semitones - self.semitones)
            self.semitones = semitones
        time, key = element.find("time"), element.find("key")
        if time is not None:
            self.meter = _meter(time) or self.meter
            self.at.meter = self.meter if not self.elements else self.at.meter
        if key is not None and key.find("fifths") is not None:
            self._key(key)

    def _key(self, element: Element) -> None:
        mode: Mode = "minor" if element.findtext("mode", "").strip() in _MINOR_MODES else "major"
        fifths = round(_fraction(element.findtext("fifths", "").strip() or "0"))
        self.key = Key.from_fifths(fifths, mode).transpose(self.semitones)
        if self.now:
            self.at.keys.append((self.now, self.key))
        else:
            self.at.key = self.key

    def _harmony(self, element: Element) -> None:
        try:
            chord = read_harmony(element, self.semitones)
        except UnknownChord:
            self.losses["chord symbols nobody can parse"] += 1
            return
        self._chord(chord, self._beats(element.find("offset")))

    def _chord(self, chord: Chord | None, offset: Fraction) -> None:
        self.waiting.append((max(Fraction(0), self.now + offset), len(self.elements), chord))

    def _direction(self, element: Element) -> None:
        offset = self._beats(element.find("offset"))
        for words in element.iterfind("direction-type/words"):
            self._words((words.text or "").strip(), offset)
        for sign in ("segno", "coda"):
            if element.find(f"direction-type/{sign}") is not None:
                self.at.marks.signs.setdefault(sign, self.now + offset)
        sound, metronome = element.find("sound"), element.find("direction-type/metronome")
        if metronome is not None and (sound is None or sound.get("tempo") is None):
            self._tempo(_metronome(metronome), offset)
        if sound is not None:
            self._sound(sound, offset)

    def _words(self, text: str, offset: Fraction) -> None:
        """Words that steer the order, or that hold a chord no symbol was written for."""
        for pattern, sign in _WORDS:
            if pattern.search(text.lower()):
                self.at.marks.signs.setdefault(sign, self.now + offset)
                return
        try:
            chord = read_chord_text(text)
        except UnknownChord:
            return
        self.losses["chords read from text"] += 1
        self._chord(chord, offset)

    def _sound(self, element: Element, offset: Fraction = Fraction(0)) -> None:
        offset += self._beats(element.find("offset"))
        for name in _SOUNDS:
            if element.get(name, "no") != "no":
                self.at.marks.signs[name] = self.now + offset
        if element.get("tempo") is not None:
            self._tempo(float(_fraction(element.get("tempo", "0"))), offset)

    def _tempo(self, bpm: float | None, offset: Fraction) -> None:
        if bpm is None or not 5 <= bpm <= 1000:
            return
        self.bpm = bpm
        onset = max(Fraction(0), self.now + offset)
        if onset:
            self.at.tempos.append((onset, bpm))
        else:
            self.at.bpm = bpm

    def _barline(self, element: Element) -> None:
        marks, repeat, ending = self.at.marks, element.find("repeat"), element.find("ending")
        for sign in ("segno", "coda"):
            if element.find(sign) is not None or element.get(sign):
                marks.signs.setdefault(sign, self.now)
        if repeat is not None and repeat.get("direction") == "forward":
            marks.forward = True
        elif repeat is not None:
            times = repeat.get("times", "2")
            marks.backward = min(int(times), 16) if times.isdecimal() else 2
            marks.after_jump = repeat.get("after-jump") == "yes"
        if ending is not None and ending.get("type") == "start":
            marks.ending = tuple(int(n) for n in re.findall(r"\d{1,3}", ending.get("number", ""))) or (1,)
        elif ending is not None:
            marks.ending_stops = True

    def _place_chords(self) -> list[tuple[Fraction, Chord | None]]:
        """Chords at their beats. Several before one note share its length, in order."""
        length = self.at.length
        stacks: dict[Fraction, list[tuple[int, Chord | None]]] = {}
        for onset, number, chord in self.waiting:
            if onset >= length and self.elements:  # written after the last note: it belongs to that note
                onset, number = self.elements[-1][0], len(self.elements) - 1
            stacks.setdefault(onset, []).append((number, chord))
        placed: list[tuple[Fraction, Chord | None]] = []
        onsets = sorted(stacks)
        for onset, following in pairwise([*onsets, max(length, *onsets[-1:], Fraction(0))]):
            stack = stacks[onset]
            number = stack[-1][0]
            end = sum(self.elements[number]) if number < len(self.elements) else following
            room = min(following, end) if end > onset else following
            step = (room - onset) / len(stack)
            for i, (_, chord) in enumerate(stack):
                placed.append((onset + _on_beat(i * step, step), chord))
            self.losses["chords at one place spread over their note"] += len(stack) > 1
        return placed


def _on_beat(offset: Fraction, step: Fraction) -> Fraction:
    """Moved up to a whole beat where the chords are at least a beat apart."""
    return Fraction(-(-offset // 1)) if step >= 1 else offset


def _fraction(text: str) -> Fraction:
    """A decimal number as written, exactly. Raises UnreadableFile."""
    if not re.fullmatch(r"[+-]?\d{1,12}(\.\d{0,12})?", text.strip()):
        raise UnreadableFile(f"'{text[:20]}' stands where the score needs a number.", "Export it again as MusicXML.")
    return Fraction(text.strip())


def _pitch(element: Element | None) -> int | None:
    """MIDI pitch of a <pitch>, quarter tones rounded; None where there is none."""
    if element is None:
        return None
    step, octave = element.findtext("step", "").strip(), element.findtext("octave", "").strip()
    if step not in LETTERS:
        return None
    alter = _fraction(element.findtext("alter", "").strip() or "0")
    return LETTERS[step] + round(alter) + 12 * (round(_fraction(octave)) + 1)


def _meter(element: Element) -> tuple[int, int] | None:
    """Numerator and denominator of a <time>; sums (3+2) are added up, no metre gives None."""
    tops = [e.text or "" for e in element.findall("beats")]
    bottoms = [e.text or "" for e in element.findall("beat-type")]
    if not tops or len(tops) != len(bottoms):
        return None
    total = Fraction(0)
    for top, bottom in zip(tops, bottoms, strict=True):
        if not bottom.strip().isdecimal() or int(bottom) == 0:
            raise WrongValue(f"'{bottom.strip()[:20]}' is not a beat type.", "Write one like 4 or 8.")
        total += sum((_fraction(n) for n in top.split("+")), Fraction(0)) / int(bottom)
    denominator = max(int(b) for b in bottoms)
    return int(total * denominator), denominator


def _metronome(element: Element) -> float | None:
    """Quarter notes a minute of a <metronome>; None where it gives no number."""
    unit = _UNITS.get(element.findtext("beat-unit", "").strip())
    number = re.search(r"\d{1,4}(\.\d{1,4})?", element.findtext("per-minute", ""))
    if unit is None or number is None:
        return None
    dots = len(element.findall("beat-unit-dot"))
    return float(number[0]) * float(unit) * (2 - 0.5**dots)
