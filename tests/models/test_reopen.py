"""A bundle can be taken back into torch: exported again it is the same bundle, and training can begin from it."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from sideman.engine.bundle import load_bundle
from sideman.errors import UnknownModel
from sideman.files import write_atomic
from sideman.models.build import ModelFile, build, load_checkpoint, save_checkpoint
from sideman.models.export import bundle_logits, export_bundle, torch_logits
from sideman.models.offline import OfflineConfig
from sideman.models.online import OnlineConfig
from sideman.models.sheet import SheetConfig, published_sheet
from sideman.models.transformer import StackConfig, published_stack
from sideman.music.vocabulary import own_vocabulary

SIZE = own_vocabulary().size
STACK = StackConfig(width=32, depth=2, heads=2, head_width=16, ff_width=48, rotary_width=16, dropout=0.0)
CROSS = published_stack(32, 1, 1, causal=False, t5=True), published_stack(32, 1, 1, causal=True, t5=True, cross=True)
LISTENING = msgspec.structs.replace(STACK, causal=False)
LAYERED = msgspec.structs.replace(STACK, norm="layer")
CHARS = StackConfig(24, 1, 1, 24, 32, norm="layer", positions="learned", span=17)
FILES = {
    "online": ModelFile("online", online=OnlineConfig(SIZE, STACK), trained={"step": 3}),
    "melody": ModelFile("online", part="melody", online=OnlineConfig(SIZE, STACK, form=False)),
    "offline": ModelFile("offline", offline=OfflineConfig(SIZE, LISTENING, STACK)),
    "cross": ModelFile("offline", offline=OfflineConfig(SIZE, *CROSS, form=False, tied=False, aligned=False)),
    "sheet": ModelFile("sheet", sheet=SheetConfig(LAYERED, CHARS, 64), prompts=(("a", "b", "c"),), trained={"step": 3}),
    "clock": ModelFile("sheet", sheet=SheetConfig(LAYERED, CHARS, 64, clock=True)),
    "gpt2": ModelFile("sheet", sheet=published_sheet(64, 1, 1, 64)),
}


@pytest.mark.parametrize("int8", [True, False], ids=["int8", "fp32"])
@pytest.mark.parametrize("name", FILES)
def test_exported_again_it_is_the_same(name: str, int8: bool, tmp_path: Path):
    torch.manual_seed(3)
    made = build(FILES[name])
    for part, weight in made.named_parameters():
        if "clock" in part:  # which says nothing at first
            torch.nn.init.normal_(weight)
    save_checkpoint(tmp_path / "first", FILES[name], made)
    export_bundle(tmp_path / "first", tmp_path / "bundle", "x", int8)
    file, model = load_checkpoint(tmp_path / "bundle")
    assert file == FILES[name]
    if not int8:  # which quantises what flows between the weights too
        np.testing.assert_allclose(torch_logits(model), bundle_logits(load_bundle(tmp_path / "bundle")), atol=1e-4)
    save_checkpoint(tmp_path / "second", file, model)
    export_bundle(tmp_path / "second", tmp_path / "again", "x", int8)
    assert load_bundle(tmp_path / "again").file.files == load_bundle(tmp_path / "bundle").file.files


def test_a_bundle_that_does_not_say_what_it_holds(tmp_path: Path):
    save_checkpoint(tmp_path / "first", FILES["online"], build(FILES["online"]))
    export_bundle(tmp_path / "first", tmp_path / "bundle", "x")
    described = msgspec.json.decode((tmp_path / "bundle" / "bundle.json").read_bytes())
    write_atomic(tmp_path / "bundle" / "bundle.json", msgspec.json.encode(described | {"network": {}}))
    with pytest.raises(UnknownModel, match="does not say"):
        load_checkpoint(tmp_path / "bundle")
