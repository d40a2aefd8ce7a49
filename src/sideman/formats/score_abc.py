"""ABC with several voices -> Score: one block a voice, or all voices of a bar on one line.

Reads the dialect `score_abc_write` writes, what models trained on it write, and ABC 2.1 as far as
scores go. A voice that is missing from a line of all voices rests in that bar. Stream tags (`[r:3/8]`)
and prompt lines mean nothing here.
"""

import re
from collections import Counter
from fractions import Fraction

from sideman.errors import UnreadableFile
from sideman.formats.abc_tokens import lines, split_tunes
from sideman.formats.score_abc_fields import VoiceField, read_key, read_metre, read_tempo, read_voice, tempo_words
from sideman.formats.score_abc_grouping import read_grouping
from sideman.formats.score_abc_lyrics import sing
from sideman.formats.score_abc_voice_read import VoiceReader
from sideman.formats.score_draft import DraftBar, DraftPart
from sideman.formats.score_layout import lay_out
from sideman.music.score import ZERO, Clef, KeySignature, Mark, Metre, Score

MAX_VOICES = 64
_SWITCH = re.compile(r"\[V:\s*([^\]\s]{1,20})[^\]]*\]")
_GROUPING = re.compile(r"%%\s*(?:score|staves)\s+(.*)")
_PART = "1"


def from_abc(text: str) -> Score:
    """The first tune of an ABC text. Raises UnreadableFile (no music, no key, an include), TooLarge."""
    tunes = split_tunes(text)
    if not tunes:
        raise UnreadableFile("The ABC text is empty.", "Give a tune with X: and K: lines and notes.")
    return _Tune().read(tunes[0])


class _Tune:
    """One tune while it is read. Used once."""

    def __init__(self) -> None:
        self.losses: Counter[str] = Counter()
        self.titles: dict[str, str] = {}
        self.grouping = ""
        self.metre: Metre | None = None
        self.unit: Fraction | None = None
        self.tempo: str = ""
        self.key: KeySignature | None = None
        self.fields: dict[str, VoiceField] = {}
        self.readers: dict[str, VoiceReader] = {}
        self.current = _PART
        self.padded = 0  # bars every voice has after the last line of all voices
        self.verses = 0

    def read(self, tune: str) -> Score:
        for raw in tune.split("\n"):
            grouping = _GROUPING.match(raw)
            if grouping:
                self.grouping = grouping[1]
                continue
            for line in lines(raw):
                if line.name:
                    self._field(line.name, line.value)
                else:
                    self._music(line.value)
        if self.key is None:
            raise UnreadableFile("The ABC text has no key.", "End its header with a line such as K:C.")
        for reader in self.readers.values():
            reader.close()
        if not any(bar.events for reader in self.readers.values() for bar in reader.bars):
            raise UnreadableFile("The ABC text has no music.", "Give bars of notes or rests after the K: line.")
        return self._score()

    def _field(self, name: str, value: str) -> None:
        """A field on a line of its own: of the tune up to its first key, then of the voice at hand."""
        if name in "TCZ":
            self.titles.setdefault(name, value)
        elif name == "V":
            self._voice_field(value)
        elif name == "w":
            if self.current in self.readers:
                sing(value, self.readers[self.current].sung, self.verses)
                self.verses += 1
        elif self.key is None:
            self._header(name, value)
        elif name in "MLKQI":
            self._reader().field(name, value)

    def _header(self, name: str, value: str) -> None:
        if name == "M":
            self.metre = read_metre(value)
        elif name == "L":
            found = re.fullmatch(r"1/(\d{1,3})", value.replace(" ", ""))
            self.unit = Fraction(4, int(found[1])) if found and int(found[1]) else None
        elif name == "Q":
            self.tempo = value
        elif name == "K":
            self.key = read_key(value) or KeySignature(0)
            clef = read_voice(f"{_PART} {value}").clef
            if clef is not None:
                self.fields.setdefault(_PART, VoiceField(_PART, clef))

    def _voice_field(self, value: str) -> None:
        """`V:2` switches to a voice, `V:2 bass nm="..."` describes it as well."""
        found = read_voice(value)
        known = self.fields.get(found.number)
        if known is None or value.strip() != found.number:
            self.fields[found.number] = found
        if len(self.fields) > MAX_VOICES:
            raise UnreadableFile(f"The ABC text has more than {MAX_VOICES} voices.")
        self.current = found.number

    def _reader(self) -> VoiceReader:
        """The reader of the voice at hand, begun where it is new."""
        number = self.current
        if number not in self.readers:
            self.fields.setdefault(number, VoiceField(number))
            metre = self.metre or Metre("4")
            unit = self.unit or (Fraction(1, 4) if metre.length < 3 else Fraction(1, 2))
            self.readers[number] = VoiceReader(number, metre, self.key or KeySignature(0), unit, self.losses)
            self.readers[number].pad(self.padded)
        return self.readers[number]

    def _music(self, line: str) -> None:
        if self.key is None:
            raise UnreadableFile("The ABC text has music before its key.", "End its header with a line such as K:C.")
        self.verses = 0
        pieces = _SWITCH.split(line)
        for number, music in zip([self.current, *pieces[1::2]], pieces[::2], strict=True):
            if not music.strip() or re.fullmatch(r"\s*\[r:[^\]]*\]\s*", music):
                continue
            self.current = number
            reader = self._reader()
            reader.sung = []
            reader.read(music)
        if len(pieces) > 1 and self.readers:
            self.padded = max(len(reader.bars) for reader in self.readers.values())
            for reader in self.readers.values():
                reader.pad(self.padded)

    def _score(self) -> Score:
        voices = sorted(self.readers.keys() | self.fields.keys(), key=_order)
        for number in voices:
            self.current = number
            self._reader()
        named = {number for number, found in self.fields.items() if found.name}
        grouping = read_grouping(self.grouping, voices, named)
        drafts = [self._part(staves) for staves in grouping.parts]
        _number(drafts[0].bars, self.metre or Metre("4"))
        first = drafts[0].bars[0]
        first.metre = first.metre or self.metre
        tempo = read_tempo(self.tempo, ZERO, self.unit or Fraction(1, 2)) if self.tempo else None
        first.tempos = [t for t in (tempo,) if t is not None] + first.tempos
        if tempo_words(self.tempo):
            first.marks.insert(0, (0, Mark(ZERO, "words", tempo_words(self.tempo))))
        bars, parts = lay_out(drafts, self.losses)
        return Score(
            bars, parts, self.titles.get("T", ""), self.titles.get("C", ""), self.titles.get("Z", ""),
            tuple(grouping.groups), {k: n for k, n in self.losses.items() if n},
        )  # fmt: skip

    def _part(self, staves: list[list[str]]) -> DraftPart:
        """The voices of a part, put together bar by bar."""
        count = max(len(reader.bars) for reader in self.readers.values())
        bars = [DraftBar() for _ in range(count)]
        homes = {number: staff for staff, voices in enumerate(staves) for number in voices}
        voice_staves: dict[str, int] = {}
        for number in sorted(homes, key=_order):
            reader, home = self.readers[number], homes[number]
            voice_staves[number] = home
            voice_staves |= {f"{number}&{layer}": home for layer in range(1, reader.most_overlays + 1)}
            for bar, read in zip(bars, reader.bars, strict=False):
                _join(bar, read, home, len(staves), leads=staves[home][0] == number)
        clefs = [self.fields[voices[0]].clef or Clef() for voices in staves]
        bars[0].clefs = [(staff, ZERO, clef) for staff, clef in enumerate(clefs)] + bars[0].clefs
        percussion = any(clef.sign == "percussion" for clef in clefs)
        if percussion:
            for bar in bars:
                bar.keys.clear()
        _close_endings(bars)
        first = self.fields[staves[0][0]]
        return DraftPart(first.name, bars, first.abbreviation, len(staves), first.transpose, percussion, voice_staves)


