"""The loop of the `rl` stage: play, judge, learn (spec 6), on one process or many.

A run lives in `runs/<name>` as a supervised one does; `best/` is the checkpoint with the highest note-in-chord among
those within the recipe's limits. Pieces, samples and the order of learning follow from (seed, step), and `last/`
holds the critic, the adversary and all optimisers, so a resumed run repeats an uninterrupted one. Processes share the
rollouts of each minibatch among them and add up gradients and figures, so any number of them learns the same.
"""

import math
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from sideman.data.pack import Pack, load_pack
from sideman.errors import Interrupted
from sideman.files import write_atomic
from sideman.models.build import load_checkpoint, parameters
from sideman.train.batches import Batch, Source
from sideman.train.checkpoint import read_state, settle, write_checkpoint
from sideman.train.network import vocabulary_of
from sideman.train.processes import gathered, launch, sum_gradients, summed_figures
from sideman.train.progress import Progress
from sideman.train.recipe import OptimConfig, dump_recipe
from sideman.train.rl import advantage, ppo, rules
from sideman.train.rl.adversary import Adversary
from sideman.train.rl.critic import CriticCopy, CriticHead
from sideman.train.rl.figures import played
from sideman.train.rl.judges import rule_rewards
from sideman.train.rl.lesson import Lesson
from sideman.train.rl.parts import load_anchor, load_policy, load_terms
from sideman.train.rl.recipe import RlRecipe
from sideman.train.rl.rollout import (
    Grammar,
    Rollout,
    Scene,
    anchor_logits,
    chosen,
    play,
    policy_logits,
    policy_states,
)
from sideman.train.running import Diverged, Signals, chosen_precision, commit, learning_rate, may_resume

CPU = torch.device("cpu")


