"""The nodes that only some networks have: cross-attention to a memory made once, and the T5 position bias.

The memory of a decoder layer is the keys and values of its cross-attention, [1, H, M, d] of M melody positions. One
melody serves all rows, so their queries are laid one after the other and nothing is copied. The bias is worked out
once a pass for all layers; it also closes what must not be looked at.
"""

import numpy as np
import torch
from onnx import TensorProto

from sideman.models.nodes import Graph, array_of
from sideman.models.transformer import Attention, StackConfig, Transformer, t5_buckets

# From this distance on all positions share a bucket, however far.
FAR = 128
CLOSED = -1e30


def memory_inputs(graph: Graph, config: StackConfig) -> tuple[str, ...]:
    """Inputs `memory_i` of the step, i < 2 * depth: keys of layer l at 2l, its values at 2l + 1."""
    shape = (1, config.heads, "M", config.head_width)
    return tuple(graph.input(f"memory_{i}", TensorProto.FLOAT, shape) for i in range(2 * config.depth))


def memory_outputs(graph: Graph, attention: Attention, number: int, states: str) -> None:
    """Declare the memory of layer `number`, made from encoder states [1, M, D]."""
    heads, width = attention.config.heads, attention.config.head_width
    projected = graph.linear(states, torch.cat([attention.key.weight, attention.value.weight]))
    split = graph.add("Transpose", graph.reshape(projected, 0, 0, 2 * heads, width), perm=[0, 2, 1, 3])
    k, v = graph.several(2, "Split", split, axis=1, num_outputs=2)
    shape = ("B", heads, "M", width)
    graph.output(f"memory_{2 * number}", normalised(graph, attention, k, ("key_scale",)), shape)
    graph.output(f"memory_{2 * number + 1}", v, shape)


def cross_attention(graph: Graph, attention: Attention, y: str, keys: str, values: str) -> str:
    """What queries from `y` [B, S, D] find in a memory, [B, S, D]."""
    config = attention.config
    projected = graph.linear(y, attention.query.weight)
    heads = graph.reshape(projected, 1, -1, config.heads, config.head_width)
    q = normalised(graph, attention, graph.add("Transpose", heads, perm=[0, 2, 1, 3]), ("query_scale",))
    mixed = graph.add("Attention", q, keys, values, scale=scale_of(config))
    joined = graph.add("Transpose", mixed, perm=[0, 2, 1, 3])
    return graph.linear(graph.add("Reshape", joined, graph.add("Shape", projected)), attention.out.weight)


def normalised(graph: Graph, attention: Attention, x: str, scales: tuple[str, ...]) -> str:
    """Queries and/or keys `x` [B, nH, S, d], of unit length and times their `scales` for the cosine kind."""
    if attention.config.qk != "cosine":
        return x
    width = attention.config.head_width
    gain = graph.constant(np.full(width, width**-0.5, np.float32))
    unit = graph.add("RMSNormalization", x, gain, axis=-1, epsilon=1e-12)
    return graph.add("Mul", unit, graph.constant(np.concatenate([array_of(getattr(attention, s)) for s in scales])))


def scale_of(config: StackConfig) -> float:
    """What query-key products are multiplied by (spec 4.1 for the cosine kind)."""
    return 10.0 if config.qk == "cosine" else config.head_width**-0.5


def whole_bias(graph: Graph, stack: Transformer, positions: str) -> str:
    """Bias [1, H, T, T] of a stack that sees everything, at positions [1, T]."""
    queries = graph.add("Unsqueeze", positions, graph.constant(np.array([2])))
    keys = graph.add("Unsqueeze", positions, graph.constant(np.array([1])))
    return _looked_up(graph, stack, graph.add("Sub", queries, keys))


def cached_bias(graph: Graph, stack: Transformer, x: str, filled: str) -> str:
    """Bias [B, H, S, P] of new positions, `x` [B, S, D], that stand in slots `filled` [B].. of a cache of P slots.
    Only differences count, so slots serve as positions."""
    zero, one = (graph.constant(np.array(n)) for n in (0, 1))
    count = graph.add("Squeeze", graph.add("Shape", x, start=1, end=2))
    slots = graph.add("Squeeze", graph.add("Shape", "past_0", start=2, end=3))
    rows = graph.add("Unsqueeze", filled, graph.constant(np.array([1])))
    queries = graph.add("Add", rows, graph.add("Range", zero, count, one))
    queries = graph.add("Unsqueeze", queries, graph.constant(np.array([2])))
    return _looked_up(graph, stack, graph.add("Sub", queries, graph.add("Range", zero, slots, one)))


def _looked_up(graph: Graph, stack: Transformer, distances: str) -> str:
    """Bias [B, H, S, T] of distances query - key [B, S, T]: eight times its bucket's row of the table."""
    causal = stack.config.causal
    lowest = -1 if causal else -FAR
    buckets = t5_buckets(torch.arange(lowest, FAR + 1), causal).numpy()
    rows = graph.add("Mul", graph.constant(array_of(stack.bias.weight)), graph.constant(np.array([8.0], np.float32)))
    if causal:  # one more bucket for what lies ahead
        buckets[0] = len(stack.bias.weight)
        closed = graph.constant(np.full((1, stack.config.heads), CLOSED, np.float32))
        rows = graph.add("Concat", rows, closed, axis=0)
    ends = (graph.constant(np.array(n)) for n in (lowest, FAR))
    place = graph.add("Sub", graph.add("Clip", distances, *ends), graph.constant(np.array(lowest)))
    bucket = graph.add("Gather", graph.constant(buckets), place)
    return graph.add("Transpose", graph.add("Gather", rows, bucket), perm=[0, 3, 1, 2])
