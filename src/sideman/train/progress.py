"""What a run says while it works: a live line on stderr, a JSON line a step to `log.jsonl`, trackers if asked."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from sideman.errors import MissingExtra


class Progress:
    """Log of one run. Rank 0 only writes; other ranks hold one with `active=False`."""

    def __init__(
        self, folder: Path, steps: int, active: bool, tensorboard: bool = False, wandb: str | None = None
    ) -> None:
        self.active, self.steps, self.started = active, steps, time.monotonic()
        self.trackers: list[Any] = []
        if not active:
            return
        folder.mkdir(parents=True, exist_ok=True)
        self.file = (folder / "log.jsonl").open("a", buffering=1)
        if tensorboard:
            self.trackers.append(_tensorboard(folder))
        if wandb:
            self.trackers.append(_wandb(wandb, folder))

    def log(self, step: int, **values: float) -> None:
        if not self.active:
            return
        clean = {name: round(float(value), 6) for name, value in values.items()}
        self.file.write(
            json.dumps({"step": step, "seconds": round(time.monotonic() - self.started, 1), **clean}) + "\n"
        )
        for tracker in self.trackers:
            tracker(step, clean)

    def line(self, step: int, first: int, text: str, until: float | None) -> None:
        """Step, share, time left (by steps, or by the time budget when that ends first), and `text`."""
        if not self.active:
            return
        spent = time.monotonic() - self.started
        left = (self.steps - step) * spent / max(1, step - first)
        left = left if until is None else min(left, until - time.monotonic())
        minutes, seconds = divmod(int(max(0, left)), 60)
        end = "\r" if sys.stderr.isatty() else "\n"
        sys.stderr.write(f"step {step}/{self.steps}  {text}  {minutes}:{seconds:02d} left{end}")
        sys.stderr.flush()

    def say(self, text: str) -> None:
        if self.active:
            sys.stderr.write(text + "\n")

    def close(self) -> None:
        if self.active:
            self.file.close()


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtra("tensorboard=true", "track") from None
    writer = SummaryWriter(str(folder))
    return lambda step, values: [writer.add_scalar(name, value, step) for name, value in values.items()]


def _wandb(project: str, folder: Path) -> Any:
    try:
        import wandb
    except ImportError:
        raise MissingExtra("wandb=PROJECT", "wandb") from None
    run = wandb.init(project=project, name=folder.name, dir=str(folder), resume="allow")
    return lambda step, values: run.log(values, step=step)
