"""What every kind of run shares: its folder, its learning rate, its end on a signal, and what it notes down."""

import math
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import FrameType

import torch

from sideman.errors import SidemanError, WrongValue
from sideman.models.build import ModelFile, load_checkpoint
from sideman.train.checkpoint import STATE
from sideman.train.recipe import OptimConfig


class Diverged(SidemanError):
    """The loss or its gradient is no longer a number."""

    code = "diverged"


def learning_rate(optim: OptimConfig, step: int, steps: int) -> float:
    """Rate of step 0..steps-1: linear warm-up, then constant or cosine."""
    if step < optim.warmup:
        return optim.lr * (step + 1) / optim.warmup
    if optim.schedule == "constant":
        return optim.lr
    done = (step - optim.warmup) / max(1, steps - optim.warmup)
    return optim.lr * (optim.final + (1 - optim.final) * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def may_resume(folder: Path, file: ModelFile, resume: bool) -> bool:
    """Whether there is a run to go on with. Raises SidemanError where one would be overwritten or does not fit."""
    last = folder / "last"
    if not last.exists():
        return False
    if not resume:
        hint = "Add --resume to go on, or choose another name with run=NAME."
        raise SidemanError(f"{folder} already holds a run.", hint, code="run_exists")
    if not (last / STATE).exists():
        raise SidemanError(f"{last} cannot be resumed: {STATE} is missing.", "Start again with run=NAME.")
    stored = load_checkpoint(last)[0]
    if stored.network != file.network:
        hint = "Resume with the recipe it was started with, or start another run with run=NAME."
        raise WrongValue(f"{last} holds another network than the recipe describes.", hint)
    return True


class Signals:
    """Let the running step finish after Ctrl-C or SIGTERM; a second signal stops at once."""

    def __init__(self) -> None:
        self.came = False

    @contextmanager
    def heeded(self) -> Iterator[None]:
        def handler(number: int, frame: FrameType | None) -> None:
            if self.came:
                raise KeyboardInterrupt
            self.came = True

        before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, old in before.items():
                signal.signal(number, old)


def chosen_precision(wanted: str) -> str:
    """`auto`: bf16 autocast on a GPU that has it and on CPUs where its products are clearly faster, else fp32."""
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    # Asked first, as processors that emulate bf16 take seconds for what is measured.
    able = torch.cpu.get_capabilities()
    has = any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return "bf16-mixed" if has and bf16_speedup() > 1.5 else "32-true"


def bf16_speedup() -> float:
    """How many times as fast as in fp32 a product of a layer's size is in bf16, on this CPU: a Xeon with AVX512_BF16
    but without AMX takes twice as long. A few milliseconds; the best of several turns, as other work may go on."""
    best = {torch.float32: math.inf, torch.bfloat16: math.inf}
    for _ in range(7):
        for kind in best:
            x, weight = torch.ones(1536, 256, dtype=kind), torch.ones(256, 256, dtype=kind)
            started = time.perf_counter()
            torch.nn.functional.linear(x, weight)
            best[kind] = min(best[kind], time.perf_counter() - started)
    return best[torch.float32] / best[torch.bfloat16]


@lru_cache(maxsize=1)
def commit() -> str:
    """The commit the code stands at, for the record of a checkpoint."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return asked.stdout.strip() or "unknown"
