"""Where figures go besides `log.jsonl`, if a recipe asks for it: TensorBoard, W&B."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from sideman.errors import MissingExtra
from sideman.files import write_atomic

Tracker = Callable[[int, dict[str, float]], Any]  # step, figures
WANDB_RUN = "wandb-run"


def tensorboard(folder: Path, first: int, opened: ExitStack) -> Tracker:
    """Event files in the run's folder. A run that goes on from step `first` takes back what it had logged beyond it.
    Raises MissingExtra."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtra("tensorboard=true", "track") from None
    writer: Any = SummaryWriter(str(folder), purge_step=first + 1 if first else 0)
    opened.callback(writer.close)
    return lambda step, values: [writer.add_scalar(name, value, step) for name, value in values.items()]


def wandb(project: str, folder: Path, first: int, opened: ExitStack) -> Tracker:
    """A run of a W&B project, with the recipe as its configuration. One that goes on from step `first` is the same
    run there; W&B itself passes over steps it has. Raises MissingExtra."""
    try:
        import wandb
    except ImportError:
        raise MissingExtra("wandb=PROJECT", "wandb") from None
    noted = folder / WANDB_RUN
    known = noted.read_text(encoding="utf-8").strip() if first and noted.exists() else None
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
    run = wandb.init(project=project, name=folder.name, dir=str(folder), config=recipe, id=known, resume="allow")
    opened.callback(run.finish)
    write_atomic(noted, f"{run.id}\n".encode())
    return lambda step, values: run.log(values, step=step)
