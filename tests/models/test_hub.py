"""`sideman models push` and `pull` with a hub on the loopback: what is uploaded comes back and plays the same."""

import base64
import json
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from sideman.cli import run
from sideman.engine.bundle import load_bundle
from sideman.engine.models import find_model
from sideman.models.build import ModelFile, build, load_checkpoint, save_checkpoint
from sideman.models.export import export_bundle
from sideman.models.online import OnlineConfig
from sideman.models.transformer import StackConfig
from sideman.music.vocabulary import own_vocabulary

STACK = StackConfig(width=32, depth=1, heads=1, head_width=32, ff_width=48, rotary_width=16)
TOKEN = "hf_made_up_for_this_test"


class Hub(ThreadingHTTPServer):
    """Repositories by name, files by path. Files above `large` bytes are uploaded as LFS objects, as on a real one."""

    large = 10_000

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.objects: dict[str, bytes] = {}
        self.private: set[str] = set()


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        repository, _, path = self.path.lstrip("/").partition("/resolve/main/")
        content = self.server.repositories.get(repository, {}).get(path)
        self.answer(404 if content is None else 200, content or b"")

    def do_PUT(self) -> None:
        self.server.objects[self.path.rpartition("/")[2]] = self.body()
        self.answer(200, b"")

    def do_POST(self) -> None:
        body = self.body()
        if self.path == "/api/validate-yaml":
            self.answer(200, {"errors": [], "warnings": []})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer(401, {"error": "Invalid username or password."})
        elif self.path == "/api/repos/create":
            asked = json.loads(body)
            repository = f"{asked['organization']}/{asked['name']}"
            self.server.repositories.setdefault(repository, {})
            self.server.private |= (
                {repository} if asked.get("private") or asked.get("visibility") == "private" else set()
            )
            self.answer(200, {"url": f"{self.base}/{repository}"})
        elif "/preupload/" in self.path:
            modes = [
                (f["path"], "lfs" if f["size"] > self.server.large else "regular") for f in json.loads(body)["files"]
            ]
            self.answer(200, {"files": [{"path": p, "uploadMode": m, "shouldIgnore": False} for p, m in modes]})
        elif self.path.endswith("/info/lfs/objects/batch"):
            objects = json.loads(body)["objects"]
            actions = [{"upload": {"href": f"{self.base}/objects/{o['oid']}"}} for o in objects]
            found = [o | {"authenticated": True, "actions": a} for o, a in zip(objects, actions, strict=True)]
            self.answer(200, {"transfer": "basic", "objects": found})
        else:
            self.commit(self.path.removeprefix("/api/models/").partition("/commit/")[0], body)

    def commit(self, repository: str, body: bytes) -> None:
        files = self.server.repositories[repository]
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.server.objects[value["oid"]]
        self.answer(200, {"commitUrl": f"{self.base}/{repository}/commit/{'0' * 40}", "commitOid": "0" * 40})

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status: int, content: bytes | dict[str, object]) -> None:
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.git-lfs+json" if "lfs" in self.path else "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub, and a model `mine` here."""
    constants = pytest.importorskip("huggingface_hub.constants", reason="needs huggingface-hub: the extra hub")
    with Hub() as running:
        endpoint = f"http://127.0.0.1:{running.server_port}"
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path / "home"))
        torch.manual_seed(1)
        file = ModelFile("online", online=OnlineConfig(own_vocabulary().size, STACK), trained={"step": 3})
        save_checkpoint(tmp_path / "run" / "best", file, build(file))
        export_bundle(tmp_path / "run" / "best", tmp_path / "home/models/mine", "mine")
        (tmp_path / "home/models/mine/card.md").write_text("# mine\n\nPlays badly.\n")
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_what_is_pushed_is_pulled_and_plays_the_same(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["models", "push", "mine", "me/bossa", "--checkpoint", str(tmp_path / "run"), "--private"]) == 0
    assert "me/bossa/commit/" in capsys.readouterr().out
    files = hub.repositories["me/bossa"]
    assert set(files) == {"README.md", "bundle.json", "step.onnx", "model.json", "model.safetensors"}
    assert hub.private == {"me/bossa"}
    assert files["README.md"].startswith(b"---\nlibrary_name: sideman\nlicense: mit\n")
    assert files["model.safetensors"] == (tmp_path / "run/best/model.safetensors").read_bytes()
    assert sha256(files["step.onnx"]).hexdigest() in hub.objects, "what is large goes as an LFS object"

    assert run(["models", "pull", "me/bossa"]) == 0
    here, mine = find_model("bossa"), find_model("mine")
    assert load_bundle(here).file == load_bundle(mine).file
    assert (here / "step.onnx").read_bytes() == (mine / "step.onnx").read_bytes()
    assert (here / "card.md").read_text() == "# mine\n\nPlays badly.\n"


def test_without_a_checkpoint_the_network_of_the_bundle_goes_along(hub: Hub, tmp_path: Path):
    assert run(["models", "push", "mine", "me/bossa"]) == 0
    for name in ("model.json", "model.safetensors"):
        (tmp_path / name).write_bytes(hub.repositories["me/bossa"][name])
    file, model = load_checkpoint(tmp_path)
    assert file.trained == {"step": 3}
    again = load_checkpoint(find_model("mine"))[1].state_dict()
    assert all(torch.equal(weight, again[name]) for name, weight in model.state_dict().items())


def test_what_goes_wrong_is_one_line(hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def said(*words: str) -> str:
        assert run(["models", *words]) in (1, 2)
        lines = capsys.readouterr().err.strip().splitlines()
        assert "Traceback" not in "".join(lines)
        return " ".join(lines)

    assert "OWNER/NAME" in said("push", "mine", "bossa")
    assert "no model 'nobody'" in said("push", "nobody", "me/bossa")
    assert "404" in said("pull", "me/missing")
    assert "OWNER/NAME" in said("pull", "../../etc/passwd")
    monkeypatch.setenv("HF_TOKEN", "wrong")
    assert "401" in said("push", "mine", "me/bossa")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached" in said("push", "mine", "me/bossa")


def test_damage_on_the_way_leaves_nothing(hub: Hub, capsys: pytest.CaptureFixture[str]):
    assert run(["models", "push", "mine", "me/bossa"]) == 0
    hub.repositories["me/bossa"]["step.onnx"] = b"something else"
    assert run(["models", "pull", "me/bossa"]) != 0
    assert "not the expected file" in capsys.readouterr().err
    hub.repositories["me/bossa"]["bundle.json"] = b'{"name": "x"}'
    assert run(["models", "pull", "me/bossa"]) != 0
    assert "no bundle of this version" in capsys.readouterr().err
    with pytest.raises(Exception, match="no model"):
        find_model("bossa")
