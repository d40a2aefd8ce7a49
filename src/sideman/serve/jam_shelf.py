"""Records of jams in a folder that several processes share, so that a player whose line ends up at another one goes on.

A record is a file SESSION~OWNER.jsonl. Who takes a jam over renames it, which only one can; the owner before finds his
file gone at the next line he writes, and lets go. Nothing stays open.

Threads: any.
"""

import logging
import os
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path

# Session names as we give them; nothing else may become a part of a path.
NAME = re.compile(r"[A-Za-z0-9_-]{16}")
OVER = "over"
# A record nobody has written to for so long is nobody's: an idle player has been sent away by then.
STALE_SECONDS = 1800

_LOG = logging.getLogger(__name__)


class Shelf:
    """The records of one process in the folder, and how to get at those of others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.owner = secrets.token_hex(4)
        self.lost: set[str] = set()  # sessions that another process has taken

    def begin(self, name: str) -> Callable[[bytes], None]:
        """Start the record of a new session; returns what writes its lines."""
        self._path(name, self.owner).touch(exist_ok=False)
        return self.keeper(name)

    def keeper(self, name: str) -> Callable[[bytes], None]:
        """What writes the lines of a record that is ours."""
        path = self._path(name, self.owner)

        def keep(line: bytes) -> None:
            try:
                number = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
            except FileNotFoundError:
                self.lost.add(name)
                return
            except OSError:
                _LOG.exception("The record of a jam could not be kept; the jam goes on.")
                return
            try:
                os.write(number, line)
            except OSError:
                _LOG.exception("The record of a jam could not be kept; the jam goes on.")
            finally:
                os.close(number)

        return keep

    def take(self, name: str) -> bytes | None:
        """Make the record of a jam that goes on ours; None if there is none."""
        found = self._find(name)
        if found is None or found == self._path(name, OVER):
            return None
        mine = self._path(name, self.owner)
        try:
            os.replace(found, mine)
            return _whole_lines(mine.read_bytes())
        except OSError:  # somebody was faster
            return None

    def end(self, name: str) -> None:
        """A jam of ours is over; its record can still be read."""
        try:
            os.replace(self._path(name, self.owner), self._path(name, OVER))
        except OSError:
            self.lost.add(name)

    def read(self, name: str) -> bytes | None:
        """The record of a jam, whoever has it."""
        found = self._find(name)
        try:
            return None if found is None else _whole_lines(found.read_bytes())
        except OSError:
            return None

    def sweep(self) -> None:
        """Throw away what is nobody's any more."""
        oldest = time.time() - STALE_SECONDS
        for path in self.folder.glob("*.jsonl"):
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
            except OSError:
                continue

    def _find(self, name: str) -> Path | None:
        if not NAME.fullmatch(name):
            return None
        return next(self.folder.glob(f"{name}~*.jsonl"), None)

    def _path(self, name: str, owner: str) -> Path:
        return self.folder / f"{name}~{owner}.jsonl"


def _whole_lines(text: bytes) -> bytes:
    """Without what a process that was killed had begun to write."""
    return text[: text.rfind(b"\n") + 1]
