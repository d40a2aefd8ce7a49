"""Collections from their public home, or from a local copy, to `<home>/data/<name>/source`."""

import sys
from pathlib import Path

from sideman.data.collections import Collection, collection
from sideman.data.download import digest_of, download
from sideman.data.unpack import unpack


def data_folder(name: str, home: Path) -> Path:
    """Where everything about a collection is kept."""
    return home / "data" / name


def source_folder(name: str, home: Path) -> Path:
    """Where the unpacked source of a collection is kept."""
    return data_folder(name, home) / "source"


def fetch(name: str, source: Path | None, home: Path) -> Path:
    """Load and unpack a collection; return the folder.

    Without `source` it is downloaded (and not again where it already is); `source` is a local archive,
    file or folder to take instead. Raises WrongValue, DownloadFailed, UnreadableFile, TooLarge, CannotWrite.
    """
    row = collection(name)
    target = source_folder(name, home)
    if source is not None:
        if source.is_file():
            _say_digest(row, source.name, digest_of(source))
        unpack(source, target, row.repository, row.file)
        return target
    if target.is_dir():
        return target
    archive = data_folder(name, home) / row.file
    _say_digest(row, row.file, download(row.url, archive, row.sha256))
    unpack(archive, target, row.repository, row.file)
    archive.unlink()
    return target


def source_root(name: str, source: Path | None, home: Path) -> Path:
    """The folder to read a collection from: a given folder as it is, anything else by way of `fetch`."""
    if source is not None and source.is_dir():
        return source
    fetched = source_folder(name, home)
    return fetched if source is None and fetched.is_dir() else fetch(name, source, home)


def _say_digest(row: Collection, file: str, digest: str) -> None:
    verdict = "as expected" if digest in row.sha256 or digest in row.known else "nothing to compare with"
    print(f"{file}: sha256 {digest} ({verdict})", file=sys.stderr)
