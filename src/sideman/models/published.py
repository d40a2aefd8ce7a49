"""The published networks in our modules: their sizes read from their tensors, each tensor under our name (spec 4.3).

Nothing is guessed: a file that lacks a tensor, has one we do not know, or one of another shape is refused
with all their names. `inv_freq` comes from the file, as files of RL hold it rounded to bf16 (spec 4.4).
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import torch
from torch import Tensor

from sideman.errors import SidemanError, UnreadableFile, WrongValue
from sideman.models.build import Model, ModelFile, build
from sideman.models.offline import OfflineConfig
from sideman.models.online import OnlineConfig
from sideman.models.published_file import WeightFile
from sideman.models.reward import RHYTHM_TOKENS, RewardConfig
from sideman.models.transformer import StackConfig, published_stack
from sideman.music.reference_names import reference_vocabulary
from sideman.music.vocabulary import CHORD_HOLD

Kind = Literal["online", "offline", "contrastive", "discriminative"]
Part = Literal["chord", "melody"]
# What `sideman models import` calls them, and the kinds that are meant.
FAMILIES: dict[str, tuple[Kind, ...]] = {
    "realchords-online": ("online",),
    "realchords-offline": ("offline",),
    "realchords-reward": ("contrastive", "discriminative"),
}
WINDOW = 256  # frames all of them were trained on
NAMED = 5  # tensors a report names of each sort

_ATTENTION = {
    "query.weight": "to_q.weight", "key.weight": "to_k.weight", "value.weight": "to_v.weight",
    "out.weight": "to_out.weight", "query_scale": "qk_norm_q_scale", "key_scale": "qk_norm_k_scale",
}  # fmt: skip
_FEED_FORWARD = {
    "ff.rise.weight": "ff.0.proj.weight", "ff.rise.bias": "ff.0.proj.bias",
    "ff.fall.weight": "ff.2.weight", "ff.fall.bias": "ff.2.bias",
}  # fmt: skip
_PROJECTION = ("0.weight", "0.bias", "2.weight", "2.bias")
_TABLE = "token_emb.emb.weight"


class WrongWeights(SidemanError):
    """The tensors of a file are not those of the network it should be."""

    code = "wrong_weights"


def read_published(
    weights: WeightFile, family: str, names: Sequence[str], part: Part = "chord"
) -> tuple[ModelFile, Model]:
    """The network of a file and its description, in eval mode. `names`: the chord list it was trained with; `part`:
    what it writes, which its tensors do not tell.

    Raises WrongValue for another kind than `family` or another chord list, WrongWeights, UnreadableFile.
    """
    kind = recognise(weights)
    if kind not in FAMILIES[family]:
        fitting = next(name for name, kinds in FAMILIES.items() if kind in kinds)
        raise WrongValue(f"{weights.path} holds a network of kind {kind}.", f"Import it as {fitting}.")
    file = msgspec.structs.replace(_describe(weights, kind, names), part=part)
    with torch.device("meta"):
        model = build(file)
    places = tensor_names(file)
    _compare({places[name]: tensor.shape for name, tensor in model.state_dict().items()}, weights)
    model.load_state_dict({name: _number(weights, place) for name, place in places.items()}, assign=True)
    return file, model.eval()


def recognise(weights: WeightFile) -> Kind:
    """The kind of network by the names of its tensors. Raises WrongValue for a critic, UnreadableFile."""
    tensors = weights.tensors
    head = tensors.get("decoder.to_logits.weight")
    if weights.roof == "rl critic" or (head is not None and head.ndim and len(head) == 1):
        raise WrongValue(
            f"{weights.path} holds the critic of a training: it estimates rewards and plays nothing.",
            "Import the actor beside it, actor.pth.",
        )
    if any(name.startswith("chord_encoder.") for name in tensors):
        return "contrastive"
    if any(name.startswith("decoder.decoder.") for name in tensors):
        return "offline"
    if any(name.startswith("decoder.attn_layers.") for name in tensors):
        return "online"
    if "out_proj.weight" in tensors and any(name.startswith("encoder.") for name in tensors):
        return "discriminative"
    some = ", ".join(list(tensors)[:3])
    raise UnreadableFile(
        f"{weights.path} holds none of the published networks; its tensors are called {some} ..",
        "Known are online, offline, contrastive and discriminative networks of the realchords project.",
    )


def tensor_names(file: ModelFile) -> dict[str, str]:
    """Our name of each tensor -> the published one."""
    if file.online is not None:
        names = _stack_names("stack", "decoder", file.online.stack)
        return names | {"embed.weight": f"decoder.{_TABLE}", "head.weight": "decoder.to_logits.weight"}
    if file.offline is not None:
        names = _stack_names("encoder", "encoder", file.offline.encoder)
        names |= _stack_names("decoder", "decoder.decoder", file.offline.decoder)
        tables = {"embed_melody.weight": f"encoder.{_TABLE}", "embed_chords.weight": f"decoder.decoder.{_TABLE}"}
        return names | tables | {"head.weight": "decoder.decoder.to_logits.weight"}
    assert file.reward is not None
    stack = file.reward.stack
    if file.kind == "discriminative":
        names = _stack_names("stack", "encoder", stack) | {"embed.table.weight": f"encoder.{_TABLE}"}
        return names | {f"head.{part}": f"out_proj.{part}" for part in ("weight", "bias")}
    names = {"logit_scale": "logit_scale"}
    for ours, theirs in (("melody", "melody"), ("chords", "chord")):
        names |= _stack_names(f"{ours}.stack", f"{theirs}_encoder", stack)
        names[f"{ours}.embed.table.weight"] = f"{theirs}_encoder.{_TABLE}"
        names |= {f"{ours}.project.{part}": f"{theirs}_emb_proj.{part}" for part in _PROJECTION}
    return names


def _stack_names(ours: str, theirs: str, config: StackConfig) -> dict[str, str]:
    """A block is two or, with cross-attention, three numbered layers: attentions, then feed-forward."""
    names: dict[str, str] = {}
    attentions = ("attention", "cross") if config.cross else ("attention",)
    layers = f"{theirs}.attn_layers.layers"
    for number in range(config.depth):
        first = number * (len(attentions) + 1)
        block = f"{ours}.blocks.{number}"
        for at, attention in enumerate(attentions, first):
            names |= {f"{block}.{attention}.{our}": f"{layers}.{at}.1.{their}" for our, their in _ATTENTION.items()}
        last = first + len(attentions)
        names |= {f"{block}.{our}": f"{layers}.{last}.1.{their}" for our, their in _FEED_FORWARD.items()}
    if config.positions == "t5":
        return names | {f"{ours}.bias.weight": f"{theirs}.attn_layers.rel_pos.relative_attention_bias.weight"}
    return names | {f"{ours}.frequencies": f"{theirs}.attn_layers.rotary_pos_emb.inv_freq"}


def _describe(weights: WeightFile, kind: Kind, names: Sequence[str]) -> ModelFile:
    """Sizes from the shapes, V checked against the chord list."""
    reference_vocabulary(names)  # every name can be read
    file = ModelFile(
        kind, chords=tuple(names), spelling="reference",
        trained={"source": weights.path.name, "container": weights.roof, "sha256": weights.sha256, "window": WINDOW},
    )  # fmt: skip
    if kind == "online":
        tokens = _tokens(weights, "decoder", names)
        online = OnlineConfig(tokens, _stack(weights, "decoder", causal=True), form=False, tied=False)
        return msgspec.structs.replace(file, online=online)
    if kind == "offline":
        tokens = _tokens(weights, "encoder", names)
        encoder = _stack(weights, "encoder", causal=False, t5=True)
        decoder = _stack(weights, "decoder.decoder", causal=True, t5=True, cross=True)
        offline = OfflineConfig(tokens, encoder, decoder, form=False, tied=False, aligned=False)
        return msgspec.structs.replace(file, offline=offline)
    part = "encoder" if kind == "discriminative" else "chord_encoder"
    rhythm = _size(weights, f"{part}.{_TABLE}", 0) == RHYTHM_TOKENS
    tokens = CHORD_HOLD + 2 * len(names) if rhythm else _tokens(weights, part, names)
    return msgspec.structs.replace(file, reward=RewardConfig(tokens, _stack(weights, part, causal=False), rhythm))


def _stack(weights: WeightFile, prefix: str, *, causal: bool, t5: bool = False, cross: bool = False) -> StackConfig:
    layers = f"{prefix}.attn_layers.layers."
    attentions = sum(name.startswith(layers) and name.endswith(".to_q.weight") for name in weights.tensors)
    heads = _size(weights, f"{layers}0.1.qk_norm_q_scale", 0)
    width = _size(weights, f"{prefix}.{_TABLE}", 1)
    return published_stack(width, max(1, attentions // (1 + cross)), heads, causal=causal, t5=t5, cross=cross)


def _size(weights: WeightFile, name: str, axis: int) -> int:
    tensor = weights.tensors.get(name)
    if tensor is None or tensor.ndim <= axis or not tensor.shape[axis]:
        raise WrongWeights(f"{weights.path} lacks {name}, which tells the network's size.", _OTHER)
    return tensor.shape[axis]


def _tokens(weights: WeightFile, prefix: str, names: Sequence[str]) -> int:
    """V, which the table and the chord list must agree on. Raises WrongValue."""
    rows, tokens = _size(weights, f"{prefix}.{_TABLE}", 0), CHORD_HOLD + 2 * len(names)
    if rows != tokens:
        knows = f"{(rows - CHORD_HOLD) / 2:g} chords" if rows > CHORD_HOLD else "no chords"
        raise WrongValue(
            f"{weights.path} knows {rows} tokens, which is {knows}; the chord list has {len(names)}.",
            "Give the list the network was trained with, as it lies beside it: --chord-names FILE.",
        )
    return tokens


def _compare(expected: Mapping[str, torch.Size], weights: WeightFile) -> None:
    """Raise WrongWeights that names what is missing, not known, or of another shape."""
    found = weights.tensors
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    misshapen = [
        f"{name} is {list(found[name].shape)} instead of {list(shape)}"
        for name, shape in expected.items()
        if name in found and found[name].shape != shape
    ]
    sorts = (("missing", missing), ("not known", extra), ("of another shape", misshapen))
    wrong = [f"{len(names)} {what}: {_some(names)}" for what, names in sorts if names]
    if wrong:
        raise WrongWeights(f"{weights.path} does not fit the network it should hold. {'; '.join(wrong)}.", _OTHER)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (" .." if len(names) > NAMED else "")


def _number(weights: WeightFile, name: str) -> Tensor:
    """A tensor of its own in fp32. Raises WrongWeights where it holds something that is no number."""
    tensor = weights.tensors[name].to(torch.float32, copy=True).contiguous()
    if not bool(tensor.isfinite().all()):
        raise WrongWeights(f"{weights.path}: {name} holds numbers that are not finite.", "The training failed.")
    return tensor


_OTHER = "Is it a network of the realchords project, and complete?"
