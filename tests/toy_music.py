"""A pack of tiny songs made on the spot, and recipes on it, so that training can be tested without any data."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sideman.data.pack import Pack, make_pack, merge_packs
from sideman.music.chord import Chord
from sideman.music.frames import Frames, encode
from sideman.music.song import ChordSpan, Meter, Note, Song

if TYPE_CHECKING:  # brings torch, which most tests do without
    from sideman.train.recipe import Recipe

PROGRESSION = ("C", "F", "G7", "Am7", "Dm", "G/B", "C", "Bdim")


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """One thread is fastest for networks this small, and gives the same bits everywhere."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def toy_frames(number: int) -> Frames:
    """3 to 10 bars of 4/4: a random walk on the white keys with rests, a chord a bar, the last bar silent."""
    rng = np.random.default_rng(number)
    bars = 3 + number % 8
    scale = [p for p in range(60, 80) if p % 12 in (0, 2, 4, 5, 7, 9, 11)]
    steps = np.clip(np.cumsum(rng.integers(-2, 3, 8 * bars)) + 6, 0, len(scale) - 1)
    notes = tuple(Note(i / 2, 0.5, scale[s]) for i, s in enumerate(steps.tolist()) if rng.random() > 0.15)
    symbols = [Chord.parse(PROGRESSION[(number + bar) % len(PROGRESSION)]) for bar in range(bars - 1)]
    chords = tuple(ChordSpan(4.0 * bar, 4.0, chord) for bar, chord in enumerate(symbols) if chord)
    return encode(Song(notes, chords, (Meter(0.0, 4, 4),)), 16 * bars)


def toy_pack(collections: tuple[str, ...] = ("toy",), pieces: int = 20) -> Pack:
    """`pieces` songs a collection, every fifth for validation and every tenth for testing."""
    packs = []
    for at, name in enumerate(collections):
        splits = ["test" if n % 10 == 9 else "valid" if n % 5 == 4 else "train" for n in range(pieces)]
        packs.append(
            make_pack(name, [(f"{name}-{n}", split, toy_frames(100 * at + n)) for n, split in enumerate(splits)])
        )
    return merge_packs(packs)


def save_toy_pack(folder: Path, collections: tuple[str, ...] = ("toy",)) -> Path:
    path = folder / "toy.npz"
    toy_pack(collections).save(path)
    return path


RECIPES = Path(__file__).parent.parent / "recipes"


def toy_recipe(folder: Path, stage: str, *overrides: str) -> "Recipe":
    """recipes/toy on a pack in `folder`, which is made if it is not there."""
    from sideman.train.recipe import Recipe, load_recipe

    pack = folder / "toy.npz"
    if not pack.exists():
        save_toy_pack(folder)
    return load_recipe(RECIPES / "toy" / f"{stage}.yaml", (f"data.pack={pack}", *overrides), Recipe)
