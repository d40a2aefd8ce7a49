"""POP909 (Wang et al., ISMIR 2020): piano arrangements of pop songs -> lead sheets.

A song is a folder `NNN` with `NNN.mid`, `beat_midi.txt` and `chord_midi.txt`, which share a clock in
seconds, and `key_audio.txt`, which runs on another one (only its most common key is used). The
annotated beats are the grid, all of them quarter notes: seconds become beats by interpolation between
them and, before the first and after the last one, by going on at the nearest beat's length. Melody
times are rounded to 16ths, chord times to 8ths. A song starts at the bar line before its first melody
note and ends at the bar line after the last one.
"""

import math
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import symusic
from numpy.typing import NDArray

from sideman.data.piece import Discarded, Piece
from sideman.errors import UnknownChord, WrongValue
from sideman.music.chord import Chord
from sideman.music.pitch import parse_key
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song, Tempo, skyline

# The top folder of an archive goes on with the branch or commit it was made from.
_UPSTREAM_FOLDER = "POP909-Dataset"
# Songs that are in the collection twice (a third to all of their melodies' ten-interval runs agree; the
# next closest pair shares 7 %).
_SAME_WORK = {"018": "017", "103": "101", "666": "492", "805": "262"}
_EPSILON = 1e-6
# Semitones of the scale degrees a label may name as its bass (`maj/3`, `min7/b7`).
_DEGREES = {"1": 0, "2": 2, "3": 4, "4": 5, "5": 7, "6": 9, "7": 11, "9": 2}


def pieces(root: Path) -> list[str]:
    """Sorted ids ("001".."909") of all songs; `root` is the unpacked tree or the folder that holds it."""
    folder = _songs(Path(root))
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []


def convert(root: Path, piece_id: str) -> Piece:
    """One song -> Piece. Raises Discarded."""
    folder = _songs(Path(root)) / piece_id
    losses: Counter[str] = Counter()
    beats = _table(folder / "beat_midi.txt")
    if len(beats) < 2:
        raise Discarded("fewer than two beats are annotated")
    notes = _melody(folder / f"{piece_id}.mid", beats[:, 0], losses)
    lines, numerator = _bar_lines(beats, notes[-1].offset)
    start = max((line for line in lines if line <= notes[0].onset), default=min(0, math.floor(notes[0].onset)))
    end = min(line for line in lines if line >= notes[-1].offset)
    chords = _chords(folder / "chord_midi.txt", beats[:, 0], start, end, losses)
    song = Song(
        notes=tuple(Note(n.onset - start, n.duration, n.pitch, n.velocity) for n in notes),
        chords=tuple(ChordSpan(c.onset - start, c.duration, c.chord) for c in chords),
        meters=_meters([line - start for line in lines if start <= line < end], numerator),
        tempos=(Tempo(0.0, round(60 / float(np.median(np.diff(beats[:, 0]))), 3)),),
        keys=_keys(folder / "key_audio.txt"),
        title=f"POP909 {piece_id}",
        source=f"pop909:{piece_id}",
    )
    return Piece(id=piece_id, song=song, work=f"pop909:{_SAME_WORK.get(piece_id, piece_id)}", losses=losses)


@lru_cache(maxsize=1024)
def parse_label(label: str) -> Chord | None:
    """`Gb:min7/b7` -> Chord, None for `N` and `X`. The bass is a scale degree. Raises UnknownChord."""
    if label in ("N", "X"):
        return None
    symbol, _, degree = label.partition("/")
    chord = Chord.parse(symbol.replace(":", "", 1))
    if chord is None or not degree:
        return chord
    number = degree.lstrip("#b")
    if number not in _DEGREES:
        raise UnknownChord(f"'{label}' has a bass that is no scale degree.")
    bass = _DEGREES[number] + degree.count("#") - degree.count("b")
    return Chord(chord.root, chord.mask, (chord.root + bass) % 12)


def _songs(root: Path) -> Path:
    nested = sorted(root.glob(f"{_UPSTREAM_FOLDER}*/POP909"))
    return nested[0] if nested else root / "POP909"


