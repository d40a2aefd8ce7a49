"""The reference's cache files (spec 2.1-2.3), so that tools made for it can read our data, and back.

A folder holds `train|valid|test.jsonl`, one piece a line, and `chord_names.json`; with augmentation
also `*_augmented` files, in which each training piece stands 13 times, from 6 semitones down to 6 up.
Its chords have an inversion and no other bass. A chord its naming cannot name is left out, since its
readers stop at one. All of that is counted.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

from sideman.data.pack import SPLITS
from sideman.errors import UnknownChord, UnreadableFile, WrongValue
from sideman.files import write_atomic
from sideman.music.chord import Chord
from sideman.music.pitch import Key
from sideman.music.reference_names import name_of, root_position_intervals
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song

SHIFTS = range(-6, 7)
_SCALES = {"major": [2, 2, 1, 2, 2, 2], "minor": [2, 1, 2, 2, 1, 2]}
_TAGS = ["MELODY", "HARMONY", "NO_SWING"]
# Under which key a record tells where it comes from.
_ORIGIN = {"openewld": "wikifonia"}

Record = dict[str, Any]


def write_jsonl(
    folder: Path, collection: str, pieces: Iterable[tuple[str, str, Song]], augment: bool = False
) -> Counter[str]:
    """Write (id, split, song) of one collection; return what these files cannot hold, counted by reason.

    `pieces` is gone through once for every split; one piece at a time is held in memory.
    """
    losses, names = Counter[str](), {split: set[str]() for split in SPLITS}
    for split in SPLITS:
        records = (encode_record(collection, i, split, song, losses) for i, own, song in pieces if own == split)
        _write_lines(folder / f"{split}.jsonl", records, names[split])
    _write_names(folder / "chord_names.json", set[str]().union(*names.values()))
    if augment:
        _augment(folder, losses, names)
    return +losses


def _augment(folder: Path, losses: Counter[str], names: dict[str, set[str]]) -> None:
    """The files again, the pieces to train on in all transpositions."""
    for split in SPLITS[1:]:
        _write_lines(folder / f"{split}_augmented.jsonl", _records(folder / f"{split}.jsonl"), set())

    def moved() -> Iterator[Record]:
        for record in _records(folder / "train.jsonl"):
            copies = [copy for shift in SHIFTS if (copy := transpose_record(record, shift))]
            losses["transposed copy out of range or without chord names"] += len(SHIFTS) - len(copies)
            yield from copies

    all_names = names["valid"] | names["test"]
    _write_lines(folder / "train_augmented.jsonl", moved(), all_names)
    _write_names(folder / "chord_names_augmented.json", all_names)


def read_jsonl(path: Path) -> Iterator[tuple[str, Song]]:
    """(id, song) of every line of a cache file, also of one the reference wrote. Raises UnreadableFile."""
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    yield decode_record(json.loads(line))
                except (ValueError, KeyError, TypeError, AttributeError, WrongValue) as error:
                    raise UnreadableFile(f"Line {number} of {path} is not a piece ({error}).") from None
    except OSError as error:
        raise UnreadableFile(f"Cannot read {path}: {error.strerror}.") from None


def encode_record(collection: str, piece_id: str, split: str, song: Song, losses: Counter[str]) -> Record:
    """One line; what it cannot hold is added to `losses`."""
    harmony = [_harmony(span) for span in song.chords]
    named = [chord for chord in harmony if _name(chord) is not None]
    losses["chord without a name, dropped"] += len(harmony) - len(named)
    losses["bass that is no tone of its chord, dropped"] += sum(
        not 1 << span.chord.bass & span.chord.pitch_class_mask for span in song.chords
    )
    return {
        "tags": _TAGS,
        "split": split.upper(),
        "annotations": {
            "num_beats": int(-(-song.beats // 1)),
            "meters": [
                {"beat": _number(m.onset), "beats_per_bar": m.numerator, "beat_unit": m.denominator}
                for m in song.meters
            ],
            "keys": [
                {
                    "beat": _number(k.onset),
                    "tonic_pitch_class": k.key.tonic,
                    "scale_degree_intervals": _SCALES[k.key.mode],
                }
                for k in song.keys
            ],
            "melody": [_melody(note) for note in song.notes],
            "harmony": named,
        },
        _ORIGIN.get(collection, collection): _origin(collection, piece_id, song),
    }


def decode_record(record: Record) -> tuple[str, Song]:
    """One line -> (id, song). The bass of a chord is the tone its inversion counts to."""
    annotations = record["annotations"]
    notes = tuple(
        Note(n["onset"], n["offset"] - n["onset"], 60 + 12 * n["octave"] + n["pitch_class"])
        for n in annotations["melody"] or ()
    )
    chords = tuple(ChordSpan(c["onset"], c["offset"] - c["onset"], _chord(c)) for c in annotations["harmony"] or ())
    meters = tuple(Meter(m["beat"], m["beats_per_bar"], m["beat_unit"]) for m in annotations.get("meters") or ())
    keys = tuple(
        KeyChange(k["beat"], Key(k["tonic_pitch_class"], "minor" if k["scale_degree_intervals"][1] == 1 else "major"))
        for k in annotations.get("keys") or ()
        if isinstance(k, dict)  # the reference's POP909 has bare strings here
    )
    known = [record[name] for name in ("hooktheory", "pop909", "nottingham", "wikifonia") if name in record]
    origin = known[0] if known else {}
    song = Song(
        notes=tuple(sorted(notes, key=lambda n: n.onset)),
        chords=tuple(sorted(chords, key=lambda c: c.onset)),
        meters=meters or (Meter(0.0, 4, 4),),
        keys=keys,
        title=origin.get("title") or origin.get("song") or "",
        composer=origin.get("composer") or origin.get("artist") or "",
    )
    return str(origin.get("id", "")), song


def transpose_record(record: Record, semitones: int) -> Record | None:
    """A transposed copy; None where a note would leave 0..127 or a chord would have no name."""
    annotations = record["annotations"]
    melody = []
    for note in annotations["melody"]:
        octave, pitch_class = divmod(note["pitch_class"] + semitones, 12)
        melody.append(note | {"octave": note["octave"] + octave, "pitch_class": pitch_class})
    harmony = [c | {"root_pitch_class": (c["root_pitch_class"] + semitones) % 12} for c in annotations["harmony"]]
    keys = [k | {"tonic_pitch_class": (k["tonic_pitch_class"] + semitones) % 12} for k in annotations["keys"]]
    in_range = all(0 <= 60 + 12 * n["octave"] + n["pitch_class"] <= 127 for n in melody)
    if not in_range or any(_name(chord) is None for chord in harmony):
        return None
    return record | {"annotations": annotations | {"melody": melody, "harmony": harmony, "keys": keys}}


def _melody(note: Note) -> Record:
    octave, pitch_class = divmod(note.pitch - 60, 12)
    times = {"onset": _number(note.onset), "offset": _number(note.offset)}
    return times | {"octave": octave, "pitch_class": pitch_class}


def _harmony(span: ChordSpan) -> Record:
    intervals = root_position_intervals(span.chord)
    tones = [tone % 12 for tone in accumulate(intervals, initial=0)]
    bass = span.chord.bass_interval
    return {
        "onset": _number(span.onset),
        "offset": _number(span.offset),
        "root_pitch_class": span.chord.root,
        "root_position_intervals": list(intervals),
        "inversion": tones.index(bass) if bass in tones else 0,
    }


def _chord(record: Record) -> Chord:
    root = record["root_pitch_class"]
    tones = tuple(accumulate(record["root_position_intervals"], initial=0))
    inversion = record.get("inversion", 0)
    return Chord.make(root, tones, root + tones[inversion if inversion < len(tones) else 0])


def _name(chord: Record) -> str | None:
    try:
        return name_of(chord["root_pitch_class"], tuple(chord["root_position_intervals"]))
    except UnknownChord:
        return None


def _origin(collection: str, piece_id: str, song: Song) -> Record:
    """What the reference's readers look for to name a piece."""
    if collection == "hooktheory":
        urls = {"artist": "", "song": song.source or piece_id, "clip": ""}
        return {"id": piece_id, "artist": song.composer, "song": song.title, "annotators": [], "urls": urls}
    file, _, index = piece_id.partition(":")
    origin: Record = {"id": piece_id, "title": song.title, "source": collection, "file": file}
    if collection == "nottingham":
        return origin | {"index": int(index) if index.isdecimal() else 0}
    if collection == "pop909":
        return origin
    signature = song.key.fifths if song.key else 0
    return origin | {"composer": song.composer, "time_signature": str(song.meters[0]), "key_signature": signature}


def _number(beats: float) -> int | float:
    """Whole beats as integers, as in the original files."""
    return int(beats) if beats == int(beats) else beats


def _write_lines(path: Path, records: Iterable[Record], names: set[str]) -> None:
    """One record a line; the names of their chords are added to `names`."""

    def write(stream: IO[bytes]) -> None:
        for record in records:
            names.update(name for chord in record["annotations"]["harmony"] if (name := _name(chord)))
            stream.write(json.dumps(record).encode() + b"\n")

    write_atomic(path, write)


def _records(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def _write_names(path: Path, names: set[str]) -> None:
    write_atomic(path, json.dumps(sorted(names), indent=2, ensure_ascii=False).encode())
