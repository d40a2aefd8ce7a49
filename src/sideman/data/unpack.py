"""Archives from strangers -> a folder, without trusting a name or a size in them.

Files and folders are unpacked, links and devices are passed over; a path that would leave the folder
and an archive that grows beyond the limits are refused, and then nothing stays behind.
"""

import lzma
import os
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from sideman.errors import TooLarge, UnreadableFile
from sideman.files import CannotWrite

LIMIT_BYTES = 4 << 30
LIMIT_FILES = 200_000
_BLOCK = 1 << 18

Entry = tuple[str, IO[bytes]]
_PLAIN_FILE = ".json.gz"
# RuntimeError and NotImplementedError: zip entries with a password or an unknown compression.
_DAMAGED = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, NotImplementedError,
)  # fmt: skip


def unpack(
    source: Path,
    target: Path,
    wrapper: str = "",
    file: str = "",
    limit_bytes: int = LIMIT_BYTES,
    limit_files: int = LIMIT_FILES,
) -> None:
    """Replace folder `target` by what `source` holds: a tar or zip archive, a folder, or one `.json.gz` file.

    Where all of it lies in one folder named `<wrapper>-...`, as public source archives have it, the
    contents of that folder are taken. A single file is stored as `file` if that is given. Raises
    UnreadableFile, TooLarge or CannotWrite; an existing `target` then stays as it was.
    """
    if not source.exists():
        raise UnreadableFile(f"There is no file or folder at {source}.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
            new = Path(scratch) / "new"
            new.mkdir()
            _write_all(_entries(source, file or source.name), source, new, limit_bytes, limit_files)
            if target.exists():
                target.rename(Path(scratch) / "old")
            _without_wrapper(new, wrapper).rename(target)
    except _DAMAGED as error:
        raise UnreadableFile(f"{source} is a damaged archive ({error}).", "Fetch it again.") from None
    except OSError as error:
        # A compressed stream that is cut or damaged also ends here.
        what = error.strerror or error
        if error.errno is None:
            raise UnreadableFile(f"{source} is a damaged archive ({what}).", "Fetch it again.") from None
        raise CannotWrite(f"Cannot unpack {source} to {target}: {what}.", "Free some space.") from error


def _without_wrapper(folder: Path, wrapper: str) -> Path:
    top = list(folder.iterdir())
    wrapped = wrapper and len(top) == 1 and top[0].is_dir() and top[0].name.startswith(f"{wrapper}-")
    return top[0] if wrapped else folder


def _write_all(entries: Iterator[Entry], source: Path, folder: Path, limit_bytes: int, limit_files: int) -> None:
    size = 0
    for number, (name, stream) in enumerate(entries):
        if number >= limit_files:
            raise TooLarge(f"{source} holds more than {limit_files} files.")
        path = folder.joinpath(*_safe_parts(name, source))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            while block := stream.read(_BLOCK):
                size += len(block)
                if size > limit_bytes:
                    raise TooLarge(f"{source} unpacks to more than {limit_bytes >> 20} MB.")
                out.write(block)


def _safe_parts(name: str, source: Path) -> tuple[str, ...]:
    """Path parts of an entry. Raises UnreadableFile for a path that leads out of the folder."""
    path = PurePosixPath(name)
    hostile = path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name
    if hostile or (os.name == "nt" and any(c in name for c in '\\:<>|?*"')):
        raise UnreadableFile(f"{source} holds a file with the unsafe path '{name}'.", "Do not use this archive.")
    return path.parts


def _entries(source: Path, file: str) -> Iterator[Entry]:
    """(path, content) of every plain file, in stored order."""
    if source.is_dir():
        yield from _folder_entries(source)
    elif zipfile.is_zipfile(source):
        yield from _zip_entries(source)
    elif tarfile.is_tarfile(source):
        yield from _tar_entries(source)
    elif source.name.endswith(_PLAIN_FILE):
        with source.open("rb") as stream:
            yield file, stream
    else:
        raise UnreadableFile(f"{source} is neither a tar nor a zip archive.", "Give an archive or a folder.")


def _folder_entries(source: Path) -> Iterator[Entry]:
    for path in sorted(source.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                yield path.relative_to(source).as_posix(), stream


def _zip_entries(source: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(source) as archive:
        for entry in archive.infolist():
            link = entry.external_attr >> 16 & 0o170000 == 0o120000
            if not entry.is_dir() and not link:
                with archive.open(entry) as stream:
                    yield entry.filename, stream


def _tar_entries(source: Path) -> Iterator[Entry]:
    with tarfile.open(source) as archive:
        for entry in archive:
            stream = archive.extractfile(entry) if entry.isreg() else None
            if stream is not None:
                with stream:
                    yield entry.name, stream
        # A compressed stream is checked at its end, which lies behind the padding of the tar.
        if archive.fileobj is not None:
            archive.fileobj.read(_BLOCK)
