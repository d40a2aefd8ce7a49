"""M3: a music encoder over patches of 64 characters, and the decoder that taught it by filling gaps (spec 7.3).

The encoder is BERT fed with one vector a patch; the decoder is GPT-2 over the characters of one patch, begun from that
patch's encoding. Shapes: B pieces, T patches, N patches without their pieces, D the width, 64 ids a patch out of 128.
"""

from typing import Annotated, cast

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sideman.models.transformer import Attention, Share, Size, StackConfig, Transformer
from sideman.music.sheet.m3_patches import PAD, PATCH, VOCABULARY, WINDOW


class M3Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sizes; the defaults are the published ones. `length`: most patches read at once. `reader_depth`: layers of the
    decoder, 0 where there is none."""

    width: Size = 768
    depth: Size = 12
    heads: Size = 12
    ff_width: Size = 3072
    length: Size = WINDOW
    reader_depth: Annotated[int, msgspec.Meta(ge=0)] = 3
    dropout: Share = 0.1

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"a width of {self.width} cannot be divided among {self.heads} heads")

    @property
    def stack(self) -> StackConfig:
        """The switches of an encoder block's attention."""
        return StackConfig(
            width=self.width, depth=self.depth, heads=self.heads, head_width=self.width // self.heads,
            ff_width=self.ff_width, ff_bias=True, dropout=self.dropout, attention_dropout=self.dropout, causal=False,
            norm="layer", positions="learned", ff="gelu", attention_bias=True, span=self.length,
        )  # fmt: skip

    @property
    def reader(self) -> StackConfig:
        """The decoder: GPT-2, with the encoder's heads."""
        return msgspec.structs.replace(
            self.stack, depth=self.reader_depth, causal=True, dropout=0.0, residual_dropout=self.dropout, span=PATCH
        )


class PostNormBlock(nn.Module):
    """BERT's layer: `norm(x + f(x))` for attention, then for a feed-forward with the exact GELU."""

    def __init__(self, config: M3Config) -> None:
        super().__init__()
        self.attention = Attention(config.stack)
        self.norm_self = nn.LayerNorm(config.width, eps=1e-12)
        self.rise, self.fall = nn.Linear(config.width, config.ff_width), nn.Linear(config.ff_width, config.width)
        self.norm_ff = nn.LayerNorm(config.width, eps=1e-12)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, look: Tensor | None) -> Tensor:
        q, k, v = self.attention.project(x, x, None)
        x = self.norm_self(x + self.dropout(self.attention.attend(q, k, v, look, False)))
        return self.norm_ff(x + self.dropout(self.fall(F.gelu(self.rise(x)))))  # type: ignore[no-any-return]


class M3Encoder(nn.Module):
    """Patches int64 [B, T, 64] -> states [B, T, D]."""

    offsets: Tensor

    def __init__(self, config: M3Config) -> None:
        super().__init__()
        self.config = config
        # A linear layer over 64 one-hot vectors is the sum of 64 rows of a table, one for each place and id.
        self.table = nn.Embedding(PATCH * VOCABULARY, config.width)
        self.table_bias = nn.Parameter(torch.zeros(config.width))
        self.places = nn.Embedding(config.length, config.width)
        self.norm = nn.LayerNorm(config.width, eps=1e-12)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(PostNormBlock(config) for _ in range(config.depth))
        self.register_buffer("offsets", torch.arange(PATCH) * VOCABULARY, persistent=False)
        for weight in self.parameters():
            if weight.ndim == 2:
                nn.init.normal_(weight, std=0.02)

    def forward(self, patches: Tensor, mask: Tensor) -> Tensor:
        """`mask` bool [B, T], True = a patch of the piece; at most `length` patches."""
        ids = (patches + self.offsets).flatten(0, 1)
        x = F.embedding_bag(ids, self.table.weight, mode="sum").view(*patches.shape[:2], -1) + self.table_bias
        x = self.dropout(self.norm(x + self.places.weight[: patches.shape[1]]))
        look = None if bool(mask.all()) else mask[:, None, None, :]
        for block in self.blocks:
            x = block(x, look)
        return cast(Tensor, x)


class M3Decoder(nn.Module):
    """The characters of patches [N, 64] from their encodings [N, D]."""

    def __init__(self, config: M3Config) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, config.width)  # and the output table
        self.chars = Transformer(config.reader)
        for weight in self.parameters():
            if weight.ndim == 2:
                nn.init.normal_(weight, std=0.02)

    def forward(self, states: Tensor, patches: Tensor) -> Tensor:
        """Logits [N, S-1, 128] of ids 1..S-1 of patches [N, S]; the encoding stands where BOS would."""
        x = torch.cat((states[:, None], self.embed(patches[:, 1:-1]).to(states.dtype)), 1)
        return F.linear(self.chars(x), self.embed.weight)

    def loss(self, states: Tensor, patches: Tensor) -> Tensor:
        """Mean cross-entropy in nats of all characters after BOS, PAD left out."""
        longest = int((patches != PAD).sum(1).max())
        targets = patches[:, 1:longest]
        logits = self(states, patches[:, :longest])
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=PAD)


class M3Model(nn.Module):
    """The encoder, and the decoder where the file has one."""

    def __init__(self, config: M3Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = M3Encoder(config)
        self.decoder = M3Decoder(config) if config.reader_depth else None

    def forward(self, patches: Tensor, mask: Tensor, chosen: Tensor, inputs: Tensor | None = None) -> Tensor:
        """Loss of filling in the `chosen` patches (bool [B, T]) of `patches`, read as `inputs` if that is given."""
        states = self.encoder(patches if inputs is None else inputs, mask)
        return cast(M3Decoder, self.decoder).loss(states[chosen], patches[chosen])
