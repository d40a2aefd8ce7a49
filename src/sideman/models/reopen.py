"""From a bundle back to a network in torch, to train it further or to be near to it: no checkpoint has to be kept of a
model that ships.

The graphs are written once more, of a network whose every weight is its own number; what the stored graph has in the
place of a number is that weight. Int8 weights come back as the engine reads them, so exporting the network again gives
the same graphs.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from sideman.engine.bundle import CHARS, ENCODER, PATCHES, STEP, BundleFile, load_bundle
from sideman.errors import UnknownModel
from sideman.models import graph
from sideman.models.build import ModelFile, build
from sideman.models.nodes import Graph, array_of
from sideman.models.offline import OfflineModel
from sideman.models.online import OnlineModel
from sideman.models.sheet import SheetModel

FIRST = 2**20  # numbers begin where no constant of a graph reaches; up to 2**24 each is exact in fp32
LAST = 2**24


def reopen(folder: Path) -> tuple[ModelFile, OnlineModel | OfflineModel | SheetModel]:
    """Network in eval mode and its description. Raises UnknownModel for a bundle that is damaged, too large, or does
    not say what network it holds."""
    bundle = load_bundle(folder).file
    file = _description(bundle, folder)
    model = build(file)
    assert isinstance(model, OnlineModel | OfflineModel | SheetModel)
    weights = _numbered(model, folder)
    reader = _Reader(bundle.precision == "int8", weights)
    if isinstance(model, OnlineModel):
        graph.online_step(model, reader.opened(folder / STEP))
    elif isinstance(model, SheetModel):
        graph.sheet_patches(model, reader.opened(folder / PATCHES))
        graph.sheet_chars(model, reader.opened(folder / CHARS))
    else:
        graph.offline_step(model, reader.opened(folder / STEP))
        graph.encoder(model, reader.opened(folder / ENCODER))
    _give(model, weights)
    return file, model.eval()


def _description(bundle: BundleFile, folder: Path) -> ModelFile:
    if not bundle.network:
        raise UnknownModel(f"The bundle in {folder} does not say what network it holds.", "Export the model again.")
    described = {
        "kind": bundle.kind, "part": "chord" if bundle.kind == "sheet" else bundle.part, bundle.kind: bundle.network,
        "chords": bundle.chords, "trained": bundle.trained, "spelling": bundle.spelling, "prompts": bundle.prompts,
    }  # fmt: skip
    return msgspec.convert(described, ModelFile)


def _numbered(model: nn.Module, folder: Path) -> NDArray[np.float32]:
    """Every weight replaced by FIRST plus its place in the returned array, which is 0 where a graph holds nothing."""
    place = FIRST
    for parameter in model.parameters():
        numbers = torch.arange(place, place + parameter.numel(), dtype=torch.float32)
        parameter.data = numbers.view_as(parameter)
        place += parameter.numel()
    if place > LAST:
        raise UnknownModel(f"The network in {folder} is too large to be taken from its bundle.", "Use its checkpoint.")
    return np.zeros(place - FIRST, np.float32)


def _give(model: nn.Module, weights: NDArray[np.float32]) -> None:
    at = 0
    for parameter in model.parameters():
        parameter.data = torch.from_numpy(weights[at : at + parameter.numel()].copy()).view_as(parameter)
        at += parameter.numel()


class _Reader(Graph):
    """Follows how a graph is written, and takes the weights from the constants of a stored one."""

    def __init__(self, int8: bool, weights: NDArray[np.float32]) -> None:
        super().__init__(int8)
        self.weights = weights
        self.stored: Iterator[NDArray[np.generic]] = iter(())

    def opened(self, path: Path) -> "_Reader":
        """Ready to follow the graph at `path`."""
        self.__init__(self.int8, self.weights)  # type: ignore[misc]
        self.stored = (numpy_helper.to_array(each) for each in onnx.load(path).graph.initializer)
        return self

    def constant(self, array: NDArray[np.generic]) -> str:
        self._take(array, next(self.stored))
        return super().constant(array)

    def linear(self, x: str, weight: Tensor, bias: Tensor | None = None) -> str:
        if bias is not None:
            self._take(array_of(bias), next(self.stored))
        matrix = next(self.stored)
        self._take(array_of(weight).T, np.multiply(matrix, next(self.stored)) if self.int8 else matrix)
        return self.add("MatMul", x, "weight")

    def embedding(self, ids: str, table: Tensor) -> str:
        rows = next(self.stored)
        self._take(array_of(table), np.multiply(rows, next(self.stored)) if self.int8 else rows)
        return self.add("Gather", "table", ids)

    def rounded(self, table: Tensor) -> Tensor:
        """Nothing to take: the input table has been."""
        return torch.zeros_like(table)

    def _take(self, numbers: NDArray[np.generic], values: NDArray[np.generic]) -> None:
        """Weights by their numbers; other constants are passed over."""
        if numbers.dtype == np.float32 and numbers.size and numbers.min() >= FIRST:
            self.weights[numbers.astype(np.int64) - FIRST] = values
