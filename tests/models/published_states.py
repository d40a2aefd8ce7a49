"""State dicts as the published files have them (spec 4.3), from the table of shapes, and the files they come in."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]
NAMES = ("A7", "Am", "Bm7b5", "C", "C(add2)", "C/E", "Csus", "D", "Dm", "E", "Em", "F", "G", "G7", "Gbo7")
V = 260 + 2 * len(NAMES)
WIDTH, DEPTH, HEADS = 32, 2, 2


def stack_shapes(prefix: str, tokens: int, width: int, depth: int, heads: int, *, head: bool = False,
                 t5: bool = False, cross: bool = False) -> Shapes:  # fmt: skip
    shapes: Shapes = {f"{prefix}.token_emb.emb.weight": (tokens, width)}
    inner, number = 64 * heads, 0
    for _ in range(depth):
        for _ in range(1 + cross):
            layer = f"{prefix}.attn_layers.layers.{number}.1"
            shapes |= {f"{layer}.qk_norm_{part}_scale": (heads, 1, 64) for part in "qk"}
            shapes |= {f"{layer}.to_{part}.weight": (inner, width) for part in "qkv"}
            shapes[f"{layer}.to_out.weight"] = (width, inner)
            number += 1
        layer = f"{prefix}.attn_layers.layers.{number}.1.ff"
        shapes |= {f"{layer}.0.proj.weight": (8 * width, width), f"{layer}.0.proj.bias": (8 * width,)}
        shapes |= {f"{layer}.2.weight": (width, 4 * width), f"{layer}.2.bias": (width,)}
        number += 1
    if t5:
        shapes[f"{prefix}.attn_layers.rel_pos.relative_attention_bias.weight"] = (32, heads)
    else:
        shapes[f"{prefix}.attn_layers.rotary_pos_emb.inv_freq"] = (16,)
    return shapes | ({f"{prefix}.to_logits.weight": (tokens, width)} if head else {})


def online_shapes(tokens: int = V, width: int = WIDTH, depth: int = DEPTH, heads: int = HEADS) -> Shapes:
    return stack_shapes("decoder", tokens, width, depth, heads, head=True)


def offline_shapes(tokens: int = V, width: int = WIDTH, depth: int = DEPTH, heads: int = HEADS) -> Shapes:
    encoder = stack_shapes("encoder", tokens, width, depth, heads, t5=True)
    return encoder | stack_shapes("decoder.decoder", tokens, width, depth, heads, head=True, t5=True, cross=True)


def contrastive_shapes(tokens: int = V, width: int = WIDTH, depth: int = DEPTH, heads: int = HEADS) -> Shapes:
    shapes: Shapes = {"logit_scale": ()}
    for part in ("chord", "melody"):
        shapes |= stack_shapes(f"{part}_encoder", tokens, width, depth, heads)
        for number in (0, 2):
            shapes |= {f"{part}_emb_proj.{number}.weight": (width, width), f"{part}_emb_proj.{number}.bias": (width,)}
    return shapes


def discriminative_shapes(tokens: int = V, width: int = WIDTH, depth: int = DEPTH, heads: int = HEADS) -> Shapes:
    shapes = stack_shapes("encoder", tokens, width, depth, heads)
    return shapes | {"out_proj.weight": (2, width), "out_proj.bias": (2,)}


SHAPES = {
    "online": online_shapes, "offline": offline_shapes,
    "contrastive": contrastive_shapes, "discriminative": discriminative_shapes,
}  # fmt: skip
FAMILY = {
    "online": "realchords-online", "offline": "realchords-offline",
    "contrastive": "realchords-reward", "discriminative": "realchords-reward",
}  # fmt: skip


def random_state(shapes: Shapes, seed: int = 0, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Weights of a size that makes every part of a network count; `inv_freq` as it is, rounded to `dtype`."""
    draw = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes.items():
        if name.endswith("inv_freq"):
            value = 10000.0 ** -(torch.arange(0, 32, 2).float() / 32)
        elif name.endswith("_scale") and shape:
            value = 0.5 + torch.rand(shape, generator=draw)
        else:
            value = torch.randn(shape, generator=draw) * (0.25 if "weight" in name else 0.5)
        state[name] = value.to(dtype)
    return state


def save_as(roof: str, state: dict[str, Tensor], path: Path) -> Path:
    """A file as training, the conversion for the jam, or RL leave it."""
    content: dict[str, Any] = dict(state)
    if roof == "lightning":
        content = {
            "epoch": 3, "global_step": 11000, "pytorch-lightning_version": "2.5.0", "callbacks": {"x": {"best": None}},
            "state_dict": {f"model._orig_mod.{name}": tensor for name, tensor in state.items()},
            "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 1e-4}]}],
        }  # fmt: skip
    elif roof == "rl actor":
        content = {f"model.module._orig_mod.{name}": tensor for name, tensor in state.items()}
        content["model.value_head.weight"] = torch.zeros(2)
    elif roof == "rl critic":
        content = {f"module.model.{name}": tensor for name, tensor in state.items()}
    torch.save(content, path)
    return path
