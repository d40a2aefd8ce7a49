"""The engine against plain PyTorch decoding, on a network of the published size with random weights.

Two claims, both with 8 layers x 512, 5,902 tokens, int8 weights, the same melody and seeds:
  step   one new token at batch 1 with 256 in the cache, engine against PyTorch (static cache, inference mode)
  five   5 progressions over 256 frames: engine against PyTorch decoding token by token with a cache,
         all five as one batch, and one after the other
Random weights hold a chord no more often than any other, so speculation cannot help here.

    python benchmarks/official_size.py [--frames 256]
"""

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from sideman.engine.bundle import Bundle, load_bundle
from sideman.engine.sampling import Sampling
from sideman.engine.speculate import Melody, decode
from sideman.engine.stream import Stream
from sideman.models.build import ModelFile, save_checkpoint
from sideman.models.decode import pick
from sideman.models.export import export_bundle
from sideman.models.online import OnlineConfig, OnlineModel
from sideman.models.transformer import published_stack
from sideman.music.grammar import chord_mask
from sideman.music.vocabulary import BOS, Vocabulary

CHORDS = 2821


def names() -> tuple[str, ...]:
    """2,821 different chord symbols: 12 roots, every set of tones until there are enough."""
    from sideman.music.chord import Chord

    found = (Chord(root, mask, root).name() for mask in range(1, 4096, 2) for root in range(12))
    return tuple(name for name, _ in zip(found, range(CHORDS), strict=False))


def network(folder: Path) -> tuple[OnlineModel, Bundle]:
    torch.manual_seed(0)
    stack = published_stack(512, 8, 8, causal=True)
    config = OnlineConfig(260 + 2 * CHORDS, stack, form=False, tied=False)
    model = OnlineModel(config).eval()
    save_checkpoint(folder / "checkpoint", ModelFile(kind="online", online=config, chords=names()), model)
    export_bundle(folder / "checkpoint", folder / "bundle", "official")
    return model, load_bundle(folder / "bundle")


@torch.inference_mode()
def plain(model: OnlineModel, vocabulary: Vocabulary, melody: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
    """Token by token: every chord and every melody token is a pass of its own."""
    rows, frames = melody.shape
    cache = model.cache(rows, 2 * frames + 1)
    last, chords = torch.full((rows,), BOS), []
    logits = model(last[:, None], cache=cache, at=0)[:, -1]
    for t in range(frames):
        allowed = torch.from_numpy(chord_mask(vocabulary, last.numpy()))
        last = pick(logits, allowed, 1.0, draws[:, t])
        chords.append(last)
        model(last[:, None], cache=cache, at=2 * t + 1)
        logits = model(melody[:, t : t + 1], cache=cache, at=2 * t + 2)[:, -1]
    return torch.stack(chords, 1)


def best(run: Callable[[], object], rounds: int) -> float:
    """Fastest of `rounds` runs, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def step(model: OnlineModel, bundle: Bundle) -> tuple[float, float]:
    tokens = np.random.default_rng(0).integers(4, bundle.vocabulary.size, (1, 257))
    form = np.zeros((1, 257, 3), np.int64)
    stream = Stream.open(bundle, 1, 320)
    stream.feed(tokens[:, :256], form[:, :256], np.array([255]))
    cache = model.cache(1, 320)
    with torch.inference_mode():
        model(torch.from_numpy(tokens[:, :256]), cache=cache, at=0)

    def ours() -> None:
        stream.feed(tokens[:, 256:], form[:, 256:])
        stream.rollback(np.array([256]))

    @torch.inference_mode()
    def theirs() -> None:
        model(torch.from_numpy(tokens[:, 256:]), cache=cache, at=256)

    ours(), theirs()
    # Interleaved, so that both meet the same load of the machine.
    pairs = [(best(ours, 5), best(theirs, 5)) for _ in range(12)]
    return min(a for a, _ in pairs), min(b for _, b in pairs)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=256)
    frames = parser.parse_args().frames
    with tempfile.TemporaryDirectory() as scratch:
        model, bundle = network(Path(scratch))
        print(f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads")
        ours, theirs = step(model, bundle)
        print(f"step: engine {1e3 * ours:.2f} ms, PyTorch {1e3 * theirs:.2f} ms, {theirs / ours:.1f}x")
        rng = np.random.default_rng(1)
        melody, draws = rng.integers(132, 260, frames), rng.random((5, frames))
        prepared = Melody.prepare(bundle, melody, np.zeros((frames, 3), np.uint8))
        heard, uniform = torch.from_numpy(np.repeat(melody[None], 5, 0)), torch.from_numpy(draws)
        fast = best(lambda: decode(bundle, prepared, draws, Sampling(), draft=1), 3)
        batch = best(lambda: plain(model, bundle.vocabulary, heard, uniform), 1)
        single = 5 * best(lambda: plain(model, bundle.vocabulary, heard[:1], uniform[:1]), 1)
        print(
            f"five: engine {fast:.2f} s; PyTorch as one batch {batch:.2f} s, {batch / fast:.1f}x; "
            f"one after the other {single:.2f} s, {single / fast:.1f}x"
        )


if __name__ == "__main__":
    main()
