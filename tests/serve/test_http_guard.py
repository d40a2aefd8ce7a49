"""Who is let in: the token, and pages of other sites."""

import pytest
from starlette.testclient import TestClient

from sideman.serve.app import make_app

TOKEN = "s3cret-tökén"


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic czNjcmV0"}, {"Authorization": "Bearer"}]
)
def test_without_the_token_nobody_asks(headers: dict[str, str]):
    with TestClient(make_app("s3cret")) as client:
        for answer in (client.get("/v1/models", headers=headers), client.post("/v1/options", headers=headers)):
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "unauthorized"
            assert answer.headers["www-authenticate"] == "Bearer"


def test_with_the_token_everybody_does():
    with TestClient(make_app("s3cret")) as client:
        assert client.get("/v1/models", headers={"Authorization": "Bearer s3cret"}).status_code == 200
        assert client.get("/v1/models?token=s3cret").status_code == 200
        assert client.get("/v1/models?token=other&token=").status_code == 401


def test_a_token_may_be_any_text():
    with TestClient(make_app(TOKEN)) as client:
        assert client.get("/v1/models", params={"token": TOKEN}).status_code == 200


def test_health_and_description_are_open():
    with TestClient(make_app("s3cret")) as client:
        assert [client.get(path).status_code for path in ("/v1/health", "/openapi.json", "/docs")] == [200] * 3


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://testserver.evil.example", "http://testserver:81"]
)
def test_pages_of_other_sites_are_refused(origin: str):
    with TestClient(make_app()) as client:
        answer = client.post("/v1/options", headers={"Origin": origin}, files={"file": ("a.mid", b"x")})
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "foreign_origin"
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_our_own_pages_are_not():
    with TestClient(make_app()) as client:
        assert client.get("/v1/models", headers={"Origin": "http://testserver"}).status_code == 200