def _rows(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise Discarded(f"{'the MIDI file' if path.suffix == '.mid' else path.name} is missing") from None
    return [line.split() for line in text.splitlines() if line.strip()]


def _table(path: Path) -> NDArray[np.float64]:
    """beat_midi.txt as [beats, 3]: seconds, half-bar flag, bar flag."""
    return np.array([row[:3] for row in _rows(path)], np.float64).reshape(-1, 3)


def _positions(seconds: NDArray[np.float64], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds -> beats since the first annotated beat; the outermost beat lengths go on outside."""
    index = np.clip(np.searchsorted(grid, seconds, side="right") - 1, 0, len(grid) - 2)
    return np.asarray(index + (seconds - grid[index]) / (grid[index + 1] - grid[index]))


def _melody(path: Path, grid: NDArray[np.float64], losses: Counter[str]) -> list[Note]:
    """The MELODY track in beats, one voice, on the sixteenth grid."""
    try:
        score: Any = symusic.Score.from_midi(path.read_bytes(), "second")
    except OSError:
        raise Discarded("the MIDI file is missing") from None
    except RuntimeError:
        raise Discarded("the MIDI file is damaged") from None
    found = [track for track in score.tracks if track.name == "MELODY"]
    columns = found[0].notes.numpy() if found else {"time": np.zeros(0)}
    if not len(columns["time"]):
        raise Discarded("there is no melody")
    onset = _positions(columns["time"].astype(np.float64), grid)
    offset = _positions((columns["time"] + columns["duration"]).astype(np.float64), grid)
    pitch, velocity = columns["pitch"].tolist(), columns["velocity"].tolist()
    notes = sorted(
        (Note(a, b - a, p, v) for a, b, p, v in zip(onset.tolist(), offset.tolist(), pitch, velocity, strict=True)),
        key=lambda n: (n.onset, -n.pitch),
    )
    line = skyline(notes)
    losses["note hidden by a higher one"] += len(notes) - len(line)
    return _quantise(line, losses)


def _quantise(line: tuple[Note, ...], losses: Counter[str]) -> list[Note]:
    """Nearest 16ths; of notes that fall on one 16th the longest stays, a late offset is cut."""
    kept: list[Note] = []
    for note in line:
        onset = round(note.onset * 4) / 4
        losses["note off the sixteenth grid"] += abs(note.onset - onset) > 1 / 16
        snapped = Note(onset, max(0.25, round(note.offset * 4) / 4 - onset), note.pitch, note.velocity)
        if kept and onset == kept[-1].onset:
            losses["note shorter than a sixteenth"] += 1
            kept[-1] = max(kept[-1], snapped, key=lambda n: n.duration)
            continue
        if kept and kept[-1].offset > onset:
            last = kept[-1]
            kept[-1] = Note(last.onset, onset - last.onset, last.pitch, last.velocity)
        kept.append(snapped)
    return kept


def _chords(path: Path, grid: NDArray[np.float64], start: float, end: float, losses: Counter[str]) -> list[ChordSpan]:
    """Chord rows on the 8th grid, cut to `start`..`end`."""
    rows = _rows(path)
    times = _positions(np.array([row[:2] for row in rows], np.float64).reshape(-1, 2), grid)
    spans: list[ChordSpan] = []
    for (begin, stop), row in zip((np.round(times * 2) / 2).tolist(), rows, strict=True):
        try:
            chord = parse_label(row[2])
        except (UnknownChord, WrongValue):
            losses["unknown chord"] += 1
            continue
        if chord is None:
            continue
        a, b = max(begin, start), min(stop, end)
        if b - a > _EPSILON:
            spans.append(ChordSpan(a, b - a, chord))
        else:
            losses["chord before the melody" if stop <= start else "chord after the melody"] += 1
    if not spans:
        raise Discarded("no chord sounds with the melody")
    return spans


def _bar_lines(beats: NDArray[np.float64], last: float) -> tuple[list[int], int]:
    """Bar lines in beats, continued past `last`, and quarters a bar.

    Bars of four are flagged in column 3. The 29 ternary songs flag every sixth beat there and every
    third in column 2; chords change as often on either, so their bars have three quarters.
    """
    full = np.flatnonzero(beats[:, 2] > 0.5)
    half = np.flatnonzero(beats[:, 1] > 0.5)
    ternary = len(half) > 1 and np.median(np.diff(half)) == 3
    numerator, lines = (3, half.tolist()) if ternary else (4, full.tolist())
    lines = lines or [0]
    while lines[-1] < last:
        lines.append(lines[-1] + numerator)
    return lines, numerator


def _meters(lines: list[int], numerator: int) -> tuple[Meter, ...]:
    """The metre, restated at every bar line that regular bars would not reach."""
    meters = [Meter(float(lines[0]) if lines else 0.0, numerator, 4)]
    for line in lines:
        if (line - meters[-1].onset) % numerator:
            meters.append(Meter(float(line), numerator, 4))
    return tuple(meters)


def _keys(path: Path) -> tuple[KeyChange, ...]:
    """The key annotated for the longest time."""
    if not path.exists():
        return ()
    seconds: dict[str, float] = {}
    for start, stop, name in _rows(path):
        seconds[name] = seconds.get(name, 0.0) + float(stop) - float(start)
    return (KeyChange(0.0, parse_key(max(seconds, key=seconds.__getitem__))),) if seconds else ()
