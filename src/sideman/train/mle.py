"""Supervised training on Lightning Fabric: online and offline models, reward networks (spec 5.1, 5.2), sheet models.

A run lives in `runs/<name>`: `recipe.yaml` as resolved, `log.jsonl`, `last/` (checkpoint with
optimiser state, for resuming), `best/` (lowest validation loss), `samples/`. Every step's examples
and dropout follow from (seed, step), so a resumed run repeats an uninterrupted one exactly.
"""

import math
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import msgspec
import torch

from sideman.errors import Interrupted
from sideman.files import write_atomic
from sideman.models.build import Model, ModelFile, build, parameters
from sideman.train.batches import batches, share
from sideman.train.checkpoint import checkpoint_in, read_state, settle, write_checkpoint
from sideman.train.network import begin_from
from sideman.train.processes import launch
from sideman.train.progress import Progress
from sideman.train.recipe import dump_recipe
from sideman.train.running import Diverged, Signals, chosen_precision, commit, learning_rate, may_resume
from sideman.train.work import Supervised, work_of


class Run:
    """One training run on this process. `train()` is the whole loop."""

    def __init__(self, recipe: Supervised, root: Path, resume: bool) -> None:
        self.recipe, self.folder = recipe, root / recipe.run
        self.work = work_of(recipe)
        self.file, self.source, self.valid = self.work.file, self.work.source, self.work.valid
        self.precision = chosen_precision(recipe.precision)
        self.fabric = launch(recipe.devices, recipe.nodes, self.precision)
        self.objective = self.work.objective(self.fabric)
        self.step, self.best, self.signals = 0, math.inf, Signals()
        torch.manual_seed(recipe.seed)
        self.asked, self.resumed = resume, self._begin(resume)
        self.raw = self._network().train()
        optimizer = torch.optim.AdamW(
            self.raw.parameters(), lr=recipe.optim.lr, betas=recipe.optim.betas, eps=recipe.optim.eps,
            weight_decay=recipe.optim.weight_decay, fused=self.fabric.device.type in ("cpu", "cuda") or None,
        )  # fmt: skip
        compiled = cast(torch.nn.Module, torch.compile(self.raw)) if recipe.compile else self.raw
        self.model, self.optimizer = self.fabric.setup(compiled, optimizer)
        if self.resumed:
            state = read_state(self.folder / "last", self.fabric.device)
            self.step, self.best = int(state["step"]), float(state["best"])
            self.optimizer.load_state_dict(state["optimizer"])

    def _network(self) -> Model:
        """The stored network of a resumed run, the one a recipe starts from, or a fresh one."""
        if not self.resumed and not self.recipe.start:
            return build(self.file)
        place = self.folder / "last" if self.resumed else checkpoint_in(Path(str(self.recipe.start)))
        stored, model = begin_from(place, self.file)
        # Prompts that it has learned before it still knows.
        self.file = msgspec.structs.replace(self.file, prompts=tuple(sorted({*self.file.prompts, *stored.prompts})))
        return model

    def _begin(self, resume: bool) -> bool:
        """Whether there is a run to go on with, the same in every process."""
        if self.fabric.is_global_zero:
            settle(self.folder / "last")
        self.fabric.barrier()
        return may_resume(self.folder, self.file, resume)

    def train(self) -> dict[str, float]:
        """Run to the last step, the time budget or an interruption; returns the last validation.

        Raises Interrupted after Ctrl-C or SIGTERM, with the checkpoint written.
        """
        recipe, rank0 = self.recipe, self.fabric.is_global_zero
        if rank0:
            write_atomic(self.folder / "recipe.yaml", dump_recipe(recipe).encode())
        progress = Progress(self.folder, self.step, recipe.steps, rank0, recipe.tensorboard, recipe.wandb)
        feed = batches(self.source, recipe.seed, self.step, recipe.steps, recipe.batch)
        with closing(progress), closing(feed), self.signals.heeded():
            self._introduce(progress)
            result, stop = self._loop(progress, feed)
            where = f"at step {self.step} of {recipe.steps}; the checkpoint is in {self.folder / 'last'}."
            if stop == "time":
                progress.say(f"The time is up {where} Go on with --resume.")
        if stop == "signal" and rank0:  # one line is enough, and a failing child would have Fabric kill the others
            raise Interrupted(f"Stopped {where}", "Go on with --resume.")
        return result

    def _introduce(self, progress: Progress) -> None:
        """What is about to be trained, on what."""
        recipe, work = self.recipe, self.work
        progress.say(
            f"{recipe.run}: {work.title}, {parameters(self.raw) / 1e6:.1f} M parameters, "
            f"{work.pieces} pieces, {self.fabric.world_size} x {self.fabric.device.type}, {self.precision}"
        )
        for note in work.notes:
            progress.say(note)
        if not self.valid:
            progress.say("There are no pieces to validate on: no best/, no samples.")
        if self.asked and not self.resumed:
            progress.say(f"There is nothing to resume in {self.folder}: starting from the beginning.")
        if self.step:
            done = " Nothing is left to do: raise steps=N." if self.step >= recipe.steps else ""
            progress.say(f"Going on from step {self.step} of {recipe.steps}.{done}")

    def _loop(self, progress: Progress, feed: Iterator[Any]) -> tuple[dict[str, float], str]:
        """Steps until the end; returns the last validation and why it stopped early ("", "time", "signal")."""
        recipe = self.recipe
        until = None if recipe.max_minutes is None else time.monotonic() + 60 * recipe.max_minutes
        result, stop, tokens, spent = dict[str, float](), "", 0, 0.0
        while self.step < recipe.steps and not stop:
            started = time.monotonic()
            batch = next(feed)
            loss, norm, rate = self._update(batch)
            self.step += 1
            spent, tokens = spent + time.monotonic() - started, tokens + batch.tokens
            if self.step % recipe.log_every == 0:
                loss = self._sum_over_processes([loss])[0]
                figures = self.work.figures(loss)
                progress.log(self.step, **figures, grad_norm=norm, lr=rate, tokens_per_second=tokens / spent)
                progress.line(self.step, f"loss {loss:.3f}  {tokens / spent:,.0f} tokens/s", until)
                tokens, spent = 0, 0.0
            stop = self._why_stop(until)
            last = self.step == recipe.steps or bool(stop)
            if self.step % recipe.validate_every == 0 or (last and stop != "signal"):
                result = self._validate(progress)
            if self.step % recipe.checkpoint_every == 0 or last:
                self._save("last", state=True)
        return result, stop

    def _update(self, whole: Any) -> tuple[float, float, float]:
        """One optimiser step: this process' part of the loss, the gradient norm, the learning rate.

        Each part of the batch counts by its tokens, so any number of parts gives the gradient of the whole.
        """
        recipe, world = self.recipe, self.fabric.world_size
        rate = learning_rate(recipe.optim, self.step, recipe.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        seed = recipe.seed * 1_000_003 + self.step
        torch.manual_seed(seed + 1_000_000_007 * self.fabric.global_rank)
        total = 0.0
        for number, rows in enumerate(share(self.fabric.global_rank, world, recipe.accumulate), 1):
            weight = self.objective.weight(whole.rows(rows)) / self.objective.weight(whole)
            draw = torch.Generator().manual_seed(seed)
            with self.fabric.no_backward_sync(self.model, enabled=number < recipe.accumulate):
                loss = self.objective.loss(self.model, whole, rows, self.fabric.device, draw)
                self.fabric.backward(loss * (weight * world))  # processes are averaged
            total += float(loss.detach()) * weight
        norm = self.fabric.clip_gradients(
            self.model, self.optimizer, max_norm=recipe.optim.clip, error_if_nonfinite=False
        )
        if norm is None or not math.isfinite(norm):
            hint = f"Lower optim.lr, or go back to the checkpoint in {self.folder / 'last'} with --resume."
            raise Diverged(f"The gradient of step {self.step + 1} is not a number; the loss is {total:.3g}.", hint)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return total, float(norm), rate

    def _sum_over_processes(self, values: list[float]) -> list[float]:
        if self.fabric.world_size == 1:
            return values
        summed = self.fabric.all_reduce(torch.tensor(values, device=self.fabric.device), reduce_op="sum")
        return cast(torch.Tensor, summed).tolist()

    def _why_stop(self, until: float | None) -> str:
        """`signal`, `time` or nothing; the same in every process, as one that was told to stop tells the others."""
        late = until is not None and time.monotonic() > until
        signalled, late = (n > 0 for n in self._sum_over_processes([float(self.signals.came), float(late)]))
        return "signal" if signalled else "time" if late else ""

    @torch.no_grad()
    def _validate(self, progress: Progress) -> dict[str, float]:
        """Figures of the fixed validation windows, and what samples look like every `sample_every`."""
        if not self.valid:
            return {}
        recipe = self.recipe
        self.model.eval()
        result = self.objective.validate(self.model, self.valid, self.fabric.device)
        due = self.step % recipe.sample_every == 0 or self.step == recipe.steps
        if due and self.work.sample is not None and self.fabric.is_global_zero:
            result |= self.work.sample(self.raw, self.folder / "samples" / f"step-{self.step:06d}")
        self.model.train()
        progress.log(self.step, **result)
        progress.say(f"step {self.step}  " + "  ".join(f"{name} {value:.4f}" for name, value in result.items()))
        if result["valid_loss"] < self.best:
            self.best = result["valid_loss"]
            self._save("best", state=False)
        return result

    def _save(self, name: str, state: bool) -> None:
        if not self.fabric.is_global_zero:
            return
        trained: dict[str, str | int | float] = {
            "step": self.step, "seed": self.recipe.seed, "recipe": self.recipe.run,
            "pack": Path(self.recipe.data.pack).name, **self.work.trained, "commit": commit(),
        }  # fmt: skip
        if math.isfinite(self.best):
            trained["best_valid_loss"] = round(self.best, 5)
        file: ModelFile = msgspec.structs.replace(self.file, trained=trained)
        kept = {"step": self.step, "best": self.best, "optimizer": self.optimizer.state_dict()}
        write_checkpoint(self.folder / name, file, self.raw, kept if state else None)
