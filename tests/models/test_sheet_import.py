"""`sideman models import notagen`: the shapes of all published files, small; what is passed over, what is refused."""

import pickle
from pathlib import Path

import pytest
import torch
from sheet_golden import published_shapes

from sideman.cli import run
from sideman.engine.bundle import load_bundle
from sideman.errors import UnreadableFile
from sideman.models.build import load_checkpoint
from sideman.models.published import WrongWeights
from sideman.models.published_prompts import knows_prompts, published_prompts
from sideman.models.published_sheet import published_state, read_sheet
from sideman.models.sheet import SheetConfig, SheetModel, published_sheet

# The published files (NotaGen spec 3.4): name, depths of both decoders, length.
_SMALL = "weights_notagen_pretrain_p_size_16_p_length_2048_p_layers_"
_LARGE = "_p_size_16_p_length_1024_p_layers_20_c_layers_6_h_size_1280_lr_"
FILES = {
    "small": (f"{_SMALL}12_c_layers_3_h_size_768_lr_0.0002_batch_8.pth", 12, 3, 2048),
    "medium": (f"{_SMALL}16_c_layers_3_h_size_1024_lr_0.0001_batch_4.pth", 16, 3, 2048),
    "large": (f"weights_notagen_pretrain{_LARGE}0.0001_batch_4.pth", 20, 6, 1024),
    "fine-tuned": (f"weights_notagen_pretrain-finetune{_LARGE}1e-05_batch_1.pth", 20, 6, 1024),
    "dpo": (f"weights_notagen_pretrain-finetune-RL3_beta_0.1_lambda_10{_LARGE}1e-06_batch_1.pth", 20, 6, 1024),
    "x": ("weights_notagenx_p_size_16_p_length_1024_p_layers_20_h_size_1280.pth", 20, 6, 1024),
}
ENTRIES = {"small": 191, "medium": 239, "large": 323}
TINY = published_sheet(64, 2, 1, 32)


def state_of(config: SheetConfig, seed: int = 0) -> dict[str, torch.Tensor]:
    """A published state dict of random numbers, with the entries no network needs."""
    torch.manual_seed(seed)
    state = {name: 0.05 * torch.randn(shape) for name, shape in published_shapes(config).items()}
    state["char_level_decoder.base.lm_head.weight"] = state["char_level_decoder.base.transformer.wte.weight"]
    return state


def saved(path: Path, state: dict[str, torch.Tensor]) -> Path:
    torch.save({"model": state, "epoch": 3, "best_epoch": 2, "min_eval_loss": 0.5, "optimizer": {"state": {}}}, path)
    return path


@pytest.mark.parametrize("size", FILES)
def test_every_published_shape_comes_in(size: str, tmp_path: Path):
    name, patch_depth, char_depth, length = FILES[size]
    state = state_of(published_sheet(64, patch_depth, char_depth, length))
    if size in ENTRIES:
        assert len(state) == ENTRIES[size]
    model, report = read_sheet(saved(tmp_path / name, state))
    assert report.config == published_sheet(64, patch_depth, char_depth, length)
    assert set(report.extra) == {"patch_level_decoder.base.wte.weight", "char_level_decoder.base.lm_head.weight"}
    ours = published_state(model.state_dict())
    assert all(torch.equal(tensor, state[name]) for name, tensor in ours.items())
    assert not model.training


@pytest.mark.parametrize(
    ("size", "width", "parameters"),
    [("small", 768, 109_579_776), ("medium", 1024, 243_677_184), ("large", 1280, 515_738_880)],
)
def test_full_sizes_have_the_published_number_of_parameters(size: str, width: int, parameters: int):
    _, patch_depth, char_depth, length = FILES[size]
    with torch.device("meta"):
        model = SheetModel(published_sheet(width, patch_depth, char_depth, length))
    unused = width  # the word table that the patch decoder never reads
    assert sum(weight.numel() for weight in model.parameters()) + unused == parameters


def test_which_files_know_prompts():
    assert {size for size, (name, *_) in FILES.items() if knows_prompts(name)} == {"fine-tuned", "dpo", "x"}
    assert len(set(published_prompts())) == 112
    assert ("Romantic", "Holmes, Augusta Mary Anne", "Art Song") in published_prompts()


def test_it_composes_and_remembers_where_it_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path / "home"))
    path = saved(tmp_path / FILES["x"][0], state_of(TINY))
    keep = tmp_path / "kept"
    assert run(["models", "import", "notagen", str(path), "--name", "x", "--fp32", "--checkpoint", str(keep)]) == 0
    said = capsys.readouterr().err
    assert "patch decoder 2 x 64, 1 heads, 32 patches; character decoder 1 x 64" in said
    assert "passed over: " in said
    assert "knows 112 prompts" in said
    bundle = load_bundle(tmp_path / "home" / "models" / "x", threads=1)
    assert (bundle.file.kind, bundle.file.window, len(bundle.file.prompts)) == ("sheet", 32, 112)
    assert load_checkpoint(keep)[0].trained["source"] == path.name


def test_extra_buffers_and_a_bare_state_dict_are_read(tmp_path: Path):
    state = state_of(TINY)
    for roof in ("patch_level_decoder.base", "char_level_decoder.base.transformer"):
        state[f"{roof}.h.0.attn.bias"] = torch.ones(1, 1, 8, 8)
        state[f"{roof}.h.0.attn.masked_bias"] = torch.tensor(-1e4)
    torch.save(state, tmp_path / "bare.pth")
    _, report = read_sheet(tmp_path / "bare.pth")
    assert len(report.extra) == 6


def test_what_does_not_fit_is_named(tmp_path: Path):
    state = state_of(TINY)
    lacking = {name: tensor for name, tensor in state.items() if not name.endswith("h.1.mlp.c_fc.bias")}
    with pytest.raises(WrongWeights, match=r"1 missing: patch_level_decoder\.base\.h\.1\.mlp\.c_fc\.bias"):
        read_sheet(saved(tmp_path / "a.pth", lacking))
    name = "char_level_decoder.base.transformer.wpe.weight"
    with pytest.raises(WrongWeights, match=r"wpe\.weight is \[5, 64\] instead of \[17, 64\]"):
        read_sheet(saved(tmp_path / "b.pth", state | {name: torch.zeros(5, 64)}))
    with pytest.raises(WrongWeights, match="not finite"):
        read_sheet(saved(tmp_path / "c.pth", state | {name: torch.full((17, 64), torch.nan)}))
    with pytest.raises(WrongWeights, match=r"lacks patch_level_decoder\.base\.wpe\.weight"):
        read_sheet(saved(tmp_path / "d.pth", {"encoder.weight": torch.zeros(2, 2)}))


class Harm:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("harm",))


def test_code_in_a_file_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "bad.pth").write_bytes(pickle.dumps({"model": Harm()}))
    with pytest.raises(UnreadableFile):
        read_sheet(tmp_path / "bad.pth")
    assert "harm" not in capsys.readouterr().out
    with pytest.raises(UnreadableFile, match="There is no file"):
        read_sheet(tmp_path / "nothing.pth")
