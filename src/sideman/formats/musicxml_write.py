"""Song -> MusicXML 4.0 lead sheet: one part with the melody, chord symbols, metre, tempo and key.

Times are brought to divisions a notation program can show (see `notation.snap_beat`); apart from that
`read_musicxml(write_musicxml(song))` gives the notes, chords, metres, tempi and keys of `song` back.
Where no chord sounds between others the sheet says N.C.; after the last chord of the song it says so invisibly.
"""

import math
import re
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sideman.formats.musicxml_harmony import kind_symbol, spell_kind
from sideman.formats.notation import VALUES, Event, Symbol, notate, snap, snap_beat
from sideman.music.chord import Chord
from sideman.music.metre import bar_lines
from sideman.music.pitch import LETTERS, Key, spell
from sideman.music.song import Meter, Song

_DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC '
    '"-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
_CONTROL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Below this mean pitch (D3) the bass clef is easier to read.
_BASS_CLEF_BELOW = 50


@dataclass(frozen=True, slots=True)
class _Bar:
    """A written bar: onset and length in beats, its metre, and what its pickup lacks."""

    onset: Fraction
    length: Fraction
    meter: Meter
    lead: Fraction


@dataclass(frozen=True, slots=True)
class _Mark:
    """Something that stands at a time: a chord (None: no chord), a key or a tempo."""

    onset: Fraction
    chord: Chord | None = None
    key: Key | None = None
    bpm: float | None = None
    hidden: bool = False


def write_musicxml(song: Song) -> bytes:
    """UTF-8 bytes of a MusicXML 4.0 file."""
    bars = _bars(song)
    placed = _times(song, bars)
    events = _events(song, bars, placed)
    marks = _marks(song, placed)
    symbols = [
        notate(found, bar.length, Fraction(bar.meter.pulse_beats), bar.lead)
        for bar, found in zip(bars, events, strict=True)
    ]
    times = [m.onset for m in marks] + [b.onset for b in bars]
    times += [time for bar in symbols for s in bar for time in (s.start, s.duration)]
    writer = _Writer(song, math.lcm(*(t.denominator for t in times)))
    root = _score(song)
    part = SubElement(root, "part", id="P1")
    for number, bar in enumerate(bars):
        final = number + 1 == len(bars)
        here = [m for m in marks if bar.onset <= m.onset and (m.onset < bar.onset + bar.length or final)]
        part.append(writer.measure(number, bar, symbols[number], here, final))
    indent(root)
    return (_DOCTYPE + tostring(root, encoding="unicode") + "\n").encode()


def _bars(song: Song) -> list[_Bar]:
    """The bars, the last one cut short where it completes the pickup."""
    lines = bar_lines(song.meters, float(snap(song.beats)))
    edges = [snap(at) for at, _, _ in lines] + [snap(lines[-1][0] + lines[-1][1])]
    bars: list[_Bar] = []
    for (_, _, meter), (at, end) in zip(lines, pairwise(edges), strict=True):
        lacking = snap(meter.bar_beats) - (end - at) if at == 0 and song.pickup > 0 else Fraction(0)
        if end > at:
            bars.append(_Bar(at, end - at, meter, max(Fraction(0), lacking)))
    first, last, left = bars[0], bars[-1], snap(song.beats) - bars[-1].onset
    regular = len(bars) > 2 and bars[-2].length == snap(bars[-2].meter.bar_beats)
    if first.lead and regular and last.length == first.length + first.lead and first.length + left == last.length:
        bars[-1] = _Bar(last.onset, left, last.meter, last.lead)
    return bars


