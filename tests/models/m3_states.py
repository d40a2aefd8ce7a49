"""State dicts laid out as M3 and CLaMP 2 were published (spec 7.3, 7.4), written down on their own."""

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]


def encoder_shapes(roof: str, width: int, depth: int, length: int, inner: int) -> Shapes:
    out: Shapes = {
        f"{roof}.patch_embedding.weight": (width, 64 * 128), f"{roof}.patch_embedding.bias": (width,),
        f"{roof}.base.embeddings.word_embeddings.weight": (1, width),
        f"{roof}.base.embeddings.position_embeddings.weight": (length, width),
        f"{roof}.base.embeddings.token_type_embeddings.weight": (2, width),
        **both(f"{roof}.base.embeddings.LayerNorm", (width,), width),
        **both(f"{roof}.base.pooler.dense", (width, width), width),
    }  # fmt: skip
    for i in range(depth):
        layer = f"{roof}.base.encoder.layer.{i}"
        for part in ("query", "key", "value"):
            out |= both(f"{layer}.attention.self.{part}", (width, width), width)
        out |= both(f"{layer}.attention.output.dense", (width, width), width)
        out |= both(f"{layer}.attention.output.LayerNorm", (width,), width)
        out |= both(f"{layer}.intermediate.dense", (inner, width), inner)
        out |= both(f"{layer}.output.dense", (width, inner), width)
        out |= both(f"{layer}.output.LayerNorm", (width,), width)
    return out


def decoder_shapes(width: int, depth: int, inner: int) -> Shapes:
    roof = "decoder.base.transformer"
    out: Shapes = {f"{roof}.wte.weight": (128, width), f"{roof}.wpe.weight": (64, width)}
    out |= both(f"{roof}.ln_f", (width,), width)
    for i in range(depth):
        block = f"{roof}.h.{i}"
        out |= both(f"{block}.ln_1", (width,), width) | both(f"{block}.ln_2", (width,), width)
        out |= both(f"{block}.attn.c_attn", (width, 3 * width), 3 * width)
        out |= both(f"{block}.attn.c_proj", (width, width), width)
        out |= both(f"{block}.mlp.c_fc", (width, inner), inner)
        out |= both(f"{block}.mlp.c_proj", (inner, width), width)
    return out


def both(name: str, weight: tuple[int, ...], bias: int) -> Shapes:
    return {f"{name}.weight": weight, f"{name}.bias": (bias,)}


def m3_shapes(width: int = 64, depth: int = 2, length: int = 16, inner: int = 256, reader: int = 1) -> Shapes:
    return encoder_shapes("encoder", width, depth, length, inner) | decoder_shapes(width, reader, inner)


def clamp2_shapes(width: int = 64, depth: int = 2, length: int = 16, inner: int = 256) -> Shapes:
    return encoder_shapes("music_model", width, depth, length, inner) | both("music_proj", (width, width), width)


def filled(shapes: Shapes) -> dict[str, Tensor]:
    """The fill rule of 12.7: a sine over sorted keys and flat indices, and 1 added to the gains of norms."""
    out = {}
    for k, name in enumerate(sorted(shapes)):
        flat = torch.arange(math.prod(shapes[name]), dtype=torch.float64)
        value = 0.05 * torch.sin(0.7 * (k + 1) + 0.013 * flat).reshape(shapes[name])
        gain = name.endswith(("ln_1.weight", "ln_2.weight", "ln_f.weight", "LayerNorm.weight"))
        out[name] = (value + gain).float()
    return out


def save_as_published(state: dict[str, Tensor], path: Path, **beside: Any) -> Path:
    """A training checkpoint as the authors' program writes it, with the tied table where there is a decoder."""
    table = state.get("decoder.base.transformer.wte.weight")
    tied = {} if table is None else {"decoder.base.lm_head.weight": table}
    torch.save({"model": state | tied, "optimizer": {"state": {}}, "epoch": 3, "min_eval_loss": 0.1, **beside}, path)
    return path
