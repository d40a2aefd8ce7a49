"""The published M3 and CLaMP 2 networks in our modules: sizes from shapes, each tensor under our name (spec 7.3, 7.4).

Of CLaMP 2 only the music side is built, and only its tensors are read. What a file has beyond it - the text side, the
unused word table and pooler, the tied output table, `position_ids` - is passed over and reported; a tensor that is
missing or of another shape is refused with its name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from sideman.engine.bundle import fingerprint
from sideman.errors import TooLarge, UnreadableFile
from sideman.models.clamp2 import MusicTower
from sideman.models.m3 import M3Config, M3Model
from sideman.models.published import WrongWeights
from sideman.models.published_file import MAX_NUMBERS, load_file
from sideman.music.sheet.m3_patches import PATCH, VOCABULARY

HEAD_WIDTH = 64  # of all published networks
NAMED = 5  # tensors a report names of each sort
FAMILIES = {"m3": "encoder", "clamp2": "music_model"}  # where each keeps the encoder
_HINT = "Give a weight file of M3 or CLaMP 2: weights_m3_*.pth or weights_clamp2_*.pth."
_OTHER = "Is it a network of CLaMP 2, and complete?"
_DECODER = "decoder.base.transformer"


@dataclass(frozen=True)
class MusicReport:
    """What a published file held: sizes, the tensors passed over, the sha256 of the file."""

    config: M3Config
    extra: tuple[str, ...]
    sha256: str

    @property
    def lines(self) -> tuple[str, ...]:
        """The report for people: what was built, and by first name what was passed over."""
        config = self.config
        reader = f", decoder of {config.reader_depth} layers" if config.reader_depth else ""
        counts: dict[str, int] = {}
        for name in self.extra:
            roof = name.partition(".")[0]
            counts[roof] = counts.get(roof, 0) + 1
        passed = ", ".join(f"{count} of {roof}" for roof, count in counts.items())
        built = f"encoder {config.depth} x {config.width}, {config.heads} heads, {config.length} patches{reader}"
        return (built, *([f"passed over: {passed}"] if passed else []))


def read_m3(path: Path) -> tuple[M3Model, MusicReport]:
    """The network of an M3 file, in eval mode. Raises UnreadableFile, TooLarge, WrongWeights."""
    tensors = _tensors(path)
    config = _sizes(path, tensors, "m3")
    with torch.device("meta"):
        model = M3Model(config)
    sources = _encoder_sources("encoder", "encoder", config) | _decoder_sources(config)
    return model, _fill(path, tensors, model, model.encoder, config, sources)


def read_clamp2(path: Path) -> tuple[MusicTower, MusicReport]:
    """The music side of a CLaMP 2 file, in eval mode. Raises UnreadableFile, TooLarge, WrongWeights."""
    tensors = _tensors(path)
    config = _sizes(path, tensors, "clamp2")
    with torch.device("meta"):
        model = MusicTower(config)
    sources = _encoder_sources("encoder", "music_model", config)
    sources |= {f"project.{part}": Source(f"music_proj.{part}") for part in ("weight", "bias")}
    return model, _fill(path, tensors, model, model.encoder, config, sources)


@dataclass(frozen=True)
class Source:
    """Where a tensor of ours is: a published one, turned around if `turned`, its part `third` of three if given, and
    the first row of `plus` added to it."""

    name: str
    turned: bool = False
    third: int | None = None
    plus: str | None = None

    def take(self, tensors: Mapping[str, Tensor]) -> Tensor:
        value = tensors[self.name].float()
        if self.third is not None:
            value = value.chunk(3, -1)[self.third]
        if self.plus is not None:
            value = value + tensors[self.plus][:1].float()
        return (value.T if self.turned else value).clone(memory_format=torch.contiguous_format)


def _encoder_sources(ours: str, theirs: str, config: M3Config) -> dict[str, Source]:
    embeddings, layers = f"{theirs}.base.embeddings", f"{theirs}.base.encoder.layer"
    out = {
        f"{ours}.table.weight": Source(f"{theirs}.patch_embedding.weight", turned=True),
        f"{ours}.table_bias": Source(f"{theirs}.patch_embedding.bias"),
        f"{ours}.places.weight": Source(
            f"{embeddings}.position_embeddings.weight", plus=f"{embeddings}.token_type_embeddings.weight"
        ),
    }
    names = {"norm": f"{embeddings}.LayerNorm"}
    for number in range(config.depth):
        parts = {
            "norm_self": "attention.output.LayerNorm", "rise": "intermediate.dense", "fall": "output.dense",
            "norm_ff": "output.LayerNorm", "attention.out": "attention.output.dense",
            **{f"attention.{part}": f"attention.self.{part}" for part in ("query", "key", "value")},
        }  # fmt: skip
        names |= {f"blocks.{number}.{our}": f"{layers}.{number}.{their}" for our, their in parts.items()}
    for our, their in names.items():
        out |= {f"{ours}.{our}.{part}": Source(f"{their}.{part}") for part in ("weight", "bias")}
    return out


def _decoder_sources(config: M3Config) -> dict[str, Source]:
    """GPT-2, whose linear layers are stored turned around."""
    out = {
        "decoder.embed.weight": Source(f"{_DECODER}.wte.weight"),
        "decoder.chars.places.weight": Source(f"{_DECODER}.wpe.weight"),
    }
    for part in ("weight", "bias"):
        out[f"decoder.chars.norm.{part}"] = Source(f"{_DECODER}.ln_f.{part}")
        for number in range(config.reader_depth):
            ours, theirs, turned = f"decoder.chars.blocks.{number}", f"{_DECODER}.h.{number}", part == "weight"
            out |= {
                f"{ours}.norm_self.{part}": Source(f"{theirs}.ln_1.{part}"),
                f"{ours}.norm_ff.{part}": Source(f"{theirs}.ln_2.{part}"),
                f"{ours}.attention.out.{part}": Source(f"{theirs}.attn.c_proj.{part}", turned),
                f"{ours}.ff.rise.{part}": Source(f"{theirs}.mlp.c_fc.{part}", turned),
                f"{ours}.ff.fall.{part}": Source(f"{theirs}.mlp.c_proj.{part}", turned),
            }
            for third, name in enumerate(("query", "key", "value")):
                out[f"{ours}.attention.{name}.{part}"] = Source(f"{theirs}.attn.c_attn.{part}", turned, third)
    return out


def _tensors(path: Path) -> dict[str, Tensor]:
    """The weights of a training checkpoint (under `model`), or of a bare state dict."""
    loaded = load_file(path)
    inside = loaded.get("model") if isinstance(loaded, Mapping) else None
    state = inside if isinstance(inside, Mapping) else loaded
    if not isinstance(state, Mapping) or not state or not all(isinstance(x, Tensor) for x in state.values()):
        raise UnreadableFile(f"{path} holds no weights.", _HINT)
    if sum(tensor.numel() for tensor in state.values()) > MAX_NUMBERS:
        raise TooLarge(f"{path} holds more than {MAX_NUMBERS:,} numbers.", "No published network is as large.")
    return {str(name).removeprefix("module."): tensor for name, tensor in state.items()}


def _sizes(path: Path, tensors: Mapping[str, Tensor], family: str) -> M3Config:
    """All sizes from shapes. Raises WrongWeights for a file of the other family, or one that does not tell."""
    roof = FAMILIES[family]
    other = next((name for name, theirs in FAMILIES.items() if theirs != roof and _has(tensors, theirs)), None)
    if other is not None and not _has(tensors, roof):
        raise WrongWeights(f"{path} holds a network of kind {other}.", f"Import it as {other}.")

    def size(name: str, axis: int) -> int:
        tensor = tensors.get(name)
        if tensor is None or tensor.ndim <= axis or not tensor.shape[axis]:
            raise WrongWeights(f"{path} lacks {name}, which tells the network's size.", _OTHER)
        return tensor.shape[axis]

    width = size(f"{roof}.base.embeddings.position_embeddings.weight", 1)
    if width % HEAD_WIDTH:
        raise WrongWeights(f"{path} is {width} wide, which heads of {HEAD_WIDTH} do not divide.", _OTHER)
    return M3Config(
        width=width,
        depth=_depth(tensors, f"{roof}.base.encoder.layer."),
        heads=width // HEAD_WIDTH,
        ff_width=size(f"{roof}.base.encoder.layer.0.intermediate.dense.weight", 0),
        length=size(f"{roof}.base.embeddings.position_embeddings.weight", 0),
        reader_depth=_depth(tensors, f"{_DECODER}.h.") if family == "m3" else 0,
    )


def _has(tensors: Mapping[str, Tensor], roof: str) -> bool:
    return f"{roof}.patch_embedding.weight" in tensors


def _depth(tensors: Mapping[str, Tensor], roof: str) -> int:
    return max(1, len({name[len(roof) :].partition(".")[0] for name in tensors if name.startswith(roof)}))


def _fill(
    path: Path, tensors: Mapping[str, Tensor], model: nn.Module, encoder: nn.Module, config: M3Config,
    sources: Mapping[str, Source],
) -> MusicReport:  # fmt: skip
    """Give a network without memory its weights. Raises WrongWeights."""
    _compare(path, dict(_expected(model, sources)), tensors)
    for name, source in sources.items():
        if not bool(tensors[source.name].isfinite().all()):
            raise WrongWeights(f"{path}: {source.name} holds numbers that are not finite.", f"It is our {name}.")
    model.load_state_dict({name: source.take(tensors) for name, source in sources.items()}, assign=True)
    # The buffer that is no part of a checkpoint was made without memory.
    encoder.register_buffer("offsets", torch.arange(PATCH) * VOCABULARY, persistent=False)
    model.eval()
    used = {source.name for source in sources.values()} | {source.plus for source in sources.values()}
    return MusicReport(config, tuple(name for name in tensors if name not in used), fingerprint(path))


def _expected(model: nn.Module, sources: Mapping[str, Source]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The shape of every published tensor that is read."""
    for name, tensor in model.state_dict().items():
        source, shape = sources[name], tuple(tensor.shape)
        shape = shape[::-1] if source.turned else shape
        yield source.name, (*shape[:-1], 3 * shape[-1]) if source.third is not None else shape
        if source.plus is not None:
            yield source.plus, (2, shape[1])


def _compare(path: Path, expected: Mapping[str, Sequence[int]], found: Mapping[str, Tensor]) -> None:
    """Raise WrongWeights that names what is missing or of another shape."""
    missing = [name for name in expected if name not in found]
    misshapen = [
        f"{name} is {list(found[name].shape)} instead of {list(shape)}"
        for name, shape in expected.items()
        if name in found and tuple(found[name].shape) != tuple(shape)
    ]
    sorts = (("missing", missing), ("of another shape", misshapen))
    wrong = [f"{len(names)} {what}: {_some(names)}" for what, names in sorts if names]
    if wrong:
        raise WrongWeights(f"{path} does not fit the network it should hold. {'; '.join(wrong)}.", _OTHER)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (" .." if len(names) > NAMED else "")
