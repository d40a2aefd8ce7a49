"""The sheet model: a decoder over patches of 16 characters, and one over the characters of each patch (NotaGen spec 3).

The patch decoder reads whole patches and gives one state for each; the character decoder begins from the state of the
patch before and writes the next one character by character. Shapes: B pieces, T patches, N patches without their
pieces, S characters, D and C the widths of the two decoders, 16 ids a patch out of 128.

With `clock` both also hear where in its bar a voice is (music.sheet.clock), which the published networks have to count.
"""

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sideman.models.transformer import Cache, Size, StackConfig, Transformer, gpt2_stack
from sideman.music.sheet.clock import CLOCK_SIZES, clocks
from sideman.music.sheet.patches import PAD, PATCH_SIZE, VOCABULARY

# Patches that end early are read together, cut to the shortest of these lengths that holds them.
LENGTHS = (4, 7, 10, 13, PATCH_SIZE)


class SheetConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The two decoders; `length`: most patches that are read at once; `clock`: both hear where in its bar a voice
    is."""

    patches: StackConfig
    chars: StackConfig
    length: Size = 1024
    clock: bool = False


def published_sheet(width: int, patch_depth: int, char_depth: int, length: int, dropout: float = 0.1) -> SheetConfig:
    """The published networks (spec 3.1): GPT-2 twice, as wide as each other."""
    patches = gpt2_stack(width, patch_depth, length, dropout)
    return SheetConfig(patches, gpt2_stack(width, char_depth, PATCH_SIZE + 1, dropout), length)


class ClockEmbedding(nn.Module):
    """Where the clock stands, int64 [.., 7] -> [.., width]: of one table with the rows of all seven columns."""

    starts: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(sum(CLOCK_SIZES), width)
        self.register_buffer("starts", torch.tensor(np.cumsum((0, *CLOCK_SIZES[:-1]))), persistent=False)

    def forward(self, clock: Tensor) -> Tensor:
        rows = (clock + self.starts).flatten(0, -2)
        return F.embedding_bag(rows, self.table.weight, mode="sum").view(*clock.shape[:-1], -1)


class SheetModel(nn.Module):
    """Patches int64 [B, T, 16] -> what characters follow."""

    offsets: Tensor

    def __init__(self, config: SheetConfig) -> None:
        super().__init__()
        self.config = config
        width, inner = config.patches.width, config.chars.width
        # A linear layer over 16 one-hot vectors is the sum of 16 rows of a table, one for each place and id.
        self.table = nn.Embedding(PATCH_SIZE * VOCABULARY, width)
        self.table_bias = nn.Parameter(torch.zeros(width))
        self.patches = Transformer(config.patches)
        self.bridge = None if width == inner else nn.Linear(width, inner, bias=False)
        self.embed = nn.Embedding(VOCABULARY, inner)  # and the output table
        self.chars = Transformer(config.chars)
        self.patch_clock = ClockEmbedding(width) if config.clock else None
        self.char_clock = ClockEmbedding(inner) if config.clock else None
        self.register_buffer("offsets", torch.arange(PATCH_SIZE) * VOCABULARY, persistent=False)
        self._begin()

    def _begin(self) -> None:
        """First weights as GPT-2 has them, the branches that are added scaled down by how many there are."""
        for stack in (self.patches, self.chars):
            for name, weight in stack.named_parameters():
                if weight.ndim == 2:
                    added = name.endswith(("attention.out.weight", "ff.fall.weight"))
                    nn.init.normal_(weight, std=0.02 / (2 * stack.config.depth) ** 0.5 if added else 0.02)
                elif name.endswith("bias"):
                    nn.init.zeros_(weight)
        for table in (self.table, self.embed):
            nn.init.normal_(table.weight, std=0.02)
        for clock in (self.patch_clock, self.char_clock):  # it says nothing yet, so a trained network may be given one
            if clock is not None:
                nn.init.zeros_(clock.table.weight)

    def clocks(self, patches: Tensor) -> Tensor | None:
        """int64 [B, T, 16, 7]: where the clock stands behind each character of pieces read from their beginnings, if
        the network hears it."""
        if self.char_clock is None:
            return None
        found = np.stack([clocks(piece) for piece in patches.cpu().numpy()])
        return torch.from_numpy(found).to(patches.device, torch.long)

    def encode(self, patches: Tensor, cache: Cache | None = None, at: int = 0, clock: Tensor | None = None) -> Tensor:
        """States [B, T, D] of patches [B, T, 16] at positions `at`.. ; padding is on the right and changes nothing.
        `clock` [B, T, 7] behind each of them."""
        ids = (patches + self.offsets).flatten(0, 1)
        summed = F.embedding_bag(ids, self.table.weight, mode="sum") + self.table_bias
        x = summed.view(*patches.shape[:2], -1)
        if self.patch_clock is not None:
            x = x + self.patch_clock(clock)
        return self.patches(x, cache=cache, at=at)  # type: ignore[no-any-return]

    def read(self, states: Tensor, ids: Tensor, clock: Tensor | None = None) -> Tensor:
        """Logits [N, S+1, 128] of each patch's characters: from the states [N, D] of the patches before them, their
        first S ids [N, S], and the `clock` [N, S+1, 7] before and behind these. Row s predicts id s."""
        first = states if self.bridge is None else self.bridge(states)
        x = torch.cat((first[:, None], self.embed(ids).to(first.dtype)), 1)
        if self.char_clock is not None:
            x = x + self.char_clock(clock)
        return F.linear(self.chars(x), self.embed.weight)

    def characters(self, patches: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Every character that is predicted, piece by piece and patch by patch: its cross-entropy in nats [M], and its
        place in `patches` [M] as a flat index. `mask` bool [B, T], True = a patch of the piece.

        Predicted are the ids of every patch but a piece's first, up to PAD.
        """
        clock = self.clocks(patches)
        states = self.encode(patches, clock=None if clock is None else clock[:, :, -1])[:, :-1]
        wanted = mask[:, 1:]
        targets, states = patches[:, 1:][wanted], states[wanted]
        told = None if clock is None else before_and_behind(clock)[wanted]
        places = torch.arange(patches.numel(), device=patches.device).view_as(patches)[:, 1:][wanted]
        count = (targets != PAD).long().cumsum(1).argmax(1) + 1  # ids before the padding; PAD inside is none
        nats, at = [], []
        for shortest, longest in zip((0, *LENGTHS[:-1]), LENGTHS, strict=True):
            rows = ((count > shortest) & (count <= longest)).nonzero()[:, 0]
            if len(rows):
                ids = targets[rows, :longest]
                logits = self.read(states[rows], ids[:, :-1], None if told is None else told[rows, :longest])
                real = ids != PAD
                wide = torch.promote_types(logits.dtype, torch.float32)
                nats.append(F.cross_entropy(logits[real].to(wide), ids[real], reduction="none"))
                at.append(places[rows, :longest][real])
        where = torch.cat(at)
        order = where.argsort()
        return torch.cat(nats)[order], where[order]

    def forward(self, patches: Tensor, mask: Tensor) -> Tensor:
        """The loss of spec 3.2: mean cross-entropy of all predicted characters of the batch."""
        return self.characters(patches, mask)[0].mean()

    def log_probability(self, patches: Tensor, mask: Tensor) -> Tensor:
        """Log-probability [B] of each piece, summed over its characters (spec 6.3)."""
        nats, where = self.characters(patches, mask)
        rows = where // (patches.shape[1] * patches.shape[2])
        return -torch.zeros(len(patches), dtype=nats.dtype, device=nats.device).index_add(0, rows, nats)

    def patch_cache(self, batch: int, capacity: int) -> Cache:
        return Cache(self.config.patches, batch, capacity, self.embed.weight.dtype, self.embed.weight.device)

    def char_cache(self, batch: int) -> Cache:
        return Cache(self.config.chars, batch, PATCH_SIZE + 1, self.embed.weight.dtype, self.embed.weight.device)


def before_and_behind(clock: Tensor) -> Tensor:
    """What the clock [B, T, 16, 7] says where each character of the patches after the first is to be written, [B, T-1,
    16, 7]: behind the patch before, and behind all characters but the last."""
    return torch.cat((clock[:, :-1, -1:], clock[:, 1:, :-1]), 2)
