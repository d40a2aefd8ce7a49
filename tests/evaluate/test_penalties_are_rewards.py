"""The penalties a table counts are those the reward takes, without its scale."""

import numpy as np
import torch

from sideman.music import penalties
from sideman.music.measures import repeated_runs
from sideman.music.vocabulary import CHORD_HOLD, SILENCE, own_vocabulary
from sideman.train.rl import rules


def random_chords(seed: int, frames: int = 160) -> np.ndarray:
    """Long holds, silences and chords struck again and again, of few names."""
    rng = np.random.default_rng(seed)
    on = own_vocabulary().chord_on
    out: list[int] = []
    while len(out) < frames:
        length = int(rng.choice([1, 2, 4, 40]))
        chord = int(rng.integers(2))
        state = [SILENCE] * length if rng.random() < 0.2 else [on + chord] + [CHORD_HOLD + chord] * (length - 1)
        out += state * int(rng.choice([1, 1, 7]))
    return np.array(out[:frames])


def test_counts_are_the_rewards():
    vocabulary = own_vocabulary()
    melody = np.where(np.arange(160) % 11 == 0, SILENCE, 200)
    chords = np.stack([random_chords(seed) for seed in range(30)])
    pieces = [vocabulary.decode(melody, row) for row in chords]
    tokens, mask = torch.from_numpy(chords), torch.ones(chords.shape, dtype=torch.bool)
    alphabet = rules.Alphabet.of(vocabulary, "chord")
    long = [-penalties.long_runs(frames).sum() / 10 for frames in pieces]
    np.testing.assert_allclose(rules.long_note(tokens, mask), long, rtol=1e-6)
    repeats = [-repeated_runs(frames).sum() / 10 for frames in pieces]
    np.testing.assert_allclose(rules.repetition(tokens, mask, alphabet), repeats, rtol=1e-6)
    silent = rules.silence(tokens, torch.from_numpy(np.tile(melody, (30, 1))), mask).sum(1) < 0
    assert silent.tolist() == [penalties.too_silent(frames) for frames in pieces]
    assert len(set(long)) > 5
    assert len(set(repeats)) > 5
    assert 0 < sum(silent.tolist()) < 30
