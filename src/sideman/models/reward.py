"""Reward networks: how well chords and a melody belong together (spec 4.2).

Contrastive: two encoders put a melody and chords on the unit sphere; their cosine is the reward.
Discriminative: one encoder reads both parts and tells matching ones from others.
Sequences are BOS x1 .. xT EOS, PAD after, int64 [B, S]; what is read is the state at BOS.
"""

import math

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sideman.models.transformer import StackConfig, Transformer
from sideman.music.vocabulary import BOS, CHORD_HOLD, EOS, NOTE_ON, PAD, SILENCE, Vocabulary

RHYTHM_TOKENS, ONSET, HOLD = 6, 4, 5
PITCH_FEATURES = 24  # pitch classes that sound, and the one in the bass


class RewardConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`tokens` = vocabulary size V. `rhythm`: read six ids (silence, onset, hold and the special ones) instead of V.
    `pitch_classes`: tell the network which tones a token stands for. `aligned`: discriminative only, both parts are
    added frame by frame, as in our offline model, instead of being read one after the other."""

    tokens: int
    stack: StackConfig = StackConfig(causal=False)
    rhythm: bool = False
    pitch_classes: bool = False
    aligned: bool = False


def rhythm_tokens(tokens: Tensor, size: int) -> Tensor:
    """Tokens of a vocabulary of `size` -> 6 ids: PAD, BOS, EOS, SILENCE stay, every onset is 4, every hold 5."""
    chord_on = CHORD_HOLD + (size - CHORD_HOLD) // 2
    onset = ((tokens >= NOTE_ON) & (tokens < CHORD_HOLD)) | (tokens >= chord_on)
    return torch.where(tokens <= SILENCE, tokens, torch.where(onset, ONSET, HOLD))


def pitch_features(vocabulary: Vocabulary) -> Tensor:
    """What sounds under each token, float [V, 24]: pitch classes of notes and chords, and the bass of chords."""
    bits = (vocabulary.token_masks[:, None].astype(np.int64) >> np.arange(12)) & 1
    bass = np.zeros_like(bits)
    bass[np.arange(CHORD_HOLD, vocabulary.size), np.tile(vocabulary.basses, 2)] = 1
    return torch.from_numpy(np.concatenate([bits, bass], 1)).float()


class TokenEmbedding(nn.Module):
    """Tokens [B, S] -> [B, S, D]: a table of V or 6 rows, plus a linear reading of the tones if wanted."""

    features: Tensor

    def __init__(self, config: RewardConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.size = config.tokens
        self.rhythm = config.rhythm
        self.table = nn.Embedding(RHYTHM_TOKENS if config.rhythm else config.tokens, config.stack.width)
        nn.init.normal_(self.table.weight, std=(2 / config.stack.width) ** 0.5)
        self.tones = None
        if config.pitch_classes:
            self.tones = nn.Linear(PITCH_FEATURES, config.stack.width, bias=False)
            self.register_buffer("features", pitch_features(vocabulary), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.table(rhythm_tokens(tokens, self.size) if self.rhythm else tokens)
        return x if self.tones is None else x + F.embedding(tokens, self.tones(self.features))  # type: ignore[no-any-return]


class PartEncoder(nn.Module):
    """One part -> unit vectors [B, D]."""

    def __init__(self, config: RewardConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        width = config.stack.width
        self.embed = TokenEmbedding(config, vocabulary)
        self.stack = Transformer(config.stack)
        self.project = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        states = self.stack(self.embed(tokens), mask=_padding(tokens))
        return F.normalize(self.project(states[:, 0]), dim=-1)


class ContrastiveModel(nn.Module):
    """Melody and chord sequences -> unit vectors of both [B, D] and the factor of their cosine in training."""

    def __init__(self, config: RewardConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.config = config
        self.melody = PartEncoder(config, vocabulary)
        self.chords = PartEncoder(config, vocabulary)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self, melody: Tensor, chords: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.melody(melody), self.chords(chords), self.logit_scale.exp()


class DiscriminativeModel(nn.Module):
    """Melody and chord sequences of the same lengths -> logits [B, 2] (no match, match). Without a melody the chords
    are judged alone, as GAPT's adversary does."""

    def __init__(self, config: RewardConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.config = config
        self.embed = TokenEmbedding(config, vocabulary)
        self.embed_melody = TokenEmbedding(config, vocabulary) if config.aligned else None
        self.stack = Transformer(config.stack)
        self.head = nn.Linear(config.stack.width, 2)

    def forward(self, melody: Tensor | None, chords: Tensor) -> Tensor:
        if melody is not None and self.embed_melody is not None:
            x, tokens = self.embed(chords) + self.embed_melody(melody), chords
        else:
            between = chords.new_full((len(chords), 1), BOS)
            tokens = chords if melody is None else torch.cat((melody, between, chords), 1)
            x = self.embed(tokens)
        return self.head(self.stack(x, mask=_padding(tokens))[:, 0])  # type: ignore[no-any-return]


def framed(frames: Tensor) -> Tensor:
    """Frame tokens [B, T] -> BOS x1 .. xT EOS [B, T+2]; EOS stands at the first PAD (spec 6.3)."""
    out = F.pad(frames, (1, 1), value=PAD)
    out[:, 0] = BOS
    length = (frames != PAD).long().cumprod(1).sum(1, keepdim=True)
    return out.scatter(1, length + 1, EOS)


def _padding(tokens: Tensor) -> Tensor | None:
    """True = real; None where nothing is padded, which is faster."""
    real = tokens != PAD
    return None if bool(real.all()) else real
