"""The one transformer: a stack of pre-norm blocks with the few switches our networks differ in.

Formulas: spec 4.1 (x-transformers' "simple" RMSNorm, query-key normalisation with logits 10*q.k,
partial adjacent-pair rotary, T5 buckets, SwiGLU with the value half first); GPT-2 (`gpt2_stack`: LayerNorm,
learned positions, biases everywhere, GELU by tanh); and, for our own networks, learned RMSNorm gains, full
rotary and plain 1/sqrt(d) logits.

Shapes: B rows, S new positions, C cached ones, D width, H heads, d = head width. Positions are
arguments: a cache is written at `at`, and cutting it back is calling with a smaller `at`.
"""

import math
from collections.abc import Iterable
from typing import Annotated, Literal, cast

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional as F

Size = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]


class StackConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sizes and switches of one stack. `rotary_width`: how many of the head's dims rotate; `span`: how many positions
    there are when they are learned.

    `dropout` is inside the feed-forward, `residual_dropout` on the input and on what each sublayer adds; dropping
    attention weights as well (as the published recipes do) costs the fused attention kernels on a CPU, about half the
    training speed.
    """

    width: Size = 256
    depth: Size = 6
    heads: Size = 4
    head_width: Size = 64
    ff_width: Size = 704
    ff_bias: bool = False
    dropout: Share = 0.1
    attention_dropout: Share = 0.0
    causal: bool = True
    cross: bool = False
    norm: Literal["gain", "simple", "layer"] = "gain"
    positions: Literal["rotary", "t5", "learned"] = "rotary"
    rotary_width: Size = 64
    qk: Literal["scaled", "cosine"] = "scaled"
    ff: Literal["swiglu", "gelu"] = "swiglu"
    attention_bias: bool = False
    residual_dropout: Share = 0.0
    span: Size = 1024


def published_stack(width: int, depth: int, heads: int, *, causal: bool, t5: bool = False, cross: bool = False,
                    dropout: float = 0.1) -> StackConfig:  # fmt: skip
    """The switches of the published networks (spec 4.1): head width 64 always, feed-forward 4 x width, biased."""
    return StackConfig(
        width=width, depth=depth, heads=heads, head_width=64, ff_width=4 * width, ff_bias=True, dropout=dropout,
        attention_dropout=dropout, causal=causal, cross=cross, norm="simple", positions="t5" if t5 else "rotary",
        rotary_width=32, qk="cosine",
    )  # fmt: skip


def gpt2_stack(width: int, depth: int, span: int, dropout: float = 0.1) -> StackConfig:
    """GPT-2 as in transformers: head width 64 always, inner width 4 x width, dropout on everything added and on
    attention weights."""
    return StackConfig(
        width=width, depth=depth, heads=max(1, width // 64), head_width=64, ff_width=4 * width, ff_bias=True,
        dropout=0.0, attention_dropout=dropout, norm="layer", positions="learned", ff="gelu", attention_bias=True,
        residual_dropout=dropout, span=span,
    )  # fmt: skip


class Norm(nn.Module):
    """`sqrt(D) * x / max(||x||, 1e-12)`, times a learned gain unless simple."""

    def __init__(self, width: int, kind: str) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width)) if kind == "gain" else None
        self.scale = math.sqrt(width)

    def forward(self, x: Tensor) -> Tensor:
        y = F.normalize(x.float(), dim=-1, eps=1e-12) * self.scale
        return (y if self.gain is None else y * self.gain).to(x.dtype)


def norm_of(config: StackConfig) -> Norm | nn.LayerNorm:
    """The norm that a stack's configuration names."""
    return nn.LayerNorm(config.width, eps=1e-5) if config.norm == "layer" else Norm(config.width, config.norm)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate adjacent pairs of the first dims of `x` [B, H, S, d] by `cos`, `sin` [S, r/2] or [B, 1, S, r/2]."""
    width = 2 * cos.shape[-1]
    even, odd = x[..., :width:2], x[..., 1:width:2]
    turned = torch.stack((even * cos - odd * sin, odd * cos + even * sin), -1).flatten(-2)
    return torch.cat((turned, x[..., width:]), -1) if width < x.shape[-1] else turned


def t5_buckets(distance: Tensor, causal: bool) -> Tensor:
    """Bucket 0..31 of `query - key` distances (spec 4.1, T5 relative bias, 32 buckets, max distance 128)."""
    buckets, offset = 32, torch.zeros_like(distance)
    if causal:
        distance = distance.clamp(min=0)
    else:
        buckets //= 2
        offset, distance = (distance < 0) * buckets, distance.abs()
    exact = buckets // 2
    far = exact + (torch.log(distance.clamp(min=1).float() / exact) / math.log(128 / exact) * (buckets - exact)).long()
    return offset + torch.where(distance < exact, distance, far.clamp(max=buckets - 1))


class Cache:
    """Preallocated keys and values of one stack, [depth, 2, B, H, capacity, d]. One owner at a time."""

    def __init__(self, config: StackConfig, batch: int, capacity: int, dtype: torch.dtype = torch.float32,
                 device: str | torch.device = "cpu") -> None:  # fmt: skip
        shape = (config.depth, 2, batch, config.heads, capacity, config.head_width)
        self.store = torch.zeros(shape, dtype=dtype, device=device)

    def write(self, layer: int, at: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store new keys/values [B, H, S, d] at `at`; return everything up to their end."""
        stop = at + key.shape[2]
        self.store[layer, 0, :, :, at:stop] = key
        self.store[layer, 1, :, :, at:stop] = value
        return self.store[layer, 0, :, :, :stop], self.store[layer, 1, :, :, :stop]


