"""A bundle names the checkpoint it was exported from, and gives its logits."""

from pathlib import Path

import numpy as np
import pytest

from sideman.engine.bundle import fingerprint, load_bundle
from sideman.models.build import load_checkpoint
from sideman.models.export import MAX_FP32_DIFFERENCE, bundle_logits, torch_logits


@pytest.mark.parametrize("kind", ["online", "offline", "cross"])
def test_fingerprint_and_logits(kind: str, tiny_folders: dict[str, Path]):
    bundle = load_bundle(tiny_folders[kind] / "bundle", threads=1)
    checkpoint = tiny_folders[kind] / "checkpoint"
    assert bundle.file.checkpoint == fingerprint(checkpoint / "model.safetensors") != ""
    file, model = load_checkpoint(checkpoint)
    assert bundle.vocabulary == file.vocabulary
    ours, theirs = bundle_logits(bundle), torch_logits(model)
    np.testing.assert_allclose(ours, theirs, atol=MAX_FP32_DIFFERENCE)
    assert theirs.std() > 100 * MAX_FP32_DIFFERENCE
