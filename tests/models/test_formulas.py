"""The transformer against its formulas (spec 4.1), worked out in numpy."""

import math

import numpy as np
import pytest
import torch

from sideman.models.transformer import (
    Attention,
    FeedForward,
    Norm,
    StackConfig,
    Transformer,
    published_stack,
    rotate,
    t5_buckets,
)

RNG = np.random.default_rng(0)
CLOSE = 1e-5


def array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().double().numpy()


def random(*shape: int) -> torch.Tensor:
    return torch.from_numpy(RNG.normal(size=shape)).float()


def test_simple_norm_is_the_root_of_the_width_times_the_unit_vector():
    x = random(2, 3, 8)
    expected = math.sqrt(8) * array(x) / np.linalg.norm(array(x), axis=-1, keepdims=True)
    np.testing.assert_allclose(array(Norm(8, "simple")(x)), expected, atol=CLOSE)
    assert not list(Norm(8, "simple").parameters())


def test_norm_of_nothing_is_nothing():
    assert (Norm(8, "simple")(torch.zeros(1, 8)) == 0).all()


def test_gain_multiplies():
    norm, x = Norm(8, "gain"), random(2, 8)
    norm.gain.data = torch.arange(8.0)
    np.testing.assert_allclose(array(norm(x)), array(Norm(8, "simple")(x)) * np.arange(8), atol=CLOSE)


