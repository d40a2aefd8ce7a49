"""Form awareness: where a token stands in its bar, in its metre and in the phrase."""

import torch
from torch import Tensor, nn

from sideman.music.metre import FORM_SIZES


class FormEmbedding(nn.Module):
    """[B, S, 3] form values (`metre.form`; 0 = unknown, which adds nothing) -> [B, S, D]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        tables = [nn.Embedding(size, width, padding_idx=0) for size in FORM_SIZES]
        self.tables = nn.ModuleList(tables)
        for table in tables:
            nn.init.normal_(table.weight, std=0.5 * width**-0.5)
            with torch.no_grad():
                table.weight[0] = 0.0

    def forward(self, form: Tensor) -> Tensor:
        parts = [table(form[..., i].long()) for i, table in enumerate(self.tables)]
        return torch.stack(parts).sum(0)
