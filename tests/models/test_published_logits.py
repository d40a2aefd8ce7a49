"""Imported networks give the logits of the published formulas to 1e-4, as modules and as bundles."""

from pathlib import Path

import numpy as np
import published_formulas as formulas
import pytest
import torch
from published_states import FAMILY, NAMES, SHAPES, V, random_state, save_as

from sideman.engine.bundle import load_bundle
from sideman.engine.stream import Stream
from sideman.models.build import build, parameters
from sideman.models.published import read_published, tensor_names
from sideman.models.published_file import read_weights
from sideman.models.published_import import import_bundle
from sideman.music.vocabulary import BOS, EOS, PAD

CLOSE = 1e-4
RNG = np.random.default_rng(0)


def imported(kind: str, folder: Path, dtype: torch.dtype = torch.float32, **sizes: int):
    """(the formulas' state dict, our network, its description)."""
    state = random_state(SHAPES[kind](**sizes), dtype=dtype)
    path = save_as("rl actor" if dtype == torch.bfloat16 else "converted", state, folder / "weights")
    file, model = read_published(read_weights(path), FAMILY[kind], NAMES)
    return {name: tensor.double().numpy() for name, tensor in state.items()}, model, file


def part(rows: int, length: int, low: int, high: int, real: list[int]) -> np.ndarray:
    """BOS, random tokens, EOS; PAD after `real` tokens of a row."""
    tokens = RNG.integers(low, high, (rows, length))
    tokens[:, 0] = BOS
    for row, count in enumerate(real):
        tokens[row, count - 1], tokens[row, count:] = EOS, PAD
    return tokens


def melody_and_chords(length: int = 40) -> tuple[np.ndarray, np.ndarray]:
    return part(2, length, 3, 260, [length, 25]), part(2, length, 260, V, [length, 22])


def same(ours: torch.Tensor, theirs: np.ndarray) -> None:
    assert theirs.std() > 100 * CLOSE
    np.testing.assert_allclose(ours.detach().double().numpy(), theirs, atol=CLOSE)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("masked", [False, True])
def test_online(dtype: torch.dtype, masked: bool, tmp_path: Path):
    """Masked as in training: padding, and the last real place of each row (spec 5.1); and one in the middle."""
    state, model, _ = imported("online", tmp_path, dtype)
    tokens = part(3, 60, 3, V, [60, 31, 60])
    mask = None
    if masked:
        mask = np.pad(tokens[:, 1:] > EOS, ((0, 0), (0, 1)))
        mask[2, [0, 1, 20]] = False
    ours = model(torch.from_numpy(tokens), mask=None if mask is None else torch.from_numpy(mask))
    same(ours, formulas.online(state, tokens, mask))


def test_frequencies_are_the_file_s(tmp_path: Path):
    """In bf16 the second is 0.5625, exactly it is 0.5623: recomputed, logits far from the start would be others."""
    state, model, _ = imported("online", tmp_path, torch.bfloat16)
    assert float(model.stack.frequencies[1]) == 0.5625
    tokens = part(1, 120, 3, V, [120])
    exact = state | {"decoder.attn_layers.rotary_pos_emb.inv_freq": 10000.0 ** (-np.arange(16) / 16)}
    ours = model(torch.from_numpy(tokens)).detach().numpy()
    assert np.abs(ours - formulas.online(exact, tokens)).max() > 10 * CLOSE


@pytest.mark.parametrize("masked", [False, True])
def test_offline(masked: bool, tmp_path: Path):
    """Over distances in every bucket; a row whose whole melody is masked finds nothing there, and no NaN."""
    state, model, _ = imported("offline", tmp_path)
    melody, chords = part(3, 150, 3, 260, [150, 140, 150]), part(3, 145, 260, V, [145, 9, 145])
    masks = (melody != PAD, chords != PAD)
    masks[0][2] = False
    both = [torch.from_numpy(m) if masked else None for m in masks]
    ours = model(torch.from_numpy(melody), torch.from_numpy(chords), None, *both)
    same(ours, formulas.offline(state, melody, chords, *(masks if masked else ())))


