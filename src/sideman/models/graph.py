"""Writes the ONNX graphs of a bundle node by node: few, fused nodes, and a cache that is written in place.

The graphs say what `transformer.Transformer` computes, in the operators ONNX Runtime has a kernel for;
`export` proves that both agree. Contract of the inputs and outputs: engine/bundle.py. Values are named
by strings, as in ONNX; B rows, S new positions, P cache slots, D width, H heads, d head width.
"""

from typing import Any

import numpy as np
import torch
from onnx import TensorProto
from torch import Tensor, nn

from sideman.models.form import FormEmbedding
from sideman.models.graph_cross import (
    cached_bias,
    cross_attention,
    memory_inputs,
    memory_outputs,
    normalised,
    scale_of,
    whole_bias,
)
from sideman.models.nodes import FUSED, Graph, array_of
from sideman.models.offline import OfflineModel
from sideman.models.online import OnlineModel
from sideman.models.sheet import ClockEmbedding, SheetModel
from sideman.models.transformer import Attention, Block, Norm, Transformer
from sideman.music.sheet.clock import CLOCK_SIZES
from sideman.music.sheet.patches import PATCH_SIZE, VOCABULARY
from sideman.music.vocabulary import CHORD_HOLD


def online_step(model: OnlineModel, graph: Graph) -> Graph:
    """Graph `step` of an online model, written into an empty one."""
    tokens, positions, filled, read = _step_inputs(graph)
    x = graph.embedding(tokens, model.embed.weight)
    places = graph.input("form", TensorProto.INT64, ("B", "S", 3))
    if model.form is not None:
        x = graph.add("Add", x, form(graph, model.form, places))
    states = Stack(graph, model.stack, positions, filled).run(x)
    _finish(graph, states, read, _output(graph, model.embed, model.head))
    return graph


def offline_step(model: OfflineModel, graph: Graph) -> Graph:
    """Graph `step` of an offline model: aligned, or with cross-attention to the memory the encoder has made."""
    tokens, positions, filled, read = _step_inputs(graph)
    x = graph.embedding(tokens, model.embed_chords.weight)
    memory: tuple[str, ...] = ()
    if model.bridge is None:
        memory = memory_inputs(graph, model.config.decoder)
    else:
        condition = graph.input("condition", TensorProto.FLOAT, ("B", "S", model.config.decoder.width))
        x = graph.add("Add", x, condition)
    states = Stack(graph, model.decoder, positions, filled, memory).run(x)
    _finish(graph, states, read, _output(graph, model.embed_chords, model.head))
    return graph


def encoder(model: OfflineModel, graph: Graph) -> Graph:
    """Graph `encoder` of an offline model: what is added to an aligned decoder's input, frame by frame; or the keys
    and values that its cross-attention looks at, layer by layer."""
    melody = graph.input("melody", TensorProto.INT64, ("B", "T"))
    places = graph.input("form", TensorProto.INT64, ("B", "T", 3))
    # A melody model reads chords; a chord model never sees an id from the chord range.
    x = graph.embedding(melody, model.embed_melody.weight[:CHORD_HOLD])
    if model.form is not None:
        x = graph.add("Add", x, form(graph, model.form, places))
    length = graph.add("Squeeze", graph.add("Shape", melody, start=1, end=2))
    count = graph.add("Range", graph.constant(np.array(0)), length, graph.constant(np.array(1)))
    positions = graph.add("Unsqueeze", count, graph.constant(np.array([0])))
    states = Stack(graph, model.encoder, positions).run(x)
    if model.bridge is None:
        for number, block in enumerate(model.decoder.layers):
            memory_outputs(graph, block.cross, number, states)
        return graph
    after_bos = graph.add("Slice", states, *(graph.constant(np.array([n])) for n in (1, 2**31, 1)))
    graph.output("condition", graph.linear(after_bos, model.bridge.weight), ("B", "T1", model.bridge.out_features))
    return graph


def sheet_patches(model: SheetModel, graph: Graph) -> Graph:
    """Graph `patches` of a sheet model: whole patches to the states from which the next ones are written."""
    patches = graph.input("patches", TensorProto.INT64, ("B", "S", PATCH_SIZE))
    positions, filled = _places(graph)
    ids = graph.add("Add", patches, graph.constant(np.arange(PATCH_SIZE) * VOCABULARY))
    rows = graph.add("ReduceSum", graph.embedding(ids, model.table.weight), graph.constant(np.array([2])), keepdims=0)
    x = graph.add("Add", rows, graph.constant(array_of(model.table_bias)))
    x = _with_clock(graph, x, model.patch_clock, "S")
    states = Stack(graph, model.patches, positions, filled).run(x)
    if model.bridge is not None:
        states = graph.linear(states, model.bridge.weight)
    graph.output("states", states, ("B", "S", model.config.chars.width))
    return graph


