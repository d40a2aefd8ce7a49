"""The description says what the server does: its document, its page, its examples."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient

from sideman.options.request import Request
from sideman.serve.app import make_app
from sideman.serve.openapi import openapi_document
from sideman.serve.openapi_examples import ALTERNATIVES_EXAMPLE, EXAMPLE


@pytest.fixture
def client(fake_offer: list[Request]) -> Iterator[TestClient]:
    with TestClient(make_app()) as client:
        yield client


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_route_is_described():
    described = set(openapi_document()["paths"])
    routes = {route.path for route in make_app().routes if isinstance(route, Route | WebSocketRoute)}
    assert routes - described == {"/openapi.json", "/docs", "/docs/python", "/docs/python/{room}", "/favicon.ico"}
    assert described <= routes


def test_every_reference_leads_somewhere_and_every_type_is_used():
    document = openapi_document(with_token=True)
    found = {reference.removeprefix("#/components/schemas/") for reference in references(document)}
    assert found == set(document["components"]["schemas"])
    assert len(found) > 10


def test_bounds_are_in_the_document():
    schemas = openapi_document()["components"]["schemas"]
    n = schemas["OptionsBody"]["properties"]["n"]
    assert (n["minimum"], n["maximum"], n["default"]) == (1, 16, 5)
    assert schemas["MelodyJson"]["properties"]["frames"]["anyOf"][0]["maxItems"] == 4096
    assert schemas["OptionsForm"]["properties"]["n"] == n
    assert schemas["OptionsForm"]["required"] == ["file"]


def test_the_example_works(client: TestClient):
    assert client.post("/v1/options", json=EXAMPLE).status_code == 200


def test_the_example_of_alternatives_works(tiny_home: Path):
    with TestClient(make_app()) as client:
        answer = client.post("/v1/alternatives", json=ALTERNATIVES_EXAMPLE)
        assert answer.status_code == 200
        assert [each["rank"] for each in answer.json()["alternatives"]] == [1, 2, 3, 4]
        assert answer.json()["chord"]["symbol"] == "F"


def test_the_form_says_what_the_form_takes():
    fields = openapi_document()["components"]["schemas"]["OptionsForm"]["properties"]
    assert [kind["type"] for kind in fields["like"]["anyOf"]] == ["string"]
    assert fields["cadence"]["enum"] == ["authentic", "deceptive", "half", "open", "plagal"]


def test_the_page_shows_the_document_and_loads_nothing(client: TestClient):
    answer = client.get("/docs")
    page = answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.findall(r"<(?:script|link|img|iframe)|url\(|@import", page)
    assert not re.findall(r'href="/', page), "behind a proxy the page may be below /"
    document = client.get("/openapi.json").json()
    for path in document["paths"]:
        assert path in page
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in page
    commands = re.findall(r"<pre>(curl .*?)</pre>", page, re.DOTALL)
    assert len(commands) >= 4
    example = re.search(r"-d &#x27;(.*?)&#x27;", "".join(commands))
    assert example
    assert json.loads(example[1].replace("&quot;", '"')) == EXAMPLE


def test_the_page_lists_the_routes_and_links_to_each(client: TestClient):
    page = client.get("/docs").text
    listed = re.findall(r'<td><a href="#(\w+)"><code>(\w+) (.*?)</code></a></td>', page)
    document = openapi_document()
    assert [(method.lower(), path) for _, method, path in listed] == [
        (method, path) for path, methods in document["paths"].items() for method in methods
    ]
    assert all(page.count(f'id="{name}"') == 1 for name, _, _ in listed)


def test_commands_name_the_server_that_was_asked(client: TestClient):
    page = client.get("/docs", headers={"Host": "studio.local:8799"}).text
    assert "http://studio.local:8799/v1/options" in page
    assert "ws://studio.local:8799/v1/jam" in page
    assert "8080" not in page
    hostile = client.get("/docs", headers={"Host": "a';rm<b>"}).text
    assert "rm" not in re.findall(r"<pre>curl (\S+)", hostile)[0]
    assert "<b>" not in hostile


def test_the_icon_browsers_ask_for_is_there(client: TestClient):
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/x-icon")
    assert answer.content[:4] == b"\0\0\1\0"
    assert len(answer.content) < 1000
