"""Features of long pieces: windows, their weights, and that a batch changes nothing."""

import numpy as np
import pytest
import torch

from sideman.models.clamp2 import MusicTower
from sideman.models.m3 import M3Config
from sideman.models.m3_features import features, states, windows

TINY = M3Config(width=16, depth=1, heads=2, ff_width=32, length=8, reader_depth=0)


@pytest.fixture
def tower() -> MusicTower:
    torch.manual_seed(1)
    tower = MusicTower(TINY).eval()
    with torch.no_grad():
        tower.encoder.table.weight.mul_(20)
    return tower


def piece(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 128, (count, 64))


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (3, [(0, 3, 3)]),
        (8, [(0, 8, 8)]),
        (9, [(0, 8, 8), (1, 9, 1)]),  # the last window is the last eight patches
        (16, [(0, 8, 8), (8, 16, 8)]),
        (21, [(0, 8, 8), (8, 16, 8), (13, 21, 5)]),
    ],
)
def test_windows(count: int, expected: list[tuple[int, int, int]]):
    assert [(w.start, w.stop, w.fresh) for w in windows(count, 8)] == expected


def test_a_piece_is_the_weighted_mean_of_its_windows(tower: MusicTower):
    long = piece(21)
    with torch.no_grad():
        rows = [tower(torch.from_numpy(long[a:b])[None], torch.ones(1, 8, dtype=torch.bool))[0].numpy()
                for a, b in ((0, 8), (8, 16), (13, 21))]  # fmt: skip
    expected = (8 * rows[0] + 8 * rows[1] + 5 * rows[2]) / 21
    assert features(tower, [long])[0] == pytest.approx(expected, abs=1e-5)


def test_company_changes_nothing(tower: MusicTower, monkeypatch: pytest.MonkeyPatch):
    pieces = [piece(count) for count in (3, 21, 8, 12, 5)]
    together = features(tower, pieces)
    assert together.dtype == np.float32
    for number, alone in enumerate(pieces):
        assert features(tower, [alone])[0] == pytest.approx(together[number], abs=1e-5)
    monkeypatch.setattr("sideman.models.m3_features.BATCH_PATCHES", 16)
    assert features(tower, pieces) == pytest.approx(together, abs=1e-5)


def test_states_of_a_long_piece_come_once(tower: MusicTower):
    long = piece(21)
    got = states(tower.encoder, long)
    assert got.shape == (21, 16)
    with torch.no_grad():
        last = tower.encoder(torch.from_numpy(long[13:])[None], torch.ones(1, 8, dtype=torch.bool))[0].numpy()
    assert got[16:] == pytest.approx(last[3:], abs=1e-5)
