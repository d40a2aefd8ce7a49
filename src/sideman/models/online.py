"""The online model: interleaved chord and melody tokens, next-token prediction, causal (spec 1.6, 4.2)."""

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sideman.models.form import FormEmbedding
from sideman.models.transformer import Cache, StackConfig, Transformer


class OnlineConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`tokens` = vocabulary size V. `form`: take bar and phrase positions. `tied`: one table in and out."""

    tokens: int
    stack: StackConfig = StackConfig()
    form: bool = True
    tied: bool = True


class OnlineModel(nn.Module):
    """Tokens [B, S] -> logits [B, S, V] for the token after each.

    The form of position i is that of the frame of token i+1, so the model knows where in the bar
    the token it predicts will stand.
    """

    def __init__(self, config: OnlineConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.tokens, config.stack.width)
        self.form = FormEmbedding(config.stack.width) if config.form else None
        self.stack = Transformer(config.stack)
        self.head = None if config.tied else nn.Linear(config.stack.width, config.tokens, bias=False)
        # A table that is the output table too starts smaller, or first logits would be far from uniform.
        nn.init.normal_(self.embed.weight, std=((1 if config.tied else 2) / config.stack.width) ** 0.5)

    def forward(
        self,
        tokens: Tensor,
        form: Tensor | None = None,
        mask: Tensor | None = None,
        cache: Cache | None = None,
        at: int = 0,
    ) -> Tensor:
        """`tokens` int64 [B, S], `form` uint8/int64 [B, S, 3] or None (unknown), `mask` bool [B, S]."""
        return self.read(self.states(tokens, form, mask, cache, at))

    def states(
        self, tokens: Tensor, form: Tensor | None, mask: Tensor | None = None, cache: Cache | None = None, at: int = 0
    ) -> Tensor:
        x = self.embed(tokens)
        if self.form is not None and form is not None:
            x = x + self.form(form)
        return self.stack(x, mask=mask, cache=cache, at=at)  # type: ignore[no-any-return]

    def read(self, states: Tensor) -> Tensor:
        if self.head is not None:
            return self.head(states)  # type: ignore[no-any-return]
        return F.linear(states, self.embed.weight)

    def cache(self, batch: int, capacity: int, dtype: torch.dtype = torch.float32) -> Cache:
        return Cache(self.config.stack, batch, capacity, dtype, self.embed.weight.device)
