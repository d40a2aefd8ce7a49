"""Behind nginx, configured by the lines of docs/serving.md: two workers, one of which dies in the middle of a jam."""

import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from jam_server import PATIENCE, Place, until
from processes import Processes

from sideman.serve.server import open_socket

GUIDE = Path(__file__).parents[2] / "docs" / "serving.md"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(NGINX is None, reason="needs nginx (Debian: nginx-light)"),
    pytest.mark.skipif(sys.platform != "linux", reason="workers are looked up in /proc"),
]


class Proxy(Place):
    """nginx in front of a server, whose pages it has under /sideman/."""

    def __init__(self, folder: Path, behind: Place) -> None:
        with open_socket("127.0.0.1", 0) as free:
            self.port = free.getsockname()[1]
        location = GUIDE.read_text().split("```\nlocation")[1].split("```")[0].replace(":8080/", f":{behind.port}/")
        words = "$http_upgrade $connection_upgrade { default upgrade; '' close; }"
        assert f"map {words}" in GUIDE.read_text()
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"pid {folder}/pid; daemon off; error_log {folder}/errors; events {{}} http {{ access_log off; {temporary}"
            f"map {words} server {{ listen 127.0.0.1:{self.port}; location{location} }} }}"
        )
        self.process = subprocess.Popen([str(NGINX), "-c", folder / "nginx.conf", "-e", folder / "errors"])
        until(lambda: (folder / "pid").exists(), "nginx did not start")

    def url(self, path: str, scheme: str = "http") -> str:
        return super().url("/sideman" + path, scheme)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Processes]:
    (tmp_path / "shared").mkdir()
    processes = Processes(tmp_path / "shared")
    yield processes
    processes.stop()


@pytest.fixture
def proxy(workers: Processes, tmp_path: Path) -> Iterator[Proxy]:
    place = Proxy(tmp_path, workers)
    yield place
    place.stop()


def test_a_jam_outlives_its_worker(workers: Processes, proxy: Proxy):
    with proxy.player(open_timeout=PATIENCE) as player:
        session = player.start()["session"]
        assert all(player.play(beat + 0.05, 60 + beat % 7)["chords"] for beat in range(4))
        workers.kill_in_turn()  # one of them has it
        player.closed()
    with proxy.player(open_timeout=PATIENCE) as player:
        started = player.start(session=session)
        assert (started["session"], started["resumed"]) == (session, True)
        player.request = 3
        assert all(player.play(beat + 0.05, 60 + beat % 7)["chords"] for beat in range(4, 8))


def test_questions_and_pages_pass(proxy: Proxy):
    song = {"notes": [{"onset": n, "duration": 1, "pitch": 60 + n % 5} for n in range(8)]}
    assert len(proxy.post("/v1/options", {"melody": song})["options"]) == 5
    for page in ("/", "/options", "/compose"):
        with urllib.request.urlopen(proxy.url(page), timeout=PATIENCE) as answer:
            text = answer.read().decode()
        assert 'src="/' not in text
        assert 'href="/' not in text, "links of a page must work where a proxy puts it"


def test_music_is_told_as_it_is_written(proxy: Proxy):
    """Line after line, not all at the end: the first is there before the last was written."""
    asked = urllib.request.Request(proxy.url("/v1/compose"), b'{"bars": 4}', {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        first = answer.readline()
        assert first.startswith(b"{")
        rest = answer.read()
    assert b'"finished"' not in first
    assert b'"finished"' in rest
