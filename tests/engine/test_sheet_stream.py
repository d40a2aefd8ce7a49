"""Sheets from a bundle: cached is uncached, rows do not touch each other, going back is never having been there."""

from pathlib import Path

import numpy as np
import pytest

from sideman.engine.bundle import Bundle, load_bundle
from sideman.engine.sheet_stream import SheetStream
from sideman.models.build import load_checkpoint
from sideman.models.export import MAX_FP32_DIFFERENCE, bundle_logits, torch_logits
from sideman.models.export_sheet import examples

CLOSE = 1e-4


@pytest.fixture(params=["sheet", "clock"])
def tiny_sheet(request: pytest.FixtureRequest, tiny_sheet_folders: dict[str, Path]) -> Bundle:
    return load_bundle(tiny_sheet_folders[request.param] / "bundle", threads=1)


@pytest.mark.parametrize("kind", ["sheet", "clock", "gpt2"])
def test_a_bundle_is_its_checkpoint(kind: str, tiny_sheet_folders: dict[str, Path]):
    """Prefill in parts, a step back, characters one by one: as the network in one uncached pass."""
    folder = tiny_sheet_folders[kind]
    _, model = load_checkpoint(folder / "checkpoint")
    ours, theirs = bundle_logits(load_bundle(folder / "bundle", threads=1)), torch_logits(model)
    np.testing.assert_allclose(ours, theirs, atol=MAX_FP32_DIFFERENCE)
    assert theirs.std() > 100 * MAX_FP32_DIFFERENCE


def opening(stream: SheetStream) -> np.ndarray:
    """Logits after two given characters."""
    return stream.begin([(72, 105)] * stream.rows)


def fed(bundle: Bundle, *parts: slice) -> np.ndarray:
    (song, _) = examples(96)
    stream = SheetStream.open(bundle, 1, capacity=4)
    for part in parts:
        stream.feed([song[part]])
    return opening(stream)[0]


def test_patches_at_once_or_one_by_one(tiny_sheet: Bundle):
    whole = fed(tiny_sheet, slice(0, 30))
    single = fed(tiny_sheet, *(slice(at, at + 1) for at in range(30)))
    uneven = fed(tiny_sheet, slice(0, 7), slice(7, 7), slice(7, 29), slice(29, 30))
    np.testing.assert_allclose(single, whole, atol=CLOSE)
    np.testing.assert_allclose(uneven, whole, atol=CLOSE)
    assert np.abs(fed(tiny_sheet, slice(0, 29)) - whole).max() > 100 * CLOSE


def test_rows_of_different_lengths_are_each_as_if_alone(tiny_sheet: Bundle):
    song, tune = examples(96)
    stream = SheetStream.open(tiny_sheet, 3)
    stream.feed([song[:20], tune, song[:1]])
    stream.feed([song[20:25], tune[:0], tune[1:]])
    together = stream.begin([(72,), (72, 105, 33), ()])
    for row, (piece, opened) in enumerate([(song[:25], (72,)), (tune, (72, 105, 33)), ([*song[:1], *tune[1:]], ())]):
        alone = SheetStream.open(tiny_sheet, 1)
        alone.feed([np.array(piece)])
        np.testing.assert_allclose(together[row], alone.begin([opened])[0], atol=CLOSE)


def test_going_back_is_never_having_been_there(tiny_sheet: Bundle):
    song, tune = examples(96)
    stream = SheetStream.open(tiny_sheet, 2)
    stream.feed([song[:12], song[:12]])
    opening(stream)
    stream.rollback(0, 5)
    stream.feed([tune[3:6], song[12:14]])
    never = SheetStream.open(tiny_sheet, 2)
    never.feed([np.concatenate([song[:5], tune[3:6]]), song[:14]])
    np.testing.assert_allclose(opening(stream), opening(never), atol=CLOSE)
    with pytest.raises(ValueError, match="where it has been"):
        stream.rollback(1, 15)


def test_rows_that_wait_stay_where_they_are(tiny_sheet: Bundle):
    song, _ = examples(96)
    stream = SheetStream.open(tiny_sheet, 2)
    stream.feed([song[:9], song[:9]])
    opening(stream)
    stream.write(np.array([65, 0]), np.array([True, False]))
    after = stream.write(np.array([66, 65]), np.array([True, True]))
    alone = SheetStream.open(tiny_sheet, 1)
    alone.feed([song[:9]])
    opening(alone)
    np.testing.assert_allclose(after[1], alone.write(np.array([65]))[0], atol=CLOSE)


def test_kept_rows_go_on(tiny_sheet: Bundle):
    song, tune = examples(96)
    stream = SheetStream.open(tiny_sheet, 3)
    stream.feed([song[:9], tune[:7], song[:4]])
    kept = stream.keep(np.array([1, 1, 0]))
    kept.feed([tune[7:9], song[:0], song[:0]])
    alone = SheetStream.open(tiny_sheet, 1)
    alone.feed([tune[:7]])
    np.testing.assert_allclose(opening(kept)[1], opening(alone)[0], atol=CLOSE)
    alone.feed([tune[7:9]])
    np.testing.assert_allclose(opening(kept)[0], opening(alone)[0], atol=CLOSE)
