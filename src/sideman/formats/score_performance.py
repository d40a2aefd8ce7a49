"""Score -> what one hears: repeats played out, ties joined, dynamics as velocities, tempi as time.

Times are quarter-note beats from the start of the performance; `Performance.seconds` gives clock time. Pitches sound
(transposing parts are shifted), those outside 0..127 are left out.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from sideman.errors import TooLarge
from sideman.formats import musicxml_bars as steering
from sideman.formats.musicxml_repeats import playing_order
from sideman.formats.score_loudness import Loudness
from sideman.formats.score_programs import program_of
from sideman.music.score import ZERO, Event, Part, Pitch, Score, Voice

DEFAULT_QPM = 100.0
MAX_EVENTS = 200_000
# A grace note on the beat, in quarter notes; together they take at most half of what they lead to.
_GRACE = Fraction(1, 8)
_SHORTENED = {"staccato": Fraction(1, 2), "staccatissimo": Fraction(1, 4), "portato": Fraction(3, 4)}
_SIGNS = {"segno": "segno", "coda": "coda", "fine": "fine", "D.C.": "dacapo", "D.S.": "dalsegno"}


@dataclass(frozen=True, slots=True)
class PlayedNote:
    """A note of part `part` (index): beats, MIDI pitch and velocity."""

    onset: float
    beats: float
    pitch: int
    velocity: int
    part: int


@dataclass(frozen=True, slots=True)
class PlayedBar:
    """Bar `bar` of the score (index) begins at `onset`."""

    bar: int
    onset: float


@dataclass(frozen=True)
class Performance:
    """A score as it is played. `tempos`: (onset, quarter notes a minute), the first at 0; `programs`: General MIDI, one
    a part; `drums`: parts of unpitched percussion; notes sorted by onset."""

    notes: tuple[PlayedNote, ...]
    bars: tuple[PlayedBar, ...]
    tempos: tuple[tuple[float, float], ...]
    names: tuple[str, ...]
    programs: tuple[int, ...]
    drums: frozenset[int]
    beats: float
    _clock: list[float] = field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        at, then, qpm = 0.0, 0.0, self.tempos[0][1]
        for onset, faster in self.tempos:
            at += (onset - then) * 60 / qpm
            self._clock.append(at)
            then, qpm = onset, faster

    def seconds(self, beat: float) -> float:
        """Clock time of a beat."""
        index = bisect_right(self.tempos, beat, key=lambda tempo: tempo[0]) - 1
        onset, qpm = self.tempos[max(0, index)]
        return self._clock[max(0, index)] + (beat - onset) * 60 / qpm


def perform(score: Score) -> Performance:
    """Play a score. Raises TooLarge for more than 10,000 played bars or 200,000 notes and rests."""
    bars, end = _bars(score)
    notes = [n for index, part in enumerate(score.parts) for n in _notes(score, part, index, bars)]
    return Performance(
        notes=tuple(sorted(notes, key=lambda note: (note.onset, note.part, note.pitch))),
        bars=tuple(PlayedBar(bar, float(onset)) for bar, onset in bars),
        tempos=_tempos(score, bars),
        names=tuple(part.name for part in score.parts),
        programs=tuple(program_of(part.name) for part in score.parts),
        drums=frozenset(index for index, part in enumerate(score.parts) if part.percussion),
        beats=float(end),
    )


def _bars(score: Score) -> tuple[list[tuple[int, Fraction]], Fraction]:
    """(bar, onset) in playing order, and where it ends."""
    found, at = [], ZERO
    for bar in playing_order(list(_steered(score))):
        found.append((bar, at))
        at += score.bars[bar].length
    sizes = [sum(len(v.bars[n]) for part in score.parts for v in part.voices) for n in range(len(score.bars))]
    if sum(sizes[bar] for bar, _ in found) > MAX_EVENTS:
        raise TooLarge(f"Played out, the score has more than {MAX_EVENTS:,} notes and rests.", "Give less of it.")
    return found, at


def _steered(score: Score) -> Iterator[steering.Bar]:
    """The bars with nothing but what decides their order."""
    full: tuple[int, int] | None = None
    for index, bar in enumerate(score.bars):
        if bar.metre is not None:
            length = bar.metre.length / 4
            full = (length.numerator, length.denominator)
        marks = steering.Marks(
            forward=bar.left == "repeat",
            backward=2 if bar.right == "repeat" else 0,
            ending=tuple(int(n) for n in bar.ending.replace(",", " ").replace(".", " ").split() if n.isdecimal()),
            ending_stops=bar.ending_stops,
        )
        for part in score.parts:
            for mark in (mark for staff in part.staves for mark in staff[index].marks):
                if mark.kind == "sign" and mark.text in _SIGNS:
                    marks.signs[_SIGNS[mark.text]] = mark.onset
        yield steering.Bar(full, None, None, bar.length, marks=marks)


def _tempos(score: Score, bars: list[tuple[int, Fraction]]) -> tuple[tuple[float, float], ...]:
    """The tempo map; after a jump the tempo of the bar one lands in holds again."""
    in_force, qpm = [], DEFAULT_QPM
    for bar in score.bars:
        in_force.append(qpm)
        for tempo in bar.tempos:
            qpm = _sane(float(tempo.unit) * tempo.bpm)
    found: dict[float, float] = {}
    for bar_index, start in bars:
        found[float(start)] = in_force[bar_index]
        for tempo in score.bars[bar_index].tempos:
            found[float(start + tempo.onset)] = _sane(float(tempo.unit) * tempo.bpm)
    rows = sorted(found.items()) or [(0.0, DEFAULT_QPM)]
    return tuple(row for number, row in enumerate(rows) if number == 0 or row[1] != rows[number - 1][1])


def _sane(qpm: float) -> float:
    return min(600.0, max(10.0, qpm))


def _notes(score: Score, part: Part, number: int, bars: list[tuple[int, Fraction]]) -> Iterator[PlayedNote]:
    loudness = Loudness(score, part)
    starts = score.bar_starts()
    for voice in part.voices:
        # Ties that are held, by (end, written pitch): the onset of the note and its velocity.
        held: dict[tuple[Fraction, Pitch], tuple[Fraction, int]] = {}
        for bar, start in bars:
            for event, onset, end in _timed(voice, bar, start):
                velocity = loudness.velocity(starts[bar] + event.onset, event.signs)
                for note in event.notes:
                    began, loud = held.pop((start + event.onset, note.pitch), (onset, velocity))
                    if note.tie and not event.is_grace:
                        held[start + event.offset, note.pitch] = (began, loud)
                    else:
                        yield from _played(part, number, note.pitch.midi, began, end, loud)
        for (end, pitch), (began, loud) in held.items():
            yield from _played(part, number, pitch.midi, began, end, loud)


def _played(part: Part, number: int, written: int, onset: Fraction, end: Fraction, loud: int) -> Iterator[PlayedNote]:
    pitch = written + part.transpose
    if 0 <= pitch <= 127 and end > onset:
        yield PlayedNote(float(onset), float(end - onset), pitch, loud, number)


def _timed(voice: Voice, bar: int, start: Fraction) -> Iterator[tuple[Event, Fraction, Fraction]]:
    """(event, onset, end) of the events of a bar that sound; grace notes take their time from the note they lead to."""
    graces: list[Event] = []
    for event in voice.bars[bar]:
        if event.is_grace:
            graces.append(event)
            continue
        onset = start + event.onset
        each = min(_GRACE, event.duration / 2 / len(graces)) if graces else ZERO
        for grace in graces:
            yield grace, onset, onset + each
            onset += each
        graces = []
        if event.notes:
            short = min((_SHORTENED[sign] for sign in event.signs if sign in _SHORTENED), default=Fraction(1))
            yield event, onset, onset + (start + event.offset - onset) * short
