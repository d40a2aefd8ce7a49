"""What a run says while it works: a live line on stderr, JSON lines in `log.jsonl`, trackers if asked."""

import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sideman.errors import MissingExtra
from sideman.files import CannotWrite, write_atomic

Tracker = Callable[[int, dict[str, float]], Any]


class Progress:
    """Log of one run from step `first` on. Rank 0 only writes; other ranks hold one with `active=False`."""

    def __init__(
        self, folder: Path, first: int, steps: int, active: bool, tensorboard: bool = False, wandb: str | None = None
    ) -> None:
        self.active, self.first, self.steps, self.started = active, first, steps, time.monotonic()
        self.trackers: list[Tracker] = []
        self.opened = ExitStack()
        if not active:
            return
        path = folder / "log.jsonl"
        write_atomic(path, _until(path, first))
        self.file = self.opened.enter_context(path.open("a", buffering=1, encoding="utf-8"))
        if tensorboard:
            self.trackers.append(_tensorboard(folder, first, self.opened))
        if wandb:
            self.trackers.append(_wandb(wandb, folder))

    def log(self, step: int, **values: float) -> None:
        """Values at a step, with the seconds since this process started training."""
        if not self.active:
            return
        clean = {name: round(float(value), 6) for name, value in values.items()}
        line = {"step": step, "seconds": round(time.monotonic() - self.started, 1), **clean}
        try:
            self.file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise CannotWrite(f"Cannot write {self.file.name}: {error.strerror}.", "Free some space.") from error
        for tracker in self.trackers:
            tracker(step, clean)

    def line(self, step: int, text: str, until: float | None) -> None:
        """Step, `text`, and the time left: by steps, or by the time budget when that ends first."""
        if not self.active:
            return
        spent = time.monotonic() - self.started
        left = (self.steps - step) * spent / max(1, step - self.first)
        left = left if until is None else min(left, until - time.monotonic())
        minutes, seconds = divmod(int(max(0, left)), 60)
        self._write(f"step {step}/{self.steps}  {text}  {minutes}:{seconds:02d} left", stays=False)

    def say(self, text: str) -> None:
        """A line that stays."""
        if self.active:
            self._write(text, stays=True)

    def close(self) -> None:
        self.opened.close()

    def _write(self, text: str, stays: bool) -> None:
        terminal = sys.stderr.isatty()
        clear, end = "\r\x1b[K" if terminal else "", "\n" if stays or not terminal else ""
        sys.stderr.write(f"{clear}{text}{end}")
        sys.stderr.flush()


def _until(path: Path, step: int) -> bytes:
    """The lines of a log up to a step: what a run that died wrote after its last checkpoint is written again."""
    kept = []
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (ValueError, KeyError, TypeError):
            continue  # a line cut off by a kill
    return b"".join(kept) if step else b""


def _tensorboard(folder: Path, first: int, opened: ExitStack) -> Tracker:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtra("tensorboard=true", "track") from None
    writer: Any = SummaryWriter(str(folder), purge_step=first + 1)
    opened.callback(writer.close)
    return lambda step, values: [writer.add_scalar(name, value, step) for name, value in values.items()]


def _wandb(project: str, folder: Path) -> Tracker:
    try:
        import wandb
    except ImportError:
        raise MissingExtra("wandb=PROJECT", "wandb") from None
    run = wandb.init(project=project, name=folder.name, dir=str(folder), resume="allow")
    return lambda step, values: run.log(values, step=step)
