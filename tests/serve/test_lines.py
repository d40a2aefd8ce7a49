"""One JSON line in, one JSON line out: in order, whatever comes, to the end."""

import json
import subprocess
import sys
import threading
from io import BytesIO
from typing import Any

import pytest

from sideman.options.request import Request
from sideman.serve.lines import serve_lines
from sideman.serve.messages import MAX_JSON_BYTES

GOOD = {"melody": {"frames": [60, -1, 64, -1, 67, -1, -1, -1]}, "n": 2}
CHORDS = [{"onset": 0, "duration": 2, "symbol": "C", "voicing": [36, 52]}]


def ask(*lines: bytes | dict[str, Any]) -> list[dict[str, Any]]:
    text = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    answers = BytesIO()
    serve_lines(BytesIO(text), answers)
    assert answers.getvalue() == b"" or answers.getvalue().endswith(b"\n")
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def codes(answers: list[dict[str, Any]]) -> list[str]:
    return [answer["error"]["code"] if "error" in answer else "fine" for answer in answers]


def test_questions_are_answered_in_order(fake_offer: list[Request]):
    answers = ask(GOOD, {**GOOD, "n": 3, "seed": 7, "route": "/v1/options"}, b"")
    assert [len(answer["options"]) for answer in answers] == [2, 3]
    assert [request.seed for request in fake_offer] == [0, 7]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"nonsense", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "wrong_value"),
        (b"{}", "wrong_value"),
        (b'{"melody": {"notes": []}}', "empty_melody"),
        (b'{"route": "/v1/jam"}', "wrong_value"),
        (b'{"route": 5}', "wrong_value"),
        (json.dumps({**GOOD, "bass": 2}).encode(), "wrong_value"),
        (json.dumps({**GOOD, "route": "/v1/alternatives"}).encode(), "wrong_value"),
        (b" " * (MAX_JSON_BYTES + 10) + b"{}", "too_large"),
        (b"x" * (3 * MAX_JSON_BYTES), "too_large"),
    ],
)
def test_a_wrong_line_is_answered_and_ends_nothing(fake_offer: list[Request], line: bytes, code: str):
    answers = ask(GOOD, line, GOOD)
    assert codes(answers)[0] == codes(answers)[2] == "fine"
    assert codes(answers)[1] in (code, "wrong_value" if line.startswith(b"[[") else code)
    assert list(answers[1]["error"]) == ["code", "message", "hint"]


def test_a_bug_is_an_answer_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def broken(request: Request) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("sideman.options.offer.offer", broken)
    answers = ask(GOOD, b"nonsense")
    assert codes(answers) == ["internal", "not_json"]
    assert "secret" not in json.dumps(answers)
    assert "secret" in capsys.readouterr().err


def test_alternatives(tiny_home: None):
    place = {"route": "/v1/alternatives", "melody": GOOD["melody"], "chords": CHORDS, "onset": 1, "n": 3}
    (answer,) = ask(place)
    assert len(answer["alternatives"]) == 3


def test_nobody_listens_any_more(fake_offer: list[Request]):
    class Closed(BytesIO):
        def write(self, text: Any) -> int:
            raise BrokenPipeError

    serve_lines(BytesIO(json.dumps(GOOD).encode() + b"\n" + json.dumps(GOOD).encode()), Closed())
    assert len(fake_offer) == 1


def test_the_program_answers_each_line_at_once(tiny_home: None):
    """A host writes a line and waits for its answer before it writes the next one."""
    command = [sys.executable, "-m", "sideman", "options", "--serve-stdio"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdin
        assert program.stdout
        guard = threading.Timer(60, program.kill)
        guard.start()
        for line in (b"nonsense", b"{}"):
            program.stdin.write(line + b"\n")
            program.stdin.flush()
            assert "error" in json.loads(program.stdout.readline())
        program.stdin.close()
        assert program.wait(30) == 0
        assert program.stdout.read() == b""
        guard.cancel()
