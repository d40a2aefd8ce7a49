"""The published NotaGen networks in our modules: sizes from shapes, each tensor under our name (NotaGen spec 3.3).

What a file has beyond the network - the unused word table, the tied output table, buffers of attention masks - is
passed over and reported; a tensor that is missing or of another shape is refused with its name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sideman.engine.bundle import BundleFile, fingerprint
from sideman.errors import UnreadableFile
from sideman.models.build import ModelFile, save_checkpoint
from sideman.models.published import WrongWeights
from sideman.models.published_file import MAX_NUMBERS, load_file
from sideman.models.published_prompts import knows_prompts, published_prompts
from sideman.models.sheet import SheetConfig, SheetModel, published_sheet

PATCHES, CHARS = "patch_level_decoder.base", "char_level_decoder.base.transformer"
HEAD_WIDTH = 64
NAMED = 5  # tensors a report names of each sort
_EMBED = "patch_level_decoder.patch_embedding"
_OTHER = "Is it a network of NotaGen, and complete?"


@dataclass(frozen=True)
class SheetReport:
    """What a published file held: sizes, the tensors passed over, the sha256 of the file."""

    config: SheetConfig
    extra: tuple[str, ...]
    sha256: str

    @property
    def lines(self) -> tuple[str, ...]:
        """The report for people."""
        patches, chars = self.config.patches, self.config.chars
        built = (
            f"patch decoder {patches.depth} x {patches.width}, {patches.heads} heads, {self.config.length} patches; "
            f"character decoder {chars.depth} x {chars.width}"
        )
        return (built, *([f"passed over: {_some(self.extra)}"] if self.extra else []))


def import_sheet(path: Path, folder: Path) -> SheetReport:
    """Write the network of a published weight file as a checkpoint of ours. Raises as `read_sheet`."""
    model, report = read_sheet(path)
    prompts = published_prompts() if knows_prompts(path.name) else ()
    trained: dict[str, str | int | float] = {"source": path.name, "sha256": report.sha256}
    save_checkpoint(folder, ModelFile("sheet", sheet=report.config, prompts=prompts, trained=trained), model)
    return report


def sheet_card(described: BundleFile, report: SheetReport) -> str:
    """What is known of an imported model, and what has to be found out."""
    facts = {
        "kind": described.kind, "parameters": f"{described.parameters:,}", "precision": described.precision,
        "sizes": report.lines[0], "prompts": len(described.prompts), **described.trained,
        "checkpoint (sha256)": described.checkpoint,
    }  # fmt: skip
    rows = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
    return f"""# {described.name}

A network of NotaGen, imported from its published weights; not trained here.

| fact | |
|---|---|
{rows}

## Data and licence

Those of its publisher, who has not published what it learned from.
"""


def read_sheet(path: Path) -> tuple[SheetModel, SheetReport]:
    """The network of a published weight file, in eval mode. Raises UnreadableFile, WrongWeights."""
    tensors = _tensors(path)
    config = _sizes(path, tensors)
    with torch.device("meta"):
        hollow = SheetModel(config)
    expected = published_state(hollow.state_dict())
    _compare(path, {name: tensor.shape for name, tensor in expected.items()}, tensors)
    model = sheet_of_state(tensors, config)
    for name, tensor in model.state_dict().items():
        if not bool(tensor.isfinite().all()):
            raise WrongWeights(f"{path}: {published_name(name)[0]} holds numbers that are not finite.", "")
    extra = tuple(name for name in tensors if name not in expected)
    return model, SheetReport(config, extra, fingerprint(path))


def sheet_of_state(tensors: Mapping[str, Tensor], config: SheetConfig) -> SheetModel:
    """The network of a published state dict that fits, in eval mode and full precision."""
    model = SheetModel(config)
    state = {}
    for name in model.state_dict():
        theirs, third = published_name(name)
        value = tensors[theirs]
        if theirs.rpartition(".")[0].endswith("attn.c_attn"):
            value = value.chunk(3, -1)[third]
        state[name] = (value.T if _turned(name, value) else value).to(torch.get_default_dtype(), copy=True).contiguous()
    model.load_state_dict(state)
    return model.eval()


def published_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our state dict of a published network under the published names and shapes."""
    out: dict[str, Tensor] = {}
    for name, tensor in state.items():
        theirs, third = published_name(name)
        value = tensor.T if _turned(name, tensor) else tensor
        out[theirs] = torch.cat((out[theirs], value), -1) if third else value
    return out


