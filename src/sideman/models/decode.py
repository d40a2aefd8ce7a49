"""Plain decoding in torch: one frame after the other with a static cache.

Used for samples during training and as the reference the engine is checked and timed against. A
token is chosen by inverting the cumulative distribution at a given uniform draw, the rule the
engine follows too, so both agree token for token given the same draws.
"""

import numpy as np
import torch
from torch import Tensor

from sideman.models.offline import OfflineModel
from sideman.models.online import OnlineModel
from sideman.music.grammar import part_mask
from sideman.music.vocabulary import BOS, PAD, PartName, Vocabulary


def pick(logits: Tensor, allowed: Tensor, temperature: float, draws: Tensor) -> Tensor:
    """Token of each row from logits [B, V], allowed bool [B, V] and draws [B] in [0, 1); temperature 0 = likeliest."""
    logits = logits.float().masked_fill(~allowed, float("-inf"))
    if temperature == 0:
        return logits.argmax(-1)
    probabilities = torch.softmax(logits.double() / temperature, -1)
    total = probabilities.cumsum(-1)
    # To the right of equal sums: tokens without probability add nothing to the sum and are never met.
    chosen = torch.searchsorted(total, draws.double()[:, None] * total[:, -1:], right=True).squeeze(-1)
    return chosen.clamp(max=logits.shape[-1] - 1)


@torch.inference_mode()
def accompany_online(
    model: OnlineModel,
    vocabulary: Vocabulary,
    heard: Tensor,
    form: Tensor | None,
    draws: Tensor,
    temperature: float = 1.0,
    part: PartName = "chord",
) -> Tensor:
    """Chords [B, T] for a melody [B, T] (tokens) heard frame by frame, or a melody for chords; `draws` uniform
    [B, T], `form` [B, T, 3]."""
    rows, frames = heard.shape
    cache = model.cache(rows, 2 * frames)
    played = torch.empty_like(heard)
    last = torch.full((rows,), BOS, device=heard.device)
    feed = last[:, None]
    at = 0
    for t in range(frames):
        # After both tokens of frame t-1 the positions predict the other part of t-1 and ours of t; the last is read.
        here = None if form is None else _form_of(form, t, feed.shape[1])
        logits = model.read(model.states(feed, here, cache=cache, at=at)[:, -1])
        allowed = torch.from_numpy(part_mask(vocabulary, part, last.cpu().numpy())).to(logits.device)
        last = pick(logits, allowed, temperature, draws[:, t])
        played[:, t] = last
        at += feed.shape[1]
        feed = torch.stack((last, heard[:, t]), 1)
    return played


def _form_of(form: Tensor, t: int, length: int) -> Tensor:
    """Form of the tokens predicted by the fed positions: (m of t-1, c of t), or c of 0 for BOS."""
    return form[:, t - 1 : t + 1] if length == 2 else form[:, :1]


@torch.inference_mode()
def harmonise_offline(
    model: OfflineModel,
    vocabulary: Vocabulary,
    given: Tensor,
    form: Tensor | None,
    draws: Tensor,
    temperature: float = 1.0,
    part: PartName = "chord",
) -> Tensor:
    """Chords [B, T] for a whole melody given as BOS .. EOS tokens [B, T+2], PAD after, with form [B, T+2, 3]; or a
    melody for chords."""
    rows, frames = given.shape[0], given.shape[1] - 2
    real = given != PAD
    mask = None if bool(real.all()) else real
    encoded = model.encode(given, form, mask)
    cache = model.cache(rows, frames)
    written = torch.empty((rows, frames), dtype=given.dtype, device=given.device)
    last = torch.full((rows,), BOS, device=given.device)
    for t in range(frames):
        logits = model.decode(last[:, None], encoded, mask, cache=cache, at=t)[:, -1]
        allowed = torch.from_numpy(part_mask(vocabulary, part, last.cpu().numpy())).to(logits.device)
        last = pick(logits, allowed, temperature, draws[:, t])
        written[:, t] = last
    return written


def uniform(seed: int, rows: int, frames: int) -> Tensor:
    """The draws of a seeded generation, [B, T] in [0, 1), the same in torch and numpy."""
    return torch.from_numpy(np.random.default_rng(seed).random((rows, frames)))
