"""The reference's cache files: the schema it reads, and our songs through them and back."""

import json
from collections import Counter
from pathlib import Path

import pytest
from toy_collection import toy_song

from sideman.data.jsonl import decode_record, encode_record, read_jsonl, transpose_record, write_jsonl
from sideman.errors import UnreadableFile
from sideman.music.chord import Chord
from sideman.music.song import ChordSpan, Note, Song

PIECES = [("jigs:1", "train", toy_song()), ("jigs:2", "train", toy_song(40)), ("jigs:3", "test", toy_song(72))]


def test_a_record_has_the_published_fields() -> None:
    losses = Counter[str]()
    record = encode_record("nottingham", "jigs:7", "train", toy_song(59), losses)
    notes = record["annotations"]["melody"]
    assert notes[0] == {"onset": 0, "offset": 0.25, "octave": -1, "pitch_class": 11}
    assert notes[1] == {"onset": 1, "offset": 1.25, "octave": 0, "pitch_class": 0}
    assert record["annotations"]["harmony"][1:3] == [
        {"onset": 2, "offset": 4, "root_pitch_class": 9, "root_position_intervals": [3, 4, 3], "inversion": 0},
        {"onset": 4, "offset": 6, "root_pitch_class": 2, "root_position_intervals": [4, 3], "inversion": 1},
    ]
    assert record["annotations"]["num_beats"] == 8
    assert record["annotations"]["meters"] == [{"beat": 0, "beats_per_bar": 3, "beat_unit": 4}]
    assert record["annotations"]["keys"][0]["tonic_pitch_class"] == 7
    assert (record["split"], record["tags"]) == ("TRAIN", ["MELODY", "HARMONY", "NO_SWING"])
    assert record["nottingham"] == {
        "id": "jigs:7", "title": "Toy", "source": "nottingham", "file": "jigs", "index": 7,
    }  # fmt: skip
    assert +losses == {"bass that is no tone of its chord, dropped": 1}


@pytest.mark.parametrize(
    ("collection", "key"),
    [("openewld", "wikifonia"), ("wikifonia", "wikifonia"), ("pop909", "pop909"), ("hooktheory", "hooktheory")],
)
def test_each_collection_has_the_key_its_readers_look_for(collection: str, key: str) -> None:
    record = encode_record(collection, "x/y", "valid", toy_song(), Counter())
    assert record[key]["id"] == "x/y"
    if key == "hooktheory":
        assert record[key]["urls"]["song"]


def test_songs_survive_but_for_foreign_basses(tmp_path: Path) -> None:
    write_jsonl(tmp_path, "nottingham", PIECES)
    back = dict(read_jsonl(tmp_path / "train.jsonl"))
    assert list(back) == ["jigs:1", "jigs:2"]
    for piece_id, _, song in PIECES[:2]:
        read = back[piece_id]
        assert [(n.onset, n.pitch) for n in read.notes] == [(n.onset, n.pitch) for n in song.notes]
        assert [n.duration for n in read.notes] == pytest.approx([n.duration for n in song.notes])
        assert [c.chord.name() for c in read.chords] == ["C", "Am7", "D/F#", "G7b9"]
        assert (read.meters, read.keys, read.title) == (song.meters, song.keys, song.title)


def test_every_quality_we_name_survives() -> None:
    symbols = ("C9", "Cadd9", "C13", "C7#9", "Cm11", "Csus2", "C6/9", "C7#11", "C9sus4/G", "Cm7b5/Gb", "Cdim7/Eb", "C5")
    chords = [c for s in symbols if (c := Chord.parse(s))]
    assert len(chords) == len(symbols)
    song = Song((Note(0, 1, 60),), tuple(ChordSpan(float(i), 1.0, c) for i, c in enumerate(chords)))
    _, back = decode_record(encode_record("pop909", "1", "test", song, Counter()))
    assert [c.chord for c in back.chords] == chords


def test_names_are_sorted_and_cover_all_splits(tmp_path: Path) -> None:
    write_jsonl(tmp_path, "nottingham", PIECES)
    text = (tmp_path / "chord_names.json").read_text()
    assert json.loads(text) == ["Am7", "C", "D", "G7(addb2)"]
    assert text.startswith('[\n  "Am7",\n')
    assert {p.name for p in tmp_path.iterdir()} == {"train.jsonl", "valid.jsonl", "test.jsonl", "chord_names.json"}


def test_augmentation_multiplies_training_pieces_only(tmp_path: Path) -> None:
    write_jsonl(tmp_path, "nottingham", PIECES, augment=True)
    moved = [json.loads(line) for line in (tmp_path / "train_augmented.jsonl").read_text().splitlines()]
    assert len(moved) == 26
    first = [record["annotations"]["melody"][0] for record in moved[:13]]
    assert [12 * n["octave"] + n["pitch_class"] for n in first] == list(range(-6, 7))
    assert [r["annotations"]["harmony"][1]["root_pitch_class"] for r in moved[:13]] == [
        (9 + s) % 12 for s in range(-6, 7)
    ]
    assert (tmp_path / "test_augmented.jsonl").read_bytes() == (tmp_path / "test.jsonl").read_bytes()
    names = json.loads((tmp_path / "chord_names_augmented.json").read_text())
    assert names == sorted(names)
    # The naming drops the ninth on some roots and not on others, so names are not closed under transposition.
    assert {"C7(addb2)", "Db7", "Am7", "Gb"} <= set(names)


def test_a_copy_out_of_range_is_left_out_and_counted(tmp_path: Path) -> None:
    high = Song((Note(0, 1, 125),), (ChordSpan(0, 1, Chord.make(0, (0, 4, 7))),))
    losses = write_jsonl(tmp_path, "pop909", [("1", "train", high)], augment=True)
    assert losses == {"transposed copy out of range or without chord names": 4}
    assert transpose_record(encode_record("pop909", "1", "train", high, Counter()), 3) is None


def test_a_chord_without_a_name_is_left_out_and_counted(tmp_path: Path) -> None:
    nameless = Chord.make(0, tuple(range(9)))
    song = Song((Note(0, 1, 60),), (ChordSpan(0, 1, nameless), ChordSpan(1, 1, Chord.make(0, (0, 4, 7)))))
    assert write_jsonl(tmp_path, "pop909", [("1", "train", song)]) == {"chord without a name, dropped": 1}
    ((_, back),) = read_jsonl(tmp_path / "train.jsonl")
    assert [c.chord.name() for c in back.chords] == ["C"]


def test_reads_records_of_the_reference() -> None:
    record = {
        "tags": [], "split": "TRAIN", "pop909": {"id": "004", "title": "POP909 Song 004"},
        "annotations": {
            "melody": [{"onset": 1, "offset": 1.5, "octave": -1, "pitch_class": 11}],
            "harmony": [{"onset": 0, "offset": 4, "root_pitch_class": 7, "root_position_intervals": [4, 3, 3]}],
            "keys": ["Gb:maj"], "meters": [{"beat": 0, "beats_per_bar": 4, "beat_unit": 4}], "num_beats": 4,
        },
    }  # fmt: skip
    piece_id, song = decode_record(record)
    assert piece_id == "004"
    assert song.notes == (Note(1, 0.5, 59),)
    assert song.chords == (ChordSpan(0, 4, Chord.make(7, (0, 4, 7, 10))),)


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"annotations": {"melody": [{"onset": 0}]}}'])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "train.jsonl").write_text(line + "\n")
    with pytest.raises(UnreadableFile, match="Line 1"):
        list(read_jsonl(tmp_path / "train.jsonl"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="nothing"):
        list(read_jsonl(tmp_path / "nothing.jsonl"))
