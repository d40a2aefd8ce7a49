"""Weight files of the published project, opened without running anything in them (spec 4.4).

A file is a pickle inside an archive. Only tensors and plain containers are built from it; a pickle that names
anything else is refused before it is called. What is left is a state dict under one of three roofs.
"""

import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from sideman.engine.bundle import fingerprint
from sideman.errors import TooLarge, UnreadableFile

Roof = Literal["lightning", "converted", "rl actor", "rl critic"]

# Numbers in all tensors together; the largest published network has 80 million.
MAX_NUMBERS = 2**30
COMPILED = "_orig_mod."
ACTOR, CRITIC, LIGHTNING = "model.module.", "module.model.", "model."
_AGAIN = "Fetch the file again from its publisher."


@dataclass(frozen=True)
class WeightFile:
    """Tensors by their bare names, under which roof they were found, and the sha256 of the file."""

    path: Path
    roof: Roof
    tensors: dict[str, Tensor]
    sha256: str


def read_weights(path: Path) -> WeightFile:
    """Open a weight file. Raises UnreadableFile where it is missing, damaged, hostile or holds no weights; TooLarge."""
    loaded = load_file(path)
    roof, tensors = _bare(path, loaded)
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta or not tensor.is_floating_point():
            raise UnreadableFile(f"{path}: {name} is not a plain tensor of floating-point numbers.", _AGAIN)
    if sum(tensor.numel() for tensor in tensors.values()) > MAX_NUMBERS:
        raise TooLarge(f"{path} holds more than {MAX_NUMBERS:,} numbers.", "No published network is as large.")
    return WeightFile(path, roof, tensors, fingerprint(path))


def load_file(path: Path) -> Any:
    """What is pickled in a file: tensors and plain containers. Raises UnreadableFile for anything else."""
    if not path.is_file():
        raise UnreadableFile(f"There is no file {path}.")
    archive = zipfile.is_zipfile(path)
    try:
        if archive:
            _check_sizes(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about files that are refused a moment later
            # From an archive only what is used gets read: most of a training checkpoint is the optimiser's.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=archive)
    except UnreadableFile:
        raise
    except Exception as error:  # a hostile file may break the reader in any way
        wanted = re.search(r"GLOBAL (\S+)", str(error))
        if wanted is not None:
            raise UnreadableFile(
                f"{path} wants to run code when it is opened ({wanted[1]}); nothing of it was run.",
                "Weights need no code. Do not use this file.",
            ) from None
        raise UnreadableFile(f"{path} is no weight file, or a damaged one.", _AGAIN) from None


def _check_sizes(path: Path) -> None:
    """Weight files are stored as they are; one that unpacks to more than it holds means harm."""
    with zipfile.ZipFile(path) as parts:
        if sum(part.file_size for part in parts.infolist()) > path.stat().st_size:
            raise UnreadableFile(f"{path} is packed as no weight file is.", _AGAIN)


def _bare(path: Path, loaded: Any) -> tuple[Roof, dict[str, Tensor]]:
    """The roof, and what stands under it without the prefixes of its wrappers."""
    inside = loaded.get("state_dict") if isinstance(loaded, Mapping) else None
    state = inside if isinstance(inside, Mapping) else loaded
    if not isinstance(state, Mapping) or not state:
        raise UnreadableFile(f"{path} holds no weights.", "Give a checkpoint: step=N.ckpt or actor.pth.")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise UnreadableFile(
                f"{path} is no state dict: {name!s:.80} is a {type(value).__name__}.",
                "Give a checkpoint: step=N.ckpt or actor.pth.",
            )
    tensors = {name.replace(COMPILED, ""): value for name, value in state.items()}
    if inside is not None:
        return "lightning", {name.removeprefix(LIGHTNING): value for name, value in tensors.items()}
    if any(name.startswith(CRITIC) for name in tensors):
        return "rl critic", _under(CRITIC, tensors)
    if any(name.startswith(ACTOR) for name in tensors):
        return "rl actor", _under(ACTOR, tensors)
    return "converted", tensors


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
