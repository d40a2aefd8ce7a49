"""Servers for the page: the stub, and the real one as players start it."""

import json
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

from jam_server import until

Message = dict[str, Any]
STUB = (str(Path(__file__).with_name("stub_server.py")),)
SIDEMAN = ("-c", "from sideman.cli import main; main()", "jam", "--no-open", "--port")


class Server:
    """A server in a process of its own: a Python program that takes a port. It can be killed and started again on the
    same port. `heard`: what the stub prints."""

    def __init__(self, *program: str) -> None:
        self.program = program
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.heard: list[Message] = []
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, *self.program, str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        until(self._answers, "the server did not start")

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.url, timeout=1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def wait_for(self, kind: str) -> Message:
        """The last message of a kind, which may still be on its way."""
        until(lambda: self.of_type(kind), f"no {kind} message came")
        return self.of_type(kind)[-1]

    def of_type(self, kind: str) -> list[Message]:
        return [message for message in self.heard if message.get("type") == kind]

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.heard.append(json.loads(line))
