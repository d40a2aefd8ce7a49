"""A story: recipes and commands one after the other, by one command, each done once (docs/training.md).

A ladder is a story that is told in parts: what is done is passed over, what was begun goes on, and `max_minutes` ends
it for today. What was done is written to `runs/NAME/log.jsonl`; a kill at any moment costs the step it hit, or, where
that was training, what it did since its last checkpoint.
"""

import json
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from sideman.data.madeup import pack
from sideman.errors import WrongValue
from sideman.files import write_atomic
from sideman.models.transformer import Size
from sideman.train.ensemble import finished, load_trainable, members, train_all
from sideman.train.processes import is_first_process
from sideman.train.recipe import Name, Positive, dump_recipe

if TYPE_CHECKING:
    from sideman.train.preference.run import Composer


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of three: `songs`, how many to make up and write to the pack `makes`; `train`, a recipe beside the story's,
    with `set` as on the command line; `command`, the words after `sideman`.

    Done is training that has come to its last step, and all else once it ended well; or, whatever it is, when the
    file `makes` is there."""

    songs: Size | None = None
    train: str | None = None
    set: tuple[str, ...] = ()
    command: str | None = None
    makes: str | None = None

    def __post_init__(self) -> None:
        if sum(kind is not None for kind in (self.songs, self.train, self.command)) != 1:
            raise ValueError("a step has one of songs, train and command")
        if self.songs is not None and self.makes is None:
            raise ValueError("songs need the path of a pack as makes")

    @property
    def title(self) -> str:
        if self.songs is not None:
            return f"{self.songs} songs made up"
        return self.command or shlex.join(["train", str(self.train), *self.set])


class StoryRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`stage: story`. `max_minutes` is for all steps of one call."""

    stage: Literal["story"]
    run: Name
    steps: tuple[Step, ...]
    max_minutes: Positive | None = None


class Story:
    """A story in the folder of its recipe. `command` runs one command line and returns its exit code; `compose` writes
    the pieces of preference recipes."""

    def __init__(
        self, recipe: StoryRecipe, place: Path, root: Path, command: Callable[[list[str]], int],
        compose: "Composer | None" = None,
    ) -> None:  # fmt: skip
        self.recipe, self.root, self.command, self.compose = recipe, root, command, compose
        self.log = root / recipe.run / "log.jsonl"
        # Read before anything is trained: a misspelt field of the last recipe is found in the first second.
        self.trained = {
            step: load_trainable(place / step.train, step.set) for step in recipe.steps if step.train is not None
        }

    def tell(self) -> bool:
        """Do what is left to do; whether it came to its end. Raises what a step raises, the steps before it kept."""
        recipe, started = self.recipe, time.monotonic()
        if is_first_process():
            write_atomic(self.root / recipe.run / "recipe.yaml", dump_recipe(recipe).encode())
        for number, step in enumerate(recipe.steps, 1):
            place = f"{recipe.run} {number}/{len(recipe.steps)}: {step.title}"
            if self._done(step):
                _say(f"{place}: done before")
                continue
            left = None if recipe.max_minutes is None else recipe.max_minutes - (time.monotonic() - started) / 60
            if left is not None and left <= 0:
                _say(f"The time is up. Next is {place}. The same command goes on.")
                return False
            _say(place)
            begun = time.monotonic()
            ended = self._do(step, left)
            self._note(step, time.monotonic() - begun, ended)
            if not ended:
                _say(f"The time is up during {place}. The same command goes on.")
                return False
        _say(f"{recipe.run}: all {len(recipe.steps)} steps are done.")
        return True

    def _done(self, step: Step) -> bool:
        if step.makes is not None and Path(step.makes).exists():
            return True
        if step.train is not None:
            return finished(self.trained[step], self.root)
        return step.makes is None and step.title in _ended(self.log)

    def _do(self, step: Step, left: float | None) -> bool:
        """One step within the minutes left; whether it came to its end."""
        if step.train is not None:
            recipe = self.trained[step]
            minutes = [m for m in (recipe.max_minutes, left) if m is not None]
            begun = any((self.root / member.run / "last").exists() for member in members(recipe))
            train_all(
                msgspec.structs.replace(recipe, max_minutes=min(minutes, default=None)), self.root, begun, self.compose
            )
            return finished(recipe, self.root)
        if not is_first_process():
            return True
        if step.songs is not None:
            pack(step.songs).save(Path(str(step.makes)))
        elif self.command(shlex.split(str(step.command))):
            raise WrongValue(f"The step `sideman {step.command}` failed.", "The same command goes on from there.")
        return True

    def _note(self, step: Step, seconds: float, ended: bool) -> None:
        if is_first_process():
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step.title, "seconds": round(seconds, 1), "ended": ended}) + "\n")


def _ended(log: Path) -> set[str]:
    """Titles of the steps that a log says ended; a line cut off by a kill says nothing."""
    out = set()
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
        try:
            noted = json.loads(line)
        except ValueError:
            continue
        if noted.get("ended"):
            out.add(noted["step"])
    return out


def _say(text: str) -> None:
    if is_first_process():
        sys.stderr.write(f"{text}\n")
