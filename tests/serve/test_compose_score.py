"""POST /v1/score: every form of a score, and what is no score."""

import json
import wave
from collections.abc import Iterator
from io import BytesIO

import mido
import pytest
from starlette.testclient import TestClient

from sideman.formats import score_engrave
from sideman.formats.score_abc import from_abc
from sideman.formats.score_engrave import CannotEngrave
from sideman.formats.score_engraver import Moment
from sideman.formats.score_musicxml_write import write
from sideman.serve.app import make_app

ABC = """X:1
%%score { 1 | 2 }
L:1/8
Q:1/4=120
M:2/4
K:G
V:1 treble nm="Piano"
V:2 bass
[r:0/1][V:1]|:G2 A2|[V:2]|:G,4|
[r:1/0][V:1]B4:|
"""


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(make_app()) as client:
        yield client


def test_midi_and_musicxml(client: TestClient):
    midi = client.post("/v1/score", json={"abc": ABC, "format": "midi"})
    assert midi.headers["content-type"] == "audio/midi"
    struck = [m.note for m in mido.MidiFile(file=BytesIO(midi.content)) if m.type == "note_on" and m.velocity]
    assert sorted(struck) == [55, 55, 67, 67, 69, 69, 71, 71]
    xml = client.post("/v1/score", json={"abc": ABC, "format": "musicxml"})
    assert b"<score-partwise" in xml.content


def test_wav_is_stereo_and_not_clipped(client: TestClient):
    answer = client.post("/v1/score", json={"abc": ABC, "format": "wav"})
    with wave.open(BytesIO(answer.content)) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (2, 44_100, 2)
        assert sound.getnframes() / 44_100 == pytest.approx(4 + 1.5, abs=0.1)


def test_abc_is_what_a_beginning_takes(client: TestClient):
    answer = client.post("/v1/score", json={"abc": ABC, "format": "abc"})
    assert answer.text.splitlines()[-2:] == ["[V:1]|:G2 A2|[V:2]|:G,4|", "[V:1]B4:|[V:2]z4:|"]


def test_a_file_goes_as_a_form(client: TestClient):
    content = write(from_abc(ABC))
    answer = client.post("/v1/score", data={"format": "abc"}, files={"file": ("a.musicxml", content)})
    assert answer.status_code == 200, answer.text
    assert "[V:1]B4:|" in answer.text


def test_what_sounds_when_with_a_cursor(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    moments = (Moment(0, 0.0, 1, ("a", "b")), Moment(0, 1.0, 1, ("c",)), Moment(1, 0.0, 1, ("d",)))
    monkeypatch.setattr(score_engrave, "can_engrave", lambda: True)
    monkeypatch.setattr(score_engrave, "timeline", lambda score, width: (moments, 1))
    played = client.post("/v1/score", json={"abc": ABC, "format": "play"}).json()
    assert (played["seconds"], played["pages"], played["parts"]) == (4.0, 1, [{"name": "Piano", "program": 0}])
    assert [(n["start"], n["pitch"]) for n in played["notes"]][:4] == [(0.0, 55), (0.0, 67), (0.5, 69), (1.0, 71)]
    assert [(c["start"], c["bar"], c["ids"]) for c in played["cursor"]] == [
        (0.0, 0, ["a", "b"]), (0.5, 0, ["c"]), (1.0, 1, ["d"]), (2.0, 0, ["a", "b"]), (2.5, 0, ["c"]), (3.0, 1, ["d"]),
    ]  # fmt: skip


def test_without_the_engraver_music_still_sounds(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(score_engrave, "can_engrave", lambda: False)
    played = client.post("/v1/score", json={"abc": ABC, "format": "play"}).json()
    assert (played["pages"], len(played["notes"])) == (0, 8)
    refused = client.post("/v1/score", json={"abc": ABC, "format": "svg"})
    assert refused.status_code == 501
    assert refused.json()["error"]["code"] == "missing_extra"


def test_an_engraver_that_fails_is_the_callers_error(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    def fails(*_: object, **__: object) -> None:
        raise CannotEngrave("The engraver fails on this score.")

    monkeypatch.setattr(score_engrave, "can_engrave", lambda: True)
    monkeypatch.setattr(score_engrave, "_engrave", fails)
    answer = client.post("/v1/score", json={"abc": ABC, "format": "svg"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "cannot_engrave")


ENDLESS = "X:1\nL:1/32\nM:none\nK:C\nQ:1/4=10\nV:1\n" + "|:" + "C D E F " * 200 + ":|\n"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"abc": "X:1\nL:1/8\nC D E F|\n", "format": "midi"}, "unreadable_file"),
        ({"abc": "X:1\n%%abc-include /etc/passwd\nK:C\nC|\n", "format": "midi"}, "unreadable_file"),
        ({"abc": "", "format": "midi"}, "wrong_value"),
        ({"abc": ABC, "format": "exe"}, "wrong_value"),
        ({"abc": ABC, "format": "svg", "width": 5}, "wrong_value"),
        ({"abc": "K:C\n" + "C" * 200_001, "format": "midi"}, "wrong_value"),
        ({"abc": ENDLESS, "format": "wav"}, "too_large"),
    ],
)
def test_what_is_no_score(client: TestClient, body: dict[str, object], code: str):
    answer = client.post("/v1/score", json=body)
    assert answer.status_code in (400, 413)
    assert answer.json()["error"]["code"] == code, answer.text


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><score-partwise>&b;</score-partwise>'


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.mxl", b"PK\x03\x04 cut short"), ("a.musicxml", BOMB), ("a.mid", b"MThd\0\0"), ("a.abc", b"\0\1\2"),
     ("a.pdf", b"%PDF-1.7")],
)  # fmt: skip
def test_what_is_no_file_of_a_score(client: TestClient, name: str, content: bytes):
    answer = client.post("/v1/score", data={"format": "midi"}, files={"file": (name, content)})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "unreadable_file", answer.text
    assert json.dumps(answer.json()).count("Traceback") == 0
