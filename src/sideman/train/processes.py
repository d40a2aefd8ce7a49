"""The processes of a run: which of them speaks for all, and how they add up what each knows of its share."""

import os
from typing import Any, cast

import torch
import torch.distributed
from lightning_fabric import Fabric
from torch import Tensor, nn

from sideman.errors import WrongValue


def launch(devices: int, nodes: int, precision: str) -> Fabric:
    """The processes a recipe asks for, or those that torchrun has started; returns in each of them.

    Raises WrongValue where there are not as many.
    """
    if torch.distributed.is_torchelastic_launched():
        devices, nodes = _started(devices, nodes)
    try:
        fabric = Fabric(accelerator="auto", devices=devices, num_nodes=nodes, precision=cast(Any, precision))
    except (RuntimeError, ValueError) as error:
        raise WrongValue(f"This machine does not give {devices} devices: {error}.", "Set devices=N.") from None
    fabric.launch()
    return fabric


def _started(devices: int, nodes: int) -> tuple[int, int]:
    """Processes a machine, and machines, as torchrun has them. Raises WrongValue where the recipe says otherwise."""
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    machines = int(os.environ["WORLD_SIZE"]) // here
    if devices not in (1, here) or nodes not in (1, machines):
        found = f"torchrun has started {machines} x {here} processes, the recipe asks for {nodes} x {devices}."
        raise WrongValue(found, "Leave devices and nodes out: torchrun counts.")
    return here, machines


def is_first_process() -> bool:
    """Whether this is the process that writes and speaks, or the only one."""
    return not torch.distributed.is_initialized() or torch.distributed.get_rank() == 0


def summed(fabric: Fabric, values: Tensor) -> Tensor:
    """The sum over all processes, in each of them."""
    return values if fabric.world_size == 1 else cast(Tensor, fabric.all_reduce(values, reduce_op="sum"))


def summed_figures(fabric: Fabric, shares: dict[str, float]) -> dict[str, float]:
    """Figures from each process' share of them; all processes name the same ones."""
    total = summed(fabric, torch.tensor(list(shares.values()), dtype=torch.float64, device=fabric.device))
    return dict(zip(shares, total.tolist(), strict=True))


def gathered(fabric: Fabric, rows: Tensor, mine: Tensor, count: int) -> Tensor:
    """All `count` rows, of which this process has those numbered `mine`; float [count, ..]."""
    out = rows.new_zeros(count, *rows.shape[1:])
    out[mine] = rows
    return summed(fabric, out)


def all_rows(fabric: Fabric, own: Tensor, rows: slice, count: int) -> Tensor:
    """All `count` rows, of which this process has `own`, those of the slice `rows`. Gradients reach the process that a
    row is from; processes call it, and its backward pass, in the same order."""
    if fabric.world_size == 1:
        return own
    return cast(Tensor, _AllRows.apply(own, fabric, rows, count))  # type: ignore[no-untyped-call]


class _AllRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, own: Tensor, fabric: Fabric, rows: slice, count: int) -> Tensor:
        ctx.fabric, ctx.rows = fabric, rows
        out = own.new_zeros(count, *own.shape[1:])
        out[rows] = own
        return summed(fabric, out)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return summed(ctx.fabric, gradient.contiguous())[ctx.rows], None, None, None


def sum_gradients(fabric: Fabric, model: nn.Module) -> None:
    """Add up the gradients of all processes; one that had nothing to do adds zeros."""
    if fabric.world_size == 1:
        return
    with_gradient = [p for p in model.parameters() if p.requires_grad]
    flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in with_gradient])
    parts = torch.split(summed(fabric, flat), [p.numel() for p in with_gradient])
    for p, part in zip(with_gradient, parts, strict=True):
        p.grad = part.view_as(p).clone()