class RlRun:
    """One run of reinforcement learning. `train()` is the whole loop."""

    def __init__(self, recipe: RlRecipe, root: Path, resume: bool) -> None:
        self.recipe, self.folder = recipe, root / recipe.run
        self.fabric = launch(recipe.devices, recipe.nodes, chosen_precision(recipe.precision))
        self.device = self.fabric.device
        self.vocabulary = vocabulary_of(recipe.data)
        begun, self.policy = load_policy(recipe.start, self.vocabulary, recipe.part)
        self.file = msgspec.structs.replace(begun, trained={})
        # What the online model was trained on is how far the policy can listen back, however short rollouts are.
        self.window = int(begun.trained.get("window", recipe.data.window_frames))
        self.anchor = load_anchor(recipe.anchor, self.vocabulary, recipe.part).to(self.device)
        self.terms = load_terms(recipe.networks, self.vocabulary)
        pack = load_pack(Path(recipe.data.pack))
        self.source = Source(pack, self.vocabulary, recipe.data, "train")
        self.valid = self._validation(pack)
        self.grammar = Grammar(self.vocabulary, recipe.part, self.device) if recipe.grammar else None
        self.step, self.best, self.signals = 0, -math.inf, Signals()
        if self.fabric.is_global_zero:
            settle(self.folder / "last")
        self.fabric.barrier()
        self.asked, self.resumed = resume, may_resume(self.folder, self.file, resume)
        self._prepare()

    def _prepare(self) -> None:
        """Networks and optimisers on the device, as stored where the run goes on."""
        recipe = self.recipe
        torch.manual_seed(recipe.seed)
        for term in self.terms:
            term.model.to(CPU if recipe.reward_vram_swap else self.device)
        self.critic: nn.Module | None = None
        if recipe.estimator == "gae":
            self.critic = (CriticCopy if recipe.critic == "copy" else CriticHead)(self.policy).to(self.device)
        self.adversary = None
        if recipe.adversary is not None:
            updates = recipe.steps * recipe.updates
            self.adversary = Adversary(
                recipe.adversary, self.vocabulary, recipe.part, recipe.grammar, updates, self.device
            )
        if self.resumed:
            self.policy.load_state_dict(load_checkpoint(self.folder / "last")[1].state_dict())
        self.policy.to(self.device)
        self.optimizer = _adam(self.policy, recipe.optim)
        self.critic_optimizer = _adam(self.critic, recipe.critic_optim) if self.critic is not None else None
        if self.resumed:
            self._restore(read_state(self.folder / "last", self.device))

    def _restore(self, state: dict[str, Any]) -> None:
        self.step, self.best = int(state["step"]), float(state["best"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.critic is not None and self.critic_optimizer is not None:
            self.critic.load_state_dict(state["critic"])
            self.critic_optimizer.load_state_dict(state["critic_optimizer"])
        if self.adversary is not None:
            self.adversary.restore(state["adversary"])

    def _validation(self, pack: Pack) -> Batch | None:
        if not len(pack.pieces("valid")):
            return None
        return Source(pack, self.vocabulary, self.recipe.data, "valid").fixed(self.recipe.validate_pieces)

    def train(self) -> dict[str, float]:
        """Run to the last step, the time budget or an interruption; returns the last validation.

        Raises Interrupted after Ctrl-C or SIGTERM, with the checkpoint written.
        """
        recipe = self.recipe
        first = self.fabric.is_global_zero
        if first:
            write_atomic(self.folder / "recipe.yaml", dump_recipe(recipe).encode())
        progress = Progress(self.folder, self.step, recipe.steps, first, recipe.tensorboard, recipe.wandb)
        with closing(progress), self.signals.heeded():
            self._introduce(progress)
            result, stop = self._loop(progress)
            where = f"at step {self.step} of {recipe.steps}; the checkpoint is in {self.folder / 'last'}."
            if stop == "time":
                progress.say(f"The time is up {where} Go on with --resume.")
        if stop == "signal" and first:  # a failing child would have Fabric kill the others
            raise Interrupted(f"Stopped {where}", "Go on with --resume.")
        return result

    def _introduce(self, progress: Progress) -> None:
        recipe = self.recipe
        judges = [term.name for term in self.terms] + (["adversary"] if self.adversary else [])
        progress.say(
            f"{recipe.run}: rl {recipe.part}, {parameters(self.policy) / 1e6:.1f} M parameters from {recipe.start}, "
            f"anchor {recipe.anchor}, {len(self.source.pieces)} pieces, "
            f"{self.fabric.world_size} x {self.device.type}; "
            f"judges: {', '.join(judges) or 'rules alone'}"
        )
        if self.asked and not self.resumed:
            progress.say(f"There is nothing to resume in {self.folder}: starting from the beginning.")
        if self.step:
            done = " Nothing is left to do: raise steps=N." if self.step >= recipe.steps else ""
            progress.say(f"Going on from step {self.step} of {recipe.steps}.{done}")

    def _loop(self, progress: Progress) -> tuple[dict[str, float], str]:
        """Steps until the end; returns the last validation and why it stopped early ("", "time", "signal")."""
        recipe = self.recipe
        until = None if recipe.max_minutes is None else time.monotonic() + 60 * recipe.max_minutes
        result = self._validate(progress) if self.step == 0 else {}
        stop = ""
        while self.step < recipe.steps and not stop:
            started = time.monotonic()
            figures = self._step()
            self.step += 1
            figures["tokens_per_second"] = figures.pop("tokens") / (time.monotonic() - started)
            if self.step % recipe.log_every == 0:
                progress.log(self.step, **figures)
                progress.line(self.step, _line(figures), until)
            stop = self._why_stop(until)
            last = self.step == recipe.steps or bool(stop)
            if self.step % recipe.validate_every == 0 or (last and stop != "signal"):
                result = self._validate(progress)
            if self.step % recipe.checkpoint_every == 0 or last:
                self._save("last", state=True)
        return result, stop

    def _why_stop(self, until: float | None) -> str:
        """`signal`, `time` or nothing; the same in every process, as one that was told to stop tells the others."""
        late = until is not None and time.monotonic() > until
        told = summed_figures(self.fabric, {"signal": float(self.signals.came), "time": float(late)})
        return next((why for why, count in told.items() if count), "")

    def _step(self) -> dict[str, float]:
        """Play to a batch of pieces, judge, learn; what happened, as figures."""
        recipe, fabric = self.recipe, self.fabric
        seed = recipe.seed * 1_000_003 + self.step
        torch.manual_seed(seed + 1_000_000_007 * fabric.global_rank)
        draw = torch.Generator().manual_seed(seed)
        group = 1 if recipe.estimator == "gae" else recipe.group
        batch = self.source.draw(recipe.seed, self.step, recipe.batch // group)
        scene = Scene.of(batch, recipe.part, self.device).repeated(group)
        # Chance is drawn for all rollouts, so that it does not matter which process plays which.
        draws = torch.rand(scene.heard.shape, generator=draw, dtype=torch.float64)
        orders = [torch.randperm(recipe.batch, generator=draw).to(self.device) for _ in range(recipe.epochs)]
        mine = self._mine(orders[0])
        with fabric.autocast():
            rollout = play(self.policy, scene.rows(mine), self.grammar, draws.to(self.device)[mine])
            anchor = anchor_logits(self.anchor, rollout.scene, rollout.played, self.grammar)
            learns = self.adversary is not None and self.adversary.due(self.step + 1)
            if recipe.logits_vram_swap:
                rollout, anchor = rollout.with_logits_on(CPU), anchor.cpu()
            terms = self._rewards(rollout)
            rollout, anchor = rollout.with_logits_on(self.device), anchor.to(self.device)
            reward, figures = self._judge(terms, rollout, anchor, scene.mask)
            with torch.no_grad():
                advantages, returns = self._advantages(rollout, reward, scene.mask, mine)
        lesson = Lesson(rollout, anchor, advantages, returns)
        del rollout, anchor  # the lesson alone holds the logits now, and may move
        if recipe.buffer_cpu_offload:
            lesson = lesson.to(CPU)
        if recipe.trainer_empty_cache:
            torch.cuda.empty_cache()
        figures |= self._learn(lesson, scene.mask, mine, orders, learns)
        if recipe.trainer_empty_cache:
            torch.cuda.empty_cache()
        return figures

    def _rewards(self, rollout: Rollout) -> list[tuple[str, float, Tensor]]:
        """Name, weight and reward [b, T] of everything that judges."""
        terms = []
        for term in self.terms:
            term.model.to(self.device)
            terms.append((term.name, term.weight, term(rollout)))
            if self.recipe.reward_vram_swap:
                term.model.to(CPU)
        weights = self.recipe.rules
        ruled = rule_rewards(rollout, weights, self.vocabulary)
        terms += [(name, getattr(weights, name), score) for name, score in ruled.items()]
        if self.adversary is not None:
            terms.append(("adversary", self.adversary.config.weight, self.adversary.reward(rollout)))
        return terms

    def _mine(self, order: Tensor) -> Tensor:
        """Rows that this process plays: its even share of every minibatch of the first pass, int64 [b]."""
        rank, world = self.fabric.global_rank, self.fabric.world_size
        if world == 1:
            return torch.arange(len(order), device=order.device)
        return order.view(-1, self.recipe.minibatch)[:, rank::world].flatten()

    def _judge(
        self, terms: list[tuple[str, float, Tensor]], rollout: Rollout, anchor: Tensor, everyone: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        """Reward of every action [b, T], and each term's mean over the sequences of all processes, unweighted."""
        recipe, mask, rows = self.recipe, rollout.scene.mask, len(everyone)
        away = _by_rows(lambda x, y: ppo.kl(x, y, recipe.reverse_kl), recipe.minibatch, rollout.logits, anchor)
        total = torch.stack([weight * score for _, weight, score in terms]).sum(0) if terms else torch.zeros_like(away)
        uncertain = _by_rows(ppo.entropy, recipe.minibatch, rollout.logits)
        table = rules.token_masks(self.vocabulary, self.device)
        inside, both = rules.note_in_chord(rollout.chords, rollout.melody, mask, table)
        quiet = rules.silent(rollout.played, rollout.scene.heard, mask)
        weight = _share(mask, everyone)
        figures = {f"reward_{name}": float(score.sum()) / rows for name, _, score in terms}
        figures |= {
            "reward": float(total.sum()) / rows,
            "kl": float(ppo.over_sequences(away, mask)) * weight,
            "entropy": float(ppo.over_sequences(uncertain, mask)) * weight,
            "note_in_chord": float(inside.sum()),
            "sounding": float(both.sum()),
            "silence": float(quiet.sum() / everyone.sum()),
            "tokens": 2.0 * float(mask.sum()),
        }
        figures = summed_figures(self.fabric, figures)
        figures["note_in_chord"] /= max(1.0, figures.pop("sounding"))
        if self.adversary is not None:
            self.adversary.remember(figures["reward_adversary"])
        return total - recipe.kl * away, figures

    def _advantages(self, rollout: Rollout, reward: Tensor, everyone: Tensor, mine: Tensor) -> tuple[Tensor, Tensor]:
        """Of this process' rollouts, compared with those of all; `everyone`: the mask of all [B, T]."""
        recipe, mask, rows = self.recipe, rollout.scene.mask, len(everyone)
        if recipe.estimator == "grpo":
            rewards = gathered(self.fabric, reward, mine, rows)
            return advantage.grpo(rewards, everyone, recipe.group)[mine], reward
        if self.critic is None:
            rewards = gathered(self.fabric, reward, mine, rows)
            compared = advantage.to_go(rewards, everyone, recipe.group, recipe.gamma * recipe.lambda_)
            return advantage.standardised(compared, everyone)[mine], reward
        values = _by_rows(self.critic, recipe.minibatch, rollout.scene, rollout.played, rollout.states)
        advantages, returns = advantage.gae(reward, values.float(), mask, recipe.gamma, recipe.lambda_)
        whole = gathered(self.fabric, advantages, mine, rows)
        return advantage.standardised(whole, everyone)[mine], returns

    def _learn(
        self, lesson: Lesson, everyone: Tensor, mine: Tensor, orders: list[Tensor], learns: bool
    ) -> dict[str, float]:
        recipe = self.recipe
        place = torch.full((len(everyone),), -1, device=self.device)
        place[mine] = torch.arange(len(mine), device=self.device)
        seen: list[dict[str, float]] = []
        rates: dict[str, float] = {}
        for order in orders:
            for some in order.view(-1, recipe.minibatch):
                done = self.step * recipe.updates + len(seen)
                local = place[some]
                part = lesson.rows(local[local >= 0].to(lesson.anchor.device)).to(self.device)
                figures, rates = self._update(part, everyone[some], done)
                if learns and self.adversary is not None:
                    with self.fabric.autocast():
                        figures["adversary_loss"] = self.adversary.learn(part.rollout, self.fabric, self.step + 1)
                seen.append(figures | rates)
        means = {name: sum(x[name] for x in seen) / len(seen) for name in seen[0]}
        shares = {name: value for name, value in means.items() if name not in rates}
        return summed_figures(self.fabric, shares) | {name: means[name] for name in rates}

    def _update(self, part: Lesson, everyone: Tensor, done: int) -> tuple[dict[str, float], dict[str, float]]:
        """One optimiser step of the policy and one of the critic on a minibatch with the mask `everyone`, of which this
        process has `part`: its share of the losses; and the gradient norm and rate, which all processes have."""
        recipe = self.recipe
        losses = {"policy_loss": 0.0} | ({"value_loss": 0.0} if self.critic is not None else {})
        self.policy.train()
        for model in (self.policy, self.critic):
            if model is not None:
                model.zero_grad()
        for piece in part.pieces(recipe.accumulate):
            weight = _share(piece.rollout.scene.mask, everyone)
            loss, worth = self._losses(piece)
            losses["policy_loss"] += float(loss.detach()) * weight
            (loss * weight).backward()  # type: ignore[no-untyped-call]
            if worth is not None:
                losses["value_loss"] += float(worth.detach()) * weight
                (worth * weight).backward()  # type: ignore[no-untyped-call]
        norm = self._descend(self.policy, self.optimizer, recipe.optim, done, losses["policy_loss"])
        if self.critic is not None and self.critic_optimizer is not None:
            self._descend(self.critic, self.critic_optimizer, recipe.critic_optim, done, losses["value_loss"])
        return losses, {"grad_norm": norm, "lr": float(self.optimizer.param_groups[0]["lr"])}

    def _losses(self, part: Lesson) -> tuple[Tensor, Tensor | None]:
        """The policy's loss and the critic's, each a mean over the sequences of `part`."""
        recipe, rollout = self.recipe, part.rollout
        scene, played, mask = rollout.scene, rollout.played, rollout.scene.mask
        with self.fabric.autocast():
            states = policy_states(self.policy, scene, played)
            logits = policy_logits(self.policy, states, played, self.grammar)
            values = None if self.critic is None else self.critic(scene, played, states).float()
        loss = ppo.policy_loss(chosen(logits, played), rollout.log_probs, part.advantages, mask, recipe.clip)
        if recipe.entropy:
            loss = loss - recipe.entropy * ppo.over_sequences(ppo.entropy(logits), mask)
        if recipe.kl_loss:
            loss = loss + recipe.kl_loss * ppo.over_sequences(ppo.kl(logits, part.anchor, recipe.reverse_kl), mask)
        return loss, None if values is None else ppo.value_loss(values, part.returns, mask)

    def _descend(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, optim: OptimConfig, done: int, loss: float
    ) -> float:
        """One optimiser step; the gradient's norm. Raises Diverged before anything is changed."""
        recipe = self.recipe
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(optim, done, recipe.steps * recipe.updates)
        sum_gradients(self.fabric, model)
        norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), optim.clip))
        if not math.isfinite(norm):
            hint = f"Lower optim.lr or raise kl, and go back to the checkpoint in {self.folder / 'last'} with --resume."
            raise Diverged(f"The gradient of step {self.step + 1} is not a number; the loss is {loss:.3g}.", hint)
        optimizer.step()
        return norm

    def _validate(self, progress: Progress) -> dict[str, float]:
        """What the policy plays to the validation pieces, with the grammar, as it will be played."""
        if self.valid is None:
            return {}
        self.policy.eval()
        result = played(self.policy, self.vocabulary, self.valid, self.recipe.seed, self.recipe.part)
        progress.log(self.step, **result)
        progress.say(f"step {self.step}  " + "  ".join(f"{name} {value:.4f}" for name, value in result.items()))
        limits = self.recipe.limits
        fits = result.get("valid_silence", 1) <= limits.silence
        varied = result.get("valid_length_entropy", 0) >= limits.length_entropy
        calm = limits.density is None or result.get("valid_density", 0) <= limits.density
        smooth = result.get("valid_conjunct", 1) >= limits.conjunct
        if fits and varied and calm and smooth and self.step and result["valid_note_in_chord"] > self.best:
            self.best = result["valid_note_in_chord"]
            self._save("best", state=False)
        return result

    def _save(self, name: str, state: bool) -> None:
        if not self.fabric.is_global_zero:
            return
        recipe = self.recipe
        trained: dict[str, str | int | float] = {
            "step": self.step, "seed": recipe.seed, "recipe": recipe.run, "pack": Path(recipe.data.pack).name,
            "window": self.window, "start": recipe.start, "anchor": recipe.anchor, "commit": commit(),
        }  # fmt: skip
        if math.isfinite(self.best):
            trained["best_valid_note_in_chord"] = round(self.best, 5)
        kept: dict[str, Any] = {"step": self.step, "best": self.best, "optimizer": self.optimizer.state_dict()}
        if self.critic is not None and self.critic_optimizer is not None:
            kept |= {"critic": self.critic.state_dict(), "critic_optimizer": self.critic_optimizer.state_dict()}
        if self.adversary is not None:
            kept["adversary"] = self.adversary.state()
        file = msgspec.structs.replace(self.file, trained=trained)
        write_checkpoint(self.folder / name, file, self.policy, kept if state else None)


def _share(mask: Tensor, everyone: Tensor) -> float:
    """By what a mean over some sequences counts in that over all: sequences that have any action, of all such."""
    return float(mask.any(1).sum()) / max(1.0, float(everyone.any(1).sum()))


def _adam(model: nn.Module, optim: OptimConfig) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        model.parameters(), lr=optim.lr, betas=optim.betas, eps=optim.eps, weight_decay=optim.weight_decay
    )


@torch.no_grad()
def _by_rows(function: Any, rows: int, *inputs: Any) -> Tensor:
    """`function` of some rows of its inputs at a time: full logits of a whole batch would not fit in memory twice."""
    count = next(len(x) for x in inputs if isinstance(x, Tensor))
    slices = [slice(at, at + rows) for at in range(0, count, rows)]
    return torch.cat(
        [function(*(x[some] if isinstance(x, Tensor) else x.rows(some) for x in inputs)) for some in slices]
    )


def _line(figures: dict[str, float]) -> str:
    """What the live line shows."""
    shown = ("reward", "kl", "entropy", "note_in_chord", "silence")
    text = "  ".join(f"{name} {figures[name]:.3f}" for name in shown)
    return f"{text}  {figures['tokens_per_second']:,.0f} tokens/s"
