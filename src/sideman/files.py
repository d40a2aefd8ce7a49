"""Writing files whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from sideman.errors import SidemanError


class CannotWrite(SidemanError):
    """The disk is full, or the place is not writable."""

    code = "cannot_write"
    status = 507


def check_place(path: Path) -> None:
    """Before the work: whether a file or folder can be made at `path`. Raises CannotWrite naming what is missing."""
    folder = path.parent
    if not folder.is_dir():
        raise CannotWrite(f"There is no folder {folder}.", "Make it first, or name a place that is there.")
    if not os.access(folder, os.W_OK):
        raise CannotWrite(f"The folder {folder} cannot be written to.", "Name a place in one that can.")


def write_atomic(path: Path, write: Callable[[IO[bytes]], Any] | bytes) -> None:
    """Write to a temporary neighbour and rename it over `path`. Raises CannotWrite, leaving nothing half-written."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as stream:
            if isinstance(write, bytes):
                stream.write(write)
            else:
                write(stream)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise CannotWrite(
            f"Cannot write {path}: {error.strerror or error}.", "Free some space or choose another place."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
