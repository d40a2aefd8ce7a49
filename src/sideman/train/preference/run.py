"""The loop of the `sheet-dpo` stage: generate, judge, choose, learn, again (spec 6).

A run lives in `runs/NAME`: `round-K` (see `rounds`), `last/` (the policy with its optimiser, for resuming), `best/`
(the model of the round with the highest score among those that stayed diverse), `table.md`, `log.jsonl`. Pieces, pairs
and crops follow from (seed, round, number), so a resumed run repeats an uninterrupted one.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import torch

from sideman.data.sheets import load_sheet_pack
from sideman.errors import Interrupted, WrongValue
from sideman.files import write_atomic
from sideman.models.build import ModelFile, load_checkpoint, parameters
from sideman.models.sheet import SheetModel
from sideman.music.sheet import features as likeness
from sideman.music.sheet.prompts import Prompt
from sideman.train.checkpoint import checkpoint_in, read_state, settle, write_checkpoint
from sideman.train.preference.choose import choose
from sideman.train.preference.judge import Judge
from sideman.train.preference.learn import Pairs, Terms
from sideman.train.preference.real import RealSheets
from sideman.train.preference.recipe import PreferenceRecipe, SamplingConfig
from sideman.train.preference.rounds import Figures, RoundFolder, table
from sideman.train.processes import launch
from sideman.train.progress import Progress
from sideman.train.recipe import dump_recipe
from sideman.train.running import Diverged, Signals, chosen_precision, commit, learning_rate, may_resume
from sideman.train.sheet_batches import SheetSource
from sideman.train.sheet_objective import Characters

Stop = Callable[[], str]
# Checkpoint, prompts, seeds, sampling -> a piece for each seed, in original text with its prompt; or nothing, once the
# last argument gives a reason to stop.
Composer = Callable[[Path, Sequence[Prompt], Sequence[int], SamplingConfig, Stop], Sequence[str]]


class PreferenceRun:
    """One run of CLaMP-DPO. `train()` is the whole loop."""

    def __init__(self, recipe: PreferenceRecipe, root: Path, resume: bool, compose: Composer) -> None:
        self.recipe, self.folder, self.compose = recipe, root / recipe.run, compose
        self.fabric = launch(1, 1, chosen_precision(recipe.precision))
        if self.fabric.world_size > 1:
            raise WrongValue("A recipe of stage sheet-dpo runs in one process.", "Start it without torchrun.")
        self.device = self.fabric.device
        self.start = checkpoint_in(Path(recipe.start))
        self.file = msgspec.structs.replace(self._load(self.start)[0], trained={})
        self.judge = Judge(recipe.judge, self.device)
        self.pack = load_sheet_pack(Path(recipe.data.pack))
        self.real = RealSheets(self.pack, recipe.data, self.judge, self.folder / "real.npz")
        settle(self.folder / "last")
        self.asked, self.resumed = resume, may_resume(self.folder, self.file, resume)
        self.step, self.signals = 0, Signals()
        place = self.folder / "last" if self.resumed else self.start
        self.policy = self._load(place)[1].to(self.device)
        optim = recipe.optim
        self.optimizer = torch.optim.AdamW(
            self.policy.parameters(), lr=optim.lr, betas=optim.betas, eps=optim.eps, weight_decay=optim.weight_decay
        )
        if self.resumed:
            state = read_state(self.folder / "last", self.device)
            self.step = int(state["step"])
            self.optimizer.load_state_dict(state["optimizer"])

    def _load(self, folder: Path) -> tuple[ModelFile, SheetModel]:
        """A sheet model in eval mode, in which it stays: dropout would be noise in what is compared."""
        file, model = load_checkpoint(folder)
        if not isinstance(model, SheetModel):
            raise WrongValue(f"start: {folder} holds a network of kind {file.kind}, not sheet.", "Name a sheet model.")
        return file, model

    def round(self, number: int) -> RoundFolder:
        return RoundFolder(self.folder / f"round-{number}")

    def train(self) -> Figures:
        """Run to the last round, the time budget or an interruption; returns the figures of the last round judged.

        Raises Interrupted after Ctrl-C or SIGTERM, with all that was done kept.
        """
        recipe = self.recipe
        write_atomic(self.folder / "recipe.yaml", dump_recipe(recipe).encode())
        progress = Progress(self.folder, self.step, recipe.steps, True, recipe.tensorboard, recipe.wandb)
        until = None if recipe.max_minutes is None else time.monotonic() + 60 * recipe.max_minutes
        with closing(progress), self.signals.heeded():
            self._introduce(progress)
            if not self.resumed:
                self._save_last()
            stop = self._rounds(progress, until)
            if stop == "time":
                progress.say("The time is up. Go on with --resume.")
        if stop == "signal":
            raise Interrupted(f"Stopped; all that was done is in {self.folder}.", "Go on with --resume.")
        return self._rows()[-1] if self._rows() else {}

    def _introduce(self, progress: Progress) -> None:
        recipe = self.recipe
        progress.say(
            f"{recipe.run}: CLaMP-DPO, {parameters(self.policy) / 1e6:.1f} M parameters from {recipe.start}, "
            f"{recipe.rounds} rounds of {recipe.pieces} pieces and {recipe.updates} steps; {self.judge.name}"
        )
        if self.asked and not self.resumed:
            progress.say(f"There is nothing to resume in {self.folder}: starting from the beginning.")

    def _rounds(self, progress: Progress, until: float | None) -> str:
        """All that is left to do; why it stopped early ("", "time", "signal")."""
        recipe = self.recipe
        for number in range(self.step // recipe.updates, recipe.rounds + 1):
            if self.round(number).figures() is None:
                stop = self._generate(number, progress, until)
                if stop:
                    return stop
                self._assess(number, progress)
            if number < recipe.rounds:
                stop = self._learn(number, progress, until)
                if stop:
                    return stop
        return ""

    def _why_stop(self, until: float | None) -> str:
        if self.signals.came:
            return "signal"
        return "time" if until is not None and time.monotonic() > until else ""

    def _model_of(self, number: int) -> Path:
        return self.round(number).model if number else self.start

    def _generate(self, number: int, progress: Progress, until: float | None) -> str:
        """Write the pieces of a round that are missing; why it stopped early."""
        recipe, folder = self.recipe, self.round(number)
        missing = folder.missing(recipe.pieces)
        for at in range(0, len(missing), recipe.together):
            stop = self._why_stop(until)
            if stop:
                return stop
            some = missing[at : at + recipe.together]
            prompts = [recipe.prompt(piece) for piece in some]
            seeds = [piece_seed(recipe.seed, number, piece) for piece in some]
            written = self.compose(
                self._model_of(number), prompts, seeds, recipe.sampling, lambda: self._why_stop(until)
            )
            if not written:
                return self._why_stop(until)
            for piece, text in zip(some, written, strict=True):
                folder.write_piece(piece, text)
            done = recipe.pieces - len(missing) + at + len(some)
            progress.line(self.step, f"round {number}: {done} of {recipe.pieces} pieces", until)
        return ""

    def _assess(self, number: int, progress: Progress) -> None:
        """Judge the pieces of a round, choose among them, and write its row of the table."""
        recipe, folder = self.recipe, self.round(number)
        texts = folder.pieces(recipe.pieces)
        features, places = self.judge.features(texts)
        judged = [texts[place] for place in places]
        if not judged:
            raise WrongValue(f"None of the pieces in {folder.path} can be judged.", "Train the start model longer.")
        figures = {
            "pieces": len(judged), "lost": len(texts) - len(judged),
            **self.real.figures(features, judged), **self._perplexity(self._model_of(number)),
        }  # fmt: skip
        if number < recipe.rounds:
            seen = self.real.features[0]
            scores, nearest = likeness.scores(seen, features), likeness.nearest(seen, features)
            choice = choose(judged, scores, nearest, recipe.portion, recipe.copied)
            if not choice.chosen or not choice.rejected:
                raise WrongValue(
                    f"Of {len(judged)} pieces in {folder.path} {len(choice.chosen)} pass and "
                    f"{len(choice.rejected)} are left to reject.", "Generate more, or train the start model longer.",
                )  # fmt: skip
            folder.write_choice(choice, places)
            figures |= {
                "chosen": len(choice.chosen), "rejected": len(choice.rejected),
                "misaligned": choice.misaligned, "ungrouped": choice.ungrouped, "passed_copies": choice.copied,
            }  # fmt: skip
        folder.write_figures(figures)
        rows = self._rows()
        titled = {f"round {place}": row for place, row in enumerate(rows)} | {"real": self._own_figures()}
        write_atomic(self.folder / "table.md", table(titled, self.judge.name).encode())
        progress.log(self.step, round=number, **figures)
        shown = ("score", "score_unseen", "uneven", "perplexity", "diversity", "overlap")
        progress.say(
            f"round {number}  " + "  ".join(f"{name} {figures[name]:.4f}" for name in shown if name in figures)
        )
        if best_of(rows, recipe.diversity) == number:
            file, model = self._load(self._model_of(number))
            write_checkpoint(self.folder / "best", file, model, None)

    def _rows(self) -> list[Figures]:
        """Figures of the rounds from the first on, as far as they are known."""
        rows = []
        for number in range(self.recipe.rounds + 1):
            figures = self.round(number).figures()
            if figures is None:
                break
            rows.append(figures)
        return rows

    def _own_figures(self) -> Figures:
        """What real pieces get, worked out once."""
        folder = RoundFolder(self.folder / "real")
        figures = folder.figures()
        if figures is None:
            figures = self.real.own_figures()
            folder.write_figures(figures)
        return figures

    @torch.no_grad()
    def _perplexity(self, place: Path) -> Figures:
        """Of a character of pieces nobody trained on, if there are any."""
        held_out = SheetSource(self.pack, self.recipe.data, "valid")
        if not len(held_out.pieces):
            return {}
        whole = held_out.fixed(self.recipe.validate_pieces)
        batches = [whole.rows(slice(at, at + 1)) for at in range(len(whole.pieces))]
        model = self._load(place)[1].to(self.device)
        return {"perplexity": math.exp(Characters(self.pack).validate(model, batches, self.device)["valid_loss"])}

    def _learn(self, number: int, progress: Progress, until: float | None) -> str:
        """The steps of a round that are left, and then its model; why it stopped early."""
        recipe = self.recipe
        reference = self._load(self._model_of(number))[1].to(self.device)
        chosen, rejected = self.round(number).sides()
        pairs, terms = Pairs(chosen, rejected, recipe.data.length), Terms(recipe.beta, recipe.lambda_)
        while self.step < (number + 1) * recipe.updates:
            stop = self._why_stop(until)
            if stop:
                self._save_last()
                return stop
            figures = self._update(terms, reference, pairs)
            self.step += 1
            if self.step % recipe.log_every == 0:
                progress.log(self.step, **figures)
                progress.line(self.step, f"loss {figures['loss']:.3f}  margin {figures['margin']:.2f}", until)
            if self.step % recipe.checkpoint_every == 0:
                self._save_last()
        # The model first: a run that is killed between the two does the last steps again.
        write_checkpoint(self.round(number + 1).model, self._described(number + 1), self.policy, None)
        self._save_last()
        return ""

    def _update(self, terms: Terms, reference: SheetModel, pairs: Pairs) -> Figures:
        recipe = self.recipe
        within = self.step % recipe.updates
        if not within:  # every round is a training of its own
            self.optimizer.state.clear()
        rate = learning_rate(recipe.optim, within, recipe.updates)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad()
        rng = np.random.default_rng([recipe.seed, self.step])
        with self.fabric.autocast():
            figures = terms.backward(self.policy, reference, pairs, recipe.batch, rng)
        norm = float(torch.nn.utils.clip_grad_norm_(self.policy.parameters(), recipe.optim.clip))
        if not math.isfinite(norm):
            hint = f"Lower optim.lr, and go back to the checkpoint in {self.folder / 'last'} with --resume."
            raise Diverged(f"The gradient of step {self.step + 1} is not a number.", hint)
        self.optimizer.step()
        return figures | {"grad_norm": norm, "lr": rate}

    def _described(self, number: int) -> ModelFile:
        recipe = self.recipe
        trained: dict[str, str | int | float] = {
            "step": self.step, "round": number, "seed": recipe.seed, "recipe": recipe.run, "start": recipe.start,
            "judge": self.judge.name, "pack": Path(recipe.data.pack).name, "window": recipe.data.length,
            "commit": commit(),
        }  # fmt: skip
        return msgspec.structs.replace(self.file, trained=trained)

    def _save_last(self) -> None:
        state = {"step": self.step, "best": 0.0, "optimizer": self.optimizer.state_dict()}
        number = self.step // self.recipe.updates
        write_checkpoint(self.folder / "last", self._described(number), self.policy, state)


def best_of(rows: Sequence[Figures], diversity: float) -> int:
    """The round with the highest score among those whose diversity is at least `diversity` times that of round 0."""
    fit = [n for n, row in enumerate(rows) if not row["diversity"] < diversity * rows[0]["diversity"]]
    return max(fit, key=lambda n: rows[n]["score"])


def piece_seed(seed: int, number: int, piece: int) -> int:
    """Of piece `piece` of round `number`, below 2^31."""
    return int(np.random.SeedSequence([seed, number, piece]).generate_state(1)[0] >> 1)
