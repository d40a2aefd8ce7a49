"""The processes of a run, and which of them speaks for all."""

from typing import Any, cast

import torch.distributed
from lightning_fabric import Fabric

from sideman.errors import WrongValue


def launch(devices: int, nodes: int, precision: str) -> Fabric:
    """The processes a recipe asks for; returns in each of them. Raises WrongValue where there are not as many."""
    try:
        fabric = Fabric(accelerator="auto", devices=devices, num_nodes=nodes, precision=cast(Any, precision))
    except (RuntimeError, ValueError) as error:
        raise WrongValue(f"This machine does not give {devices} devices: {error}.", "Set devices=N.") from None
    fabric.launch()
    return fabric


def is_first_process() -> bool:
    """Whether this is the process that writes and speaks, or the only one."""
    return not torch.distributed.is_initialized() or torch.distributed.get_rank() == 0
