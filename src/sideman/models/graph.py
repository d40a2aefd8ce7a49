"""Writes the ONNX graphs of a bundle node by node: few, fused nodes, and a cache that is written in place.

The graphs say what `transformer.Transformer` computes, in the operators ONNX Runtime has a kernel for;
`export` proves that both agree. Contract of the inputs and outputs: engine/bundle.py. Values are named
by strings, as in ONNX; B rows, S new positions, P cache slots, D width, H heads, d head width.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from sideman.models.form import FormEmbedding
from sideman.models.offline import OfflineModel
from sideman.models.online import OnlineModel
from sideman.models.transformer import Attention, Block, Norm, StackConfig, Transformer
from sideman.music.vocabulary import CHORD_HOLD

OPSETS = (helper.make_opsetid("", 24), helper.make_opsetid("com.microsoft", 1))
IR_VERSION = 11
FUSED = "com.microsoft"
# A weight of 64 times an activation of 255, twice, still fits 16 bits: processors without
# 8-bit dot products add pairs of products in 16 bits and would saturate above.
INT8_RANGE = 64


class Graph:
    """A graph under construction. With `int8`, products with a constant have int8 weights, one scale a column,
    and activations quantised as they come."""

    def __init__(self, int8: bool) -> None:
        self.int8 = int8
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, kind: int, shape: Sequence[str | int]) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name: str, value: str, shape: Sequence[str | int]) -> None:
        """Declare `value`, a float tensor, as the output `name`."""
        for node in self.nodes:
            node.output[:] = [name if each == value else each for each in node.output]
            node.input[:] = [name if each == value else each for each in node.input]
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def constant(self, array: NDArray[np.generic]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """A node with one output."""
        return self.several(1, op, *inputs, domain=domain, **attributes)[0]

    def several(self, count: int, op: str, *inputs: str, domain: str = "", **attributes: Any) -> list[str]:
        names = [f"v{len(self.nodes)}_{i}" for i in range(count)]
        self.nodes.append(helper.make_node(op, inputs, names, domain=domain, **attributes))
        return names

    def reshape(self, x: str, *shape: int) -> str:
        """0 keeps a dimension, -1 infers one."""
        return self.add("Reshape", x, self.constant(np.array(shape, np.int64)))

    def linear(self, x: str, weight: Tensor, bias: Tensor | None = None) -> str:
        """`x` times the transpose of `weight` [N, K], plus `bias` [N]."""
        matrix = array_of(weight).T
        added = [] if bias is None else [self.constant(array_of(bias))]
        if not self.int8:
            product = self.add("MatMul", x, self.constant(matrix))
            return self.add("Add", product, *added) if added else product
        scale = np.maximum(np.abs(matrix).max(0), 1e-12) / INT8_RANGE
        columns = self.constant(np.rint(matrix / scale).astype(np.int8))
        inputs = (columns, self.constant(scale.astype(np.float32)), *(["", *added] if added else []))
        return self.add("DynamicQuantizeMatMul", x, *inputs, domain=FUSED)

    def embedding(self, ids: str, table: Tensor) -> str:
        """Rows of a table that is stored in half precision."""
        found = self.add("Gather", self.constant(array_of(table).astype(np.float16)), ids)
        return self.add("Cast", found, to=TensorProto.FLOAT)

    def save(self, path: Path) -> None:
        graph = helper.make_graph(self.nodes, path.stem, self.inputs, self.outputs, self.constants)
        model = helper.make_model(graph, opset_imports=OPSETS, ir_version=IR_VERSION, producer_name="sideman")
        path.write_bytes(model.SerializeToString())


def online_step(model: OnlineModel, int8: bool) -> Graph:
    """Graph `step` of an online model."""
    graph = Graph(int8)
    tokens, positions, filled, read = _step_inputs(graph)
    x = graph.embedding(tokens, model.embed.weight)
    places = graph.input("form", TensorProto.INT64, ("B", "S", 3))
    if model.form is not None:
        x = graph.add("Add", x, form(graph, model.form, places))
    _finish(graph, Stack(graph, model.stack, positions).run(x, filled), read, _output(model.embed, model.head))
    return graph


def offline_step(model: OfflineModel, int8: bool) -> Graph:
    """Graph `step` of an aligned offline model."""
    graph = Graph(int8)
    tokens, positions, filled, read = _step_inputs(graph)
    condition = graph.input("condition", TensorProto.FLOAT, ("B", "S", model.config.decoder.width))
    x = graph.add("Add", graph.embedding(tokens, model.embed_chords.weight), condition)
    _finish(graph, Stack(graph, model.decoder, positions).run(x, filled), read, _output(model.embed_chords, model.head))
    return graph


def encoder(model: OfflineModel, int8: bool) -> Graph:
    """Graph `encoder` of an aligned offline model: what is added to the decoder's input, frame by frame."""
    assert model.bridge is not None
    graph = Graph(int8)
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
    after_bos = graph.add("Slice", states, *(graph.constant(np.array([n])) for n in (1, 2**31, 1)))
    graph.output("condition", graph.linear(after_bos, model.bridge.weight), ("B", "T1", model.bridge.out_features))
    return graph


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


