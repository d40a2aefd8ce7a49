"""MusicXML (.musicxml, .xml, .mxl) -> Song: the melody line and chord symbols of a score, as played.

Repeats, endings and jumps are unfolded, ties merged, transposing parts read at sounding pitch, and
polyphony reduced to its top line. Whatever had to be chosen or left out is said in `Song.remarks`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar
from xml.etree.ElementTree import Element

from sideman.errors import TooLarge, UnreadableFile
from sideman.formats.musicxml_bars import Bar, Part, read_part
from sideman.formats.musicxml_container import MAX_NOTES, read_tree
from sideman.formats.musicxml_repeats import playing_order
from sideman.music.chord import Chord
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song, Tempo, skyline

_Value = TypeVar("_Value", Key, float)
_MELODY_NAMES = ("melod", "voice", "vocal", "voca", "solo", "lead", "sing", "canto", "sopran", "gesang")


def read_musicxml(data: bytes) -> Song:
    """Bytes of a MusicXML file, packed or plain -> Song. Raises UnreadableFile, TooLarge, WrongValue."""
    return read_sheet(data)[0]


def read_sheet(data: bytes) -> tuple[Song, Counter[str]]:
    """As `read_musicxml`, with counts of what was left out or simplified, by reason."""
    root = read_tree(data)
    parts = [part for part in _parts(root) if part.bars]
    if not parts:
        raise UnreadableFile("The score has no bars.", "Export it again as MusicXML.")
    melody, why = _melody_part(parts)
    harmony = melody if _chords(melody) else max(parts, key=_chords)
    bars, losses, remarks = _sheet_bars(melody, harmony, parts)
    if len(parts) > 1:
        remarks.insert(0, f"The melody is part '{melody.name}' of {len(parts)} ({why}).")
    order = playing_order(bars)
    if order != list(range(len(bars))):
        remarks.append(f"Repeats and jumps are unfolded: {len(bars)} written bars, {len(order)} played.")
    song = _assemble([bars[i] for i in order], losses)
    remarks += [f"{reason.capitalize()}: {count}." for reason, count in sorted(losses.items())]
    title, composer = _credits(root)
    return replace(song, title=title, composer=composer, remarks=tuple(remarks)), losses


def _parts(root: Element) -> Iterator[Part]:
    """The parts of a score written part by part or bar by bar."""
    if root.tag not in ("score-partwise", "score-timewise"):
        raise UnreadableFile(f"The file is XML but no score: <{root.tag[:40]}>.", "Export it as MusicXML.")
    names = {e.get("id", ""): " ".join((e.findtext("part-name") or "").split()) for e in root.iter("score-part")}
    measures: dict[str, list[Element]] = {}
    for outer in root.iterfind("part" if root.tag == "score-partwise" else "measure"):
        for inner in outer.iterfind("measure" if root.tag == "score-partwise" else "part"):
            part = outer if root.tag == "score-partwise" else inner
            measures.setdefault(part.get("id", ""), []).append(inner)
    for number, (name, found) in enumerate(measures.items(), 1):
        yield read_part(names.get(name) or str(number), found)


def _chords(part: Part) -> int:
    return sum(len(bar.chords) for bar in part.bars)


def _melody_part(parts: list[Part]) -> tuple[Part, str]:
    """The part to play along with, and why: words, chord symbols and a singer's name speak for it."""

    def score(part: Part) -> int:
        named = any(word in part.name.lower() for word in _MELODY_NAMES)
        return 4 * any(bar.notes for bar in part.bars) + 2 * bool(part.lyrics) + 2 * bool(_chords(part)) + named

    best = max(parts, key=score)
    reasons = ["it has lyrics"] * bool(best.lyrics) + ["it has chord symbols"] * bool(_chords(best))
    return best, " and ".join(reasons) or "the first that could be"


def _sheet_bars(melody: Part, harmony: Part, parts: list[Part]) -> tuple[list[Bar], Counter[str], list[str]]:
    """Melody bars with the chords of the harmony part, equal in length over all parts, with a metre."""
    losses = Counter({reason: count for reason, count in melody.losses.items() if count})
    remarks: list[str] = []
    if harmony is not melody:
        remarks.append(f"The chords are those of part '{harmony.name}'.")
        for reason in ("chord symbols nobody can parse", "chords at one place spread over their note"):
            losses += Counter({reason: harmony.losses[reason]})
    guessed = _common_meter(melody.bars) if melody.bars[0].meter is None else None
    if guessed:
        remarks.append(f"No metre is written; the bars look like {guessed[0]}/{guessed[1]}.")
    for index, bar in enumerate(melody.bars):
        bar.meter = bar.meter or guessed
        others = [part.bars[index] for part in parts if index < len(part.bars)]
        if len(others) > 1:
            bar.length = max(other.length for other in others if other.notes or other is bar)
            bar.chords = harmony.bars[index].chords if index < len(harmony.bars) else []
            for other in others:
                _share(bar, other)
    return melody.bars, losses, remarks