class Attention(nn.Module):
    """Multi-head attention of `x` [B, S, D] over itself, its cache, or `context` [B, T, D]."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        inner = config.heads * config.head_width
        self.config = config
        self.query, self.key, self.value = (
            nn.Linear(config.width, inner, bias=config.attention_bias) for _ in range(3)
        )
        self.out = nn.Linear(inner, config.width, bias=config.attention_bias)
        if config.qk == "cosine":
            self.query_scale = nn.Parameter(torch.ones(config.heads, 1, config.head_width))
            self.key_scale = nn.Parameter(torch.ones(config.heads, 1, config.head_width))

    def heads(self, projected: Tensor) -> Tensor:
        rows, length, _ = projected.shape
        return projected.reshape(rows, length, self.config.heads, self.config.head_width).transpose(1, 2)

    def project(self, x: Tensor, context: Tensor, angles: tuple[Tensor, Tensor] | None) -> tuple[Tensor, ...]:
        """Queries, keys and values [B, H, S, d], normalised and rotated."""
        q, k, v = self.heads(self.query(x)), self.heads(self.key(context)), self.heads(self.value(context))
        if self.config.qk == "cosine":
            q = F.normalize(q, dim=-1, eps=1e-12) * self.query_scale.to(q.dtype)
            k = F.normalize(k, dim=-1, eps=1e-12) * self.key_scale.to(k.dtype)
        if angles is not None:
            cos, sin = angles[0].to(q.dtype), angles[1].to(q.dtype)
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        return q, k, v

    def attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
        """Weighted values [B, S, D]. `mask` broadcasts to [B, H, S, T]: bool (True = look) or an additive bias."""
        dropout = self.config.attention_dropout if self.training else 0.0
        scale = 10.0 if self.config.qk == "cosine" else None
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, dropout_p=dropout, scale=scale)
        return self.out(out.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class FeedForward(nn.Module):
    """SwiGLU: `W2(u * silu(g))` with (u, g) the halves of `W1 x`, value half first; or `W2 gelu(W1 x)`."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.gated = config.ff == "swiglu"
        self.rise = nn.Linear(config.width, (1 + self.gated) * config.ff_width, bias=config.ff_bias)
        self.fall = nn.Linear(config.ff_width, config.width, bias=config.ff_bias)
        self.dropout = config.dropout

    def forward(self, x: Tensor) -> Tensor:
        if self.gated:
            value, gate = self.rise(x).chunk(2, dim=-1)
            inner = value * F.silu(gate)
        else:
            inner = F.gelu(self.rise(x), approximate="tanh")
        return self.fall(F.dropout(inner, self.dropout, self.training))  # type: ignore[no-any-return]


