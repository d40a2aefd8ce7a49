"""Downloads over a loopback server: resumed, checked, and clear when they fail."""

import socket
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sideman.data.download import DownloadFailed, download

CONTENT = bytes(range(256)) * 4096


class Server(ThreadingHTTPServer):
    """Serves CONTENT. `cuts` limits the bytes sent by the first answers; `ranges` is whether it resumes."""

    cuts: list[int]
    ranges: bool
    asked: list[str | None]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        start = int(wanted[6:-1]) if wanted and self.server.ranges else 0
        if self.path == "/missing":
            self.send_error(404)
        elif start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.send_body(start)

    def send_body(self, start: int) -> None:
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        cut = self.server.cuts.pop(0) if self.server.cuts else len(CONTENT)
        self.wfile.write(CONTENT[start : start + cut])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        running.cuts, running.ranges, running.asked = [], True, []
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def url(server: Server, path: str = "/file") -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def test_whole_file_with_the_right_digest(server: Server, tmp_path: Path) -> None:
    digest = sha256(CONTENT).hexdigest()
    assert download(url(server), tmp_path / "new" / "f.bin", [digest]) == digest
    assert (tmp_path / "new" / "f.bin").read_bytes() == CONTENT
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["f.bin"]


def test_a_broken_connection_is_resumed_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.cuts = [300_000, 200_000]
    download(url(server), tmp_path / "f.bin", pause_s=0)
    assert (tmp_path / "f.bin").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-", "bytes=500000-"]


def test_a_part_from_an_earlier_run_is_resumed(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.bin.part").write_bytes(CONTENT[:1000])
    download(url(server), tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-"]


def test_a_complete_part_needs_no_second_transfer(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.bin.part").write_bytes(CONTENT)
    download(url(server), tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f.bin.part").write_bytes(CONTENT + b"more")
    download(url(server), tmp_path / "f.bin", pause_s=0)
    assert (tmp_path / "f.bin").read_bytes() == CONTENT


def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / "f.bin.part").write_bytes(b"old bytes")
    download(url(server), tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == CONTENT


def test_a_wrong_digest_leaves_nothing(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=sha256(CONTENT).hexdigest()):
        download(url(server), tmp_path / "f.bin", ["0" * 64])
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_never_finishes_is_given_up_but_what_came_stays(server: Server, tmp_path: Path) -> None:
    server.cuts = [5000, 0, 0, 0, 0]
    with pytest.raises(DownloadFailed, match="broke off") as failed:
        download(url(server), tmp_path / "f.bin", pause_s=0)
    assert "--source" in failed.value.hint
    assert (tmp_path / "f.bin.part").read_bytes() == CONTENT[:5000]


def test_a_missing_page_names_the_answer(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="404"):
        download(url(server, "/missing"), tmp_path / "f.bin")


def test_no_network_names_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(DownloadFailed) as failed:
        download(f"http://127.0.0.1:{port}/f", tmp_path / "f.bin", pause_s=0)
    assert "--source" in failed.value.hint
