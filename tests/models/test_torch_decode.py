"""Plain decoding in torch: the same draws give the same chords, and only what the grammar allows."""

import numpy as np
import pytest
import torch
from torch import Tensor

from sideman.models.decode import accompany_online, harmonise_offline, pick, uniform
from sideman.models.offline import OfflineConfig, OfflineModel
from sideman.models.online import OnlineConfig, OnlineModel
from sideman.models.transformer import StackConfig
from sideman.music.grammar import chord_mask
from sideman.music.vocabulary import BOS, EOS, NOTE_ON, PAD, own_vocabulary

VOCABULARY = own_vocabulary()
STACK = StackConfig(width=16, depth=1, heads=1, head_width=16, ff_width=16, rotary_width=16)
ENCODER = StackConfig(width=16, depth=1, heads=1, head_width=16, ff_width=16, rotary_width=16, causal=False)
ROWS, FRAMES = 4, 30


@pytest.fixture(scope="module")
def online() -> OnlineModel:
    torch.manual_seed(0)
    return OnlineModel(OnlineConfig(VOCABULARY.size, STACK)).eval()


@pytest.fixture(scope="module")
def offline() -> OfflineModel:
    torch.manual_seed(0)
    return OfflineModel(OfflineConfig(VOCABULARY.size, ENCODER, STACK)).eval()


def melody() -> Tensor:
    return torch.randint(NOTE_ON, NOTE_ON + 128, (ROWS, FRAMES), generator=torch.Generator().manual_seed(1))


def framed(notes: Tensor, padding: int = 0) -> Tensor:
    rows = len(notes)
    parts = (torch.full((rows, 1), BOS), notes, torch.full((rows, 1), EOS), torch.full((rows, padding), PAD))
    return torch.cat(parts, 1)


def assert_grammatical(chords: Tensor) -> None:
    previous = np.full(ROWS, BOS)
    for column in chords.numpy().T:
        assert chord_mask(VOCABULARY, previous)[np.arange(ROWS), column].all()
        previous = column


@pytest.mark.parametrize("temperature", [0.0, 0.7, 3.0])
def test_online(online: OnlineModel, temperature: float):
    draws = uniform(3, ROWS, FRAMES)
    first, second = (accompany_online(online, VOCABULARY, melody(), None, draws, temperature) for _ in range(2))
    assert (first == second).all()
    assert_grammatical(first)
    other = accompany_online(online, VOCABULARY, melody(), None, uniform(4, ROWS, FRAMES), temperature)
    assert (first == other).all() == (temperature == 0)


def test_online_tokens_are_the_likeliest_of_the_plain_network(online: OnlineModel):
    """Temperature 0 against the whole interleaved sequence in one uncached pass."""
    notes, form = melody(), torch.randint(1, 9, (ROWS, FRAMES, 3))
    chords = accompany_online(online, VOCABULARY, notes, form, uniform(0, ROWS, FRAMES), temperature=0)
    whole = torch.stack((chords, notes), 2).flatten(1)
    places = torch.cat((form.repeat_interleave(2, 1), torch.zeros(ROWS, 1, 3, dtype=torch.long)), 1)
    logits = online(torch.cat((torch.full((ROWS, 1), BOS), whole), 1), places)[:, :-1:2]
    previous = torch.cat((torch.full((ROWS, 1), BOS), chords[:, :-1]), 1)
    for t in range(FRAMES):
        allowed = torch.from_numpy(chord_mask(VOCABULARY, previous[:, t].numpy()))
        assert (logits[:, t].masked_fill(~allowed, -torch.inf).argmax(-1) == chords[:, t]).all()


def test_offline(offline: OfflineModel):
    draws = uniform(3, ROWS, FRAMES)
    first, second = (harmonise_offline(offline, VOCABULARY, framed(melody()), None, draws) for _ in range(2))
    assert (first == second).all()
    assert_grammatical(first)


def test_padding_changes_no_chord(offline: OfflineModel):
    """Shorter melodies of a batch get what they get alone."""
    notes = melody()
    alone = harmonise_offline(offline, VOCABULARY, framed(notes), None, uniform(3, ROWS, FRAMES))
    draws = torch.cat((uniform(3, ROWS, FRAMES), torch.full((ROWS, 6), 0.5, dtype=torch.float64)), 1)
    padded = harmonise_offline(offline, VOCABULARY, framed(notes, padding=6), None, draws)
    assert (padded[:, :FRAMES] == alone).all()


@pytest.mark.parametrize("draw", [0.0, 1 - 1e-16, 0.5])
def test_no_draw_picks_what_is_not_allowed(draw: float):
    logits, allowed = torch.zeros(1, 6), torch.tensor([[False, False, True, False, True, False]])
    assert int(pick(logits, allowed, 1.0, torch.tensor([draw], dtype=torch.float64))) == (2 if draw < 0.5 else 4)