def _share(bar: Bar, other: Bar) -> None:
    """Signs, repeats and tempi count for all parts, wherever they are written."""
    marks, found = bar.marks, other.marks
    marks.forward |= found.forward
    marks.backward = max(marks.backward, found.backward)
    marks.ending = marks.ending or found.ending
    marks.ending_stops |= found.ending_stops
    for sign, position in found.signs.items():
        marks.signs.setdefault(sign, position)
    bar.bpm = bar.bpm or other.bpm
    bar.tempos = bar.tempos or other.tempos


def _common_meter(bars: list[Bar]) -> tuple[int, int]:
    """The metre most bars would fit, for scores that write none."""
    length = Counter(bar.length for bar in bars).most_common(1)[0][0]
    for denominator in (4, 8, 16):
        beats = length * denominator / 4
        if beats.denominator == 1 and 1 <= beats <= 64:
            return int(beats), denominator
    return 4, 4


@dataclass(slots=True)
class _Line:
    """A melody note while ties are merged."""

    onset: Fraction
    end: Fraction
    pitch: int
    open: bool


def _assemble(bars: list[Bar], losses: Counter[str]) -> Song:
    """Played bars, end to end, as a Song."""
    starts = [Fraction(0)]
    for bar in bars:
        starts.append(starts[-1] + bar.length)
    placed = list(zip(starts, bars, strict=False))
    notes = _notes(placed)
    line = skyline(notes)
    if len(line) != len(notes):
        losses["notes below the melody line dropped"] += len(notes) - len(line)
    keys = [(at + onset, key) for at, bar in placed for onset, key in [(Fraction(0), bar.key), *bar.keys] if key]
    tempos = [(at + onset, bpm) for at, bar in placed for onset, bpm in [(Fraction(0), bar.bpm), *bar.tempos] if bpm]
    return Song(
        notes=line,
        chords=tuple(_spans(placed, starts[-1], losses)),
        meters=_meters(placed),
        tempos=tuple(Tempo(onset, bpm) for onset, bpm in _changes(tempos)) or (Tempo(0.0, 120.0),),
        keys=tuple(KeyChange(onset, key) for onset, key in _changes(keys)),
    )


def _notes(placed: list[tuple[Fraction, Bar]]) -> list[Note]:
    """All notes, tied ones merged."""
    lines: list[_Line] = []
    open_ties: dict[int, _Line] = {}
    for at, bar in placed:
        for note in bar.notes:
            onset = at + note.onset
            held = open_ties.get(note.pitch)
            if note.tie_stop and held is not None and held.open and held.end == onset:
                held.end, held.open = onset + note.duration, note.tie_start
                continue
            lines.append(_Line(onset, onset + note.duration, note.pitch, note.tie_start))
            open_ties[note.pitch] = lines[-1]
        if len(lines) > MAX_NOTES:
            raise TooLarge(f"Unfolded, the score has more than {MAX_NOTES:,} notes.", "Give a single movement.")
    lines.sort(key=lambda n: (n.onset, -n.pitch))
    return [Note(float(n.onset), float(n.end) - float(n.onset), n.pitch) for n in lines]


def _spans(placed: list[tuple[Fraction, Bar]], end: Fraction, losses: Counter[str]) -> Iterator[ChordSpan]:
    """Every chord up to the next, or to the end."""
    events: list[tuple[Fraction, Chord | None]] = []
    for at, bar in placed:
        for onset, chord in bar.chords:
            if events and events[-1][0] >= at + onset:
                losses["chords another stands on dropped"] += 1
                events.pop()
            events.append((at + onset, chord))
    for (onset, chord), (following, _) in pairwise([*events, (end, None)]):
        if chord is not None and following > onset:
            yield ChordSpan(float(onset), float(following) - float(onset), chord)


def _meters(placed: list[tuple[Fraction, Bar]]) -> tuple[Meter, ...]:
    """Metre events on bar lines: at each change, and again after each bar of another length.

    Two neighbouring bars that fill one together (a repeat sign inside a bar) count as that one bar.
    """
    bars: list[tuple[Fraction, Fraction, Bar]] = []
    for at, bar in placed:
        if bars and bars[-1][1] < bar.full and bar.length < bar.full and bars[-1][1] + bar.length == bar.full:
            bars[-1] = (bars[-1][0], bar.full, bar)
        else:
            bars.append((at, bar.length, bar))
    pickup = len(bars) > 1 and bars[0][1] < bars[0][2].full
    meters: list[Meter] = []
    regular = False
    for at, length, bar in bars[pickup:]:
        meter = Meter(float(at), *(bar.meter or (4, 4)))
        if not regular or str(meters[-1]) != str(meter):
            meters.append(meter)
        regular = length == bar.full
    return tuple(meters)


def _changes(events: list[tuple[Fraction, _Value]]) -> list[tuple[float, _Value]]:
    """Only the events that change something; the first holds from the start."""
    found: list[tuple[float, _Value]] = []
    for onset, value in events:
        if not found or found[-1][1] != value:
            found.append((float(onset) if found else 0.0, value))
    return found


def _credits(root: Element) -> tuple[str, str]:
    """Title and composer as written, without line breaks."""
    titles = (root.findtext("work/work-title"), root.findtext("movement-title"))
    creators = {e.get("type", "composer"): e.text or "" for e in reversed(root.findall("identification/creator"))}
    title = next((t for t in titles if t and t.strip()), "")
    return " ".join(title.split()), " ".join(creators.get("composer", "").split())
