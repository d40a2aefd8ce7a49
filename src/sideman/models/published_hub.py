"""The published repository on the model hub: which files make which model, fetched and remembered (spec 4.5)."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from sideman.data.download import DownloadFailed, digest_of, download
from sideman.files import write_atomic

HUB = "https://huggingface.co/lukewys/realchords-pytorch/resolve/main"
NAMES = "chord_names_augmented.json"
RECORD = "sha256.json"


@dataclass(frozen=True)
class Row:
    """A published model: how it is imported, the folder it lies in, its weights, and what it is."""

    family: str
    folder: str
    weights: str
    title: str


PUBLISHED = {
    "realchords": Row("realchords-online", "realchords", "actor.pth", "ReaLchords, plays along"),
    "gapt": Row("realchords-online", "gapt", "actor.pth", "GAPT, plays along"),
    "online": Row(
        "realchords-online", "realjam_decoder_only_online_chord_3_datasets", "step=11000.ckpt",
        "online MLE, plays along",
    ),
    "offline": Row(
        "realchords-offline", "realjam_enc_dec_base_chord_random_truncate_3_datasets", "step=20000.ckpt",
        "offline MLE, harmonises whole melodies",
    ),
}  # fmt: skip


def fetch(what: str, folder: Path) -> tuple[Path, Path]:
    """(weights, chord names) of a published model in `folder`, loaded where they are not there yet; `args.yml`
    comes along. Raises DownloadFailed, CannotWrite."""
    row = PUBLISHED[what]
    files = (NAMES, f"{row.folder}/args.yml", f"{row.folder}/{row.weights}")
    for file in files:
        _fetch(file, folder)
    return folder / files[-1], folder / NAMES


def _fetch(file: str, folder: Path) -> None:
    """One file; kept where it is the one whose digest was recorded."""
    path, record = folder / file, _record(folder)
    if path.exists() and digest_of(path) == record.get(file):
        return
    base = os.environ.get("SIDEMAN_HUB", HUB)
    try:
        digest = download(f"{base}/{quote(file, safe='/=')}", path)
    except DownloadFailed as error:
        raise DownloadFailed(
            error.message, "With its files at hand: sideman models import KIND FILE --chord-names FILE --name NAME."
        ) from None
    before = record.get(file)
    verdict = "new" if before is None else "as before" if before == digest else f"was {before} before"
    print(f"{file}: sha256 {digest} ({verdict})", file=sys.stderr)
    write_atomic(folder / RECORD, msgspec.json.format(msgspec.json.encode(record | {file: digest}), indent=1))


def _record(folder: Path) -> dict[str, str]:
    """File -> sha256 of what was fetched before."""
    try:
        return msgspec.json.decode((folder / RECORD).read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}
