"""Supervised training of the online and offline models (spec 5.1, 5.2) on Lightning Fabric.

A run lives in `runs/<name>`: `recipe.yaml` as resolved, `log.jsonl`, `last/` (checkpoint with
optimiser state, for resuming), `best/` (lowest validation loss), `samples/`. Every step's examples
and dropout follow from (seed, step), so a resumed run repeats an uninterrupted one exactly.
"""

import math
import signal
import subprocess
import time
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import torch
from lightning_fabric import Fabric
from torch import Tensor

from sideman.data.pack import Pack, load_pack
from sideman.errors import SidemanError, UnreadableFile
from sideman.files import write_atomic
from sideman.models.build import ModelFile, build, load_checkpoint, parameters, save_checkpoint
from sideman.models.offline import OfflineConfig, OfflineModel
from sideman.models.online import OnlineConfig, OnlineModel
from sideman.music.reference_names import reference_vocabulary
from sideman.music.vocabulary import PAD, Vocabulary, own_vocabulary
from sideman.train.batches import Batch, Source, batches, interleaved_form, single_form
from sideman.train.losses import next_token_loss
from sideman.train.progress import Progress
from sideman.train.recipe import DataConfig, ModelConfig, OptimConfig, Recipe, dump_recipe
from sideman.train.samples import sample_scores


class Interrupted(SidemanError):
    """Ctrl-C or SIGTERM: the checkpoint is written."""

    code = "interrupted"


def model_loss(model: torch.nn.Module, stage: str, part: str, batch: Batch, device: torch.device) -> Tensor:
    """Teacher-forced next-token loss of a batch, nats a token."""
    if stage == "online":
        tokens = torch.from_numpy(batch.interleaved(part)).to(device)
        form = torch.from_numpy(interleaved_form(batch.form)).to(device)
        return next_token_loss(model(tokens[:, :-1], form), tokens[:, 1:])
    context = torch.from_numpy(batch.single("melody" if part == "chord" else "chord")).to(device)
    targets = torch.from_numpy(batch.single(part)).to(device)
    form = torch.from_numpy(single_form(batch.form)).to(device)
    mask = context != PAD
    padded = None if bool(mask.all()) else mask
    # Only the encoder sees later positions, so only it needs to be told about padding.
    return next_token_loss(model(context, targets[:, :-1], form, padded), targets[:, 1:])


