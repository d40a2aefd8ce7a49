"""The Hooktheory collection, on a made-up file with everything the real one contains."""

import gzip
import json

import pytest

from sideman.data import hooktheory
from sideman.data.piece import Discarded
from sideman.errors import UnreadableFile
from sideman.music.song import Meter


def entry(number: int, split: str = "TRAIN", drop: str = "", extra: tuple[str, ...] = (), **annotations) -> dict:
    notes = [
        {"onset": 1, "offset": 2.5, "octave": 0, "pitch_class": 4},
        {"onset": 5, "offset": 5.125, "octave": -1, "pitch_class": 11},
        {"onset": 6.0, "offset": 8, "octave": 0, "pitch_class": 0},
    ]
    chords = [
        {"onset": 0, "offset": 4, "root_pitch_class": 0, "root_position_intervals": [4, 3], "inversion": 0},
        {"onset": 4, "offset": 6.0, "root_pitch_class": 7, "root_position_intervals": [5, 2], "inversion": 0},
        {"onset": 6, "offset": 8, "root_pitch_class": 7, "root_position_intervals": [4, 3, 3], "inversion": 1},
    ]
    names = {"id": f"id{number}", "artist": "the-testers", "song": f"song-{number // 2}", "annotators": ["me"]}
    return {
        "tags": [t for t in ("MELODY", "HARMONY", "NO_SWING", *extra) if t != drop],
        "split": split,
        "hooktheory": names | {"urls": {"song": "https://example.org"}},
        "youtube": {"id": "x", "url": "y", "duration": 12.5},
        "alignment": {"swing": "STRAIGHT", "user": None, "refined": {"beats": [0, 8], "times": [2.0, 6.0]}},
        "annotations": {
            "num_beats": 8,
            "meters": [{"beat": 0, "beats_per_bar": 4, "beat_unit": 4}],
            "keys": [{"beat": 0, "tonic_pitch_class": 0, "scale_degree_intervals": [2, 2, 1, 2, 2, 2]}],
            "melody": None if drop == "MELODY" else notes,
            "harmony": None if drop == "HARMONY" else chords,
        }
        | annotations,
    }


MINOR = {"beat": 4, "tonic_pitch_class": 9, "scale_degree_intervals": [2, 1, 2, 2, 1, 2]}
MAJOR = {"beat": 0, "tonic_pitch_class": 0, "scale_degree_intervals": [2, 2, 1, 2, 2, 2]}
ENTRIES = {
    "a": entry(0),
    "b": entry(1, "VALID", meters=[{"beat": 0, "beats_per_bar": 3, "beat_unit": 4}]),
    "c": entry(2, "TEST", keys=[MAJOR, MINOR]),
    "d": entry(3, drop="MELODY"),
    "e": entry(4, drop="HARMONY"),
    "f": entry(5, extra=("TEMPO_CHANGES",)),
    "g": entry(6, melody=[]),
    "h": {"tags": ["MELODY"]},
}


@pytest.fixture
def folder(tmp_path):
    hooktheory._entries.cache_clear()
    with gzip.open(tmp_path / hooktheory.FILE, "wb") as stream:
        stream.write(json.dumps(ENTRIES).encode())
    yield tmp_path
    hooktheory._entries.cache_clear()


def test_ids_of_the_folder_and_of_the_file(folder):
    assert hooktheory.pieces(folder) == sorted(ENTRIES)
    assert hooktheory.pieces(folder / hooktheory.FILE) == sorted(ENTRIES)


def test_a_piece_keeps_its_times_split_and_names(folder):
    piece = hooktheory.convert(folder, "a")
    assert [(n.onset, n.duration, n.pitch) for n in piece.song.notes] == [(1, 1.5, 64), (5, 0.125, 59), (6, 2, 60)]
    assert [(c.onset, c.duration, c.chord.name()) for c in piece.song.chords] == [
        (0, 4, "C"), (4, 2, "Gsus4"), (6, 2, "G7/B"),
    ]  # fmt: skip
    assert (piece.split, piece.song.bpm, piece.song.title) == ("train", 120, "Song 0")
    assert not +piece.losses


def test_splits_metre_and_keys(folder):
    pieces = [hooktheory.convert(folder, name) for name in "abc"]
    assert [piece.split for piece in pieces] == ["train", "valid", "test"]
    assert pieces[1].song.meters == (Meter(0, 3, 4),)
    assert [(k.onset, k.key.name) for k in pieces[2].song.keys] == [(0, "C major"), (4, "A minor")]


def test_excerpts_of_one_song_are_one_work(folder):
    first, second, other = (hooktheory.convert(folder, name).work for name in "abc")
    assert first == second != other


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("d", "no melody is annotated"), ("e", "no harmony is annotated"), ("f", "the tempo changes"),
        ("g", "there is no melody"), ("h", "the entry is damaged"),
    ],
)  # fmt: skip
def test_what_is_dropped_says_why(folder, name, reason):
    with pytest.raises(Discarded, match=reason):
        hooktheory.convert(folder, name)


def test_a_damaged_download(folder):
    whole = (folder / hooktheory.FILE).read_bytes()
    for content in (b"", b"<html>", whole[: len(whole) // 2], gzip.compress(b"[1]")):
        (folder / hooktheory.FILE).write_bytes(content)
        hooktheory._entries.cache_clear()
        with pytest.raises(UnreadableFile):
            hooktheory.pieces(folder)