def _join(bar: DraftBar, read: DraftBar, home: int, staves: int, leads: bool) -> None:
    """Add one voice's bar to that of its part; `home` is its staff, `leads`: it speaks for the staff."""
    for event in read.events:
        event.staff = max(0, min(staves - 1, home + event.staff))
    bar.events += read.events
    bar.length = max(bar.length, read.length)
    bar.metre = bar.metre or read.metre
    bar.left = bar.left or read.left
    bar.right = read.right if bar.right == "regular" else bar.right
    bar.ending = bar.ending or read.ending
    bar.tempos += read.tempos
    bar.marks += [(home, mark) for _, mark in read.marks]
    bar.clefs += [(home, onset, clef) for _, onset, clef in read.clefs]
    if leads:
        bar.keys += [(home, onset, key) for _, onset, key in read.keys]


def _number(bars: list[DraftBar], metre: Metre) -> None:
    """Count the bars from 1; a pickup has no number."""
    pickup = len(bars) > 1 and bars[0].length < (bars[0].metre or metre).length
    for number, bar in enumerate(bars, 0 if pickup else 1):
        bar.number = str(number) if number else ""


def _close_endings(bars: list[DraftBar]) -> None:
    """A bracket ends at the next bracket, and at any bar line that is more than a plain one."""
    opened = False
    for number, bar in enumerate(bars):
        opened |= bool(bar.ending)
        following = bars[number + 1] if number + 1 < len(bars) else None
        ends = bar.right in ("repeat", "double", "final") or following is None or following.ending or following.left
        if opened and ends:
            bar.ending_stops = True
            opened = False


def _order(voice: str) -> tuple[int, str]:
    return (int(voice) if voice.isdecimal() else 1_000_000, voice)