@pytest.mark.parametrize("tokens", [V, 6], ids=["chords", "rhythm"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_rewards(tokens: int, dtype: torch.dtype, tmp_path: Path):
    melody, chords = melody_and_chords()
    fed = [rhythm(x) if tokens == 6 else x for x in (melody, chords)]
    given = [torch.from_numpy(x) for x in (melody, chords)]
    state, judge, file = imported("discriminative", tmp_path, dtype, tokens=tokens)
    assert file.reward.rhythm == (tokens == 6)
    same(judge(*given), formulas.discriminative(state, *fed))
    state, near, _ = imported("contrastive", tmp_path, dtype, tokens=tokens)
    for ours, theirs in zip(near(*given)[:2], formulas.contrastive(state, *fed)[:2], strict=True):
        same(ours, theirs)
    assert float(near(*given)[2].detach()) == pytest.approx(formulas.contrastive(state, *fed)[2], rel=1e-5)


def rhythm(tokens: np.ndarray) -> np.ndarray:
    """Spec 5.1: any onset 4, any hold 5."""
    onset = ((tokens >= 132) & (tokens < 260)) | (tokens >= 260 + len(NAMES))
    return np.where(tokens <= 3, tokens, np.where(onset, 4, 5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_online_bundle(dtype: torch.dtype, tmp_path: Path):
    """Fed in chunks, with a detour that is taken back."""
    state = random_state(SHAPES["online"](), dtype=dtype)
    bundle = exported("online", state, tmp_path)
    tokens = part(2, 150, 3, V, [150, 150])
    stream, no_form = Stream.open(bundle, 2), np.zeros((2, 150, 3), np.int64)
    got = [stream.feed(tokens[:, :70], no_form[:, :70])]
    stream.feed(tokens[:, 9:30], no_form[:, 9:30])
    stream.rollback(np.array([70, 70]))
    got += [stream.feed(tokens[:, at : at + 8], no_form[:, at : at + 8]) for at in range(70, 150, 8)]
    theirs = formulas.online({name: t.double().numpy() for name, t in state.items()}, tokens)
    np.testing.assert_allclose(np.concatenate(got, 1), theirs, atol=CLOSE)


def test_offline_bundle(tmp_path: Path):
    """Rows at different places of one melody; the bias reaches over what is cached."""
    state = random_state(SHAPES["offline"]())
    bundle = exported("offline", state, tmp_path)
    melody, chords = part(1, 162, 3, 260, [162]), part(2, 150, 260, V, [150, 150])
    memory = bundle.remember(melody[0, 1:-1], np.zeros((160, 3), np.int64))
    stream = Stream.open(bundle, 2)
    got = [stream.feed(chords[:, :40], memory)]
    stream.rollback(np.array([40, 10]))  # the second row goes back further
    again = np.stack([chords[0, 40:50], chords[1, 10:20]])
    uneven = stream.feed(again, memory)
    stream.rollback(np.array([40, 20]))
    stream.feed(np.stack([chords[0, 40:60], chords[1, 20:40]]), memory)
    stream.rollback(np.array([40, 40]))
    got += [stream.feed(chords[:, at : at + 10], memory) for at in range(40, 150, 10)]
    plain = {name: tensor.double().numpy() for name, tensor in state.items()}
    theirs = formulas.offline(plain, np.repeat(melody, 2, 0), chords)
    np.testing.assert_allclose(np.concatenate(got, 1), theirs, atol=CLOSE)
    np.testing.assert_allclose(uneven, np.stack([theirs[0, 40:50], theirs[1, 10:20]]), atol=CLOSE)


def exported(kind: str, state: dict[str, torch.Tensor], folder: Path):
    path = save_as("lightning", state, folder / "step=1.ckpt")
    import_bundle(path, FAMILY[kind], NAMES, folder / "bundle", "x", int8=False)
    return load_bundle(folder / "bundle", threads=1)


@pytest.mark.parametrize(
    ("kind", "tensors", "numbers", "a_token", "sizes"),
    [
        ("online", 83, 33_599_488, 1_024, {"depth": 8, "heads": 8}),
        ("offline", 213, 75_596_288, 1_536, {"depth": 8, "heads": 8}),
        ("contrastive", 133, 2 * (23_625_216 + 2 * (512 * 513)) + 1, 1_024, {"depth": 6, "heads": 6}),
        ("discriminative", 64, 23_625_216 + 1_026, 512, {"depth": 6, "heads": 6}),
    ],
)
def test_published_sizes(kind: str, tensors: int, numbers: int, a_token: int, sizes: dict[str, int], tmp_path: Path):
    """At full size: as many tensors as spec 4.3 counts, as many numbers as 4.2, and all shapes are ours."""
    shapes = SHAPES[kind](width=512, **sizes)
    assert len(shapes) == tensors
    _, _, small = imported(kind, tmp_path)
    file = at_full_size(small, sizes)
    with torch.device("meta"):
        model = build(file)
    assert parameters(model) == numbers + a_token * V
    ours = {tensor_names(file)[name]: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    assert ours == shapes


def at_full_size(file, sizes: dict[str, int]):
    import msgspec

    def grown(stack):
        return msgspec.structs.replace(stack, width=512, ff_width=2048, **sizes)

    config = getattr(file, "reward" if file.reward else file.kind)
    stacks = {name: grown(getattr(config, name)) for name in ("stack", "encoder", "decoder") if hasattr(config, name)}
    field = "reward" if file.reward else file.kind
    return msgspec.structs.replace(file, **{field: msgspec.structs.replace(config, **stacks)})
