"""Two views of each piece, in keys and crops of their own, the first with bars hidden (spec 7.3), and what the second
would be if it were wrong.

Batch number s is a function of (seed, s) alone, as in `batches`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.data.sheets import draw_key
from sideman.music.sheet import m3_patches
from sideman.music.sheet.judged import cropped, notes_alone
from sideman.music.sheet.m3_patches import EOS, MASK, PAD, PATCH, Patches
from sideman.music.sheet.spoiled import spoil
from sideman.music.sheet.transpose import transpose
from sideman.train.judge_recipe import JudgeRecipe
from sideman.train.sheet_batches import SheetSource

SPECIAL = 5  # patches of a view that are no bars: begin, L:, M:, K:, end


@dataclass(frozen=True, slots=True)
class JudgeBatch:
    """B pieces: `views` int64 [B, N, T, 64], PAD beyond `lengths` int64 [B, N], where the third of N = 3 views is the
    second one spoiled; `hidden` int64 [B, T, 64]: the first view as it is shown; `asked` bool [B, T]: what has to be
    filled in; `pieces` int64 [B] into the pack."""

    views: NDArray[np.int64]
    lengths: NDArray[np.int64]
    hidden: NDArray[np.int64]
    asked: NDArray[np.bool_]
    pieces: NDArray[np.int64]

    def rows(self, which: slice) -> "JudgeBatch":
        return JudgeBatch(
            self.views[which], self.lengths[which], self.hidden[which], self.asked[which], self.pieces[which]
        )

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Which patches are there, [B, N, T]."""
        return np.asarray(np.arange(self.views.shape[2]) < self.lengths[..., None])

    @property
    def tokens(self) -> int:
        """Characters that are read."""
        return int((self.views != PAD).sum())


class JudgeSource:
    """Views of the pieces of one split, which `sheets` mixes. Read-only after construction, so threads may share it."""

    def __init__(self, sheets: SheetSource, recipe: JudgeRecipe) -> None:
        self.sheets, self.recipe = sheets, recipe

    def draw(self, seed: int, step: int, batch: int) -> JudgeBatch:
        """Batch `step` of a training run."""
        rng = np.random.default_rng([seed, step])
        return self._collect(self.sheets.order(seed, step * batch, batch), rng)

    def fixed(self, count: int) -> JudgeBatch:
        """Views of up to `count` pieces spread evenly over the split, the same ones every time."""
        pieces = self.sheets.pieces
        chosen = pieces[np.linspace(0, len(pieces) - 1, min(count, len(pieces))).astype(int)]
        return self._collect(chosen, np.random.default_rng(0))

    def _collect(self, pieces: NDArray[np.int64], rng: np.random.Generator) -> JudgeBatch:
        rows = [self._views(piece, rng) for piece in pieces.tolist()]
        lengths = np.array([[len(view) for view in some] for some in rows], np.int64)
        views = np.full((*lengths.shape, int(lengths.max()), PATCH), PAD, np.int64)
        asked = np.zeros((len(rows), views.shape[2]), np.bool_)
        hidden = views[:, 0].copy()
        for number, some in enumerate(rows):
            for out, view in zip(views[number], some, strict=True):
                out[: len(view)] = view
            shown, chosen = hide(some[0], rng, self.recipe.masked)
            hidden[number, : len(shown)] = shown
            asked[number, rng.permutation(np.flatnonzero(chosen))[: self._asked_of(number, len(rows))]] = True
        return JudgeBatch(views, lengths, hidden, asked, self.sheets.sheets.indices[pieces])

    def _asked_of(self, number: int, rows: int) -> int:
        """How many patches piece `number` of a batch is asked for."""
        fills = self.recipe.fills
        return fills // rows + (number < fills % rows)

    def _views(self, piece: int, rng: np.random.Generator) -> list[Patches]:
        texts = [self._view(piece, rng) for _ in range(2)]
        if self.recipe.spoiled:
            texts.append(spoil(texts[1], rng))
        return [m3_patches.encode(text)[: self.recipe.data.length] for text in texts]

    def _view(self, piece: int, rng: np.random.Generator) -> str:
        config, pack = self.recipe.data, self.sheets.pack
        crop = cropped(pack.sheet(int(self.sheets.sheets.indices[piece])), config.length - SPECIAL, rng)
        if config.keys != "own":
            crop = transpose(crop, draw_key(crop, config.keys, rng))
        return notes_alone(crop)


def hide(patches: Patches, rng: np.random.Generator, share: float = 0.45) -> tuple[Patches, NDArray[np.bool_]]:
    """A piece as M3 is shown it in training, and which of its patches it is asked for [n]: of a `share` of them all
    characters are masked (in 8 of 10 pieces), shuffled (in 1) or left as they are (in 1)."""
    chosen = np.zeros(len(patches), np.bool_)
    chosen[rng.permutation(len(patches))[: math.ceil(share * len(patches))]] = True
    shown, way = patches.copy(), rng.random()
    if way < 0.8:
        shown[chosen] = MASK
    elif way < 0.9:
        for number in np.flatnonzero(chosen).tolist():
            inner = np.flatnonzero(patches[number] > EOS)
            shown[number, inner] = rng.permutation(patches[number, inner])
    return shown, chosen
