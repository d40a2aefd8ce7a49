"""Rollouts of reinforcement learning against a plain PyTorch loop, on a network of the published size.

8 layers x 512, 5,902 tokens, random weights, the same melodies. The plain loop is what one writes first: a key-value
cache that grows by concatenation, one pass a token for both parts, logits of the whole vocabulary at every token. Ours
writes into a cache of fixed size, feeds both tokens of a frame in one pass, reads logits where a chord is chosen, and
on a CPU multiplies by weights laid out once a rollout. Both are checked to give the same logits before they are timed,
in turns, so that both meet the same load.

    python benchmarks/rollout.py [--batch 32] [--frames 128] [--rounds 2] [--device cuda]
"""

import argparse
import time
from collections.abc import Callable

import torch
from official_size import CHORDS, names
from torch import Tensor

from sideman.models.decode import uniform
from sideman.models.online import OnlineConfig, OnlineModel
from sideman.models.transformer import published_stack
from sideman.music.vocabulary import BOS, NOTE_ON, from_names
from sideman.train.rl.rollout import Scene, play


class GrowingCache:
    """Keys and values of every layer, [B, H, t, d] each, longer by one at every token."""

    def __init__(self, depth: int) -> None:
        self.keys: list[Tensor | None] = [None] * depth
        self.values: list[Tensor | None] = [None] * depth

    def append(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        old_key, old_value = self.keys[layer], self.values[layer]
        keys = key if old_key is None else torch.cat((old_key, key), 2)
        values = value if old_value is None else torch.cat((old_value, value), 2)
        self.keys[layer], self.values[layer] = keys, values
        return keys, values


@torch.no_grad()
def plain_token(model: OnlineModel, token: Tensor, cache: GrowingCache, at: int) -> Tensor:
    """Logits [B, V] after one more token [B] at position `at`."""
    x = model.embed(token[:, None])
    angles = model.stack.angles(torch.tensor([at], device=token.device))
    for number, block in enumerate(model.stack.layers):
        y = block.norm_self(x)
        query, key, value = block.attention.project(y, y, angles)
        keys, values = cache.append(number, key, value)
        x = x + block.attention.attend(query, keys, values, None, False)
        x = x + block.ff(block.norm_ff(x))
    return model.read(model.stack.norm(x))[:, 0]


@torch.no_grad()
def plain(model: OnlineModel, melody: Tensor, given: Tensor | None = None) -> Tensor:
    """A rollout by the plain loop; with `given` chords their logits [B, T, V], else the chords chosen [B, T]."""
    rows, frames = melody.shape
    cache = GrowingCache(model.config.stack.depth)
    logits = plain_token(model, torch.full((rows,), BOS, device=melody.device), cache, 0)
    out = []
    for t in range(frames):
        chord = torch.multinomial(logits.softmax(-1), 1)[:, 0] if given is None else given[:, t]
        out.append(chord if given is None else logits)
        plain_token(model, chord, cache, 2 * t + 1)
        logits = plain_token(model, melody[:, t], cache, 2 * t + 2)
    return torch.stack(out, 1)


def timed(run: Callable[[], object], device: torch.device) -> float:
    start = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--frames", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    device = torch.device(given.device)
    torch.manual_seed(0)
    vocabulary = from_names(names())
    config = OnlineConfig(260 + 2 * CHORDS, published_stack(512, 8, 8, causal=True), form=False, tied=False)
    model = OnlineModel(config).eval().to(device)
    melody = torch.randint(NOTE_ON + 48, NOTE_ON + 84, (given.batch, given.frames), device=device)
    form = torch.zeros(given.batch, given.frames, 3, dtype=torch.uint8, device=device)
    scene = Scene("chord", melody, melody, form, torch.ones_like(melody, dtype=torch.bool))
    assert vocabulary.size == config.tokens

    def ours(some: Scene = scene) -> object:
        return play(model, some, None, uniform(0, *some.heard.shape))

    few = Scene("chord", melody[:2, :8], melody[:2, :8], form[:2, :8], scene.mask[:2, :8])
    made = play(model, few, None, uniform(0, *few.heard.shape))
    gap = float((plain(model, few.heard, made.played) - made.logits).abs().max())
    assert gap < 1e-3, f"the two differ by {gap:.1e} in a logit"
    ours(few)
    pairs = [(timed(ours, device), timed(lambda: plain(model, melody), device)) for _ in range(given.rounds)]
    mine, theirs = min(a for a, _ in pairs), min(b for _, b in pairs)
    tokens = 2 * given.batch * given.frames
    print(
        f"{given.batch} x {given.frames} frames, {device.type}, {torch.get_num_threads()} threads: "
        f"ours {tokens / mine:,.0f} tokens/s, plain {tokens / theirs:,.0f} tokens/s, {theirs / mine:.2f}x; "
        f"largest difference of a logit {gap:.1e}"
    )


if __name__ == "__main__":
    main()
