"""Our JSON: what comes in is checked to the last field, what goes out comes back."""

import json
from dataclasses import replace

import pytest

from sideman.errors import EmptyMelody, SidemanError, TooLarge, UnknownChord, UnreadableFile, WrongValue
from sideman.formats.json_song import MAX_FRAMES, read_json, write_json
from sideman.music.chord import Chord
from sideman.music.frames import encode_melody
from sideman.music.metre import bar_lines
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song, Tempo

ONE = {"onset": 0, "duration": 1, "pitch": 60}


def read(**fields) -> Song:
    return read_json(json.dumps(fields).encode())


def chord(onset: float, duration: float, symbol: str) -> dict:
    return {"onset": onset, "duration": duration, "symbol": symbol}


def test_a_request_as_in_the_interface():
    body = {"melody": {"notes": [ONE], "meter": "6/8", "tempo": 90}, "n": 5}
    song = read_json(json.dumps(body).encode())
    assert song == Song(notes=(Note(0, 1, 60),), meters=(Meter(0, 6, 8),), tempos=(Tempo(0, 90),))


def test_everything_comes_back():
    song = Song(
        notes=(Note(0.5, 1 / 3, 60, 33), Note(2, 1, 127)),
        chords=(ChordSpan(0, 2, Chord.make(3, (0, 3, 7, 10), 10)), ChordSpan(2, 1.5, Chord.make(8, (0, 4, 7)))),
        meters=(Meter(1, 4, 4), Meter(5, 3, 4)),
        tempos=(Tempo(0, 87.5), Tempo(3, 120)),
        keys=(KeyChange(0, Key(3, "minor")), KeyChange(4, Key(6))),
        title="Läuft",
        composer="N. N.",
    )
    assert read_json(write_json(song)) == song
    assert read_json(write_json(replace(song, keys=()))) == replace(song, keys=())


def test_frames_are_sixteenths_that_start_hold_or_rest():
    song = read(frames=[-2, 60, -1, 60, 62, -2, -2, 64])
    assert song.notes == (Note(0.25, 0.5, 60), Note(0.75, 0.25, 60), Note(1, 0.25, 62), Note(1.75, 0.25, 64))
    assert encode_melody(song).melody.tolist() == [-1, 60, 60, 60, 62, -1, -1, 64]


@pytest.mark.parametrize("frames", [[-1], [60, -2, -1]])
def test_a_hold_of_nothing_is_an_error(frames):
    with pytest.raises(WrongValue, match="none sounds"):
        read(frames=frames)


def test_notes_are_put_in_order_and_overlaps_resolved():
    late, high = {"onset": 2, "duration": 1, "pitch": 62}, {"onset": 0, "duration": 1, "pitch": 72}
    assert read(notes=[late, ONE, high]).notes == (Note(0, 1, 72), Note(2, 1, 62))


def test_chords_are_cut_by_the_next_one_and_by_silence():
    song = read(notes=[ONE], chords=[chord(2, 2, "N.C."), chord(0, 8, "Am7/G"), chord(4, 1, "D")])
    assert [(c.onset, c.duration, c.chord.name()) for c in song.chords] == [(0, 2, "Am7/G"), (4, 1, "D")]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"notes": [ONE], "frames": [60]},
        {"notes": [ONE | {"pitch": 128}]},
        {"notes": [ONE | {"pitch": -1}]},
        {"notes": [ONE | {"pitch": 60.5}]},
        {"notes": [ONE | {"onset": -0.1}]},
        {"notes": [ONE | {"onset": 1e9}]},
        {"notes": [ONE | {"duration": 0}]},
        {"notes": [ONE | {"colour": "red"}]},
        {"notes": [ONE], "tempi": 120},
        {"notes": [ONE], "tempo": 0},
        {"notes": [ONE], "meter": "4"},
        {"notes": [ONE], "meter": "4/5"},
        {"notes": [ONE], "key": "H dur"},
        {"notes": [ONE], "pickup": -1},
        {"notes": [ONE], "pickup": 4},
        {"notes": [ONE], "meter": "6/8", "pickup": 3},
        {"notes": [ONE], "meter_changes": [{"onset": 0, "meter": "3/4"}]},
        {"notes": [ONE], "chords": [chord(0, 1, "C"), chord(0, 1, "G")]},
        {"frames": [128]},
        {"frames": [-3]},
        {"frames": [60] * (MAX_FRAMES + 1)},
        {"notes": "C D E"},
    ],
)
def test_what_is_out_of_bounds(fields):
    with pytest.raises(WrongValue) as error:
        read(**fields)
    assert error.value.message


def test_a_pickup_is_shorter_than_a_bar():
    with pytest.raises(WrongValue) as error:
        read(notes=[ONE], pickup=9)
    assert (error.value.message, error.value.hint) == (
        "pickup: 9 beats are a whole bar of 4/4 or more.",
        "Give 0 or more, and less than 4: what comes before the first full bar.",
    )
    assert read(notes=[ONE], meter="6/4", pickup=5.5).pickup == 5.5
    # A bar line first stated after nine beats has others before it.
    song = Song(notes=(Note(0, 9, 60),), meters=(Meter(9, 4, 4),))
    again = read_json(write_json(song))
    assert [bar[:2] for bar in bar_lines(again.meters, 10)] == [bar[:2] for bar in bar_lines(song.meters, 10)]


@pytest.mark.parametrize("fields", [{"notes": []}, {"frames": []}, {"frames": [-2, -2]}])
def test_no_note(fields):
    with pytest.raises(EmptyMelody):
        read(**fields)


def test_errors_name_the_place():
    with pytest.raises(WrongValue, match=r"notes\[1\]\.pitch"):
        read(notes=[ONE, ONE | {"pitch": 200}])
    with pytest.raises(UnknownChord, match="Hm"):
        read(notes=[ONE], chords=[chord(0, 1, "Hm")])


def test_the_end_has_a_limit_too():
    with pytest.raises(TooLarge):
        read(notes=[ONE | {"onset": 1000, "duration": 1000}])
    with pytest.raises(TooLarge):
        write_json(Song(notes=(Note(0, 5000, 60),)))


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff\xfe", b'{"notes": [NaN]}', b'{"a":' * 90_000, b"[" * 90_000])
def test_what_is_no_json_object(data):
    with pytest.raises((UnreadableFile, WrongValue)):
        read_json(data)


def test_infinities_have_no_way_in():
    with pytest.raises(SidemanError):
        read_json(b'{"notes": [{"onset": 1e999, "duration": 1, "pitch": 60}]}')
