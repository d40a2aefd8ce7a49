"""Score -> Standard MIDI File, type 1, 480 ticks a quarter: a track a part, repeats played out."""

from collections.abc import Iterator
from typing import Any

import symusic

from sideman.formats.score_performance import Performance, perform
from sideman.music.score import Metre, Score

TICKS = 480


def write_score_midi(score: Score) -> bytes:
    """A score as bytes of a .mid file. Raises TooLarge."""
    return performance_midi(score, perform(score))


def performance_midi(score: Score, played: Performance) -> bytes:
    """The same of a score that has been played."""
    file: Any = symusic.Score(TICKS)
    file.tempos.extend(symusic.Tempo(_ticks(onset), qpm=qpm) for onset, qpm in played.tempos)
    file.time_signatures.extend(_signatures(score, played))
    file.key_signatures.extend(_keys(score, played))
    for index, name in enumerate(played.names):
        track: Any = symusic.Track(name=name, program=played.programs[index], is_drum=index in played.drums)
        for note in played.notes:
            if note.part == index:
                start = _ticks(note.onset)
                length = max(1, _ticks(note.onset + note.beats) - start)
                track.notes.append(symusic.Note(start, length, note.pitch, note.velocity))
        file.tracks.append(track)
    return bytes(file.dumps_midi())


def _ticks(beats: float) -> int:
    return round(beats * TICKS)


def _signatures(score: Score, played: Performance) -> Iterator[Any]:
    """Metres where they change; a pickup is a bar cut short."""
    metre, said = Metre("4"), None
    for bar in played.bars:
        written = score.bars[bar.bar]
        metre = written.metre or metre
        numerator, denominator = int(metre.length * metre.bottom / 4), metre.bottom
        short = written.length * denominator / 4
        if bar.bar == 0 and 0 < short < numerator and short.denominator == 1:
            numerator = int(short)
        if (numerator, denominator) != said and 0 < numerator < 256 and denominator.bit_count() == 1:
            said = (numerator, denominator)
            yield symusic.TimeSignature(_ticks(bar.onset), numerator, denominator)


def _keys(score: Score, played: Performance) -> Iterator[Any]:
    """Keys of the first part that sounds as written."""
    plain = [part for part in score.parts if not part.transpose % 12 and not part.percussion and part.staves]
    for bar in played.bars if plain else ():
        for onset, key in plain[0].staves[0][bar.bar].keys:
            time = _ticks(bar.onset + float(onset))
            yield symusic.KeySignature(time, key.fifths, int(key.mode in ("minor", "aeolian", "dorian", "phrygian")))
