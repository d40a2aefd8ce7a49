"""`sideman serve` with two worker processes, as a user starts it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from jam_server import Place, until


class Processes(Place):
    """`sideman serve --workers 2`, which keeps what it shares in `folder`."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "sideman", "serve", "--workers", "2", "--port", "0"]
        environment = os.environ | {"TMPDIR": str(folder)}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        assert self.process.stderr is not None
        self.port = int(self.process.stderr.readline().split(";")[0].rpartition(":")[2])
        until(lambda: len(self.workers()) == 2)

    def workers(self) -> set[int]:
        """Their process ids."""
        pid = self.process.pid
        children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return {child for child in children if b"spawn_main" in _command(child)}

    def kill_in_turn(self) -> None:
        """Kill every worker, each when the one before has its successor."""
        for pid in self.workers():
            os.kill(pid, signal.SIGKILL)
            until(lambda dead=pid: dead not in self.workers() and len(self.workers()) == 2)

    def stop(self) -> tuple[int, str]:  # type: ignore[override]
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it ended before it was opened, or after
        return b""