class Block(nn.Module):
    """Self-attention, optional cross-attention, feed-forward; each `x + f(norm(x))`."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.norm_self, self.attention = norm_of(config), Attention(config)
        if config.cross:
            self.norm_cross, self.cross = norm_of(config), Attention(config)
        self.norm_ff, self.ff = norm_of(config), FeedForward(config)


class Transformer(nn.Module):
    """A stack of blocks and its final norm: states [B, S, D] -> states [B, S, D]."""

    frequencies: Tensor

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = norm_of(config)
        if config.positions == "t5":
            self.bias = nn.Embedding(32, config.heads)
        elif config.positions == "learned":
            self.places = nn.Embedding(config.span, config.width)
        else:
            pairs = torch.arange(0, config.rotary_width, 2).float() / config.rotary_width
            self.register_buffer("frequencies", 10000.0**-pairs)

    @property
    def layers(self) -> Iterable[Block]:
        """The blocks, under their own type."""
        return cast(Iterable[Block], self.blocks)

    def angles(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """cos and sin for rotary at `positions` [S]: [S, r/2] each, fp32 whatever the autocast."""
        turns = positions.float()[:, None] * self.frequencies.float()
        return turns.cos(), turns.sin()

    def t5_bias(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Additive bias [1, H, S, T], times 8 = sqrt(64) as in the published networks."""
        buckets = t5_buckets(queries[:, None] - keys[None, :], self.config.causal)
        return self.bias(buckets).permute(2, 0, 1)[None] * 8.0  # type: ignore[no-any-return]

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        context: Tensor | None = None,
        context_mask: Tensor | None = None,
        cache: Cache | None = None,
        at: int = 0,
    ) -> Tensor:
        """`mask`, `context_mask`: bool [B, S] / [B, T], True = real; masked queries add nothing to their state.

        With a cache the S new positions start at `at` and see everything before; `mask` is not used then.
        """
        length = x.shape[1]
        here = torch.arange(at, at + length, device=x.device)
        keys = torch.arange(at + length, device=x.device) if cache is not None else here
        angles = self.angles(here) if self.config.positions == "rotary" else None
        if self.config.positions == "learned":
            x = x + self.places(here)
        x = self._dropped(x)
        look, causal = self._look(x, mask, here, keys, cache is not None)
        cross_look = None if context_mask is None else context_mask[:, None, None, :]
        for number, block in enumerate(self.layers):
            attention = block.attention
            y = block.norm_self(x)
            q, k, v = attention.project(y, y, angles)
            if cache is not None:
                k, v = cache.write(number, at, k, v)
            x = x + _real(self._dropped(attention.attend(q, k, v, look, causal)), mask)
            if context is not None and self.config.cross:
                q, k, v = block.cross.project(block.norm_cross(x), context, None)
                x = x + _real(self._dropped(block.cross.attend(q, k, v, cross_look, False)), mask)
            x = x + self._dropped(block.ff(block.norm_ff(x)))
        return self.norm(x)  # type: ignore[no-any-return]

    def _dropped(self, x: Tensor) -> Tensor:
        rate = self.config.residual_dropout if self.training else 0.0
        return F.dropout(x, rate) if rate else x

    def _look(
        self, x: Tensor, mask: Tensor | None, here: Tensor, keys: Tensor, cached: bool
    ) -> tuple[Tensor | None, bool]:
        """The attention mask for SDPA, and whether SDPA's own causal path may serve (it aligns top-left,
        so never with more keys than queries)."""
        plain = mask is None and self.config.positions != "t5"
        if plain and not cached:
            return None, self.config.causal
        if plain and len(here) == 1:
            return None, False
        look = torch.ones(len(here), len(keys), dtype=torch.bool, device=x.device)
        if self.config.causal:
            look = keys[None, :] <= here[:, None]
        look = look[None, None]
        if mask is not None:
            look = look & mask[:, None, None, :]
            # A row that may look nowhere looks at itself; its result is dropped as a masked query.
            look = look | torch.eye(len(here), dtype=torch.bool, device=x.device) & ~mask[:, None, :, None]
        if self.config.positions == "t5":
            bias = self.t5_bias(here, keys).to(x.dtype)
            return bias.masked_fill(~look, torch.finfo(bias.dtype).min), False
        return look, False


def _real(x: Tensor, mask: Tensor | None) -> Tensor:
    """Zero at masked query positions (spec 4.1, masks, effect 2)."""
    return x if mask is None else x * mask[..., None].to(x.dtype)
