"""Song -> ABC lead sheet: one tune with bar lines, chord symbols spelled in the key, and ties.

Times are rounded to a 24th of a beat, which holds 32nd notes and triplets of quarters, eighths and
sixteenths. `read_abc` gives back the same notes, chords, bar lines, keys and tempi.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from sideman.errors import EmptyMelody, TooLarge
from sideman.formats.abc_fields import Signature, parse_key
from sideman.music.metre import bar_lines
from sideman.music.pitch import Key, spell
from sideman.music.song import Song

GRID = 24  # ticks a quarter note
BARS_A_LINE = 4
MAX_BEATS = 100_000
_SIGNS = {2: "^^", 1: "^", 0: "=", -1: "_", -2: "__"}


@dataclass(frozen=True, slots=True)
class _Piece:
    """Part of a note or rest (`pitch` None) between cuts; `tied` to the next piece, `continues` the last."""

    start: int
    stop: int
    pitch: int | None
    tied: bool = False
    continues: bool = False

    @property
    def is_triplet(self) -> bool:
        return (self.stop - self.start) % 3 != 0


def write_abc(song: Song, number: int = 1) -> str:
    """A song as an ABC tune with `X:` number. Raises EmptyMelody for an empty song, TooLarge beyond MAX_BEATS."""
    if not song.notes and not song.chords:
        raise EmptyMelody("There is nothing to write.", "A lead sheet needs notes or chords.")
    if song.beats > MAX_BEATS:
        raise TooLarge(f"The song is {song.beats:.0f} beats long.", f"At most {MAX_BEATS} are written.")
    sheet = _Sheet(song)
    return _header(song, number, sheet.unit) + sheet.body()


def _header(song: Song, number: int, unit: int) -> str:
    fields = [
        f"X:{number}",
        f"T:{_plain(song.title)}",
        f"C:{_plain(song.composer)}" if song.composer else "",
        f"M:{song.meters[0]}",
        f"L:1/{unit}",
        f"Q:1/4={_number(song.bpm)}",
        f"K:{_key_name(song.key)}",
    ]
    return "\n".join(field for field in fields if field) + "\n"


class _Sheet:
    """The music of one song, written bar by bar. Used once."""

    def __init__(self, song: Song) -> None:
        self.song = song
        self.end = max(_tick(song.beats), 1)
        self.bars = [(_tick(at), _tick(at + length), meter) for at, length, meter in bar_lines(song.meters, song.beats)]
        self.marks = self._marks()
        cuts = {at for at, _, _ in self.bars} | set(self.marks)
        self.pieces = [piece for event in self._events() for piece in _cut(event, cuts)]
        eighths = all((p.stop - p.start) * (3 if p.is_triplet else 2) % GRID == 0 for p in self.pieces)
        self.unit = 8 if eighths else 16
        self.key = song.key
        self.signature: Signature = parse_key(_key_name(song.key))[1]
        self.altered: Signature = {}  # letters with an accidental in this bar
        self.shown: set[tuple[str, int]] = set()  # the octaves where it was written
        self.spelled = ""  # the last piece, for ties

    def _events(self) -> list[_Piece]:
        """Notes with the rests between them, up to the end."""
        out: list[_Piece] = []
        at = 0
        notes = self.song.notes
        for index, note in enumerate(notes):
            start = max(_tick(note.onset), at)
            limit = _tick(notes[index + 1].onset) if index + 1 < len(notes) else self.end
            stop = min(max(_tick(note.offset), start + 1), max(limit, start))
            if stop <= start:  # shorter than the grid
                continue
            if start > at:
                out.append(_Piece(at, start, None))
            out.append(_Piece(start, stop, note.pitch))
            at = stop
        if at < self.end:
            out.append(_Piece(at, self.end, None))
        return out

    def _marks(self) -> dict[int, str]:
        """What is written before the piece at a tick: metre, key and tempo changes, then the chord."""
        fields: dict[int, str] = {}
        current = str(self.song.meters[0])
        for at, _, meter in self.bars:
            if str(meter) != current:
                current = str(meter)
                fields[at] = f"[M:{current}]"
        for key in self.song.keys[1:]:
            fields[_tick(key.onset)] = fields.get(_tick(key.onset), "") + f"[K:{_key_name(key.key)}]"
        for tempo in self.song.tempos[1:]:
            fields[_tick(tempo.onset)] = fields.get(_tick(tempo.onset), "") + f"[Q:1/4={_number(tempo.bpm)}]"
        for at, symbol in self._chord_symbols().items():
            fields[at] = fields.get(at, "") + f'"{symbol}"'
        return {at: text for at, text in fields.items() if at < self.end}

    def _chord_symbols(self) -> dict[int, str]:
        """Chord symbols by tick; where a chord ends with none after it, N.C."""
        symbols: dict[int, str] = {}
        for span in self.song.chords:
            symbols.setdefault(_tick(span.offset), "N.C.")
            symbols[_tick(span.onset)] = span.chord.name(self.song.key_at(span.onset))
        return symbols

    def body(self) -> str:
        lines: list[str] = []
        line: list[str] = []
        full_bars = 0
        at = 0
        for number, (start, stop, _) in enumerate(self.bars):
            inside = at
            while at < len(self.pieces) and self.pieces[at].start < stop:
                at += 1
            if inside == at:
                break
            line.append(self._bar(number, self.pieces[inside:at]))
            full_bars += start >= _tick(self.song.pickup)
            if full_bars == BARS_A_LINE:
                lines.append("|".join(line) + "|")
                line, full_bars = [], 0
        if line:
            lines.append("|".join(line) + "|")
        return "\n".join(lines) + "]\n"

    def _bar(self, number: int, pieces: list[_Piece]) -> str:
        start, stop, meter = self.bars[number]
        pulse = round(meter.pulse_beats * GRID)
        first = stop - round(meter.bar_beats * GRID) if number == 0 and self.song.pickup else start
        self.altered, self.shown = {}, set()
        out: list[str] = []
        opened = _tuplets(pieces)
        for index, piece in enumerate(pieces):
            gap = " " if out and (piece.start - first) % pulse == 0 else ""
            out.append(gap + self._marked(piece.start) + opened.get(index, "") + self._written(piece))
        return "".join(out)

    def _marked(self, tick: int) -> str:
        """The marks at a tick; a key change takes effect for the notes after it."""
        text = self.marks.get(tick, "")
        for change in self.song.keys[1:]:
            if "[K:" in text and _tick(change.onset) == tick:
                self.key = change.key
                self.signature = parse_key(_key_name(change.key))[1]
                self.altered, self.shown = {}, set()
        return text

    def _written(self, piece: _Piece) -> str:
        length = Fraction((piece.stop - piece.start) * (3 if piece.is_triplet else 2) * self.unit, 8 * GRID)
        if piece.pitch is None:
            return "z" + _length(length)
        return self._note(piece.pitch, piece.continues) + _length(length) + ("-" if piece.tied else "")

    def _note(self, pitch: int, continues: bool) -> str:
        """A pitch spelled in the key, with an accidental where the bar so far leaves it open."""
        name = spell(pitch % 12, self.key)
        letter, shift = name[0], name.count("#") - name.count("b")
        octave = (pitch - shift) // 12 - 5
        spelled = letter + "," * -octave if octave <= 0 else letter.lower() + "'" * (octave - 1)
        same = continues and spelled == self.spelled
        self.spelled = spelled
        known = self.altered.get(letter, self.signature.get(letter, 0)) == shift
        # Programs differ on whether an accidental counts in other octaves: write it again there.
        if same or (known and (letter not in self.altered or (letter, octave) in self.shown)):
            return spelled
        self.altered[letter] = shift
        self.shown.add((letter, octave))
        return _SIGNS[shift] + spelled


def _cut(event: _Piece, cuts: set[int]) -> list[_Piece]:
    """An event cut at `cuts` and, where it is long and not of plain length, at beats."""
    edges = {event.start, event.stop} | {cut for cut in cuts if event.start < cut < event.stop}
    for start, stop in pairwise(sorted(edges)):
        if stop - start > GRID and (start % 3 or stop % 3):
            edges |= {e for e in (-(-start // GRID) * GRID, stop // GRID * GRID) if start < e < stop}
    points = sorted(edges)
    last = len(points) - 2
    return [
        replace(event, start=a, stop=b, tied=event.pitch is not None and i < last, continues=i > 0)
        for i, (a, b) in enumerate(pairwise(points))
    ]


def _tuplets(pieces: list[_Piece]) -> dict[int, str]:
    """Tuplet signs by index of their first piece: runs that close on a plain fraction of a beat."""
    out: dict[int, str] = {}
    index = 0
    while index < len(pieces):
        count = length = 0
        while index + count < len(pieces) and pieces[index + count].is_triplet and count < 9:
            piece = pieces[index + count]
            length += piece.stop - piece.start
            count += 1
            if length % 3 == 0:
                break
        if count:
            out[index] = "(3" if count == 3 else f"(3:2:{count}"
        index += max(1, count)
    return out


def _tick(beat: float) -> int:
    return round(beat * GRID)


def _length(units: Fraction) -> str:
    top = "" if units.numerator == 1 else str(units.numerator)
    return top if units.denominator == 1 else f"{top}/{units.denominator}"


def _key_name(key: Key | None) -> str:
    return "none" if key is None else spell(key.tonic, key) + ("m" if key.mode == "minor" else "")


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _plain(text: str) -> str:
    """Text for a field: one line, `%` escaped."""
    return " ".join(text.split()).replace("%", "\\%")
