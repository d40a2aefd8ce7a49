"""`sideman models pull` from a hub on the loopback: what it asks for, resuming, its record, and no network."""

import json
import socket
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest
import torch
from published_states import NAMES, SHAPES, random_state, save_as

from sideman.cli import run
from sideman.engine.bundle import load_bundle
from sideman.engine.models import find_model

OFFLINE = "realjam_enc_dec_base_chord_random_truncate_3_datasets"


class Hub(ThreadingHTTPServer):
    """Serves `files` by path. `cut`: bytes after which the next answer breaks off."""

    files: dict[str, bytes]
    cut: int | None = None
    asked: list[tuple[str, str | None]]


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        path, wanted = unquote(self.path).lstrip("/"), self.headers.get("Range")
        self.server.asked.append((path, wanted))
        content = self.server.files.get(path)
        if content is None:
            self.send_error(404)
            return
        start = int(wanted[6:-1]) if wanted else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : self.server.cut])
        self.server.cut = None

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The repository in small: actors in bf16 as RL leaves them, models of the jam in fp32."""
    folder = tmp_path_factory.mktemp("hub")
    actor = save_as("rl actor", random_state(SHAPES["online"](), dtype=torch.bfloat16), folder / "actor.pth")
    offline = save_as("converted", random_state(SHAPES["offline"]()), folder / "offline")
    return {
        "chord_names_augmented.json": json.dumps(NAMES).encode(),
        "gapt/args.yml": b"DecoderTransformer.dim: 32\n",
        "gapt/actor.pth": actor.read_bytes(),
        f"{OFFLINE}/args.yml": b"!!python/object:os.system []\n",
        f"{OFFLINE}/step=20000.ckpt": offline.read_bytes(),
    }


@pytest.fixture
def hub(published: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub(("127.0.0.1", 0), Handler) as running:
        running.files, running.asked = dict(published), []
        monkeypatch.setenv("SIDEMAN_HUB", f"http://127.0.0.1:{running.server_port}")
        monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path / "home"))
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_gapt_is_fetched_remembered_and_plays(
    hub: Hub, published: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert run(["models", "pull", "gapt", "--fp32"]) == 0
    said = capsys.readouterr().err
    digest = sha256(published["gapt/actor.pth"]).hexdigest()
    assert f"gapt/actor.pth: sha256 {digest} (new)" in said
    assert "sideman jam --model published-gapt" in said
    folder = tmp_path / "home" / "published"
    assert json.loads((folder / "sha256.json").read_text())["gapt/actor.pth"] == digest
    bundle = load_bundle(find_model("published-gapt"))
    assert (bundle.file.kind, bundle.file.chords) == ("online", NAMES)
    assert bundle.file.trained["sha256"] == digest
    asked = len(hub.asked)
    assert run(["models", "pull", "gapt", "--fp32", "--name", "again"]) == 0
    assert len(hub.asked) == asked, "what is here and unchanged is not fetched twice"
    (folder / "gapt/actor.pth").write_bytes(b"damaged")
    assert run(["models", "pull", "gapt", "--fp32"]) == 0
    assert hub.asked[asked:] == [("gapt/actor.pth", None)]
    assert "(as before)" in capsys.readouterr().err


def test_a_broken_transfer_is_resumed(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sideman.data.download.time.sleep", lambda seconds: None)
    weights = f"{OFFLINE}/step=20000.ckpt"
    part = tmp_path / "home" / "published" / f"{weights}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(hub.files[weights][:1000])  # as an interrupted call leaves it
    hub.cut = 20  # and the first answer of this one breaks off
    assert run(["models", "pull", "offline", "--fp32", "--name", "theirs"]) == 0
    assert ("chord_names_augmented.json", "bytes=20-") in hub.asked
    assert hub.asked[-1] == (weights, "bytes=1000-")
    assert load_bundle(find_model("theirs")).file.cross


def test_without_a_network_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("sideman.data.download.time.sleep", lambda seconds: None)
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path / "home"))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("SIDEMAN_HUB", f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert run(["models", "pull", "realchords"]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "Cannot load" in said
    assert "sideman models import" in said


def test_what_the_hub_lacks_is_named(hub: Hub, capsys: pytest.CaptureFixture[str]):
    assert run(["models", "pull", "realchords"]) == 2
    assert "realchords/args.yml: the server answers 404" in capsys.readouterr().err


def test_a_page_instead_of_weights_is_no_model(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    whole = hub.files["gapt/actor.pth"]
    hub.files["gapt/actor.pth"] = b"<html>Please log in</html>"
    assert run(["models", "pull", "gapt"]) == 2
    assert "is no weight file" in capsys.readouterr().err
    assert not (tmp_path / "home" / "models").exists()
    hub.files["gapt/actor.pth"] = whole
    assert run(["models", "pull", "gapt", "--fp32"]) == 0


@pytest.mark.parametrize("name", ["../x", ".x", "a/b"])
def test_a_name_is_checked_before_anything_is_fetched(name: str, hub: Hub, capsys: pytest.CaptureFixture[str]):
    assert run(["models", "pull", "gapt", "--name", name]) == 2
    assert "name of a model" in capsys.readouterr().err
    assert hub.asked == []
