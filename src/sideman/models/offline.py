"""The offline model: an encoder reads the whole melody, a causal decoder writes chords (spec 1.6, 4.2).

The published networks look at the melody through cross-attention. Ours add the encoder's state at
the frame a chord is predicted for to the decoder's input (`aligned`): both parts run on one grid, so
nothing has to be searched for, which small data rewards and which makes a decoding step cheaper.
"""

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sideman.models.form import FormEmbedding
from sideman.models.transformer import Cache, StackConfig, Transformer


class OfflineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`tokens` = vocabulary size V. Encoder and decoder are `aligned`, or joined by cross-attention."""

    tokens: int
    encoder: StackConfig = StackConfig(depth=4, causal=False)
    decoder: StackConfig = StackConfig(depth=3)
    form: bool = True
    tied: bool = True
    aligned: bool = True


class OfflineModel(nn.Module):
    """Melody tokens [B, T+2] (BOS .. EOS) and chord tokens [B, S] (BOS ..) -> logits [B, S, V]."""

    def __init__(self, config: OfflineConfig) -> None:
        super().__init__()
        if config.aligned == config.decoder.cross:
            raise ValueError("an offline model is either aligned or has cross-attention")
        self.config = config
        self.embed_melody = nn.Embedding(config.tokens, config.encoder.width)
        self.embed_chords = nn.Embedding(config.tokens, config.decoder.width)
        self.form = FormEmbedding(config.encoder.width) if config.form else None
        self.encoder = Transformer(config.encoder)
        self.decoder = Transformer(config.decoder)
        self.bridge = nn.Linear(config.encoder.width, config.decoder.width, bias=False) if config.aligned else None
        self.head = None if config.tied else nn.Linear(config.decoder.width, config.tokens, bias=False)
        for table in (self.embed_melody, self.embed_chords):
            # A table that is the output table too starts smaller, or first logits would be far from uniform.
            nn.init.normal_(table.weight, std=((1 if config.tied else 2) / table.embedding_dim) ** 0.5)

    def encode(self, melody: Tensor, form: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Melody tokens [B, T+2] with form [B, T+2, 3] -> states [B, T+2, D]."""
        x = self.embed_melody(melody)
        if self.form is not None and form is not None:
            x = x + self.form(form)
        return self.encoder(x, mask=mask)  # type: ignore[no-any-return]

    def decode(
        self,
        chords: Tensor,
        encoded: Tensor,
        encoded_mask: Tensor | None = None,
        mask: Tensor | None = None,
        cache: Cache | None = None,
        at: int = 0,
    ) -> Tensor:
        """Chord tokens [B, S] standing at positions `at`.. -> logits [B, S, V]; position 0 is BOS."""
        x = self.embed_chords(chords)
        if self.bridge is not None:
            x = x + self.bridge(encoded[:, at + 1 : at + 1 + chords.shape[1]])
            states = self.decoder(x, mask=mask, cache=cache, at=at)
        else:
            states = self.decoder(x, mask=mask, context=encoded, context_mask=encoded_mask, cache=cache, at=at)
        if self.head is not None:
            return self.head(states)  # type: ignore[no-any-return]
        return F.linear(states, self.embed_chords.weight)

    def forward(
        self,
        melody: Tensor,
        chords: Tensor,
        form: Tensor | None = None,
        melody_mask: Tensor | None = None,
        chord_mask: Tensor | None = None,
    ) -> Tensor:
        """Teacher forcing. Masks bool, True = real; None where nothing is padded."""
        encoded = self.encode(melody, form, melody_mask)
        return self.decode(chords, encoded, melody_mask, chord_mask)

    def cache(self, batch: int, capacity: int, dtype: torch.dtype = torch.float32) -> Cache:
        return Cache(self.config.decoder, batch, capacity, dtype, self.embed_chords.weight.device)
