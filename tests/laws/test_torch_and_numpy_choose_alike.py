"""Torch and numpy sampling agree given the same draw: one token, and whole accompaniments."""

import numpy as np
import pytest

from sideman.engine.sampling import Sampling, candidates, pick, tokens_of
from sideman.engine.speculate import Melody, decode
from sideman.music.grammar import chord_mask, hold_of
from sideman.music.metre import form
from sideman.music.song import Meter
from sideman.music.vocabulary import BOS, CHORD_HOLD, EOS, SILENCE, own_vocabulary

torch = pytest.importorskip("torch")
VOCABULARY = own_vocabulary()


def both(logits, previous, draws, temperature):
    """What numpy and torch choose."""
    from sideman.models.decode import pick as torch_pick

    scores = candidates(VOCABULARY, logits, previous)
    ours = tokens_of(VOCABULARY, pick(scores, draws, Sampling(temperature)), previous)
    allowed = torch.from_numpy(chord_mask(VOCABULARY, previous))
    theirs = torch_pick(torch.from_numpy(logits), allowed, temperature, torch.from_numpy(draws)).numpy()
    return ours, theirs


@pytest.mark.parametrize("temperature", [0, 0.1, 1.0, 3.0])
def test_one_token(temperature):
    rng = np.random.default_rng(0)
    previous = rng.choice([BOS, SILENCE, CHORD_HOLD + 5, VOCABULARY.chord_on + 5, VOCABULARY.size - 1], 500)
    logits = rng.normal(scale=3, size=(500, VOCABULARY.size)).astype(np.float32)
    ours, theirs = both(logits, previous, rng.random(500), temperature)
    np.testing.assert_array_equal(ours, theirs)
    assert len(np.unique(ours)) > 100
    assert (ours == hold_of(VOCABULARY, previous)).any()


def test_the_ends_of_the_draw():
    """0 takes the first token that can be chosen at all, the largest number below 1 the last."""
    previous = np.array([SILENCE, CHORD_HOLD + 5, BOS])
    logits = np.zeros((3, VOCABULARY.size), np.float32)
    for draw, expected in ((0.0, [SILENCE] * 3), (np.nextafter(1.0, 0.0), [VOCABULARY.size - 1] * 3)):
        ours, theirs = both(logits, previous, np.full(3, draw), 1.0)
        assert ours.tolist() == theirs.tolist() == expected


def test_what_has_no_probability_is_not_chosen():
    logits = np.full((2, VOCABULARY.size), -np.inf, np.float32)
    logits[:, VOCABULARY.chord_on + 3] = 0.0
    ours, theirs = both(logits, np.array([SILENCE, CHORD_HOLD]), np.array([0.0, 0.999]), 1.0)
    assert ours.tolist() == theirs.tolist() == [VOCABULARY.chord_on + 3] * 2


def test_ties_go_to_the_first():
    """At temperature 0 the lowest id among equals wins; at 1 equals share the draw in the order of their ids."""
    logits = np.full((4, VOCABULARY.size), -50, np.float32)
    first, second = VOCABULARY.chord_on + 3, VOCABULARY.chord_on + 9
    logits[:, [first, second]] = 2.0
    previous = np.full(4, CHORD_HOLD + 1)
    draws = np.array([0.0, 0.49, 0.51, 0.99])
    for temperature, expected in ((0, [first] * 4), (1.0, [SILENCE, first, second, second])):
        ours, theirs = both(logits, previous, draws, temperature)
        assert ours.tolist() == theirs.tolist() == expected


@pytest.fixture
def one_thread():
    """Tiny steps on many threads spend their time waiting for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_whole_accompaniments(tiny, tiny_folders, temperature):
    """The drafting engine on an exported bundle against the network decoding frame by frame in torch."""
    from sideman.models.build import load_checkpoint
    from sideman.models.decode import accompany_online, harmonise_offline

    kind = tiny.file.name.removeprefix("tiny-")
    rng = np.random.default_rng(1)
    frames, rows = 40, 3
    tokens, places = rng.integers(4, CHORD_HOLD, frames), form((Meter(2.0, 4, 4),), frames)
    draws = rng.random((rows, frames))
    _, model = load_checkpoint(tiny_folders[kind] / "checkpoint")
    if kind == "online":
        heard, where = np.tile(tokens, (rows, 1)), np.tile(places, (rows, 1, 1))
        plainly = accompany_online
    else:
        heard = np.tile([BOS, *tokens, EOS], (rows, 1))
        where = np.pad(np.tile(places, (rows, 1, 1)), ((0, 0), (1, 1), (0, 0)))
        plainly = harmonise_offline
    plain = plainly(model, VOCABULARY, *(torch.from_numpy(x) for x in (heard, where, draws)), temperature)
    made = decode(tiny, Melody.prepare(tiny, tokens, places), draws, Sampling(temperature))
    np.testing.assert_array_equal(made.chords, plain.numpy())
    assert made.passes < frames
