"""Whatever is wrong with a request is answered by 4xx with a code, a message and a hint, and costs little."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from sideman.options.request import Request
from sideman.serve.app import make_app

NOTE = {"onset": 0, "duration": 1, "pitch": 60}
GOOD: dict[str, Any] = {"melody": {"notes": [NOTE]}}


@pytest.fixture
def client(fake_offer: list[Request]) -> Iterator[TestClient]:
    with TestClient(make_app()) as client:
        yield client


def refused(answer: Any, status: int, code: str) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    error = answer.json()["error"]
    assert list(error) == ["code", "message", "hint"]
    assert error["code"] == code
    assert error["message"]
    assert "Traceback" not in answer.text
    return error


BAD_JSON = {
    "negative onset": ({"melody": {"notes": [{**NOTE, "onset": -1}]}}, "wrong_value", "melody.notes[0].onset"),
    "no duration": ({"melody": {"notes": [{**NOTE, "duration": 0}]}}, "wrong_value", "melody.notes[0].duration"),
    "pitch 200": ({"melody": {"notes": [{**NOTE, "pitch": 200}]}}, "wrong_value", "melody.notes[0].pitch"),
    "a text for a number": ({"melody": {"notes": [{**NOTE, "pitch": "C"}]}}, "wrong_value", "melody.notes[0].pitch"),
    "10,000 frames": ({"melody": {"frames": [60] * 10_000}}, "wrong_value", "melody.frames"),
    "frame -3": ({"melody": {"frames": [60, -3]}}, "wrong_value", "melody.frames[1]"),
    "hold of nothing": ({"melody": {"frames": [-1, 60]}}, "wrong_value", "Frame 0"),
    "silence": ({"melody": {"frames": [-2] * 64}}, "empty_melody", "no notes"),
    "no notes": ({"melody": {"notes": []}}, "empty_melody", "no notes"),
    "no melody": ({}, "wrong_value", "melody"),
    "notes and frames": ({"melody": {"notes": [NOTE], "frames": [60]}}, "wrong_value", "frames"),
    "odd metre": ({"melody": {"notes": [NOTE], "meter": "4/5"}}, "wrong_value", "4/5"),
    "tempo 0": ({"melody": {"notes": [NOTE], "tempo": 0}}, "wrong_value", "melody.tempo"),
    "far away": ({"melody": {"notes": [{**NOTE, "onset": 1e9}]}}, "wrong_value", "melody.notes[0].onset"),
    "n 0": ({**GOOD, "n": 0}, "wrong_value", "n"),
    "n 99": ({**GOOD, "n": 99}, "wrong_value", "n"),
    "n 2.5": ({**GOOD, "n": 2.5}, "wrong_value", "n"),
    "hot": ({**GOOD, "temperature": 3.1}, "wrong_value", "temperature"),
    "half a range": ({**GOOD, "between": [1]}, "wrong_value", "between"),
    "backwards range": ({**GOOD, "between": [1, 0]}, "wrong_value", "between"),
    "overlapping keeps": (
        {**GOOD, "keep": [{"onset": at, "duration": 0.6, "symbol": "C"} for at in (0, 0.5)]},
        "wrong_value",
        "overlap",
    ),
    "unknown chord": ({**GOOD, "keep": [{"onset": 0, "duration": 1, "symbol": "Hx"}]}, "unknown_chord", "Hx"),
    "keep no chord": ({**GOOD, "keep": [{"onset": 0, "duration": 1, "symbol": "N.C."}]}, "unknown_chord", "N.C."),
    "complexity": ({**GOOD, "complexity": "jazz"}, "wrong_value", "complexity"),
    "bass 2": ({**GOOD, "bass": 2}, "wrong_value", "bass"),
    "surprise -1": ({**GOOD, "surprise": -1}, "wrong_value", "surprise"),
    "key of another kind": ({**GOOD, "key": "Am"}, "wrong_value", "key"),
    "cadence": ({**GOOD, "cadence": "perfect"}, "wrong_value", "cadence"),
    "like a number": ({**GOOD, "like": 3}, "wrong_value", "like"),
    "like nothing": ({**GOOD, "like": " | "}, "wrong_value", "like"),
    "like silence": ({**GOOD, "like": "N.C. | N.C."}, "wrong_value", "like"),
    "like no list": ({**GOOD, "like": []}, "wrong_value", "like"),
    "like what is no chord": ({**GOOD, "like": "Dm9 | Hx"}, "unknown_chord", "Hx"),
    "like two at once": (
        {**GOOD, "like": [{"onset": 0, "duration": 1, "symbol": symbol} for symbol in "CG"]},
        "wrong_value",
        "like: two chords begin at beat 0",
    ),
    "unknown field": ({**GOOD, "tempratur": 1}, "wrong_value", "tempratur"),
}


@pytest.mark.parametrize("case", BAD_JSON)
def test_wrong_values_are_named(client: TestClient, fake_offer: list[Request], case: str):
    body, code, named = BAD_JSON[case]
    error = refused(client.post("/v1/options", json=body), 400, code)
    assert named in error["message"]
    assert error["hint"]
    assert not fake_offer, "no work is done for a bad question"


SONG = {"notes": [NOTE]}
CHOICES = {
    ("/v1/options", "complexity"): (GOOD, "triads, sevenths or extensions"),
    ("/v1/options", "key"): (GOOD, "lock or free"),
    ("/v1/options", "cadence"): (GOOD, "authentic, half, plagal, deceptive or open"),
    ("/v1/songs", "format"): ({"song": SONG}, "json, midi, musicxml, abc, text or ireal"),
    ("/v1/score", "format"): ({"abc": "X:1\nK:C\nC|"}, "svg, pdf, musicxml, midi, wav, mp3, abc or play"),
}


@pytest.mark.parametrize("case", CHOICES, ids="".join)
def test_wrong_choices_name_the_right_ones(client: TestClient, case: tuple[str, str]):
    (route, field), (body, names) = case, CHOICES[case]
    error = refused(client.post(route, json=body | {field: "jazz"}), 400, "wrong_value")
    for name in names.replace(" or ", ", ").split(", "):
        assert name in error["message"], "in whatever order"
    assert error["message"].startswith(f"{field}: invalid value 'jazz': it must be ")
    files = {"file": ("a.abc", b"X:1\nK:C\nC|")}
    assert error == refused(client.post(route, data={field: "jazz"}, files=files), 400, "wrong_value")


def test_a_chart_without_chords_says_where_there_are_some(client: TestClient):
    for kind in ("text", "ireal"):
        error = refused(client.post("/v1/songs", json={"song": SONG, "format": kind}), 400, "wrong_value")
        assert f"format {kind}" in error["message"]
        assert "chord symbols" in error["hint"]
        assert "/v1/options" in error["hint"]


PLACE: dict[str, Any] = {**GOOD, "chords": [{"onset": 0, "duration": 4, "symbol": "C"}], "onset": 0}
BAD_PLACES = {
    "no chords": ({**PLACE, "chords": []}, "wrong_value", "chords"),
    "no place": ({name: PLACE[name] for name in ("melody", "chords")}, "wrong_value", "onset"),
    "nothing there": ({**PLACE, "onset": 9}, "wrong_value", "onset: no chord sounds at beat 9"),
    "silence there": (
        {**PLACE, "chords": [{"onset": 0, "duration": 4, "symbol": "N.C."}]}, "wrong_value", "no chord sounds"),
    "two chords at once": ({**PLACE, "chords": PLACE["chords"] * 2}, "wrong_value", "two chords begin at beat 0"),
    "no chord": ({**PLACE, "chords": [{"onset": 0, "duration": 4, "symbol": "Hx"}]}, "unknown_chord", "Hx"),
    "n 17": ({**PLACE, "n": 17}, "wrong_value", "n"),
    "no melody": ({**PLACE, "melody": {"notes": []}}, "empty_melody", "no notes"),
    "unknown field": ({**PLACE, "seed": 1}, "wrong_value", "seed"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_PLACES)
def test_wrong_places_are_named(client: TestClient, case: str):
    body, code, named = BAD_PLACES[case]
    error = refused(client.post("/v1/alternatives", json=body), 400, code)
    assert named in error["message"]
    assert error["hint"]


@pytest.mark.parametrize(
    "text", [b'{"melody": {"notes": [{"onset": NaN', b"", b"\xff\xfe", b"[" * 100_000, b'"\xed\xa0']
)
def test_what_is_no_json_is_said_to_be_none(client: TestClient, text: bytes):
    answer = client.post("/v1/options", content=text, headers={"Content-Type": "application/json"})
    error = refused(answer, 400, answer.json()["error"]["code"])
    assert error["code"] in ("not_json", "wrong_value")


def test_nan_is_refused_with_a_hint(client: TestClient):
    text = b'{"melody": {"notes": [{"onset": NaN, "duration": 1, "pitch": 60}]}}'
    answer = client.post("/v1/options", content=text, headers={"Content-Type": "application/json"})
    assert "NaN" in refused(answer, 400, "not_json")["hint"]


@pytest.mark.parametrize("field", ["temperature", "density"])
def test_nan_in_a_form_is_refused(client: TestClient, midi_file: Callable[..., Path], field: str):
    file = {"file": ("m.mid", midi_file().read_bytes())}
    refused(client.post("/v1/options", data={field: "nan"}, files=file), 400, "wrong_value")


BAD_FILES = {
    "empty file": (b"", 400),
    "not a MIDI": (b"MThd this is not a MIDI file", 400),
    "an image": (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, 400),
    "too large": (b"M" * 6_000_000, 413),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files(client: TestClient, case: str):
    content, status = BAD_FILES[case]
    answer = client.post("/v1/options", files={"file": ("melody.mid", content)})
    refused(answer, status, answer.json()["error"]["code"])


def test_drums_alone_are_no_melody(client: TestClient, midi_file: Callable[..., Path]):
    content = midi_file(channel=9).read_bytes()
    answer = client.post("/v1/options", files={"file": ("drums.mid", content)})
    refused(answer, 400, "empty_melody")


def test_broken_forms(client: TestClient, midi_file: Callable[..., Path]):
    file = {"file": ("m.mid", midi_file().read_bytes())}
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(client.post("/v1/options", content=b"no boundary here", headers=form), 400, "wrong_value")
    refused(
        client.post("/v1/options", content=b"", headers={"Content-Type": "multipart/form-data"}), 400, "wrong_value"
    )
    refused(client.post("/v1/options", files={"melody": file["file"]}), 400, "wrong_value")
    refused(client.post("/v1/options", data={"n": ["1", "2"]}, files=file), 400, "wrong_value")
    refused(client.post("/v1/options", data={"keep": "0:4:C"}, files=file), 400, "wrong_value")
    refused(client.post("/v1/options", data={"colour": "blue"}, files=file), 400, "wrong_value")
    refused(
        client.post("/v1/options", data={"like": "C | G"}, files={**file, "like": file["file"]}), 400, "wrong_value"
    )
    refused(client.post("/v1/options", files={**file, "like": file["file"]}), 400, "wrong_value")  # no chords in it
    refused(client.post("/v1/options", files={**file, "keep": file["file"]}), 400, "wrong_value")
    refused(client.post("/v1/options", files=[("file", file["file"])] * 2), 400, "wrong_value")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "audio/midi", ""])
def test_other_content_types(client: TestClient, kind: str):
    answer = client.post("/v1/options", content=b"x", headers={"Content-Type": kind})
    refused(answer, 415, "wrong_content_type")


def test_a_large_body_is_not_read_to_its_end(client: TestClient):
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 100_000
            yield b" " * 100_000

    answer = client.post("/v1/options", content=endless(), headers={"Content-Type": "application/json"})
    refused(answer, 413, "too_large")


def test_a_stated_length_is_enough_to_refuse(client: TestClient):
    headers = {"Content-Type": "application/json", "Content-Length": "2000000"}
    refused(client.post("/v1/options", content=b"{}", headers=headers), 413, "too_large")


def test_unknown_routes_methods_and_types(client: TestClient):
    refused(client.get("/v2/options"), 404, "unknown_route")
    refused(client.get("/v1/options"), 405, "wrong_method")
    refused(client.delete("/v1/models"), 405, "wrong_method")
    plain = client.get("/v1/jam")
    refused(plain, 426, "no_websocket")
    assert plain.headers["upgrade"] == "websocket"
    refused(client.post("/v1/options", json=GOOD, headers={"Accept": "text/html"}), 406, "not_acceptable")


def test_our_own_mistakes_tell_nothing_of_the_inside(monkeypatch: pytest.MonkeyPatch):
    def broken(request: Request) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("sideman.options.offer.offer", broken)
    with TestClient(make_app(), raise_server_exceptions=False) as client:
        answer = client.post("/v1/options", json=GOOD)
        refused(answer, 500, "internal")
        assert "secret" not in answer.text
        assert client.get("/v1/health").json()["waiting"] == 0