def sheet_chars(model: SheetModel, graph: Graph) -> Graph:
    """Graph `chars` of a sheet model: a state and the characters after it, or characters alone, to logits."""
    states = graph.input("states", TensorProto.FLOAT, ("B", "K", model.config.chars.width))
    ids = graph.input("ids", TensorProto.INT64, ("B", "S"))
    positions, filled = _places(graph)
    x = graph.add("Concat", states, graph.embedding(ids, model.embed.weight), axis=1)
    x = _with_clock(graph, x, model.char_clock, "T")
    after = Stack(graph, model.chars, positions, filled).run(x)
    graph.output("logits", graph.linear(after, graph.rounded(model.embed.weight)), ("B", "T", VOCABULARY))
    return graph


def _with_clock(graph: Graph, x: str, embedding: ClockEmbedding | None, places: str) -> str:
    """x [B, places, D] and what the clock says [B, places, 7], if the network hears it."""
    if embedding is None:
        return x
    clock = graph.input("clock", TensorProto.INT64, ("B", places, len(CLOCK_SIZES)))
    ids = graph.add("Add", clock, graph.constant(embedding.starts.numpy()))
    rows = graph.embedding(ids, embedding.table.weight)
    return graph.add("Add", x, graph.add("ReduceSum", rows, graph.constant(np.array([2])), keepdims=0))


def _places(graph: Graph) -> tuple[str, str]:
    """positions, filled."""
    positions = graph.input("positions", TensorProto.INT64, ("B", "T"))
    return positions, graph.input("filled", TensorProto.INT64, ("B",))


def _step_inputs(graph: Graph) -> tuple[str, str, str, str]:
    """tokens, positions, filled, read."""
    shapes: dict[str, tuple[str, ...]] = {
        "tokens": ("B", "S"),
        "positions": ("B", "S"),
        "filled": ("B",),
        "read": ("R",),
    }
    tokens, positions, filled, read = (graph.input(name, TensorProto.INT64, shape) for name, shape in shapes.items())
    return tokens, positions, filled, read


def _output(graph: Graph, embed: nn.Embedding, head: nn.Linear | None) -> Tensor:
    """The output table; one that is the input table too is rounded as that is stored."""
    return graph.rounded(embed.weight) if head is None else head.weight


def _finish(graph: Graph, states: str, read: str, table: Tensor) -> None:
    logits = graph.linear(graph.add("Gather", states, read, axis=1), table)
    graph.output("logits", logits, ("B", "R", len(table)))


def form(graph: Graph, embedding: FormEmbedding, ids: str) -> str:
    """Form ids [B, S, 3] -> [B, S, D]."""
    tables = [array_of(table.weight) for table in embedding.tables]  # type: ignore[arg-type]
    # One table with an offset a column: one lookup instead of three.
    starts = np.cumsum([0, *(len(table) for table in tables[:-1])])
    places = graph.add("Add", ids, graph.constant(starts.astype(np.int64)))
    found = graph.add("Gather", graph.constant(np.concatenate(tables)), places)
    return graph.add("ReduceSum", found, graph.constant(np.array([2])), keepdims=0)


