"""`sideman jam` as it is called: where it listens, how it ends, what it says when it cannot."""

import asyncio
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.sync.client import connect

from sideman.cli import run
from sideman.serve.server import open_socket

pytestmark = pytest.mark.live

SIDEMAN = [sys.executable, "-c", "from sideman.cli import main; main()"]


@pytest.fixture
def jam(tiny_home):
    """Starts `sideman jam` with flags; returns the process and the address it printed."""
    started = []

    def start(*flags: str) -> tuple[subprocess.Popen, str]:
        process = subprocess.Popen(
            [*SIDEMAN, "jam", "--no-open", "--port", "0", *flags], stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        lines = []
        while "Play at" not in (line := process.stderr.readline()):
            lines.append(line)
            assert line, lines
        return process, line.split()[2]

    yield start
    for process in started:
        process.kill()
        process.wait(60)
        process.stderr.close()


def play(line, beats=6):
    """A jam of some beats; returns its session."""
    line.send(json.dumps({"type": "start", "version": 1, "tempo": 2, "listen": 2}))
    session = json.loads(line.recv(timeout=60))["session"]
    for beat in range(beats):
        note = {"on": True, "pitch": 60 + beat, "beat": beat}
        line.send(json.dumps({"type": "notes", "request": beat, "beat": beat + 0.05, "notes": [note]}))
        while json.loads(line.recv(timeout=60))["type"] != "plan":
            pass
    return session


def one_line(capsys) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    return err


def test_a_jam_from_the_command_line_is_recorded_and_replayed(jam, tmp_path, capsys):
    process, address = jam("--model", "online", "--log", str(tmp_path / "jams"))
    with urllib.request.urlopen(address, timeout=60) as page:
        assert b"Sideman" in page.read()
    with connect(address.replace("http", "ws") + "v1/jam", close_timeout=1) as line:
        session = play(line)
        process.send_signal(signal.SIGINT)
        heard = [json.loads(text) for text in line]
    assert heard[-1]["type"] == "bye"
    assert heard[-1]["reason"] == "shutdown"
    assert process.wait(60) == 130
    record = tmp_path / "jams" / f"{session}.jsonl"
    assert run(["jam", "--replay", str(record)]) == 0
    assert "All 6 plans came out the same." in capsys.readouterr().out
    lines = record.read_text().splitlines()
    begun = json.loads(lines[0])
    begun["start"]["seed"] = 77
    record.write_text("\n".join([json.dumps(begun), *lines[1:]]))
    assert run(["jam", "--replay", str(record)]) == 1
    assert "came out differently" in capsys.readouterr().out


def test_a_token_is_part_of_the_address(jam):
    _, address = jam("--token", "s3cret")
    assert address.endswith("/?token=s3cret")
    with connect(address.replace("http", "ws").replace("/?", "/v1/jam?"), close_timeout=1) as line:
        assert play(line, 1)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with the openssl program")
def test_a_certificate_is_made_for_the_moment(jam):
    _, address = jam("--ssl")
    assert address.startswith("https://")
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(address, timeout=60, context=trusting) as page:
        assert page.status == 200

    async def greeted() -> str:  # not the other client: its two threads read and write one TLS state at once
        async with connect_async(address.replace("https", "wss") + "v1/jam", ssl=trusting) as line:
            await line.send(json.dumps({"type": "start", "version": 1}))
            return json.loads(await line.recv())["type"]

    assert asyncio.run(greeted()) == "started"


def test_without_any_tool_a_certificate_is_asked_for(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert run(["jam", "--ssl", "--no-open"]) == 2
    assert "--cert and --key" in capsys.readouterr().err


def test_a_given_certificate_must_be_one(tmp_path, capsys):
    for name in ("a.pem", "b.pem"):
        (tmp_path / name).write_text("nonsense")
    assert run(["jam", "--ssl", "--cert", str(tmp_path / "a.pem"), "--key", str(tmp_path / "b.pem")]) == 2
    assert "a.pem" in one_line(capsys)
    assert run(["jam", "--ssl", "--cert", str(tmp_path / "a.pem"), "--key", str(tmp_path / "missing.pem")]) == 2
    one_line(capsys)
    assert run(["jam", "--cert", "a.pem"]) == 2
    assert "--key" in one_line(capsys)


def test_a_port_in_use_is_one_line(capsys):
    with open_socket("127.0.0.1", 0) as taken:
        assert run(["jam", "--no-open", "--port", str(taken.getsockname()[1])]) == 2
    assert "Cannot listen" in one_line(capsys)


@pytest.mark.parametrize(
    ("flags", "said"),
    [(["--host", "0.0.0.0"], "--token"), (["--token", ""], "token"), (["--model", "nobody"], "nobody")],
)
def test_wrong_calls_are_one_line(tiny_home, capsys, flags, said):
    assert run(["jam", "--no-open", *flags]) == 2
    assert said in one_line(capsys)


@pytest.mark.parametrize("content", [None, b"", b"{}\n", b"\xff\xfe\x00"])
def test_what_is_no_record_is_refused(tmp_path: Path, capsys, content):
    record = tmp_path / "jam.jsonl"
    if content is not None:
        record.write_bytes(content)
    assert run(["jam", "--replay", str(record)]) == 2
    one_line(capsys)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the work of a process from /proc")
def test_a_cold_start_is_little_work(jam):
    process, address = jam()
    with connect(address.replace("http", "ws") + "v1/jam", close_timeout=1) as line:
        play(line, 1)
        ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    assert sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") < 6, "seconds of work, whatever else this machine does"
