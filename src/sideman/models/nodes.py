"""An ONNX graph under construction: named values, weights in full or 8-bit precision."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

OPSETS = (helper.make_opsetid("", 24), helper.make_opsetid("com.microsoft", 1))
IR_VERSION = 11
FUSED = "com.microsoft"
# A weight of 64 times an activation of 255, twice, still fits 16 bits: processors without
# 8-bit dot products add pairs of products in 16 bits and would saturate above.
INT8_RANGE = 64
# Rows that are only looked up may use all of it.
EMBEDDING_RANGE = 127


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
        """Rows of a table, as `rounded` has them."""
        if not self.int8:
            return self.add("Gather", self.constant(array_of(table)), ids)
        steps, scale = _in_steps(array_of(table))
        found = self.add("Cast", self.add("Gather", self.constant(steps), ids), to=TensorProto.FLOAT)
        return self.add("Mul", found, self.add("Gather", self.constant(scale), ids))

    def rounded(self, table: Tensor) -> Tensor:
        """A table as an embedding stores it: beside int8 weights in 8 bits, one scale a row."""
        return torch.from_numpy(np.multiply(*_in_steps(array_of(table)))) if self.int8 else table

    def save(self, path: Path) -> None:
        graph = helper.make_graph(self.nodes, path.stem, self.inputs, self.outputs, self.constants)
        model = helper.make_model(graph, opset_imports=OPSETS, ir_version=IR_VERSION, producer_name="sideman")
        path.write_bytes(model.SerializeToString())


def _in_steps(rows: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Rows [N, K] as steps of a scale [N, 1]. The scale has the 11 bits of half precision, so that products are exact
    and what is read back becomes the same steps again."""
    scale = (np.abs(rows).max(1, keepdims=True) / EMBEDDING_RANGE).astype(np.float16).astype(np.float32)
    scale[scale == 0] = 1
    steps = np.rint(rows / scale).clip(-EMBEDDING_RANGE, EMBEDDING_RANGE)
    return steps.astype(np.int8), scale


def array_of(weight: Tensor) -> NDArray[np.float32]:
    """A weight as numpy, in single precision."""
    return weight.detach().float().cpu().numpy()
