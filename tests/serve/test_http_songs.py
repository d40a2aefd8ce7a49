"""POST /v1/songs: a file becomes what the page lays on its desk, and a row becomes any file."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import mido
import pytest
from starlette.testclient import TestClient

from sideman.formats.load import read_song
from sideman.music.chord import Chord
from sideman.music.voice_leading import lead_voices
from sideman.serve.app import make_app
from sideman.serve.songs import MEDIA_TYPES

SONG = {
    "notes": [{"onset": 0.5, "duration": 1.5, "pitch": 60}, {"onset": 2.0, "duration": 1.5, "pitch": 64}],
    "chords": [{"onset": 0.5, "duration": 1.5, "symbol": "Am7"}, {"onset": 2.0, "duration": 1.5, "symbol": "F/A"}],
    "meter": "3/8",
    "pickup": 0.5,
    "tempo": 90,
    "key": "A minor",
    "title": "Row",
}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(make_app()) as client:
        yield client


@pytest.mark.parametrize("kind", ["midi", "musicxml", "abc"])
def test_what_is_written_is_read_again(client: TestClient, kind: str):
    answer = client.post("/v1/songs", json={"song": SONG, "format": kind})
    assert answer.headers["content-type"].partition(";")[0] == MEDIA_TYPES[kind]
    song = read_song(answer.content, f"row.{kind}")
    assert [(n.onset, n.pitch) for n in song.notes] == [(0.5, 60), (2.0, 64)]
    assert [c.chord.name() for c in song.chords] == ["Am7", "F/A"]
    assert (str(song.meters[0]), song.pickup, song.bpm) == ("3/8", 0.5, 90)


def test_a_file_becomes_the_song_it_holds(client: TestClient, midi_file: Callable[..., Path]):
    content = midi_file([(0, 1, 60), (1, 0.5, 67)]).read_bytes()
    answer = client.post("/v1/songs", files={"file": ("tune.mid", content)})
    assert answer.status_code == 200
    song = answer.json()["song"]
    assert [(n["onset"], n["duration"], n["pitch"]) for n in song["notes"]] == [(0, 1, 60), (1, 0.5, 67)]
    again = client.post("/v1/songs", json={"song": song}).json()["song"]
    assert again == song, "what came out goes in"


def test_chords_are_played_as_options_lead_them(client: TestClient):
    midi = mido.MidiFile(file=BytesIO(client.post("/v1/songs", json={"song": SONG, "format": "midi"}).content))
    voicings = lead_voices([Chord.make(9, (0, 3, 7, 10)), Chord.make(5, (0, 4, 7), 9)])
    sounded = [message.note for message in midi.tracks[2] if message.type == "note_on" and message.velocity]
    assert sounded == [pitch for voicing in voicings for pitch in voicing]


def test_charts_are_text_and_nothing_a_browser_runs(client: TestClient):
    chart = client.post("/v1/songs", json={"song": SONG, "format": "text"})
    assert "Am7" in chart.text
    link = client.post("/v1/songs", json={"song": SONG, "format": "ireal"})
    assert "irealbook://Row=" in link.text
    assert link.headers["content-disposition"] == "attachment"
    assert link.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"song": {"notes": []}}, "empty_melody"),
        ({"song": {**SONG, "chords": [{"onset": 0, "duration": 1, "symbol": "H"}]}, "format": "midi"}, "unknown_chord"),
        ({"song": {**SONG, "chords": []}, "format": "text"}, "wrong_value"),
        ({"song": SONG, "format": "gif"}, "wrong_value"),
    ],
)
def test_what_is_wrong_is_said(client: TestClient, body: dict[str, object], code: str):
    answer = client.post("/v1/songs", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


def test_a_file_that_is_none_is_refused(client: TestClient):
    answer = client.post("/v1/songs", files={"file": ("tune.mid", b"MThd broken")})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "unreadable_file"
