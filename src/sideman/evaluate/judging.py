"""Reward networks as measures: how they judge chords, and the Vendi score in the space of a chord encoder (spec 7).

A network judges windows as long as those it was trained on, side by side; a last one less than half full is left out
(unless it is the only one), as when it rewards. A piece's reward is the mean over its windows, its embedding their mean
on the unit sphere, so that the whole piece counts and not its beginning alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sideman.errors import WrongValue
from sideman.evaluate.columns import Column, mean_present
from sideman.models.build import ModelFile, load_checkpoint
from sideman.models.reward import ContrastiveModel, DiscriminativeModel, framed
from sideman.music.frames import WINDOW_FRAMES, Frames
from sideman.music.measures import ratio, vendi
from sideman.music.vocabulary import PAD, SILENCE
from sideman.train.checkpoint import checkpoint_in

BATCH = 64
DEFAULT_ENCODERS = (Path("checkpoints/contrastive"), Path("runs/release-contrastive"))


@dataclass(frozen=True)
class Judgement:
    """Of one piece: its mean `reward`, and the unit vector of its chords [D] (contrastive networks; None where no
    chord sounds)."""

    reward: float
    embedding: NDArray[np.float64] | None


@dataclass
class Judge:
    """A reward network that remembers what it judged. Not thread-safe."""

    name: str
    file: ModelFile
    model: ContrastiveModel | DiscriminativeModel
    _known: dict[int, tuple[Frames, Judgement]] = field(default_factory=dict, repr=False)

    @property
    def window(self) -> int:
        """Frames of a window."""
        return int(self.file.trained.get("window", WINDOW_FRAMES))

    @property
    def embeds(self) -> bool:
        """It has a chord encoder that hears more than rhythm."""
        return self.file.kind == "contrastive" and self.file.reward is not None and not self.file.reward.rhythm

    def judge(self, pieces: Sequence[Frames]) -> list[Judgement]:
        new = [frames for frames in pieces if id(frames) not in self._known]
        for frames, judgement in zip(new, self._judge(new), strict=True):
            self._known[id(frames)] = frames, judgement  # which keeps the piece, and so its id, alive
        return [self._known[id(frames)][1] for frames in pieces]

    def embed(self, pieces: Sequence[Frames]) -> NDArray[np.float64]:
        """Unit vectors [n, D] of the pieces in which a chord sounds."""
        found = [one.embedding for one in self.judge(pieces) if one.embedding is not None]
        assert self.file.reward is not None, "what judges has a reward configuration"
        return np.stack(found) if found else np.zeros((0, self.file.reward.stack.width))

    def reward(self, pieces: Sequence[Frames]) -> float:
        return mean_present([one.reward for one in self.judge(pieces)])

    def _judge(self, pieces: Sequence[Frames]) -> list[Judgement]:
        windows = [(at, *window) for at, frames in enumerate(pieces) for window in self._windows(frames)]
        rewards: list[list[float]] = [[] for _ in pieces]
        vectors: list[list[NDArray[np.float64]]] = [[] for _ in pieces]
        for start in range(0, len(windows), BATCH):
            some = windows[start : start + BATCH]
            scores, chords = self._ask(np.stack([w[1] for w in some]), np.stack([w[2] for w in some]))
            for row, (at, _, tokens) in enumerate(some):
                rewards[at].append(float(scores[row]))
                if chords is not None and _has_chord(tokens):
                    vectors[at].append(chords[row])
        return [
            Judgement(mean_present(scores), _direction(found)) for scores, found in zip(rewards, vectors, strict=True)
        ]

    def _windows(self, frames: Frames) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """(melody, chords) of each window, int64 [window], PAD beyond the end."""
        both = np.stack(self.file.vocabulary.encode(frames)).astype(np.int64)
        for start in range(0, len(frames), self.window):
            cut = both[:, start : start + self.window]
            if start == 0 or 2 * cut.shape[1] >= self.window:
                melody, chords = np.pad(cut, ((0, 0), (0, self.window - cut.shape[1])), constant_values=PAD)
                yield melody, chords

    def _ask(
        self, melody: NDArray[np.int64], chords: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Rewards [B] of windows [B, T], and the unit vectors of their chords [B, D]."""
        import torch

        with torch.inference_mode():
            parts = framed(torch.from_numpy(melody)), framed(torch.from_numpy(chords))
            if isinstance(self.model, ContrastiveModel):
                heard, played, _ = self.model(*parts)
                return (heard * played).sum(-1).double().numpy(), played.double().numpy()
            return self.model(*parts).softmax(-1)[:, 1].double().numpy(), None


def load_judge(path: Path) -> Judge:
    """The reward network in a run or checkpoint folder. Raises UnknownModel, WrongValue."""
    file, model = load_checkpoint(checkpoint_in(path))
    if not isinstance(model, ContrastiveModel | DiscriminativeModel):
        raise WrongValue(
            f"{path} holds an {file.kind} model, which plays and does not judge.", "Name a reward network."
        )
    return Judge(str(file.trained.get("recipe", path.name)), file, model)


def load_encoder(path: Path) -> Judge:
    """A contrastive network for the Vendi score. Raises UnknownModel, WrongValue."""
    judge = load_judge(path)
    if not judge.embeds:
        raise WrongValue(f"{path} has no chord encoder.", "Name a contrastive network that hears pitches.")
    return judge


def default_encoder() -> Path | None:
    """The first of DEFAULT_ENCODERS that is here."""
    return next((path for path in DEFAULT_ENCODERS if (checkpoint_in(path) / "model.json").exists()), None)


def vendi_columns(encoder: Judge) -> tuple[Column, ...]:
    """Measures of diversity in the space of a chord encoder."""
    return (
        Column("vendi", "Vendi score", "sequences", 1, 2, 0, lambda pieces, _: vendi(encoder.embed(pieces)),
            f"effective number of different chord sequences, in the space of the chord encoder of {encoder.name}"),
        Column("vendi_share", "Vendi score, of ground truth's", "%", 100, 1, 0,
            lambda pieces, truth: ratio(vendi(encoder.embed(pieces)), vendi(encoder.embed(truth))),
            "the same as a share of the data's own"),
    )  # fmt: skip


def reward_column(judge: Judge) -> Column:
    """What a reward network gives, mean over pieces."""
    unit = "cosine" if judge.file.kind == "contrastive" else "probability"
    return Column(f"reward_{judge.name}", f"reward of {judge.name}", unit, 1, 3, 1,
        lambda pieces, _: judge.reward(pieces),
        f"mean {unit} {judge.name} gives to windows of {judge.window} frames")  # fmt: skip


def _has_chord(tokens: NDArray[np.int64]) -> bool:
    return bool((tokens > SILENCE).any())


def _direction(vectors: list[NDArray[np.float64]]) -> NDArray[np.float64] | None:
    """The mean on the unit sphere."""
    if not vectors:
        return None
    mean = np.mean(vectors, axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12))