def numpy_rotary(x: np.ndarray, positions: np.ndarray, width: int) -> np.ndarray:
    """Pairs (0, 1), (2, 3) .. of the first `width` dims turn by position * 10000^(-2i/width)."""
    out = x.copy()
    for i in range(width // 2):
        angle = positions * 10000.0 ** (-2 * i / width)
        a, b = x[..., 2 * i], x[..., 2 * i + 1]
        out[..., 2 * i], out[..., 2 * i + 1] = (
            a * np.cos(angle) - b * np.sin(angle),
            b * np.cos(angle) + a * np.sin(angle),
        )
    return out


@pytest.mark.parametrize("width", [4, 8])
def test_rotary_turns_adjacent_pairs_of_the_first_dims(width: int):
    stack = Transformer(StackConfig(width=8, depth=1, heads=1, head_width=8, rotary_width=width))
    positions, x = torch.tensor([0, 1, 5, 300]), random(2, 1, 4, 8)
    turned = rotate(x, *stack.angles(positions))
    np.testing.assert_allclose(array(turned), numpy_rotary(array(x), positions.numpy(), width), atol=2e-5)
    assert (turned[..., width:] == x[..., width:]).all()


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def numpy_attention(
    attention: Attention, x: np.ndarray, context: np.ndarray, turn: int, bias: np.ndarray
) -> np.ndarray:
    """Cosine attention: unit queries and keys times their gains, turned, logits 10 q.k + bias."""
    heads, width = attention.config.heads, attention.config.head_width

    def split(y: np.ndarray, weight: torch.Tensor) -> np.ndarray:
        return (y @ array(weight).T).reshape(*y.shape[:2], heads, width).transpose(0, 2, 1, 3)

    q, k, v = (
        split(x, attention.query.weight),
        split(context, attention.key.weight),
        split(context, attention.value.weight),
    )
    q = q / np.linalg.norm(q, axis=-1, keepdims=True) * array(attention.query_scale)
    k = k / np.linalg.norm(k, axis=-1, keepdims=True) * array(attention.key_scale)
    if turn:
        q, k = (numpy_rotary(y, np.arange(y.shape[2]), turn) for y in (q, k))
    mixed = softmax(10 * q @ k.transpose(0, 1, 3, 2) + bias) @ v
    return mixed.transpose(0, 2, 1, 3).reshape(*x.shape[:2], heads * width) @ array(attention.out.weight).T


def numpy_feed_forward(ff: FeedForward, x: np.ndarray) -> np.ndarray:
    value, gate = np.split(x @ array(ff.rise.weight).T + array(ff.rise.bias), 2, -1)
    return (value * gate / (1 + np.exp(-gate))) @ array(ff.fall.weight).T + array(ff.fall.bias)


def numpy_norm(x: np.ndarray) -> np.ndarray:
    return math.sqrt(x.shape[-1]) * x / np.linalg.norm(x, axis=-1, keepdims=True)


def published(**changes: bool) -> Transformer:
    """A small stack with the published switches and no weight at its start value."""
    stack = Transformer(published_stack(16, 2, 2, dropout=0.0, **changes)).eval()
    with torch.no_grad():
        for weight in stack.parameters():
            weight.copy_(random(*weight.shape) * 0.4)
    return stack


def closed_above(length: int) -> np.ndarray:
    return np.where(np.tri(length, dtype=bool), 0.0, -np.inf)


def test_a_published_online_stack():
    stack, x = published(causal=True), random(2, 6, 16)
    y = array(x)
    for block in stack.layers:
        y = y + numpy_attention(block.attention, numpy_norm(y), numpy_norm(y), 32, closed_above(6))
        y = y + numpy_feed_forward(block.ff, numpy_norm(y))
    np.testing.assert_allclose(array(stack(x)), numpy_norm(y), atol=2e-5)


def test_a_published_decoder_with_cross_attention():
    """The position bias is a table row times 8, for all layers; cross-attention has neither bias nor rotary."""
    stack, x, context = published(causal=True, t5=True, cross=True), random(2, 20, 16), random(2, 5, 16)
    buckets = np.array([[golden_causal(i - j) for j in range(20)] for i in range(20)])
    bias = 8 * array(stack.bias.weight)[buckets].transpose(2, 0, 1) + closed_above(20)
    y = array(x)
    for block in stack.layers:
        y = y + numpy_attention(block.attention, numpy_norm(y), numpy_norm(y), 0, bias)
        y = y + numpy_attention(block.cross, numpy_norm(y), array(context), 0, np.zeros(1))
        y = y + numpy_feed_forward(block.ff, numpy_norm(y))
    np.testing.assert_allclose(array(stack(x, context=context)), numpy_norm(y), atol=2e-5)


def golden_causal(distance: int) -> int:
    n = max(distance, 0)
    return n if n < 16 else min(31, 16 + int(math.log(n / 16) / math.log(128 / 16) * 16))


def test_causal_t5_buckets():
    distances = [-300, -1, 0, 1, 15, 16, 17, 18, 19, 20, 31, 33, 63, 65, 100, 127, 128, 300]
    golden = [0, 0, 0, 1, 15, 16, 16, 16, 17, 17, 21, 21, 26, 26, 30, 31, 31, 31]
    assert t5_buckets(torch.tensor(distances), causal=True).tolist() == golden
    assert [golden_causal(n) for n in distances] == golden


def test_bidirectional_t5_buckets():
    distances = [0, 1, 7, 8, 11, 12, 15, 16, 22, 23, 31, 45, 46, 63, 90, 91, 127, 128, 300]
    golden = [0, 1, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 13, 13, 14, 15, 15, 15, 15]
    ahead = t5_buckets(-torch.tensor(distances), causal=False).tolist()
    assert t5_buckets(torch.tensor(distances), causal=False).tolist() == golden
    assert ahead == [0, *(g + 16 for g in golden[1:])]


def test_padding_changes_nothing_before_it():
    for causal, t5 in ((True, False), (False, False), (False, True), (True, True)):
        stack, x = published(causal=causal, t5=t5), random(2, 7, 16)
        mask = torch.ones(2, 7, dtype=torch.bool)
        mask[1, 4:] = False
        padded = stack(x, mask=mask)
        np.testing.assert_allclose(array(padded[0]), array(stack(x[:1])[0]), atol=CLOSE)
        np.testing.assert_allclose(array(padded[1, :4]), array(stack(x[1:, :4])[0]), atol=CLOSE)


def test_attention_adds_nothing_at_masked_queries():
    """Effect 2 of the masks: such a row keeps its state but for the feed-forward."""
    stack, x = published(causal=False), random(1, 5, 16)
    mask = torch.tensor([[True, True, True, False, False]])
    y = array(x)
    for block in stack.layers:
        y = y + numpy_feed_forward(block.ff, numpy_norm(y))
    np.testing.assert_allclose(array(stack(x, mask=mask))[:, 3:], numpy_norm(y)[:, 3:], atol=CLOSE)


def test_nothing_looks_at_masked_context():
    stack, x, context = published(causal=True, t5=True, cross=True), random(1, 3, 16), random(1, 6, 16)
    mask = torch.tensor([[True, True, True, True, False, False]])
    masked = stack(x, context=context, context_mask=mask)
    np.testing.assert_allclose(array(masked), array(stack(x, context=context[:, :4])), atol=CLOSE)


def test_dropout_is_for_training_alone():
    stack = Transformer(published_stack(16, 1, 2, causal=True))
    x = random(1, 4, 16)
    assert (stack.eval()(x) == stack(x)).all()
    assert (stack.train()(x) != stack(x)).any()
