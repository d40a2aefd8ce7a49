"""Composing: the published small network against re-encoding its context, and the model that ships at work.

small    the official small shape (12 x 768 patches, 3 x 768 characters, length 2048, random weights): characters a
         second over `--patches` patches, ours (int8, caches at both levels), of one piece and of `--together` pieces
         written side by side, against the reference's way (PyTorch fp32, one piece, no cache: the whole context again
         for each patch, its prefix again for each character). The reference's way is timed at evenly spread context
         lengths, its mean is what a piece of that length costs.
release  16 bars of voice and piano by the model that ships, whole process left out, median of some seeds

  python benchmarks/compose_speed.py small release
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from sideman.compose.compose import Finished, compose_with
from sideman.compose.request import ComposeRequest
from sideman.engine.bundle import Bundle, load_bundle
from sideman.engine.models import find_model
from sideman.engine.sheet_sampling import PUBLISHED, cut, draw, softmax
from sideman.engine.sheet_stream import SheetStream
from sideman.models.build import ModelFile, save_checkpoint
from sideman.models.export import export_bundle
from sideman.models.sheet import SheetModel, published_sheet
from sideman.music.sheet.patches import BOS_PATCH, PATCH_SIZE

PLACES = 8  # context lengths at which the reference's way is timed


def network(folder: Path) -> tuple[SheetModel, Bundle]:
    torch.manual_seed(0)
    model = SheetModel(published_sheet(768, 12, 3, 2048)).eval()
    save_checkpoint(folder / "checkpoint", ModelFile("sheet", sheet=model.config), model)
    export_bundle(folder / "checkpoint", folder / "bundle", "small")
    return model, load_bundle(folder / "bundle")


def cached(bundle: Bundle, patches: int, rows: int = 1) -> float:
    """Seconds for `patches` patches of 16 characters of each of `rows` pieces, all of them, sampled as published."""
    rng = np.random.default_rng(0)
    stream = SheetStream.open(bundle, rows, patches + 1)
    fresh = np.repeat(BOS_PATCH[None, None], rows, 0)
    start = time.perf_counter()
    for _ in range(patches):
        stream.feed(list(fresh))
        logits = stream.begin([()] * rows)
        for place in range(PATCH_SIZE):
            if place:
                logits = stream.write(fresh[:, 0, place - 1])
            fresh[:, 0, place] = [draw(cut(softmax(row), PUBLISHED), rng) for row in logits]
    return time.perf_counter() - start


@torch.inference_mode()
def again(model: SheetModel, context: int) -> float:
    """Seconds for one patch after `context` patches, as the reference writes it."""
    rng = np.random.default_rng(0)
    patches = torch.from_numpy(rng.integers(32, 127, (1, context, PATCH_SIZE)))
    start = time.perf_counter()
    state = model.encode(patches)[:, -1]
    ids: list[int] = []
    for _ in range(PATCH_SIZE):
        logits = model.read(state, torch.tensor([ids], dtype=torch.long))[0, -1].numpy()
        ids.append(draw(cut(softmax(logits), PUBLISHED), rng))
    return time.perf_counter() - start


def small(patches: int, together: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        model, bundle = network(Path(scratch))
        cached(bundle, 8)
        places = [round(1 + (patches - 1) * (n + 0.5) / PLACES) for n in range(PLACES)]
        again(model, places[0])
        ours, side_by_side = cached(bundle, patches), cached(bundle, patches, together) / together
        theirs = patches * statistics.mean(min(again(model, place) for _ in range(2)) for place in places)
    characters = patches * PATCH_SIZE
    print(
        f"small, {patches} patches: {characters / ours:.0f} characters/s ({ours:.1f} s); the reference's way "
        f"{characters / theirs:.1f} ({theirs:.0f} s): {theirs / ours:.1f}x; {together} pieces side by side: "
        f"{characters / side_by_side:.0f} characters/s: {theirs / side_by_side:.1f}x"
    )


def release(folder: Path, seeds: int) -> None:
    bundle = load_bundle(folder)
    prompts = [each for each in bundle.file.prompts if each[2] == "Art Song"]
    times, bars = [], []
    for seed in range(seeds):
        period, composer, kind = prompts[seed % len(prompts)] if prompts else ("", "", "")
        request = ComposeRequest(bars=16, period=period, composer=composer, instrumentation=kind, seed=seed)
        *_, last = compose_with(bundle, request)
        assert isinstance(last, Finished)
        times.append(last.seconds)
        bars.append(last.bars)
    print(
        f"{bundle.file.name}, 16 bars of voice and piano: {statistics.median(times):.1f} s median of {seeds}, "
        f"{max(times):.1f} s the longest ({min(bars)} to {max(bars)} bars)"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="*", choices=["small", "release"], default=["small", "release"])
    parser.add_argument("--patches", type=int, default=512)
    parser.add_argument("--together", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--bundle", type=Path, help="Instead of the model that ships.")
    arguments = parser.parse_args()
    print(f"{torch.get_num_threads()} threads")
    if "small" in arguments.what:
        small(arguments.patches, arguments.together)
    if "release" in arguments.what:
        release(arguments.bundle or find_model(None, "sheet"), arguments.seeds)


if __name__ == "__main__":
    main()
