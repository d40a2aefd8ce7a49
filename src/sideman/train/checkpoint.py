"""A run's checkpoints on disk: a folder is replaced whole or not at all, whenever the process is killed.

`state.pt` beside the weights holds the step, the best validation loss and the optimiser, which together
with the recipe is all an exact resume needs.
"""

import io
import pickle
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sideman.errors import UnreadableFile
from sideman.files import CannotWrite, write_atomic
from sideman.models.build import ModelFile, save_checkpoint

STATE = "state.pt"


def write_checkpoint(folder: Path, file: ModelFile, model: nn.Module, state: dict[str, Any] | None) -> None:
    """Write weights, description and, if given, state as `folder`. Raises CannotWrite, the old one untouched."""
    new, old = _neighbours(folder)
    try:
        settle(folder)
        save_checkpoint(new, file, model)
        if state is not None:
            stream = io.BytesIO()  # torch reports a full disk as a bug of its own; bytes in memory it can write
            torch.save(state, stream)
            write_atomic(new / STATE, stream.getvalue())
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    except OSError as error:
        raise CannotWrite(f"Cannot write {folder}: {error.strerror or error}.", "Free some space.") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def checkpoint_in(run: Path) -> Path:
    """The folder of weights meant by a path: itself (a checkpoint or a bundle), else a run's best, else its last."""
    for folder in (run, run / "best", run / "last"):
        if (folder / "model.json").exists() or (folder / "bundle.json").exists():
            return folder
    return run  # loading it says what is missing


def settle(folder: Path) -> None:
    """Tidy up after a kill in the middle of `write_checkpoint`: finish the swap, or drop what was not finished."""
    new, old = _neighbours(folder)
    if old.exists() and not folder.exists():
        # The old one is moved away only when the new one is complete.
        (new if new.exists() else old).rename(folder)
    shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def read_state(folder: Path, device: torch.device) -> dict[str, Any]:
    """What `write_checkpoint` was given as state. Raises UnreadableFile."""
    path = folder / STATE
    hint = "Start again under another name: run=NAME."
    try:
        state = torch.load(path, weights_only=True, map_location=device)
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise UnreadableFile(f"{path} is damaged: {reason}.", hint) from None
    if not isinstance(state, dict) or not {"step", "best", "optimizer"} <= set(state):
        raise UnreadableFile(f"{path} is not the state of a run.", hint)
    return state


def _neighbours(folder: Path) -> tuple[Path, Path]:
    return folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
