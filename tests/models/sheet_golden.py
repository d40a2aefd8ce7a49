"""The networks whose every weight follows from its name (NotaGen spec 12.7)."""

import torch

from sideman.models.published_sheet import published_state, sheet_of_state
from sideman.models.sheet import SheetConfig, SheetModel, published_sheet

TEXT = "L:1/8\nK:G\nV:1 treble \n[V:1]G2 F2|\n[V:1]G4|]\n"
TOY = published_sheet(64, 2, 1, 32)
NORMS = ("ln_1", "ln_2", "ln_f", "LayerNorm")


def filled(shapes: dict[str, torch.Size]) -> dict[str, torch.Tensor]:
    """0.05 * sin(0.7 * (k + 1) + 0.013 * i) for flat index i of the k-th name, one more in the gains of norms."""
    state = {}
    for k, name in enumerate(sorted(shapes)):
        i = torch.arange(shapes[name].numel(), dtype=torch.float64)
        value = 0.05 * torch.sin(0.7 * (k + 1) + 0.013 * i)
        norm = name.endswith(".weight") and any(f"{each}." in name for each in NORMS)
        state[name] = (value + norm).view(shapes[name])
    return state


def published_shapes(config: SheetConfig) -> dict[str, torch.Size]:
    """All names of a published file but the output table, which is the character table."""
    with torch.device("meta"):
        state = published_state(SheetModel(config).state_dict())
    shapes = {name: tensor.shape for name, tensor in state.items()}
    return shapes | {"patch_level_decoder.base.wte.weight": torch.Size((1, config.patches.width))}


def toy_in_double() -> SheetModel:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return sheet_of_state(filled(published_shapes(TOY)), TOY)
    finally:
        torch.set_default_dtype(before)
