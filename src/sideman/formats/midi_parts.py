"""Which track of a MIDI file is the melody, and which one holds the chords."""

import re
from dataclasses import dataclass
from functools import cached_property

from sideman.music.chord import Chord
from sideman.music.song import ChordSpan, Note

# Notes that start within this many beats of each other are struck together.
_TOGETHER = 1 / 16
# A track is one of block chords if this much of it is struck together.
BLOCK_SHARE = 0.8
# A gap up to this many beats between two chords is articulation, not silence.
_BREATH = 1 / 4
# Track names that announce a melody, the surest first.
_MELODY_NAMES = (r"melod", r"vocal|vox|voice|voc\b|sing|lyric", r"lead|solo|theme|tune")
_OTHER_NAMES = re.compile(r"bass|drum|perc|chord|pad|accomp|comp\b|backing|harmon|left|option", re.IGNORECASE)
_CHORD_NAMES = re.compile(r"chord|harmon|changes", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """A pitched track: its name and its notes in beats, sorted by onset, at least one."""

    name: str
    notes: tuple[Note, ...]

    @cached_property
    def strokes(self) -> list[list[Note]]:
        """Notes grouped by common onset."""
        groups: list[list[Note]] = []
        for note in self.notes:
            if groups and note.onset - groups[-1][0].onset < _TOGETHER:
                groups[-1].append(note)
            else:
                groups.append([note])
        return groups

    @property
    def mean_pitch(self) -> float:
        return sum(note.pitch for note in self.notes) / len(self.notes)

    @property
    def single_share(self) -> float:
        """Share of strokes that are one note."""
        return sum(len(group) == 1 for group in self.strokes) / len(self.strokes)

    @property
    def chord_share(self) -> float:
        """Share of strokes with three pitch classes or more."""
        return sum(len({n.pitch % 12 for n in group}) >= 3 for group in self.strokes) / len(self.strokes)


def melody_part(parts: list[Part], tracks: int, remarks: list[str]) -> Part:
    """The melody among `parts` (at least one): by its name, else the high, busy, one-voiced track."""
    for pattern in _MELODY_NAMES:
        named = [p for p in parts if re.search(pattern, p.name, re.IGNORECASE) and not _OTHER_NAMES.search(p.name)]
        if named:
            chosen = named[0]
            break
    else:
        most = max(len(part.strokes) for part in parts)
        chosen = max(parts, key=lambda part: _melody_score(part, most))
    if tracks > 1:
        name = f"the track '{chosen.name}'" if chosen.name else f"a track without a name ({len(chosen.notes)} notes)"
        remarks.append(f"Took {name}, one of {tracks}, as the melody.")
    return chosen


def _melody_score(part: Part, most_strokes: int) -> float:
    """One voice counts most, then height (an octave is worth a quarter of it), then being busy."""
    busy = min(1.0, 3 * len(part.strokes) / most_strokes)
    return part.single_share + part.mean_pitch / 48 + busy - (1.0 if _OTHER_NAMES.search(part.name) else 0.0)


def block_chord_part(parts: list[Part], remarks: list[str]) -> Part | None:
    """The one track of block chords beside others; None when there is none or several may be meant."""
    blocks = [part for part in parts if part.chord_share >= BLOCK_SHARE]
    if len(blocks) == len(parts):
        return None
    named = [part for part in blocks if _CHORD_NAMES.search(part.name)]
    found = named or blocks
    if len(found) > 1:
        remarks.append(f"Left out the chords: {len(found)} tracks could hold them.")
        return None
    return found[0] if found else None


def block_chords(part: Part) -> tuple[ChordSpan, ...]:
    """Every stroke of two pitch classes or more as a chord over its lowest note, until it is released."""
    spans: list[ChordSpan] = []
    strokes = part.strokes
    for index, group in enumerate(strokes):
        pitch_classes = {note.pitch % 12 for note in group}
        if len(pitch_classes) < 2:
            continue
        onset, stop = group[0].onset, max(note.offset for note in group)
        if index + 1 < len(strokes):
            following = strokes[index + 1][0].onset
            stop = following if following - stop < _BREATH else stop
        chord = Chord.from_pitch_classes(pitch_classes, min(note.pitch for note in group) % 12)
        spans.append(ChordSpan(onset, stop - onset, chord))
    return tuple(spans)
