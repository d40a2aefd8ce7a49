"""Reward networks: what they read, and that padding is never part of it."""

import pytest
import torch

from sideman.models.build import ModelFile, build, load_checkpoint, parameters, save_checkpoint
from sideman.models.reward import (
    ContrastiveModel,
    DiscriminativeModel,
    RewardConfig,
    framed,
    pitch_features,
    rhythm_tokens,
)
from sideman.models.transformer import StackConfig, published_stack
from sideman.music.vocabulary import own_vocabulary

V = own_vocabulary()
TINY = StackConfig(width=16, depth=2, heads=2, head_width=8, ff_width=32, rotary_width=8, dropout=0.0, causal=False)


def example(rows: int = 3, frames: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Melody and chord frames; the second row is two frames shorter."""
    draw = torch.Generator().manual_seed(0)
    melody = torch.randint(132, 260, (rows, frames), generator=draw)
    chords = torch.randint(260, V.size, (rows, frames), generator=draw)
    melody[1, -2:] = chords[1, -2:] = 0
    return melody, chords


def test_sequences_end_at_the_first_pad():
    assert framed(torch.tensor([[7, 8, 9], [7, 0, 0], [0, 0, 0], [7, 0, 9]])).tolist() == [
        [1, 7, 8, 9, 2],
        [1, 7, 2, 0, 0],
        [1, 2, 0, 0, 0],
        [1, 7, 2, 9, 0],
    ]


def test_rhythm_knows_six_ids():
    on = V.chord_on
    tokens = torch.tensor([0, 1, 2, 3, 4, 131, 132, 259, 260, on - 1, on, V.size - 1])
    assert rhythm_tokens(tokens, V.size).tolist() == [0, 1, 2, 3, 5, 5, 4, 4, 5, 5, 4, 4]


def test_tones_of_tokens():
    features = pitch_features(V)
    names = {name: n for n, name in enumerate(V.names)}
    assert features[3].sum() == 0
    assert features[132 + 62].nonzero().flatten().tolist() == [2]
    assert features[V.chord_on + names["C/E"]].nonzero().flatten().tolist() == [0, 4, 7, 12 + 4]
    assert torch.equal(features[260 : V.chord_on], features[V.chord_on :])


@pytest.mark.parametrize("options", [{}, {"rhythm": True}, {"pitch_classes": True}, {"aligned": True}], ids=str)
def test_padding_changes_nothing(options: dict[str, bool]):
    config = RewardConfig(V.size, TINY, **options)
    melody, chords = example()
    wide = [torch.nn.functional.pad(x, (0, 5)) for x in (melody, chords)]
    torch.manual_seed(0)
    judge = DiscriminativeModel(config, V).eval()
    if not options.get("aligned"):
        # Read one after the other, the places of the second part would move with the padding of the first.
        assert torch.allclose(judge(None, framed(chords)), judge(None, framed(wide[1])), atol=1e-5)
        near = ContrastiveModel(config, V).eval()
        for a, b in zip(near(framed(melody), framed(chords)), near(*map(framed, wide)), strict=True):
            assert torch.allclose(a, b, atol=1e-5)
    else:
        assert torch.allclose(judge(framed(melody), framed(chords)), judge(*map(framed, wide)), atol=1e-5)


def test_vectors_are_units_and_the_scale_starts_at_one_over_007():
    left, right, scale = ContrastiveModel(RewardConfig(V.size, TINY), V).eval()(*map(framed, example()))
    assert torch.allclose(left.norm(dim=-1), torch.ones(3))
    assert torch.allclose(right.norm(dim=-1), torch.ones(3))
    assert float(scale.detach()) == pytest.approx(1 / 0.07)


def test_published_sizes():
    """Six layers of the published encoder hold 23,625,216 numbers."""
    stack = published_stack(512, 6, 6, causal=False)
    projection = 2 * (512 * 512 + 512)
    files = {kind: ModelFile(kind, reward=RewardConfig(V.size, stack)) for kind in ("contrastive", "discriminative")}
    assert parameters(build(files["contrastive"])) == 2 * (23_625_216 + 512 * V.size + projection) + 1
    assert parameters(build(files["discriminative"])) == 23_625_216 + 512 * V.size + 1026


@pytest.mark.parametrize("kind", ["contrastive", "discriminative"])
def test_a_checkpoint_gives_the_same_network(kind: str, tmp_path):
    file = ModelFile(kind, reward=RewardConfig(V.size, TINY, pitch_classes=True))
    model = build(file).eval()
    save_checkpoint(tmp_path, file, model)
    stored, loaded = load_checkpoint(tmp_path)
    assert stored == file
    melody, chords = map(framed, example())
    a, b = model(melody, chords), loaded(melody, chords)
    assert torch.equal(a[0], b[0])
