"""A take as a file to keep, whoever reads it."""

import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import mido
import pytest
from starlette.testclient import TestClient

from sideman.formats.load import read_song
from sideman.serve.app import make_app

TAKE = {
    "title": "Evening",
    "tempo": 90,
    "meter": "3/4",
    "notes": [
        {"onset": 0.02, "duration": 0.9, "pitch": 60, "velocity": 90},
        {"onset": 0.03, "duration": 2.9, "pitch": 48, "velocity": 50},
        {"onset": 1.04, "duration": 1.9, "pitch": 64, "velocity": 100},
        {"onset": 3.0, "duration": 3.0, "pitch": 67, "velocity": 0},
    ],
    "chords": [
        {"onset": 0, "duration": 4, "symbol": "C", "pitches": [48, 55, 64]},
        {"onset": 3, "duration": 3, "symbol": "G7/B"},
    ],
}
MUSICXML = "application/vnd.recordare.musicxml+xml"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(make_app()) as client:
        yield client


def save(client, accept, take=TAKE):
    return client.post("/v1/takes", json=take, headers={"Accept": accept})


def test_midi_has_every_note_and_the_chords(client):
    answer = save(client, "audio/midi")
    assert answer.headers["content-type"] == "audio/midi"
    file = mido.MidiFile(file=io.BytesIO(answer.content))
    assert file.type == 1
    conductor, melody, chords = file.tracks
    assert next(m.tempo for m in conductor if m.type == "set_tempo") == round(60e6 / 90)
    signature = next(m for m in conductor if m.type == "time_signature")
    assert (signature.numerator, signature.denominator) == (3, 4)
    assert [m.note for m in melody if m.type == "note_on" and m.velocity] == [60, 48, 64, 67]
    first = next(m for m in melody if m.type == "note_on")
    assert first.velocity == 90
    assert {m.note % 12 for m in chords if m.type == "note_on"} == {0, 4, 7, 11, 2, 5}
    assert [m.text for m in conductor if m.type == "marker"] == ["C", "G7/B", "N.C."]


def test_musicxml_is_a_lead_sheet_on_the_grid(client):
    answer = save(client, MUSICXML)
    assert answer.headers["content-type"] == MUSICXML
    root = ET.fromstring(answer.content.partition(b"?>")[2].partition(b'dtd">')[2])
    assert root.tag == "score-partwise"
    song = read_song(answer.content, "take.musicxml")
    assert [(n.onset, n.pitch) for n in song.notes] == [(0, 60), (1, 64), (3, 67)]
    assert [(c.onset, c.chord.name()) for c in song.chords] == [(0, "C"), (3, "G7/B")]
    assert song.title == "Evening"
    assert str(song.meters[0]) == "3/4"


def test_json_is_the_take(client):
    answer = save(client, "application/json")
    assert answer.json()["notes"] == TAKE["notes"]
    assert answer.json()["chords"][0]["pitches"] == [48, 55, 64]


def test_text_is_a_chart(client):
    answer = save(client, "text/plain")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Evening" in answer.text
    assert "G7/B" in answer.text


def test_changes_of_tempo_are_kept(client):
    changes = [{"onset": 4, "tempo": 60}, {"onset": 2, "tempo": 180}, {"onset": 4, "tempo": 45}]
    file = mido.MidiFile(file=io.BytesIO(save(client, "audio/midi", TAKE | {"tempos": changes}).content))
    assert [round(60e6 / m.tempo) for m in file.tracks[0] if m.type == "set_tempo"] == [90, 180, 45]
    assert file.length == pytest.approx(2 * 60 / 90 + 2 * 60 / 180 + 2 * 60 / 45, abs=0.01)
    song = read_song(save(client, MUSICXML, TAKE | {"tempos": changes}).content, "take.musicxml")
    assert [(t.onset, t.bpm) for t in song.tempos] == [(0, 90), (2, 180), (4, 45)]
    assert save(client, "application/json", TAKE | {"tempos": changes}).json()["tempos"] == changes


def test_chords_alone_and_melody_alone(client):
    for part in ("notes", "chords"):
        take = TAKE | {part: []}
        for kind in ("audio/midi", MUSICXML, "text/plain", "application/json"):
            assert save(client, kind, take).status_code == 200, (part, kind)


def test_a_long_take(client):
    notes = [{"onset": i, "duration": 0.5, "pitch": 60 + i % 12} for i in range(3000)]
    answer = save(client, "audio/midi", TAKE | {"notes": notes})
    assert answer.status_code == 200
    assert mido.MidiFile(file=io.BytesIO(answer.content)).length == pytest.approx(2999.5 * 60 / 90, rel=0.01)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"notes": [], "chords": []}, 400, "empty_melody"),
        ({"tempo": 0}, 400, "wrong_value"),
        ({"tempo": 1e9}, 400, "wrong_value"),
        ({"meter": "4/5"}, 400, "wrong_value"),
        ({"chords": [{"onset": 0, "duration": 1, "symbol": "H"}]}, 400, "unknown_chord"),
        ({"notes": [{"onset": 0, "duration": 1, "pitch": 200}]}, 400, "wrong_value"),
        ({"notes": [{"onset": -1, "duration": 1, "pitch": 60}]}, 400, "wrong_value"),
    ],
)
def test_wrong_takes_are_refused(client, change, status, code):
    answer = save(client, "audio/midi", TAKE | change)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_other_types_are_refused(client):
    assert save(client, "image/png").status_code == 406
    answer = client.post("/v1/takes", content=json.dumps(TAKE), headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    too_long = client.post("/v1/takes", json=TAKE | {"title": "x" * 1_000_001})
    assert too_long.status_code == 413
