"""A browser and a server for the tests of the page. Without a browser every one of them is skipped, and says so."""

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_server import STUB, Server

Message = dict[str, Any]
HERE = Path(__file__).parent
FLAGS = ["--autoplay-policy=no-user-gesture-required", "--no-sandbox", "--disable-gpu"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)


def find_browser() -> str | None:
    named = os.environ.get("SIDEMAN_BROWSER")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="the page's tests need `pip install playwright`")
    program = find_browser()
    if program is None:
        pytest.skip("the page's tests need Chromium on the PATH (or SIDEMAN_BROWSER)")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def running_server(browser: Any) -> Iterator[Server]:
    server = Server(*STUB)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def server(running_server: Server) -> Server:
    running_server.heard.clear()
    return running_server


@pytest.fixture(scope="module")
def profile(browser: Any) -> Iterator[Any]:
    """One browser profile for all tests: it keeps the page's files; what the page stored is cleared each time."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def open_page(profile: Any, server: Server) -> Iterator[Callable[..., Any]]:
    """Opens the page as if for the first time, or beside another; fails on errors, on requests to elsewhere and on what
    the page's own policy forbids."""
    pages: list[Any] = []
    trouble: list[str] = []

    def foreign(url: str) -> None:
        if not url.startswith((server.url, "blob:" + server.url)):
            trouble.append(f"a request left the origin: {url}")

    def policy(message: Any) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            trouble.append(message.text)

    def open_it(beside: Any = None, init: str = "", settings: Message | None = None, path: str = "") -> Any:
        page = profile.new_page()
        pages.append(page)
        page.on("pageerror", lambda error: trouble.append(f"error in the page: {error}"))
        page.on("request", lambda request: foreign(request.url))
        page.on("console", policy)
        if not beside:
            page.goto(server.url + "static/icon.svg")
            page.evaluate("localStorage.clear()")
        if init:
            page.add_init_script(init)
        page.goto(server.url + path)
        page.wait_for_selector(
            "[data-setting=model] option:not([value=''])", state="attached"
        )  # the models are offered
        for name, value in (settings or {}).items():
            page.evaluate("([name, value]) => sideman.settings.set(name, value)", [name, value])
        return page

    yield open_it
    for page in pages:
        page.close()
    assert not trouble, "\n".join(trouble)


@pytest.fixture(scope="module")
def bench(browser: Any, running_server: Server) -> Iterator[Any]:
    """One page that stays open, for what only needs the modules."""
    page = browser.new_page()
    page.goto(running_server.url)
    yield page
    page.close()


RENDER = (HERE / "render.js").read_text()


@pytest.fixture
def render(bench: Any) -> Callable[..., np.ndarray]:
    """Renders sound offline: the body of an async function (engine, stage, ctx, at) => ..., seconds -> [2, samples]."""

    def run(seconds: float, body: str, settings: Message | None = None) -> np.ndarray:
        arrange = f"async ({{engine, settings, at, ctx, lib}}) => {{ {body} }}"
        data = base64.b64decode(bench.evaluate(f"(({RENDER}))({seconds}, {json.dumps(settings or {})}, {arrange})"))
        return np.frombuffer(data, np.float32).reshape(2, -1)

    return run
