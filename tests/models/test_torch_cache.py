"""Networks fed piece by piece through their cache give what they give at once, on every path through attention."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from sideman.models.offline import OfflineConfig, OfflineModel
from sideman.models.online import OnlineConfig, OnlineModel
from sideman.models.transformer import StackConfig, published_stack

TOKENS, LENGTH = 40, 24
OWN = StackConfig(width=16, depth=2, heads=2, head_width=8, ff_width=24, rotary_width=8, dropout=0.0)
OWN_ENCODER = StackConfig(width=16, depth=1, heads=2, head_width=8, ff_width=24, rotary_width=8, causal=False)
# One at a time; all but one at once; several at once with a filled cache, where SDPA's own causal mask would be
# aligned to the wrong end; uneven.
CHUNKS = ((1,) * LENGTH, (LENGTH - 1, 1), (8, 8, 8), (1, 2, 3, 5, 7, 6), (20, 4))


def randomised(model: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(3)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=0.4)
    return model.eval()


def online(stack: StackConfig) -> OnlineModel:
    return randomised(OnlineModel(OnlineConfig(TOKENS, stack, tied=False)))


def offline(encoder: StackConfig, decoder: StackConfig) -> OfflineModel:
    return randomised(OfflineModel(OfflineConfig(TOKENS, encoder, decoder, tied=False, aligned=not decoder.cross)))


def tokens(length: int = LENGTH) -> Tensor:
    return torch.randint(TOKENS, (2, length), generator=torch.Generator().manual_seed(5))


def pieces(chunks: tuple[int, ...]) -> list[slice]:
    edges = [sum(chunks[:i]) for i in range(len(chunks) + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
@pytest.mark.parametrize("stack", [OWN, published_stack(16, 2, 2, causal=True)], ids=["own", "published"])
@torch.inference_mode()
def test_online(stack: StackConfig, chunks: tuple[int, ...]):
    model, x = online(stack), tokens()
    form = torch.randint(9, (2, LENGTH, 3))
    whole, cache = model(x, form), model.cache(2, LENGTH)
    parts = [model(x[:, s], form[:, s], cache=cache, at=s.start) for s in pieces(chunks)]
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=2e-5, rtol=0)


@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
@pytest.mark.parametrize("kind", ["own", "published"])
@torch.inference_mode()
def test_offline(kind: str, chunks: tuple[int, ...]):
    stacks = {
        "own": (OWN_ENCODER, OWN),
        "published": (
            published_stack(16, 1, 2, causal=False, t5=True),
            published_stack(16, 2, 2, causal=True, t5=True, cross=True),
        ),
    }
    model, chords, melody = offline(*stacks[kind]), tokens(), tokens(LENGTH + 2)
    whole, encoded, cache = model(melody, chords), model.encode(melody), model.cache(2, LENGTH)
    parts = [model.decode(chords[:, s], encoded, cache=cache, at=s.start) for s in pieces(chunks)]
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=5e-5, rtol=0)


@torch.inference_mode()
def test_cutting_back_is_writing_over():
    model, x = online(OWN), tokens()
    cache = model.cache(2, LENGTH)
    model(x[:, :12], cache=cache, at=0)
    model((x[:, 12:18] + 1) % TOKENS, cache=cache, at=12)
    torch.testing.assert_close(model(x[:, 12:], cache=cache, at=12), model(x)[:, 12:], atol=2e-5, rtol=0)


@torch.inference_mode()
def test_what_comes_later_changes_nothing():
    model, x = online(published_stack(16, 2, 2, causal=True)), tokens()
    other = x.clone()
    other[:, 15:] = (other[:, 15:] + 1) % TOKENS
    torch.testing.assert_close(model(x)[:, :15], model(other)[:, :15])
    assert (model(x)[:, 15] != model(other)[:, 15]).any()
