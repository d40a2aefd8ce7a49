"""Work that no other process may do at the same time: a lock that the system takes back when its holder ends."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sideman.errors import SidemanError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class AtWork(SidemanError):
    """Another process does this very work now."""

    code = "at_work"
    status = 409


@contextmanager
def one_at_a_time(lock: Path, what: str) -> Iterator[None]:
    """Holds the file `lock`, made where it is not there, while `what` goes on. Raises AtWork at once where another
    process holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+b") as stream:
        try:
            _hold(stream.fileno())
        except OSError:
            raise AtWork(f"{what} is under way in another process.", "Wait until it ends, or stop it first.") from None
        yield


def _hold(descriptor: int) -> None:
    """Raises OSError where another process holds the file."""
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
