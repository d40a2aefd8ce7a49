"""What a run says while it works: a live line on stderr, JSON lines in `log.jsonl`, trackers if asked."""

import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from sideman.files import CannotWrite, write_atomic
from sideman.train.trackers import Tracker, tensorboard, wandb


class Progress:
    """Log of one run from step `first` on. Rank 0 only writes; other ranks hold one with `active=False`."""

    def __init__(
        self,
        folder: Path,
        first: int,
        steps: int,
        active: bool,
        to_tensorboard: bool = False,
        project: str | None = None,
    ) -> None:
        """`project`: of W&B. Raises MissingExtra, CannotWrite."""
        self.active, self.first, self.steps, self.started = active, first, steps, time.monotonic()
        self.trackers: list[Tracker] = []
        self.opened = ExitStack()
        if not active:
            return
        with ExitStack() as opened:
            if to_tensorboard:
                self.trackers.append(tensorboard(folder, first, opened))
            if project:
                self.trackers.append(wandb(project, folder, first, opened))
            path = folder / "log.jsonl"
            write_atomic(path, _until(path, first))
            self.file = opened.enter_context(path.open("a", buffering=1, encoding="utf-8"))
            self.opened = opened.pop_all()

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