def _times(song: Song, bars: list[_Bar]) -> dict[float, Fraction]:
    """Where each time of the song stands on paper; times of one beat share a division of it."""
    spans = [(n.onset, n.offset) for n in song.notes] + [(c.onset, c.offset) for c in song.chords]
    events = [time for span in spans for time in span]
    starts = [bar.onset for bar in bars]
    beats: dict[tuple[int, int], list[float]] = {}
    for time in sorted({0.0, *events, *(k.onset for k in song.keys), *(t.onset for t in song.tempos)}):
        number = max(0, bisect_right(starts, Fraction(time) + Fraction(1, 2000)) - 1)
        beat = math.floor(time - float(bars[number].onset - bars[number].lead) + 5e-4)
        beats.setdefault((number, beat), []).append(time)
    placed: dict[float, Fraction] = {}
    for (number, _), times in beats.items():
        zero = bars[number].onset - bars[number].lead
        snapped = snap_beat([time - float(zero) for time in times])
        placed |= {time: max(bars[number].onset, zero + place) for time, place in zip(times, snapped, strict=True)}
    return placed


def _events(song: Song, bars: list[_Bar], placed: dict[float, Fraction]) -> list[list[Event]]:
    """Notes and the rests between them, cut at bar lines."""
    end = bars[-1].onset + bars[-1].length
    filled: list[tuple[Fraction, Fraction, int | None]] = []
    at = Fraction(0)
    onsets = [placed[note.onset] for note in song.notes] + [end]
    for note, onset, following in zip(song.notes, onsets, onsets[1:], strict=False):
        start, stop = max(onset, at), min(max(placed[note.offset], onset + Fraction(1, 16)), following)
        if stop <= start:
            continue  # squeezed out between two others when times were snapped
        if start > at:
            filled.append((at, start, None))
        filled.append((start, stop, note.pitch))
        at = stop
    if at < end:
        filled.append((at, end, None))
    starts = [bar.onset for bar in bars]
    events: list[list[Event]] = [[] for _ in bars]
    for start, stop, pitch in filled:
        for number in range(bisect_right(starts, start) - 1, len(bars)):
            bar = bars[number]
            if bar.onset >= stop:
                break
            a, b = max(start, bar.onset), min(stop, bar.onset + bar.length)
            events[number].append(Event(a - bar.onset, b - bar.onset, pitch, a > start, b < stop))
    return events


def _marks(song: Song, placed: dict[float, Fraction]) -> list[_Mark]:
    """Keys, tempi and chords in the order of the song; gaps between chords become N.C."""
    # The first key holds from the start, wherever it stands.
    marks = [_Mark(placed[change.onset if i else 0.0], key=change.key) for i, change in enumerate(song.keys)]
    marks += [_Mark(placed[tempo.onset], bpm=tempo.bpm) for tempo in song.tempos]
    chords: list[_Mark] = []
    end = Fraction(0)
    for span in song.chords:
        onset = placed[span.onset]
        if chords and onset > end:
            chords.append(_Mark(end))
        chords.append(_Mark(onset, span.chord))
        end = max(placed[span.offset], onset)
    if chords:
        silent = any(note.offset > float(end) + 1e-3 for note in song.notes)
        chords.append(_Mark(end, hidden=not silent))
    return sorted(marks + chords, key=lambda m: m.onset)