def _turned(name: str, value: Tensor) -> bool:
    """Products are stored transposed there, and what we keep as a table of places and ids is a linear layer."""
    return value.ndim == 2 and (name == "table.weight" or ".attention." in name or ".ff." in name)


def published_name(name: str) -> tuple[str, int]:
    """The published name of a tensor of ours, and which third of it (query, key, value) ours is."""
    fixed = {
        "table.weight": f"{_EMBED}.weight", "table_bias": f"{_EMBED}.bias", "embed.weight": f"{CHARS}.wte.weight",
    }  # fmt: skip
    if name in fixed:
        return fixed[name], 0
    stack, _, rest = name.partition(".")
    roof = PATCHES if stack == "patches" else CHARS
    end = {"norm": "ln_f", "places": "wpe"}
    if not rest.startswith("blocks."):
        first, _, kind = rest.partition(".")
        return f"{roof}.{end[first]}.{kind}", 0
    _, number, inner = rest.split(".", 2)
    inner, _, kind = inner.rpartition(".")
    thirds = {"attention.query": 0, "attention.key": 1, "attention.value": 2}
    theirs = {
        "norm_self": "ln_1", "norm_ff": "ln_2", "attention.out": "attn.c_proj", "ff.rise": "mlp.c_fc",
        "ff.fall": "mlp.c_proj", **dict.fromkeys(thirds, "attn.c_attn"),
    }[inner]  # fmt: skip
    return f"{roof}.h.{number}.{theirs}.{kind}", thirds.get(inner, 0)


def _tensors(path: Path) -> dict[str, Tensor]:
    """The weights of a training checkpoint (under `model`), or of a bare state dict."""
    loaded = load_file(path)
    inside = loaded.get("model") if isinstance(loaded, Mapping) else None
    state = inside if isinstance(inside, Mapping) else loaded
    if not isinstance(state, Mapping) or not state or not all(isinstance(x, Tensor) for x in state.values()):
        raise UnreadableFile(f"{path} holds no weights.", "Give a weight file of NotaGen: weights_notagen_*.pth.")
    if sum(tensor.numel() for tensor in state.values()) > MAX_NUMBERS:
        raise UnreadableFile(f"{path} holds more than {MAX_NUMBERS:,} numbers.", "No published network is as large.")
    return {str(name).removeprefix("module."): tensor for name, tensor in state.items()}


def _sizes(path: Path, tensors: Mapping[str, Tensor]) -> SheetConfig:
    """Width, depths and length; file names tell them too, but not reliably."""

    def size(name: str, axis: int) -> int:
        tensor = tensors.get(name)
        if tensor is None or tensor.ndim <= axis or not tensor.shape[axis]:
            raise WrongWeights(f"{path} lacks {name}, which tells the network's size.", _OTHER)
        return tensor.shape[axis]

    def depth(roof: str) -> int:
        numbers = {
            name.removeprefix(f"{roof}.h.").partition(".")[0] for name in tensors if name.startswith(f"{roof}.h.")
        }
        return max(1, len(numbers))

    width = size(f"{PATCHES}.wpe.weight", 1)
    if width % HEAD_WIDTH:
        raise WrongWeights(f"{path} is {width} wide, which heads of {HEAD_WIDTH} do not divide.", _OTHER)
    return published_sheet(width, depth(PATCHES), depth(CHARS), size(f"{PATCHES}.wpe.weight", 0))


def _compare(path: Path, expected: Mapping[str, torch.Size], found: Mapping[str, Tensor]) -> None:
    """Raise WrongWeights that names what is missing or of another shape."""
    missing = [name for name in expected if name not in found]
    misshapen = [
        f"{name} is {list(found[name].shape)} instead of {list(shape)}"
        for name, shape in expected.items()
        if name in found and found[name].shape != shape
    ]
    sorts = (("missing", missing), ("of another shape", misshapen))
    wrong = [f"{len(names)} {what}: {_some(names)}" for what, names in sorts if names]
    if wrong:
        raise WrongWeights(f"{path} does not fit the network it should hold. {'; '.join(wrong)}.", _OTHER)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (" .." if len(names) > NAMED else "")
