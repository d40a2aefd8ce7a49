"""A song as a lead sheet: one melody line, chords over it, metre, tempo and key.

All times are quarter-note beats from the start of the piece, as floats. A `Meter` event always
stands on a bar line: a pickup is a first meter with `onset > 0`, an irregular bar is followed by
a meter event that restates the metre where the next bar begins.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sideman.errors import WrongValue
from sideman.music.chord import Chord
from sideman.music.pitch import Key


@dataclass(frozen=True, slots=True)
class Note:
    """One note: onset and duration in beats, MIDI pitch 0..127, velocity 1..127."""

    onset: float
    duration: float
    pitch: int
    velocity: int = 80

    @property
    def offset(self) -> float:
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord that sounds from `onset` for `duration` beats."""

    onset: float
    duration: float
    chord: Chord

    @property
    def offset(self) -> float:
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class Meter:
    """A metre that holds from the bar line at `onset` on."""

    onset: float
    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        if not 1 <= self.numerator <= 64 or self.denominator not in (1, 2, 4, 8, 16, 32):
            raise WrongValue(f"{self.numerator}/{self.denominator} is not a metre.", "Write one like 4/4, 3/4 or 6/8.")

    @property
    def bar_beats(self) -> float:
        """Length of a bar in quarter-note beats."""
        return self.numerator * 4 / self.denominator

    @property
    def pulse_beats(self) -> float:
        """Length of one felt beat: a dotted quarter in 6/8, a half in 2/2, a quarter in 4/4."""
        compound = self.denominator >= 8 and self.numerator % 3 == 0 and self.numerator > 3
        return (12 if compound else 4) / self.denominator

    @classmethod
    def parse(cls, text: str, onset: float = 0.0) -> "Meter":
        """`6/8`, `C`, `C|` -> Meter. Raises WrongValue."""
        clean = {"C": "4/4", "C|": "2/2"}.get(text.strip(), text.strip())
        top, slash, bottom = clean.partition("/")
        if not slash or not top.strip().isdecimal() or not bottom.strip().isdecimal():
            raise WrongValue(f"'{text}' is not a metre.", "Write one like 4/4, 3/4 or 6/8.")
        return cls(onset, int(top), int(bottom))

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True, slots=True)
class Tempo:
    """Quarter notes a minute from `onset` (beats) on."""

    onset: float
    bpm: float


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key that holds from `onset` (beats) on."""

    onset: float
    key: Key


@dataclass(frozen=True, slots=True)
class Song:
    """A lead sheet. Notes and chords are sorted by onset; the melody never overlaps itself."""

    notes: tuple[Note, ...] = ()
    chords: tuple[ChordSpan, ...] = ()
    meters: tuple[Meter, ...] = (Meter(0.0, 4, 4),)
    tempos: tuple[Tempo, ...] = (Tempo(0.0, 120.0),)
    keys: tuple[KeyChange, ...] = ()
    title: str = ""
    composer: str = ""
    source: str = ""
    # What a reader had to choose or leave out, in sentences a user can read.
    remarks: tuple[str, ...] = field(default=(), compare=False)

    @property
    def beats(self) -> float:
        """Length in beats: the last offset of a note or chord."""
        return max([n.offset for n in self.notes] + [c.offset for c in self.chords], default=0.0)

    @property
    def pickup(self) -> float:
        """Beats before the first full bar."""
        return self.meters[0].onset

    @property
    def key(self) -> Key | None:
        return self.keys[0].key if self.keys else None

    @property
    def bpm(self) -> float:
        return self.tempos[0].bpm if self.tempos else 120.0

    def key_at(self, beat: float) -> Key | None:
        found = self.key
        for change in self.keys:
            if change.onset <= beat + 1e-6:
                found = change.key
        return found

    def transpose(self, semitones: int) -> "Song":
        """Every pitch, chord and key moved by `semitones`. Raises WrongValue outside 0..127."""
        notes = tuple(replace(n, pitch=n.pitch + semitones) for n in self.notes)
        if any(not 0 <= n.pitch <= 127 for n in notes):
            raise WrongValue(f"Transposing by {semitones} leaves the MIDI range 0..127.")
        chords = tuple(replace(c, chord=c.chord.transpose(semitones)) for c in self.chords)
        keys = tuple(KeyChange(k.onset, k.key.transpose(semitones)) for k in self.keys)
        return replace(self, notes=notes, chords=chords, keys=keys)


def seconds_at(tempos: tuple[Tempo, ...], beat: float) -> float:
    """Seconds from beat 0 to `beat` along the tempo map."""
    seconds, at, bpm = 0.0, 0.0, tempos[0].bpm if tempos else 120.0
    for tempo in tempos:
        if tempo.onset >= beat:
            break
        seconds += (tempo.onset - at) * 60 / bpm
        at, bpm = tempo.onset, tempo.bpm
    return seconds + (beat - at) * 60 / bpm


def skyline(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Reduce polyphony to one line: the highest sounding note wins (Uitdenbogerd & Zobel, 1998).

    A note hidden by a higher one at its own onset is dropped; a note that is overtaken later is cut
    there. Whatever remains shorter than a 64th (1/16 beat) is dropped. Monophonic input is returned unchanged.
    """
    line: list[Note] = []
    for note in sorted(notes, key=lambda n: (n.onset, -n.pitch, -n.duration)):
        if line and line[-1].offset > note.onset + 1e-6:
            last = line[-1]
            if note.onset - last.onset < 1e-6 or (last.pitch > note.pitch and _covers(last, note)):
                continue
            line[-1] = replace(last, duration=note.onset - last.onset)
            if line[-1].duration < 1 / 16:
                line.pop()
        line.append(note)
    return tuple(line)


def _covers(high: Note, low: Note) -> bool:
    """Whether `high` hides `low` for most of its length (a short legato overlap does not count)."""
    return high.offset - low.onset >= min(low.duration, high.duration) / 2
