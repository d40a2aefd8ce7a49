"""Weights laid out once for many products with the same number of rows.

A rollout multiplies the same weights by a few rows hundreds of times, and MKL lays them out anew for each product,
which costs it about as much as the product itself. Its kernel for weights laid out beforehand is used here where
PyTorch has it; everywhere else nothing changes.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn


@contextmanager
def packed(linears: Iterable[nn.Linear], rows: int) -> Iterator[None]:
    """Within, products with [rows, in] are faster; others are as always. The weights must not change meanwhile."""
    changed = []
    try:
        for linear in linears:
            if _able(linear.weight):
                layout = torch.ops.mkl._mkl_reorder_linear_weight(linear.weight.detach(), rows)
                linear.forward = partial(_product, layout, linear, rows)  # type: ignore[method-assign]
                changed.append(linear)
        yield
    finally:
        for linear in changed:
            del linear.forward


def _able(weight: Tensor) -> bool:
    plain = weight.device.type == "cpu" and weight.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return plain and torch.backends.mkl.is_available() and hasattr(torch.ops.mkl, "_mkl_linear")  # type: ignore[no-untyped-call]


def _product(layout: Tensor, linear: nn.Linear, rows: int, x: Tensor) -> Tensor:
    # Falls back to the plain product itself where `x` has another number of rows.
    return torch.ops.mkl._mkl_linear(x, layout, linear.weight, linear.bias, rows)  # type: ignore[no-any-return]
