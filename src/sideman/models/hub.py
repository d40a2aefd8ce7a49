"""A model in a repository of its own on a model hub: its bundle, its network for training, and its card.

A repository holds `bundle.json` and the graphs it names, `model.safetensors` with `model.json`, and the card as
`README.md`. Pulling takes the bundle and the card and needs no extra; `HF_ENDPOINT` names another hub, as for the hub's
own tools.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from sideman.data.download import digest_of, download
from sideman.engine.bundle import GRAPHS, BundleFile, load_bundle
from sideman.errors import MissingExtra, SidemanError, UnknownModel, WrongValue
from sideman.files import write_atomic

HUB = "https://huggingface.co"
TAGS = {"online": ["jam", "accompaniment"], "offline": ["harmonisation"], "sheet": ["abc", "composition"]}
_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
_OWN_FIELDS = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)


class HubRefused(SidemanError):
    """The hub does not let us, or cannot be reached."""

    code = "hub_refused"
    status = 502


def check_repository(name: str) -> str:
    """`OWNER/NAME`. Raises WrongValue for anything else."""
    if not _REPOSITORY.fullmatch(name):
        raise WrongValue(f"'{name}' is no repository of a hub.", "Write it as OWNER/NAME.")
    return name


def push_model(folder: Path, repository: str, checkpoint: Path | None = None, private: bool = False) -> str:
    """Upload the bundle in `folder`, its network and its card as one commit; returns its address.

    The network is that of `checkpoint`, or what the bundle holds. Raises MissingExtra, WrongValue, HubRefused.
    """
    check_repository(repository)
    try:
        from huggingface_hub import CommitOperationAdd, HfApi
    except ImportError:
        raise MissingExtra("Pushing a model", "hub") from None
    described = load_bundle(folder).file
    api = HfApi(endpoint=_endpoint())
    with tempfile.TemporaryDirectory() as scratch, _told():
        network = _network(folder, checkpoint, Path(scratch))
        files = [folder / "bundle.json", *(folder / name for name in sorted(described.files)), *network]
        contents: list[tuple[str, Any]] = [("README.md", _card(folder, described).encode())]
        contents += [(path.name, path) for path in files]
        api.create_repo(repository, private=private, exist_ok=True)
        done = api.create_commit(
            repository,
            [CommitOperationAdd(name, content) for name, content in contents],
            commit_message=f"{described.name}, checkpoint {described.checkpoint[:12]}",
        )
    return str(done.commit_url)


def pull_model(repository: str, folder: Path, kept: Path) -> BundleFile:
    """Fetch a bundle that was pushed into `folder`. `kept`: where files stay between calls, so that what broke off is
    resumed. Raises WrongValue, DownloadFailed, UnknownModel; `folder` is written when all is there."""
    base = f"{_endpoint()}/{check_repository(repository)}/resolve/main"
    download(f"{base}/bundle.json", kept / "bundle.json")
    try:
        described = msgspec.json.decode((kept / "bundle.json").read_bytes(), type=BundleFile)
    except msgspec.DecodeError as error:
        raise UnknownModel(
            f"{repository} holds no bundle of this version: {error}.", "Ask its owner to push it again."
        ) from None
    if set(described.files) != set(GRAPHS[described.kind]):
        raise UnknownModel(f"{repository} does not hold what a {described.kind} model needs.", "Pull another one.")
    for name, digest in described.files.items():
        if not (kept / name).exists() or digest_of(kept / name) != digest:
            download(f"{base}/{quote(name)}", kept / name, (digest,))
    download(f"{base}/README.md", kept / "README.md")
    load_bundle(kept)
    for name in described.files:
        write_atomic(folder / name, (kept / name).read_bytes())
    card = _OWN_FIELDS.sub("", (kept / "README.md").read_text(encoding="utf-8", errors="replace"))
    write_atomic(folder / "card.md", card.encode())
    write_atomic(folder / "bundle.json", (kept / "bundle.json").read_bytes())
    return described


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", HUB).rstrip("/")


def _network(folder: Path, checkpoint: Path | None, scratch: Path) -> list[Path]:
    """`model.safetensors` and `model.json`."""
    from sideman.models.build import load_checkpoint, save_checkpoint

    if checkpoint is None or not (checkpoint / "model.safetensors").exists():
        save_checkpoint(scratch, *load_checkpoint(checkpoint or folder))
        checkpoint = scratch
    return [checkpoint / name for name in ("model.json", "model.safetensors")]


def _card(folder: Path, described: BundleFile) -> str:
    """The card with the fields that the hub reads in front."""
    card = folder / "card.md"
    text = card.read_text(encoding="utf-8") if card.exists() else f"# {described.name}\n"
    tags = "".join(f"- {tag}\n" for tag in ["music", "symbolic-music", *TAGS[described.kind]])
    return f"---\nlibrary_name: sideman\nlicense: mit\ntags:\n{tags}---\n\n{text}"


@contextmanager
def _told() -> Iterator[None]:
    """The hub's errors in a line. Raises HubRefused."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    try:
        yield
    except LocalTokenNotFoundError:
        raise HubRefused("Nobody is logged in at the hub.", "Run 'hf auth login', or set HF_TOKEN.") from None
    except HfHubHTTPError as error:
        said = str(error.server_message or error).splitlines()[0].rstrip(".")
        raise HubRefused(
            f"The hub answers {error.response.status_code}: {said}.",
            "Run 'hf auth login' with a token that may write to this repository.",
        ) from None
    except HTTPError as error:
        raise HubRefused(f"The hub cannot be reached: {error}.", "Check the network, or HF_ENDPOINT.") from None