def _output(embed: nn.Embedding, head: nn.Linear | None) -> Tensor:
    """The output table; one that is the input table too is rounded as that is stored."""
    return embed.weight.half().float() if head is None else head.weight


def _finish(graph: Graph, states: str, read: str, table: Tensor) -> None:
    logits = graph.linear(graph.add("Gather", states, read, axis=1), table)
    graph.output("logits", logits, ("B", "R", len(table)))


def array_of(weight: Tensor) -> NDArray[np.float32]:
    return weight.detach().float().cpu().numpy()


def form(graph: Graph, embedding: FormEmbedding, ids: str) -> str:
    """Form ids [B, S, 3] -> [B, S, D]."""
    tables = [array_of(table.weight) for table in embedding.tables]  # type: ignore[arg-type]
    # One table with an offset a column: one lookup instead of three.
    starts = np.cumsum([0, *(len(table) for table in tables[:-1])])
    places = graph.add("Add", ids, graph.constant(starts.astype(np.int64)))
    found = graph.add("Gather", graph.constant(np.concatenate(tables)), places)
    return graph.add("ReduceSum", found, graph.constant(np.array([2])), keepdims=0)


class Stack:
    """The blocks of a rotary stack. Causal ones read and write a cache; others see the whole input at once."""

    def __init__(self, graph: Graph, stack: Transformer, positions: str) -> None:
        self.graph, self.stack, self.config = graph, stack, stack.config
        frequencies = graph.constant(array_of(stack.frequencies))
        axes = graph.constant(np.array([-1]))
        moments = graph.add("Unsqueeze", graph.add("Cast", positions, to=TensorProto.FLOAT), axes)
        turns = graph.add("Mul", moments, frequencies)
        self.angles = graph.add("Cos", turns), graph.add("Sin", turns)

    def run(self, x: str, filled: str | None = None) -> str:
        """States [B, S, D] after the final norm. `filled` int64 [B]: cache slots in use, for a causal stack."""
        graph, seen = self.graph, None
        if filled is not None:
            shape = graph.add("Shape", x, start=1, end=2)
            seen = graph.add("Add", filled, shape)
        delta: str | None = None
        for number, block in enumerate(self.stack.layers):
            y, x = self._norm(block.norm_self, x, delta)
            delta = self._attention(block.attention, y, number, filled, seen)
            y, x = self._norm(block.norm_ff, x, delta)
            delta = self._feed_forward(block, y)
        return self._norm(self.stack.norm, x, delta)[0]

    def _norm(self, norm: Norm, x: str, delta: str | None) -> tuple[str, str]:
        """(norm(x + delta), x + delta)."""
        graph = self.graph
        gain = np.ones(self.config.width, np.float32) if norm.gain is None else array_of(norm.gain)
        scale = graph.constant(gain)
        if delta is None:
            return graph.add("RMSNormalization", x, scale, axis=-1, epsilon=1e-12), x
        y, _, _, total = graph.several(
            4, "SkipSimplifiedLayerNormalization", x, delta, scale, domain=FUSED, epsilon=1e-12
        )
        return y, total

    def _attention(self, attention: Attention, y: str, number: int, filled: str | None, seen: str | None) -> str:
        graph, config = self.graph, self.config
        weights = [attention.query.weight, attention.key.weight, attention.value.weight]
        projected = graph.linear(y, torch.cat(weights))
        split = graph.add("Transpose", graph.reshape(projected, 0, 0, 3 * config.heads, config.head_width),
                          perm=[0, 2, 1, 3])  # fmt: skip
        turning, v = self._split(split, [2 * config.heads, config.heads])
        q, k = self._split(self._rotate(self._normalise(attention, turning)), [config.heads, config.heads])
        scale = _scale(config)
        if filled is None or seen is None:
            mixed = graph.add("Attention", q, k, v, scale=scale)
        else:
            k, v = self._cached(2 * number, k, filled), self._cached(2 * number + 1, v, filled)
            mixed = graph.add("Attention", q, k, v, "", "", "", seen, scale=scale, is_causal=1)
        joined = graph.reshape(graph.add("Transpose", mixed, perm=[0, 2, 1, 3]), 0, 0, -1)
        return graph.linear(joined, attention.out.weight)

    def _split(self, x: str, sizes: list[int]) -> list[str]:
        return self.graph.several(len(sizes), "Split", x, self.graph.constant(np.array(sizes)), axis=1)

    def _normalise(self, attention: Attention, turning: str) -> str:
        """Queries and keys [B, 2H, S, d], of unit length and scaled by head for the cosine kind."""
        config = self.config
        if config.qk != "cosine":
            return turning
        graph, root = self.graph, config.head_width**-0.5
        gain = graph.constant(np.full(config.head_width, root, np.float32))
        unit = graph.add("RMSNormalization", turning, gain, axis=-1, epsilon=1e-12)
        scales = np.concatenate([array_of(attention.query_scale), array_of(attention.key_scale)])
        return graph.add("Mul", unit, graph.constant(scales))

    def _rotate(self, turning: str) -> str:
        width = self.config.rotary_width
        part: dict[str, Any] = {} if width == self.config.head_width else {"rotary_embedding_dim": width}
        return self.graph.add("RotaryEmbedding", turning, *self.angles, interleaved=1, **part)

    def _cached(self, number: int, new: str, filled: str) -> str:
        """Cache tensor `number` [B, H, P, d] with the new rows written at `filled`."""
        graph, config = self.graph, self.config
        shape = ("B", config.heads, "P", config.head_width)
        past = graph.input(f"past_{number}", TensorProto.FLOAT, shape)
        present = graph.add("TensorScatter", past, new, filled, axis=2)
        graph.output(f"present_{number}", present, shape)
        return f"present_{number}"

    def _feed_forward(self, block: Block, y: str) -> str:
        graph, ff = self.graph, block.ff
        risen = graph.linear(y, ff.rise.weight, ff.rise.bias)
        value, gate = graph.several(2, "Split", risen, axis=-1, num_outputs=2)
        opened = graph.add("QuickGelu", gate, domain=FUSED, alpha=1.0)  # x * sigmoid(x)
        return graph.linear(graph.add("Mul", value, opened), ff.fall.weight, ff.fall.bias)


def _scale(config: StackConfig) -> float:
    """What query-key products are multiplied by (spec 4.1 for the cosine kind)."""
    return 10.0 if config.qk == "cosine" else config.head_width**-0.5