class Stack:
    """The blocks of a stack. Causal ones (`filled` int64 [B]: cache slots in use) read and write a cache; others see
    the whole input at once. `memory`: keys and values of cross-attention, layer by layer."""

    def __init__(self, graph: Graph, stack: Transformer, positions: str, filled: str | None = None,
                 memory: tuple[str, ...] = ()) -> None:  # fmt: skip
        self.graph, self.stack, self.config = graph, stack, stack.config
        self.positions, self.filled, self.memory = positions, filled, memory
        if self.config.positions != "rotary":
            return
        frequencies = graph.constant(array_of(stack.frequencies))
        axes = graph.constant(np.array([-1]))
        moments = graph.add("Unsqueeze", graph.add("Cast", positions, to=TensorProto.FLOAT), axes)
        turns = graph.add("Mul", moments, frequencies)
        self.angles = graph.add("Cos", turns), graph.add("Sin", turns)

    def run(self, x: str) -> str:
        """States [B, S, D] after the final norm."""
        graph, seen, bias = self.graph, None, None
        if self.filled is not None:
            count = graph.add("Shape", x, start=1, end=2)
            seen = graph.add("Add", self.filled, count)
        if self.config.positions == "t5":
            if self.filled is None:
                bias = whole_bias(graph, self.stack, self.positions)
            else:
                bias = cached_bias(graph, self.stack, x, self.filled)
        if self.config.positions == "learned":
            x = graph.add("Add", x, graph.embedding(self.positions, self.stack.places.weight))
        delta: str | None = None
        for number, block in enumerate(self.stack.layers):
            y, x = self._norm(block.norm_self, x, delta)
            delta = self._attention(block.attention, y, number, seen, bias)
            if self.memory:
                y, x = self._norm(block.norm_cross, x, delta)
                delta = cross_attention(graph, block.cross, y, *self.memory[2 * number : 2 * number + 2])
            y, x = self._norm(block.norm_ff, x, delta)
            delta = self._feed_forward(block, y)
        return self._norm(self.stack.norm, x, delta)[0]

    def _norm(self, norm: Norm | nn.LayerNorm, x: str, delta: str | None) -> tuple[str, str]:
        """(norm(x + delta), x + delta)."""
        graph = self.graph
        if isinstance(norm, nn.LayerNorm):
            gains = [graph.constant(array_of(norm.weight)), graph.constant(array_of(norm.bias))]
            if delta is None:
                return graph.add("LayerNormalization", x, *gains, axis=-1, epsilon=norm.eps), x
            y, _, _, total = graph.several(
                4, "SkipLayerNormalization", x, delta, *gains, domain=FUSED, epsilon=norm.eps
            )
            return y, total
        gain = np.ones(self.config.width, np.float32) if norm.gain is None else array_of(norm.gain)
        scale = graph.constant(gain)
        if delta is None:
            return graph.add("RMSNormalization", x, scale, axis=-1, epsilon=1e-12), x
        y, _, _, total = graph.several(
            4, "SkipSimplifiedLayerNormalization", x, delta, scale, domain=FUSED, epsilon=1e-12
        )
        return y, total

    def _attention(self, attention: Attention, y: str, number: int, seen: str | None, bias: str | None) -> str:
        """`seen` int64 [B]: slots in use after this pass. `bias`: added to the products, and closes the future."""
        graph, config = self.graph, self.config
        layers = (attention.query, attention.key, attention.value)
        biased = torch.cat([layer.bias for layer in layers]) if config.attention_bias else None
        projected = graph.linear(y, torch.cat([layer.weight for layer in layers]), biased)
        split = graph.add("Transpose", graph.reshape(projected, 0, 0, 3 * config.heads, config.head_width),
                          perm=[0, 2, 1, 3])  # fmt: skip
        turning, v = self._split(split, [2 * config.heads, config.heads])
        turning = normalised(graph, attention, turning, ("query_scale", "key_scale"))
        if config.positions == "rotary":
            turning = self._rotate(turning)
        q, k = self._split(turning, [config.heads, config.heads])
        if seen is not None:
            k, v = self._cached(2 * number, k), self._cached(2 * number + 1, v)
        if bias is not None:
            mixed = graph.add("Attention", q, k, v, bias, scale=scale_of(config))
        elif seen is not None:
            mixed = graph.add("Attention", q, k, v, "", "", "", seen, scale=scale_of(config), is_causal=1)
        else:
            mixed = graph.add("Attention", q, k, v, scale=scale_of(config))
        joined = graph.reshape(graph.add("Transpose", mixed, perm=[0, 2, 1, 3]), 0, 0, -1)
        return graph.linear(joined, attention.out.weight, attention.out.bias)

    def _split(self, x: str, sizes: list[int]) -> list[str]:
        return self.graph.several(len(sizes), "Split", x, self.graph.constant(np.array(sizes)), axis=1)

    def _rotate(self, turning: str) -> str:
        width = self.config.rotary_width
        part: dict[str, Any] = {} if width == self.config.head_width else {"rotary_embedding_dim": width}
        return self.graph.add("RotaryEmbedding", turning, *self.angles, interleaved=1, **part)

    def _cached(self, number: int, new: str) -> str:
        """Cache tensor `number` [B, H, P, d] with the new rows written at `filled`."""
        graph, config = self.graph, self.config
        shape = ("B", config.heads, "P", config.head_width)
        past = graph.input(f"past_{number}", TensorProto.FLOAT, shape)
        present = graph.add("TensorScatter", past, new, self.filled or "", axis=2)
        graph.output(f"present_{number}", present, shape)
        return f"present_{number}"

    def _feed_forward(self, block: Block, y: str) -> str:
        graph, ff = self.graph, block.ff
        risen = graph.linear(y, ff.rise.weight, ff.rise.bias)
        if not ff.gated:
            return graph.linear(graph.add("FastGelu", risen, domain=FUSED), ff.fall.weight, ff.fall.bias)
        value, gate = graph.several(2, "Split", risen, axis=-1, num_outputs=2)
        opened = graph.add("QuickGelu", gate, domain=FUSED, alpha=1.0)  # x * sigmoid(x)
        return graph.linear(graph.add("Mul", value, opened), ff.fall.weight, ff.fall.bias)
