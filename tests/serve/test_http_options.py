"""POST /v1/options: every way to ask gives the same question, and the answer comes in the form asked for."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import mido
import pytest
from starlette.testclient import TestClient

from sideman.options.request import Request
from sideman.serve.app import make_app

NOTES = [{"onset": 0.0, "duration": 1.0, "pitch": 60}, {"onset": 1.0, "duration": 0.5, "pitch": 67}]
MELODY = {"notes": NOTES, "meter": "3/4", "tempo": 90}


@pytest.fixture
def client(fake_offer: list[Request]) -> Iterator[TestClient]:
    with TestClient(make_app()) as client:
        yield client


def test_json_becomes_the_question(client: TestClient, fake_offer: list[Request]):
    keep = [{"onset": 0, "duration": 1, "symbol": "Am7"}]
    body = {"melody": MELODY, "n": 2, "seed": 7, "temperature": 0.5, "keep": keep, "density": 2, "between": [0, 1]}
    answer = client.post("/v1/options", json=body)
    assert answer.status_code == 200
    asked = fake_offer[0]
    assert [(n.onset, n.duration, n.pitch) for n in asked.melody.notes] == [(0, 1, 60), (1, 0.5, 67)]
    assert (str(asked.melody.meters[0]), asked.melody.bpm) == ("3/4", 90)
    assert (asked.n, asked.seed, asked.temperature, asked.density, asked.between) == (2, 7, 0.5, 2, (0, 1))
    assert [(k.onset, k.duration, k.chord.name()) for k in asked.keep] == [(0, 1, "Am7")]
    said = answer.json()
    assert list(said) == ["model", "seed", "tempo", "meter", "beats", "elapsed_ms", "options", "remarks"]
    assert [o["rank"] for o in said["options"]] == [1, 2]
    assert list(said["options"][0]["chords"][0]) == [
        "onset",
        "duration",
        "symbol",
        "pitches",
        "bass",
        "numeral",
        "voicing",
    ]
    assert list(said["options"][0]["explanation"]) == ["keys", "cadence", "summary", "tensions"]


DIALS = {"complexity": "sevenths", "bass": 0.5, "key": "lock", "cadence": "half", "surprise": 0.25}


def test_dials_become_the_question(client: TestClient, fake_offer: list[Request], midi_file: Callable[..., Path]):
    chart = "Dm9 . | G13 . | %"
    chords = [
        {"onset": 0, "duration": 3, "symbol": "Dm9", "numeral": "ii9"},
        {"onset": 3, "duration": 6, "symbol": "G13"},
    ]
    assert client.post("/v1/options", json={"melody": MELODY, "like": chart, **DIALS}).status_code == 200
    assert client.post("/v1/options", json={"melody": MELODY, "like": chords, **DIALS}).status_code == 200
    file = ("melody.mid", midi_file().read_bytes())
    form = {name: str(value) for name, value in DIALS.items()}
    assert client.post("/v1/options", data={**form, "like": chart}, files={"file": file}).status_code == 200
    example = ("like.abc", b'X:1\nM:4/4\nL:1/4\nK:C\n"Dm9"d4|"G13"g4|g4|\n')
    answer = client.post("/v1/options", data=form, files={"file": file, "like": example})
    assert answer.status_code == 200, answer.text
    for asked in fake_offer:
        assert {name: getattr(asked, name) for name in DIALS} == DIALS
        assert asked.like is not None
        assert asked.like.density == pytest.approx(2 / 3)
        assert sorted(asked.like.kinds.values()) == [0.5, 0.5]
    assert len(fake_offer) == 4


def test_a_midi_file_of_chords_alone_is_an_example(
    client: TestClient, fake_offer: list[Request], midi_file: Callable[..., Path]
):
    file = ("melody.mid", midi_file().read_bytes())
    triads = [(at, 4.0, pitch) for at, chord in ((0, (48, 52, 55)), (4, (53, 57, 60))) for pitch in chord]
    example = ("chords.mid", midi_file(triads, "chords.mid").read_bytes())
    answer = client.post("/v1/options", files={"file": file, "like": example})
    assert answer.status_code == 200, answer.text
    assert fake_offer[0].like is not None
    assert fake_offer[0].like.density == 1.0


def test_frames_are_the_same_melody(client: TestClient, fake_offer: list[Request]):
    frames = [60, -1, -1, -1, 67, -1, -2, -2]
    assert client.post("/v1/options", json={"melody": {"frames": frames}}).status_code == 200
    assert [(n.onset, n.duration, n.pitch) for n in fake_offer[0].melody.notes] == [(0, 1, 60), (1, 0.5, 67)]


def test_a_form_asks_what_json_asks(client: TestClient, fake_offer: list[Request], midi_file: Callable[..., Path]):
    content = midi_file([(0, 1, 60), (1, 0.5, 67)]).read_bytes()
    fields = {
        "n": "3",
        "seed": "7",
        "temperature": "0.5",
        "density": "2",
        "between": ["0", "1"],
        "keep": ['{"onset": 0, "duration": 1, "symbol": "C"}', '{"onset": 1, "duration": 0.5, "symbol": "G7"}'],
    }
    answer = client.post("/v1/options", data=fields, files={"file": ("melody.mid", content)})
    assert answer.status_code == 200, answer.text
    asked = fake_offer[0]
    assert [(n.onset, n.duration, n.pitch) for n in asked.melody.notes] == [(0, 1, 60), (1, 0.5, 67)]
    assert (asked.n, asked.seed, asked.temperature, asked.density, asked.between) == (3, 7, 0.5, 2, (0, 1))
    assert [k.chord.name() for k in asked.keep] == ["C", "G7"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("audio/midi", "audio/midi"),
        ("audio/midi;q=0.5, application/json;q=0.4", "audio/midi"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/json, audio/midi", "application/json"),
    ],
)
def test_the_form_of_the_answer_is_the_callers_choice(client: TestClient, accept: str, kind: str):
    answer = client.post("/v1/options", json={"melody": MELODY}, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind


def test_midi_has_the_melody_and_one_track_an_option(client: TestClient):
    answer = client.post("/v1/options", json={"melody": MELODY, "n": 3}, headers={"Accept": "audio/midi"})
    midi = mido.MidiFile(file=BytesIO(answer.content))
    assert midi.type == 1
    assert len(midi.tracks) == 1 + 1 + 3
    assert [m.note for m in midi.tracks[1] if m.type == "note_on"] == [60, 67]


def test_models_and_health(client: TestClient):
    assert isinstance(client.get("/v1/models").json()["models"], list)
    health = client.get("/v1/health").json()
    assert (health["status"], health["waiting"]) == ("ok", 0)