class _Writer:
    """Writes measures one after another; remembers which accidentals are in force."""

    def __init__(self, song: Song, divisions: int) -> None:
        self.song = song
        self.divisions = divisions
        self.key = song.key
        self.meter: Meter | None = None
        self.altered: dict[tuple[str, int], int] = {}

    def measure(self, number: int, bar: _Bar, symbols: list[Symbol], marks: list[_Mark], final: bool) -> Element:
        """One <measure>; `marks` are those that stand in it."""
        numbered = str(number + (not self.song.pickup > 0))
        element = Element("measure", {"number": numbered} | ({"implicit": "yes"} if bar.lead else {}))
        self.altered = {}
        keys = [m for m in marks if m.key is not None and m.onset > bar.onset]
        self._attributes(element, number, bar, [m for m in marks if m.key is not None and m not in keys])
        whole_rest = bar.length == snap(bar.meter.bar_beats) and all(s.pitch is None for s in symbols)
        if whole_rest:
            symbols = [Symbol(Fraction(0), bar.length, None, Fraction(4))]
        for symbol in symbols:
            start = bar.onset + symbol.start
            while keys and keys[0].onset <= start:
                self._key_element(SubElement(element, "attributes"), keys.pop(0).key)
            for mark in marks:
                if mark.key is None and start <= mark.onset < start + symbol.duration:
                    self._mark(element, mark, mark.onset - start)
            self._note(element, symbol, whole_rest)
        for mark in keys:  # inside the last note: it counts from the bar line
            self._key_element(SubElement(element, "attributes"), mark.key)
        if final:
            barline = SubElement(element, "barline", location="right")
            SubElement(barline, "bar-style").text = "light-heavy"
        return element

    def _attributes(self, measure: Element, number: int, bar: _Bar, keys: list[_Mark]) -> None:
        """Divisions, key, metre and clef where they begin or change."""
        element = Element("attributes")
        if number == 0:
            SubElement(element, "divisions").text = str(self.divisions)
        for mark in keys[-1:]:
            self._key_element(element, mark.key)
        if self.meter is None or str(self.meter) != str(bar.meter):
            self.meter = bar.meter
            _with(element, "time", beats=bar.meter.numerator, beat_type=bar.meter.denominator)
        if number == 0:
            pitches = [n.pitch for n in self.song.notes] or [60]
            low = sum(pitches) / len(pitches) < _BASS_CLEF_BELOW
            _with(element, "clef", sign="F" if low else "G", line=4 if low else 2)
        if len(element):
            measure.append(element)

    def _key_element(self, attributes: Element, key: Key | None) -> None:
        assert key is not None
        self.key = key
        _with(attributes, "key", fifths=key.fifths, mode=key.mode)

    def _mark(self, measure: Element, mark: _Mark, offset: Fraction) -> None:
        """A tempo or a chord, `offset` beats after the note that follows it in the file."""
        shift = str(int(offset * self.divisions))
        if mark.bpm is not None:
            direction = SubElement(measure, "direction", placement="above")
            _with(
                SubElement(direction, "direction-type"), "metronome", beat_unit="quarter", per_minute=_plain(mark.bpm)
            )
            if offset:
                SubElement(direction, "offset", sound="yes").text = shift
            SubElement(direction, "sound", tempo=_plain(mark.bpm))
            return
        harmony = SubElement(measure, "harmony", {"print-object": "no"} if mark.hidden else {})
        _harmony(harmony, mark.chord, self.key)
        if offset:
            SubElement(harmony, "offset").text = shift

    def _note(self, measure: Element, symbol: Symbol, whole_rest: bool) -> None:
        note = SubElement(measure, "note")
        if symbol.pitch is None:
            SubElement(note, "rest", {"measure": "yes"} if whole_rest else {})
        else:
            step, alter, octave = _spelling(symbol.pitch, self.key)
            _with(note, "pitch", step=step, alter=alter or None, octave=octave)
        SubElement(note, "duration").text = str(int(symbol.duration * self.divisions))
        ties = ["stop"] * symbol.tie_stop + ["start"] * symbol.tie_start
        for kind in ties:
            SubElement(note, "tie", type=kind)
        SubElement(note, "voice").text = "1"
        if not whole_rest:
            SubElement(note, "type").text = VALUES[symbol.value]
        for _ in range(symbol.dots):
            SubElement(note, "dot")
        if symbol.pitch is not None:
            self._accidental(note, symbol)
        self._tuplet(note, symbol, ties)

    def _accidental(self, note: Element, symbol: Symbol) -> None:
        """Shown where the note differs from the signature and from what the bar has said before."""
        assert symbol.pitch is not None
        step, alter, octave = _spelling(symbol.pitch, self.key)
        in_force = self.altered.get((step, octave), _signature(self.key, step))
        if symbol.tie_stop and not symbol.start:
            return  # carried over the bar line by the tie
        if alter != in_force:
            SubElement(note, "accidental").text = _ACCIDENTALS[alter]
        self.altered[step, octave] = alter

    def _tuplet(self, note: Element, symbol: Symbol, ties: list[str]) -> None:
        """Time modification and notations of one note."""
        tuplet = symbol.tuplet
        if tuplet is not None:
            modification = SubElement(note, "time-modification")
            SubElement(modification, "actual-notes").text = str(tuplet.actual)
            SubElement(modification, "normal-notes").text = str(tuplet.normal)
            if tuplet.unit != symbol.value:
                SubElement(modification, "normal-type").text = VALUES[tuplet.unit]
        brackets = ["start"] * symbol.tuplet_start + ["stop"] * symbol.tuplet_stop
        if ties or brackets:
            notations = SubElement(note, "notations")
            for kind in ties:
                SubElement(notations, "tied", type=kind)
            for kind in brackets:
                SubElement(notations, "tuplet", {"type": kind} | ({"bracket": "yes"} if kind == "start" else {}))