def learning_rate(optim: OptimConfig, step: int, steps: int) -> float:
    """Rate of step 0..steps-1: linear warm-up, then constant or cosine."""
    if step < optim.warmup:
        return optim.lr * (step + 1) / optim.warmup
    if optim.schedule == "constant":
        return optim.lr
    done = (step - optim.warmup) / max(1, steps - optim.warmup)
    return optim.lr * (optim.final + (1 - optim.final) * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def describe(recipe: Recipe, vocabulary: Vocabulary) -> ModelFile:
    """The network a recipe asks for, sized to its vocabulary."""
    model: ModelConfig = recipe.model
    names = () if recipe.data.vocabulary == "own" else vocabulary.names
    if recipe.stage == "online":
        config = OnlineConfig(vocabulary.size, model.stack, model.form, model.tied)
        return ModelFile(kind="online", part=recipe.part, online=config, chords=names)
    encoder = model.encoder or msgspec.structs.replace(model.stack, causal=False, cross=False)
    offline = OfflineConfig(vocabulary.size, encoder, model.stack, model.form, model.tied, model.aligned)
    return ModelFile(kind="offline", part=recipe.part, offline=offline, chords=names)


class Run:
    """One training run on this process. `train()` is the whole loop."""

    def __init__(self, recipe: Recipe, root: Path, resume: bool) -> None:
        self.recipe, self.folder = recipe, root / recipe.run
        self.fabric = Fabric(accelerator="auto", devices=recipe.devices, precision=_precision(recipe.precision))
        self.fabric.launch()
        self.vocabulary = _vocabulary(recipe.data)
        pack = load_pack(Path(recipe.data.pack))
        self.source = Source(pack, self.vocabulary, recipe.data, "train")
        self.valid = self._validation(pack)
        self.step, self.best, self.stop = 0, math.inf, ""
        torch.manual_seed(recipe.seed)
        self.file = describe(recipe, self.vocabulary)
        raw = build(self.file)
        resumed = resume and (self.folder / "last" / "state.pt").exists()
        if resumed:
            self.file, raw = load_checkpoint(self.folder / "last")
        elif (self.folder / "last").exists():
            hint = "Add --resume to go on, or choose another name with run=NAME."
            raise SidemanError(f"{self.folder} already holds a run.", hint, code="run_exists")
        raw.train()
        optimizer = torch.optim.AdamW(
            raw.parameters(), lr=recipe.optim.lr, betas=recipe.optim.betas, eps=recipe.optim.eps,
            weight_decay=recipe.optim.weight_decay, fused=self.fabric.device.type == "cuda" or None,
        )  # fmt: skip
        self.raw = raw
        self.model, self.optimizer = self.fabric.setup(torch.compile(raw) if recipe.compile else raw, optimizer)
        if resumed:
            self._restore()

    def _validation(self, pack: Pack) -> list[Batch]:
        """Validation windows in batches of the training size."""
        if not len(pack.pieces("valid")):
            return []
        whole = Source(pack, self.vocabulary, self.recipe.data, "valid").fixed(self.recipe.validate_pieces)
        rows = [slice(i, i + self.recipe.batch) for i in range(0, len(whole.pieces), self.recipe.batch)]
        return [Batch(whole.melody[r], whole.chords[r], whole.form[r], whole.lengths[r], whole.pieces[r]) for r in rows]

    def train(self) -> dict[str, float]:
        """Run to the last step, the time budget or an interruption; returns the last validation."""
        recipe, rank0 = self.recipe, self.fabric.is_global_zero
        if rank0:
            write_atomic(self.folder / "recipe.yaml", dump_recipe(recipe).encode())
        progress = Progress(self.folder, recipe.steps, rank0, recipe.tensorboard, recipe.wandb)
        progress.say(
            f"{recipe.run}: {recipe.stage} {recipe.part}, {parameters(self.raw) / 1e6:.1f} M parameters, "
            f"{len(self.source.pieces)} pieces, {self.fabric.device}, {self.fabric._precision.precision}"
        )
        until = None if recipe.max_minutes is None else time.monotonic() + 60 * recipe.max_minutes
        first, tokens, since, result = self.step, 0, time.monotonic(), {}
        feed = batches(
            self.source, recipe.seed, first * recipe.accumulate, recipe.steps * recipe.accumulate,
            recipe.batch // recipe.accumulate, self.fabric.global_rank, self.fabric.world_size,
        )  # fmt: skip
        handlers = self._catch_signals()
        try:
            while self.step < recipe.steps and not self.stop:
                loss, norm, seen = self._update(feed)
                tokens += seen * self.fabric.world_size
                self.step += 1
                if self.step % recipe.log_every == 0:
                    rate = tokens / (time.monotonic() - since)
                    tokens, since = 0, time.monotonic()
                    lr = learning_rate(recipe.optim, self.step, recipe.steps)
                    progress.log(self.step, loss=loss, grad_norm=norm, lr=lr, tokens_per_second=rate)
                    progress.line(self.step, first, f"loss {loss:.3f}  {rate:,.0f} tokens/s", until)
                if until is not None and time.monotonic() > until:
                    self.stop = "time"
                last = self.step == recipe.steps or bool(self.stop)
                if self.step % recipe.validate_every == 0 or (last and self.stop != "signal"):
                    result = self._validate(progress)
                if self.step % recipe.checkpoint_every == 0 or last:
                    self._save(self.folder / "last", state=True)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            progress.close()
        if self.stop == "signal":
            raise Interrupted(
                f"Stopped at step {self.step}; the checkpoint is in {self.folder / 'last'}.", "Go on with --resume."
            )
        return result

    def _update(self, feed: Any) -> tuple[float, float, int]:
        """One optimiser step over `accumulate` micro-batches: loss, gradient norm, tokens."""
        recipe = self.recipe
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(recipe.optim, self.step, recipe.steps)
        torch.manual_seed(recipe.seed * 1_000_003 + self.step)
        total, seen = 0.0, 0
        for micro in range(recipe.accumulate):
            batch = next(feed)
            with self.fabric.no_backward_sync(self.model, enabled=micro + 1 < recipe.accumulate):
                loss = model_loss(self.model, recipe.stage, recipe.part, batch, self.fabric.device)
                self.fabric.backward(loss / recipe.accumulate)
            total += float(loss.detach()) / recipe.accumulate
            seen += 2 * int(batch.lengths.sum())
        norm = self.fabric.clip_gradients(self.model, self.optimizer, max_norm=recipe.optim.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return total, float(norm if norm is not None else 0.0), seen

    @torch.no_grad()
    def _validate(self, progress: Progress) -> dict[str, float]:
        """Loss over the fixed validation windows, and what samples look like every `sample_every`."""
        if not self.valid:
            return {}
        self.model.eval()
        losses = [
            model_loss(self.model, self.recipe.stage, self.recipe.part, b, self.fabric.device) for b in self.valid
        ]
        sizes = [len(b.pieces) for b in self.valid]
        result = {"valid_loss": sum(float(x) * n for x, n in zip(losses, sizes, strict=True)) / sum(sizes)}
        sampling = self.recipe.part == "chord" and (
            self.step % self.recipe.sample_every == 0 or self.step == self.recipe.steps
        )
        if sampling and self.fabric.is_global_zero:
            folder = self.folder / "samples" / f"step-{self.step:06d}"
            result |= sample_scores(self.raw, self.vocabulary, self.valid[0], self.recipe.seed, folder)
        self.model.train()
        progress.log(self.step, **result)
        progress.say(f"step {self.step}  " + "  ".join(f"{name} {value:.4f}" for name, value in result.items()))
        if result["valid_loss"] < self.best:
            self.best = result["valid_loss"]
            self._save(self.folder / "best", state=False)
        return result

    def _save(self, folder: Path, state: bool) -> None:
        if not self.fabric.is_global_zero:
            return
        trained = {"step": self.step, "seed": self.recipe.seed, "recipe": self.recipe.run, "pack": Path(self.recipe.data.pack).name,
                   "commit": _commit(), "best_valid_loss": round(self.best, 5) if math.isfinite(self.best) else 0.0}  # fmt: skip
        file = ModelFile(self.file.kind, self.file.part, self.file.online, self.file.offline, self.file.chords, trained)
        save_checkpoint(folder, file, self.raw)
        if state:
            kept = {"step": self.step, "best": self.best, "optimizer": self.optimizer.state_dict()}
            write_atomic(folder / "state.pt", lambda stream: torch.save(kept, stream))

    def _restore(self) -> None:
        path = self.folder / "last" / "state.pt"
        try:
            kept = torch.load(path, weights_only=True, map_location=self.fabric.device)
        except (RuntimeError, EOFError, OSError) as error:
            raise UnreadableFile(f"{path} is damaged: {error}.", "Start again with run=NAME.") from None
        self.step, self.best = int(kept["step"]), float(kept["best"])
        self.optimizer.load_state_dict(kept["optimizer"])

    def _catch_signals(self) -> dict[int, Any]:
        """Let the running step finish after Ctrl-C or SIGTERM; a second signal stops at once."""

        def handler(number: int, frame: FrameType | None) -> None:
            if self.stop:
                raise KeyboardInterrupt
            self.stop = "signal"

        return {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}


def _precision(wanted: str) -> Any:
    """`auto`: bf16 autocast on a GPU and on CPUs with bf16 instructions (several times fp32), else fp32."""
    if wanted != "auto":
        return wanted
    fast = torch.cuda.is_available() or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return "bf16-mixed" if fast else "32-true"


def _vocabulary(data: DataConfig) -> Vocabulary:
    """Our own chord list, or the reference's names from a JSON file."""
    if data.vocabulary == "own":
        return own_vocabulary()
    try:
        names = msgspec.json.decode(Path(data.vocabulary).read_bytes(), type=list[str])
    except (OSError, msgspec.DecodeError) as error:
        hint = "Give a JSON list of names, or 'own'."
        raise UnreadableFile(f"Cannot read chord names from {data.vocabulary}: {error}.", hint) from None
    return reference_vocabulary(names)


def _commit() -> str:
    """The commit the code stands at, for the record of a checkpoint."""
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"
