"""The C++ client against a server that answers, and against all that can go wrong on the way."""

import json
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jam_server import Place
from stub import http, stub

from sideman.formats.load import read_song
from sideman.serve.certificate import make_certificate

pytestmark = pytest.mark.live
# A machine under load is slow; what must not happen is that a call waits for the server, or for ever.
SLACK_MS = 5000
Check = Callable[..., dict[str, Any]]

CHORD = {"onset": 0.0, "duration": 4.0, "symbol": "C", "pitches": [48, 52, 55], "bass": 36}
OPTION = {"rank": 1, "score": 0.5, "scores": {"harmony": 0.5}, "note_in_chord": None, "silence": 0.0, "chords": [CHORD]}
ANSWER = {"model": "m", "seed": 0, "tempo": 120.0, "meter": "4/4", "beats": 4.0, "elapsed_ms": 1.0, "options": [OPTION]}


@pytest.fixture
def check(programs: Path) -> Check:
    """What came of asking."""

    def ask(url: str, what: str = "options", **given: int) -> dict[str, Any]:
        words = [f"{name}={value}" for name, value in given.items()]
        done = subprocess.run(
            [programs / "client_check", url, what, *words], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, (done.returncode, done.stderr)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return ask


@pytest.fixture
def place(fake_offer: list[Any]) -> Iterator[Place]:
    place = Place()
    yield place
    place.stop()


def test_options(check: Check, place: Place, fake_offer: list[Any]):
    found = check(place.url(""), n=3)
    assert found["symbols"] == [["C"], ["Dm"], ["Em"]]
    assert (found["model"], found["beats"]) == ("plain", 16.0)
    asked = fake_offer[-1]
    assert (asked.n, asked.seed, asked.temperature) == (3, 0, 1.0)
    assert [(note.onset, note.pitch) for note in asked.melody.notes[:3]] == [(0, 60), (1, 67), (2, 62)]
    assert check(place.url("/"))["symbols"], "a slash at the end of the address is nothing"


def test_midi_health_and_models(check: Check, place: Place):
    assert check(place.url(""), "midi")["bytes"] > 100
    assert check(place.url(""), "health")["status"] == "ok"
    assert check(place.url(""), "models")["count"] == len(place.get("/v1/models")["models"]) > 0


def test_what_later_servers_add_is_read_or_left(check: Check):
    explanation = {"summary": "Steps down.", "cadence": "half", "keys": [{"onset": 0, "key": "C major"}],
                   "tensions": [{"onset": 0, "duration": 1, "pitch": 62, "symbol": "C", "tension": "9"}]}  # fmt: skip
    option = OPTION | {"explanation": explanation, "chords": [CHORD | {"voicing": [36, 52], "numeral": "I"}]}
    with stub(http("200 OK", json.dumps(ANSWER | {"options": [option], "weather": "fine"}).encode())) as url:
        assert check(url)["summaries"] == ["Steps down."]


def test_alternatives(check: Check):
    other = CHORD | {"rank": 1, "score": 0.7, "symbol": "Dm7", "reason": "It shares two notes.", "tensions": []}
    answer = {
        "model": "m",
        "elapsed_ms": 1.0,
        "key": "C major",
        "chord": CHORD | {"symbol": "F"},
        "alternatives": [other],
    }
    with stub(http("200 OK", json.dumps(answer).encode())) as url:
        found = check(url, "alternatives")
    assert (found["instead_of"], found["symbols"]) == ("F", ["Dm7"])


def test_a_refusal_says_what_the_server_says(check: Check, place: Place):
    found = check(place.url(""), n=99)
    assert (found["kind"], found["status"], found["code"]) == ("refused", 400, "wrong_value")
    assert found["message"].startswith("n: ")
    assert found["hint"]


def test_a_token_is_asked_for(check: Check, programs: Path):
    place = Place(token="a-secret")
    try:
        found = check(place.url(""), "models")
        assert (found["kind"], found["status"], found["code"]) == ("refused", 401, "unauthorized")
        wrong = subprocess.run([programs / "sideman_demo", place.url(""), "another"], capture_output=True, text=True)
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert "token" in wrong.stderr
    finally:
        place.stop()


def test_a_busy_server_says_when_to_come_back(check: Check):
    body = b'{"error": {"code": "busy", "message": "Many are waiting.", "hint": ""}}'
    with stub(http("503 Service Unavailable", body, "Retry-After: 2")) as url:
        found = check(url)
    assert (found["kind"], found["code"], found["retry_after"]) == ("refused", "busy", 2)


def test_a_proxy_without_a_server_behind_it(check: Check):
    with stub(http("502 Bad Gateway", b"<html>Bad Gateway</html>")) as url:
        found = check(url)
    assert (found["kind"], found["status"], found["code"]) == ("refused", 502, "http_502")


def test_nobody_listens(check: Check, place: Place):
    place.stop()
    assert check(place.url(""))["kind"] == "server_down"
    place.server.config.app.state.worker.close()


def test_the_line_breaks(check: Check):
    with stub(b"") as url:
        assert check(url)["kind"] == "server_down"
    with stub(http("200 OK", json.dumps(ANSWER).encode())[:-9]) as url:
        assert check(url)["kind"] == "server_down"


def test_a_server_that_hangs_up_while_we_write_does_not_end_the_host(check: Check):
    with stub(b"", reads=False) as url:
        assert check(url, notes=20_000)["kind"] == "server_down"
    with stub(
        b"", reads=False, stays=True
    ) as url:  # a write is cut short by ourselves: the system says it with SIGPIPE
        assert check(url, notes=20_000, total=300)["kind"] == "timed_out"


@pytest.mark.parametrize("how", [{"stays": True}, {"pause": 0.05, "stays": True}], ids=["silent", "trickling"])
def test_a_slow_server(check: Check, how: dict[str, Any]):
    answer = http("200 OK", json.dumps(ANSWER).encode()) if "pause" in how else b""
    with stub(answer, **how) as url:
        found = check(url, total=300)
        assert found["kind"] == "timed_out"
        assert 300 <= found["ms"] < 300 + SLACK_MS
        found = check(url, cancel=200)
        assert found["kind"] == "cancelled"
        assert 200 <= found["ms"] < 200 + SLACK_MS


def test_https(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = make_certificate(tmp_path, "127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.certificate, files.key)
    with stub(http("200 OK", json.dumps(ANSWER).encode()), tls=tls) as url:
        assert check(url)["kind"] == "server_down", "nobody vouches for it"
        monkeypatch.setenv("SSL_CERT_FILE", str(files.certificate))
        assert check(url)["symbols"] == [["C"]]
    with stub(b"", stays=True, tls=tls) as url:
        assert check(url, total=300)["kind"] == "timed_out"


MALFORMED = {
    "no JSON": b"<html>Welcome to the hotel's network</html>",
    "nothing": b"",
    "half of it": json.dumps(ANSWER).encode()[:-9],
    "another shape": b"[1, 2]",
    "a field missing": json.dumps({k: v for k, v in ANSWER.items() if k != "beats"}).encode(),
    "a text for a number": json.dumps(ANSWER | {"tempo": "fast"}).encode(),
    "no list of chords": json.dumps(ANSWER | {"options": [OPTION | {"chords": {"C": 1}}]}).encode(),
    "deep": b"[" * 50_000,
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_answer(check: Check, case: str):
    with stub(http("200 OK", MALFORMED[case])) as url:
        assert check(url)["kind"] == "malformed"


def test_an_answer_without_end(check: Check):
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    with stub(head + b" " * 70_000_000, stays=True) as url:
        assert check(url)["kind"] == "malformed"


@pytest.mark.parametrize("address", ["", "localhost:8080", "http://", "ftp://a", "http://a:99999999999"])
def test_what_is_no_address(check: Check, address: str):
    assert check(address)["kind"] == "invalid_argument"


def test_the_demo_prints_a_chart(programs: Path, place: Place):
    done = subprocess.run([programs / "sideman_demo", place.url("")], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line for line in done.stdout.splitlines() if line.startswith("Option")][4].startswith(
        "Option 5, score 0.20"
    )
    assert "| Dm           | %            |" in done.stdout


def test_the_demo_without_a_server(programs: Path):
    done = subprocess.run([programs / "sideman_demo", "http://127.0.0.1:1"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be reached" in done.stderr
    assert "sideman serve" in done.stderr
    assert subprocess.run([programs / "sideman_demo"], capture_output=True).returncode == 2


@pytest.mark.slow
@pytest.mark.timeout(1800)  # JUCE is compiled
def test_the_juce_example_writes_the_option_chosen(juce_program: Path, place: Place, tmp_path: Path):
    target = tmp_path / "chosen.mid"
    done = subprocess.run([juce_program, place.url(""), target, "2"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    song = read_song(target.read_bytes(), target.name)
    assert [(note.onset, note.duration, note.pitch) for note in song.notes[:3]] == [(0, 1, 60), (1, 1, 62), (2, 1, 64)]
    assert song.bpm == 120
    assert b"Dm" in target.read_bytes()
    assert subprocess.run([juce_program, place.url(""), target, "9"], capture_output=True).returncode == 1
    assert subprocess.run([juce_program, "http://127.0.0.1:1", target], capture_output=True).returncode == 1
