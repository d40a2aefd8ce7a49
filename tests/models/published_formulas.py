"""The published networks once more, by the formulas of spec 4.1 alone: numpy in double precision, on state dicts
with the published names (spec 4.3). Shares nothing with the modules it is there to check."""

import math

import numpy as np

State = dict[str, np.ndarray]
HEAD = 64


def norm(x: np.ndarray) -> np.ndarray:
    return math.sqrt(x.shape[-1]) * x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def rotary(x: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """The first 32 of 64 dims of x [B, H, S, 64], adjacent pairs, at positions 0, 1, 2, ..."""
    turns = np.repeat(np.arange(x.shape[2])[:, None] * frequencies, 2, axis=1)
    turning, width = x[..., : turns.shape[1]], turns.shape[1]
    swapped = np.stack([-turning[..., 1::2], turning[..., ::2]], -1).reshape(turning.shape)
    return np.concatenate([turning * np.cos(turns) + swapped * np.sin(turns), x[..., width:]], -1)


def bucket(n: int, causal: bool) -> int:
    """T5 bucket of n = query - key."""
    if causal:
        n = max(n, 0)
        return n if n < 16 else min(31, 16 + int(math.log(n / 16) / math.log(128 / 16) * 16))
    ahead, n = 16 * (n < 0), abs(n)
    return ahead + (n if n < 8 else min(15, 8 + int(math.log(n / 8) / math.log(128 / 8) * 8)))


def attention(state: State, name: str, x: np.ndarray, y: np.ndarray, look: np.ndarray, bias: np.ndarray | float,
              frequencies: np.ndarray | None) -> np.ndarray:  # fmt: skip
    """Queries from x [B, S, D], keys and values from y [B, T, D]; `look` bool broadcasts to [B, H, S, T]."""

    def heads(z: np.ndarray, part: str) -> np.ndarray:
        projected = z @ state[f"{name}.to_{part}.weight"].T
        return projected.reshape(*z.shape[:2], -1, HEAD).transpose(0, 2, 1, 3)

    q = unit(heads(x, "q")) * state[f"{name}.qk_norm_q_scale"]
    k = unit(heads(y, "k")) * state[f"{name}.qk_norm_k_scale"]
    v = heads(y, "v")
    if frequencies is not None:
        q, k = rotary(q, frequencies), rotary(k, frequencies)
    logits = 10 * q @ k.swapaxes(-1, -2) + bias
    look = np.broadcast_to(look, logits.shape)
    weights = np.where(look, np.exp(logits - logits.max(-1, keepdims=True)), 0.0)
    total = weights.sum(-1, keepdims=True)
    weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)  # nothing to see: nothing
    mixed = (weights @ v).transpose(0, 2, 1, 3).reshape(*x.shape[:2], -1)
    return mixed @ state[f"{name}.to_out.weight"].T


def feed_forward(state: State, name: str, x: np.ndarray) -> np.ndarray:
    h = x @ state[f"{name}.ff.0.proj.weight"].T + state[f"{name}.ff.0.proj.bias"]
    value, gate = np.split(h, 2, -1)
    return value * gate / (1 + np.exp(-gate)) @ state[f"{name}.ff.2.weight"].T + state[f"{name}.ff.2.bias"]


def stack(state: State, prefix: str, tokens: np.ndarray, mask: np.ndarray | None, causal: bool,
          context: np.ndarray | None = None, context_mask: np.ndarray | None = None) -> np.ndarray:  # fmt: skip
    """Final-normed states [B, S, D]; masks bool [B, S], [B, T]."""
    x = state[f"{prefix}.token_emb.emb.weight"][tokens]
    rows, length = tokens.shape
    mask = np.ones((rows, length), bool) if mask is None else mask
    look = mask[:, None, None, :] & (np.tri(length, dtype=bool) if causal else True)
    bias: np.ndarray | float = 0.0
    table = state.get(f"{prefix}.attn_layers.rel_pos.relative_attention_bias.weight")
    if table is not None:
        buckets = [[bucket(i - j, causal) for j in range(length)] for i in range(length)]
        bias = 8 * table[np.array(buckets)].transpose(2, 0, 1)
    frequencies = state.get(f"{prefix}.attn_layers.rotary_pos_emb.inv_freq")
    number, real = 0, mask[:, :, None]
    while f"{prefix}.attn_layers.layers.{number}.1.to_q.weight" in state:
        layer = f"{prefix}.attn_layers.layers.{{}}.1"
        y = norm(x)
        x = x + real * attention(state, layer.format(number), y, y, look, bias, frequencies)
        number += 1
        if context is not None:
            seen = np.ones(context.shape[:2], bool) if context_mask is None else context_mask
            x = x + real * attention(
                state, layer.format(number), norm(x), context, seen[:, None, None, :], 0.0, None
            )  # fmt: skip
            number += 1
        x = x + feed_forward(state, layer.format(number), norm(x))
        number += 1
    return norm(x)


def online(state: State, tokens: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    return stack(state, "decoder", tokens, mask, causal=True) @ state["decoder.to_logits.weight"].T


def offline(state: State, melody: np.ndarray, chords: np.ndarray, melody_mask: np.ndarray | None = None,
            chord_mask: np.ndarray | None = None) -> np.ndarray:  # fmt: skip
    encoded = stack(state, "encoder", melody, melody_mask, causal=False)
    states = stack(state, "decoder.decoder", chords, chord_mask, True, encoded, melody_mask)
    return states @ state["decoder.decoder.to_logits.weight"].T


def contrastive(state: State, melody: np.ndarray, chords: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """(melody, chords) unit vectors and the factor; PAD is masked."""

    def vector(part: str, tokens: np.ndarray) -> np.ndarray:
        x, name = stack(state, f"{part}_encoder", tokens, tokens != 0, causal=False), f"{part}_emb_proj"
        h = np.maximum(x @ state[f"{name}.0.weight"].T + state[f"{name}.0.bias"], 0)
        return unit(h @ state[f"{name}.2.weight"].T + state[f"{name}.2.bias"])[:, 0]

    return vector("melody", melody), vector("chord", chords), math.exp(state["logit_scale"])


def discriminative(state: State, melody: np.ndarray, chords: np.ndarray) -> np.ndarray:
    """Logits [B, 2] of melody, BOS, chords in one sequence."""
    tokens = np.concatenate([melody, np.ones((len(chords), 1), np.int64), chords], 1)
    x = stack(state, "encoder", tokens, tokens != 0, causal=False)
    return x[:, 0] @ state["out_proj.weight"].T + state["out_proj.bias"]
