"""A real server on loopback, and a player who talks to it over a WebSocket."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from sideman.serve.app import make_app
from sideman.serve.server import Server, make_server, open_socket

PATIENCE = 60


class Place:
    """Where a server listens, and how to stop it."""

    def __init__(self, token: str | None = None, **choices: Any) -> None:
        self._socket = open_socket("127.0.0.1", 0)
        self.port = self._socket.getsockname()[1]
        self.server: Server = make_server(make_app(token, **choices))
        self._thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        until(lambda: self.server.started)

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url(path), timeout=PATIENCE) as answer:
            return json.loads(answer.read())

    def post(self, path: str, body: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        asked = urllib.request.Request(self.url(path), json.dumps(body).encode(), headers)
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return json.loads(answer.read())

    @contextmanager
    def player(self, query: str = "", **options: Any) -> "Iterator[Player]":
        with connect(self.url("/v1/jam" + query, "ws"), max_size=None, close_timeout=2, **options) as line:
            yield Player(line)


class Player:
    """One line to the server."""

    def __init__(self, line: ClientConnection) -> None:
        self.line = line
        self.request = -1

    def send(self, **message: Any) -> None:
        self.line.send(json.dumps(message))

    def hear(self, *kinds: str) -> Any:
        """The next message, or the next of these kinds."""
        while True:
            message = json.loads(self.line.recv(timeout=PATIENCE))
            if not kinds or message["type"] in kinds:
                return message

    def start(self, **choices: Any) -> Any:
        # So slow that the busiest machine answers in time.
        self.send(**{"type": "start", "version": 1, "tempo": 2, "listen": 0} | choices)
        return self.hear()

    def play(self, beat: float, *pitches: int, **more: Any) -> Any:
        """Strike keys just before `beat` and wait for the plan."""
        self.request += 1
        notes = [{"on": True, "pitch": pitch, "beat": beat - 0.02} for pitch in pitches]
        self.send(type="notes", request=self.request, beat=beat, notes=notes, **more)
        return self.hear("plan", "error")

    def closed(self) -> int:
        """The code with which the server closes the line."""
        with suppress(ConnectionClosed):
            while True:
                self.line.recv(timeout=PATIENCE)
        assert self.line.close_code is not None
        return self.line.close_code


def until(true: Callable[[], Any], otherwise: str = "it did not happen") -> None:
    """Wait for something; a slow machine is no failure."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)
