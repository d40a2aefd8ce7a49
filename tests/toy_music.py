"""A pack of tiny songs made on the spot, and recipes on it, so that training can be tested without any data."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideman.data.madeup import song
from sideman.data.pack import Pack, make_pack, merge_packs

if TYPE_CHECKING:  # brings torch, which most tests do without
    from sideman.train.recipe import Recipe


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """One thread is fastest for networks this small, and gives the same bits everywhere."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs draw no samples, as on a machine without matplotlib: drawing takes longer than training this little."""
    from sideman.train import samples

    monkeypatch.setattr(samples, "find_spec", lambda name: None)


def toy_pack(collections: tuple[str, ...] = ("toy",), pieces: int = 20) -> Pack:
    """`pieces` songs a collection, every fifth for validation and every tenth for testing."""
    packs = []
    for at, name in enumerate(collections):
        splits = ["test" if n % 10 == 9 else "valid" if n % 5 == 4 else "train" for n in range(pieces)]
        packs.append(make_pack(name, [(f"{name}-{n}", split, song(100 * at + n)) for n, split in enumerate(splits)]))
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
