"""The page and what it is made of: right types, nothing from elsewhere, nothing stale."""

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from sideman.serve.app import make_app
from sideman.serve.site import STATIC

TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".ico": "image/x-icon",
}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(make_app()) as client:
        yield client


@pytest.mark.parametrize("path", sorted(p.relative_to(STATIC).as_posix() for p in STATIC.rglob("*") if p.is_file()))
def test_every_file_has_its_type_and_the_policy(client, path):
    answer = client.get(f"/static/{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == TYPES["." + path.rpartition(".")[2]]
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"


def test_the_page_is_at_the_root_and_names_files_that_exist(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "worker-src 'self' blob:" in policy
    assert "connect-src 'self' ws: wss:" in policy
    named = re.findall(r'(?:src|href)="((?!#|mailto)[^"]+)"', page.text)
    assert named
    for path in named:
        assert not re.match(r"[a-z]+:|//", path), f"{path} is elsewhere"
        assert client.get("/" + path.lstrip("/")).status_code == 200, path


def test_unchanged_files_are_not_sent_again(client):
    first = client.get("/")
    again = client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/", headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/static/nothing.js", "/static/../app.py", "/static/%2e%2e/app.py", "/static/", "/no"]
)
def test_nothing_else_is_there(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_route"


def test_the_page_needs_no_token_but_the_jam_does():
    with TestClient(make_app("s3cret")) as client:
        assert client.get("/").status_code == 200
        assert client.get("/static/js/main.js").status_code == 200
        assert client.get("/models").status_code == 401
        assert client.post("/play", json={}).status_code == 401
        assert client.post("/v1/takes", json={}).status_code == 401
        assert client.get("/v1/jam/x/log").status_code == 401