def _score(song: Song) -> Element:
    """The score up to its part list."""
    root = Element("score-partwise", version="4.0")
    if song.title:
        SubElement(SubElement(root, "work"), "work-title").text = _CONTROL.sub("", song.title)
    identification = SubElement(root, "identification")
    if song.composer:
        SubElement(identification, "creator", type="composer").text = _CONTROL.sub("", song.composer)
    SubElement(SubElement(identification, "encoding"), "software").text = "Sideman"
    score_part = SubElement(SubElement(root, "part-list"), "score-part", id="P1")
    SubElement(score_part, "part-name").text = "Melody"
    return root


def _harmony(harmony: Element, chord: Chord | None, key: Key | None) -> None:
    """Fill a <harmony> with a chord symbol, or with N.C."""
    root = SubElement(harmony, "root")
    if chord is None:
        SubElement(root, "root-step", text="").text = "C"
        SubElement(harmony, "kind", text="N.C.").text = "none"
        return
    _note_name(root, "root", spell(chord.root, key))
    kind, degrees = spell_kind(chord.mask)
    SubElement(harmony, "kind", text=kind_symbol(kind)).text = kind
    if chord.bass != chord.root:
        _note_name(SubElement(harmony, "bass"), "bass", spell(chord.bass, key))
    for degree in degrees:
        element = SubElement(harmony, "degree")
        SubElement(element, "degree-value").text = str(degree.value)
        SubElement(element, "degree-alter").text = str(degree.alter)
        SubElement(element, "degree-type").text = degree.change


def _note_name(element: Element, prefix: str, name: str) -> None:
    SubElement(element, f"{prefix}-step").text = name[0]
    if name[1:]:
        SubElement(element, f"{prefix}-alter").text = str(name.count("#") - name.count("b"))


def _spelling(pitch: int, key: Key | None) -> tuple[str, int, int]:
    """Step, alteration and octave of a MIDI pitch in a key."""
    name = spell(pitch % 12, key)
    alter = name.count("#") - name[1:].count("b")
    return name[0], alter, (pitch - alter - LETTERS[name[0]]) // 12 - 1


def _signature(key: Key | None, step: str) -> int:
    """What the key signature does to a step."""
    fifths = key.fifths if key else 0
    if fifths > 0:
        return int(step in "FCGDAEB"[:fifths])
    return -int(step in "BEADGCF"[:-fifths]) if fifths else 0


def _with(parent: Element, tag: str, **children: Any) -> None:
    """A child element with text elements in it; None leaves one out, `_` stands for `-`."""
    element = SubElement(parent, tag)
    for name, value in children.items():
        if value is not None:
            SubElement(element, name.replace("_", "-")).text = str(value)


def _plain(number: float) -> str:
    """A number without a needless `.0`."""
    return f"{number:.6f}".rstrip("0").rstrip(".")
