"""M3 and CLaMP 2 as published: golden numbers of the specification (12.7), through the import of their files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from m3_states import clamp2_shapes, filled, m3_shapes, save_as_published
from torch import Tensor

from sideman.models.clamp2 import MusicTower
from sideman.models.m3 import M3Config, M3Model
from sideman.models.published_m3 import read_clamp2, read_m3
from sideman.music.sheet.m3_patches import encode

TEXT = "L:1/8\nK:G\nV:1 treble \n[V:1]G2 F2|\n[V:1]G4|]\n"


def padded(length: int) -> tuple[Tensor, Tensor]:
    """The text's 7 patches, PAD up to `length`, and the mask."""
    patches = encode(TEXT)
    mask = np.arange(length) < len(patches)
    rows = np.zeros((length, 64), np.int64)
    rows[: len(patches)] = patches
    return torch.from_numpy(rows)[None], torch.from_numpy(mask)[None]


@pytest.fixture
def m3(tmp_path: Path) -> M3Model:
    shapes = m3_shapes()
    assert len(shapes) == 57
    return read_m3(save_as_published(filled(shapes), tmp_path / "m3.pth"))[0]


@pytest.mark.parametrize("length", [7, 16])
def test_the_encoder_gives_the_golden_numbers(m3: M3Model, length: int):
    states = m3.encoder(*padded(length))
    assert states[0, 0, :4].tolist() == pytest.approx([-1.64489, -1.24114, -0.92451, -0.33887], abs=1e-4)
    assert states[0, 6, :4].tolist() == pytest.approx([-2.55816, -2.31808, -1.83826, -1.37720], abs=1e-4)


def test_the_decoder_gives_the_golden_loss(m3: M3Model):
    patches, mask = padded(7)
    chosen = torch.zeros(1, 7, dtype=torch.bool)
    chosen[0, [1, 3]] = True
    assert m3(patches, mask, chosen).item() == pytest.approx(5.09218, abs=1e-4)


@pytest.mark.parametrize("length", [7, 16])
def test_clamp2_gives_the_golden_feature(tmp_path: Path, length: int):
    shapes = clamp2_shapes()
    assert len(shapes) == 43
    tower, _ = read_clamp2(save_as_published(filled(shapes), tmp_path / "clamp2.pth"))
    feature = tower(*padded(length))[0]
    assert feature[:4].tolist() == pytest.approx([-0.161964, -0.409351, -0.418999, -0.184781], abs=1e-4)
    assert feature.norm().item() == pytest.approx(2.336145, abs=1e-4)


def test_the_published_sizes():
    """Parameters of the published files, less what is unused: the word table, the pooler, the second type row."""
    width = 768
    with torch.device("meta"):
        model, tower = M3Model(M3Config()), MusicTower(M3Config())
    unused = width + width * width + width + 2 * width  # and the type row added to the places
    assert sum(p.numel() for p in model.parameters()) == 113_746_944 - unused
    assert sum(p.numel() for p in model.encoder.parameters()) == 92_334_336 - unused
    assert sum(p.numel() for p in tower.parameters()) == 92_924_928 - unused
