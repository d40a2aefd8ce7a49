"""One file from the web: resumed where it broke off, checked, and renamed into place when whole."""

import http.client
import re
import time
from collections.abc import Collection as Values
from hashlib import sha256
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from sideman import __version__
from sideman.errors import SidemanError
from sideman.files import CannotWrite
from sideman.progress import progress

_BLOCK = 1 << 18
_LIMIT_BYTES = 2 << 30
_ATTEMPTS = 3


class DownloadFailed(SidemanError):
    """No network, a server that refuses, or a file that is not the expected one."""

    code = "download_failed"
    status = 502


def download(url: str, path: Path, sha256s: Values[str] = (), timeout_s: float = 30.0, pause_s: float = 1.0) -> str:
    """Fetch `url` to `path` and return its sha256. Raises DownloadFailed or CannotWrite.

    An interrupted transfer leaves `<path>.part`, from which the next call goes on. Where `sha256s`
    names digests the file must have one of them, or it is thrown away.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _transfer(url, part, timeout_s, pause_s)
        digest = digest_of(part)
        if sha256s and digest not in sha256s:
            part.unlink()
            raise DownloadFailed(
                f"{url} is not the expected file: its sha256 is {digest}.",
                "Try again, or give a copy you trust with --source PATH.",
            )
        part.replace(path)
    except OSError as error:
        raise CannotWrite(f"Cannot write {path}: {error.strerror or error}.", "Free some space.") from error
    return digest


def digest_of(path: Path) -> str:
    """sha256 of a file, in hex."""
    state = sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            state.update(block)
    return state.hexdigest()


def _transfer(url: str, part: Path, timeout_s: float, pause_s: float) -> None:
    """Load `url` into `part`, going on after breaks as long as each attempt brings something or some are left."""
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            if _attempt(url, part, before, timeout_s):
                return
            reason: object = "the connection broke off"
        except HTTPError as error:
            raise _failed(url, f"the server answers {error.code} {error.reason}") from None
        except URLError as error:
            reason = error.reason
        except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
            reason = error or type(error).__name__
        after = part.stat().st_size if part.exists() else 0
        failures = failures + 1 if after <= before else 1
        if failures >= _ATTEMPTS:
            raise _failed(url, reason)
        time.sleep(pause_s * failures)


def _attempt(url: str, part: Path, have: int, timeout_s: float) -> bool:
    """One request for the rest of the file; whether it is complete now."""
    headers = {"User-Agent": f"sideman/{__version__}"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        response = urlopen(Request(url, headers=headers), timeout=timeout_s)
    except HTTPError as error:
        if error.code != 416 or not have:
            raise
        with error:
            complete = _range(error.headers.get("Content-Range")) == (None, str(have))
        if not complete:  # what we have is not the beginning of what is there: start over
            part.unlink()
        return complete
    with response:
        if response.status == 206 and _range(response.headers.get("Content-Range"))[0] != str(have):
            part.unlink()
            return False
        return _save(response, part, have if response.status == 206 else 0)


def _save(response: http.client.HTTPResponse, part: Path, start: int) -> bool:
    """Append the body to the first `start` bytes of `part`; whether all that was announced came."""
    announced = response.headers.get("Content-Length", "")
    rest = int(announced) if announced.isdecimal() else None
    got = 0
    with (
        part.open("ab" if start else "wb") as out,
        progress(f"Loading {part.stem}", None if rest is None else start + rest, "B") as advance,
    ):
        advance(start)
        while block := _read(response):
            out.write(block)
            got += len(block)
            advance(len(block))
            if start + got > _LIMIT_BYTES:
                raise http.client.HTTPException("it is larger than 2 GB")
    return rest is None or got >= rest


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_BLOCK)
    except OSError as error:  # told apart here from a disk that fails
        raise http.client.HTTPException(str(error)) from error


def _range(header: str | None) -> tuple[str | None, str | None]:
    """First byte and size of the whole file, of `bytes 5-9/10` or `bytes */10`."""
    found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+)", header or "")
    return (found[1], found[2]) if found else (None, None)


def _failed(url: str, reason: object) -> DownloadFailed:
    return DownloadFailed(
        f"Cannot load {url}: {reason}.", "Check the network, or give a local copy with --source PATH."
    )
