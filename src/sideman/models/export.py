"""From a checkpoint to a bundle: ONNX graphs, int8 weights, and the proof that they still are the same network.

Export refuses: fp32 graphs must agree with torch to 1e-3 in every logit, int8 graphs must stay within
MAX_INT8_KL nats of them on average. Graph contracts: engine/bundle.py.
"""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from sideman.engine.bundle import ENCODER, STEP, Bundle, BundleFile, fingerprint, load_bundle
from sideman.engine.stream import Stream
from sideman.errors import MissingExtra, SidemanError
from sideman.files import write_atomic
from sideman.models.build import ModelFile, load_checkpoint, parameters
from sideman.models.offline import OfflineModel
from sideman.models.online import OnlineModel
from sideman.models.transformer import StackConfig, Transformer
from sideman.music.vocabulary import BOS, CHORD_HOLD, EOS

MAX_FP32_DIFFERENCE = 1e-3
MAX_INT8_KL = 0.02
OPSET = 20


class ParityError(SidemanError):
    """The exported graphs do not reproduce the checkpoint."""

    code = "export_parity"
    status = 500


class StackStep(nn.Module):
    """One pass of a causal rotary stack over S new positions and an external cache (see bundle.py)."""

    def __init__(self, stack: Transformer) -> None:
        super().__init__()
        self.stack, self.config = stack, stack.config
        self.scale = _scale(stack.config)

    def forward(self, x: Tensor, positions: Tensor, filled: Tensor, past: list[Tensor]) -> tuple[Tensor, Tensor]:
        turns = positions.float()[:, None, :, None] * self.stack.frequencies
        angles = (turns.cos(), turns.sin())
        slots = torch.arange(past[0].shape[2])
        closed_past = (slots[None, :] >= filled[:, None])[:, None, None, :]
        count = torch.arange(x.shape[1])
        closed_new = count[None, :] > count[:, None]
        new = []
        for number, block in enumerate(self.stack.layers):
            y = block.norm_self(x)
            q, k, v = block.attention.project(y, y, angles)
            new += [k, v]
            q = q * self.scale
            before = (q @ past[2 * number].transpose(-1, -2)).masked_fill(closed_past, float("-inf"))
            among = (q @ k.transpose(-1, -2)).masked_fill(closed_new, float("-inf"))
            weights = torch.softmax(torch.cat((before, among), -1), -1)
            split = past[0].shape[2]
            mixed = weights[..., :split] @ past[2 * number + 1] + weights[..., split:] @ v
            x = x + block.attention.out(mixed.transpose(1, 2).flatten(2))
            x = x + block.ff(block.norm_ff(x))
        return self.stack.norm(x), torch.stack(new)


class OnlineStep(nn.Module):
    """Graph `step` of an online model."""

    def __init__(self, model: OnlineModel) -> None:
        super().__init__()
        self.table, self.head = _tables(model.embed, model.head)
        self.form, self.step = model.form, StackStep(model.stack)

    def forward(self, tokens: Tensor, positions: Tensor, filled: Tensor, read: Tensor, form: Tensor,
                past: list[Tensor]) -> tuple[Tensor, Tensor]:  # fmt: skip
        x = self.table[tokens].float()
        x = x + self.form(form) if self.form is not None else x + 0.0 * form.sum(-1, keepdim=True).float()
        states, new = self.step(x, positions, filled, past)
        return states[:, read] @ self.head.t(), new


class OfflineStep(nn.Module):
    """Graph `step` of an aligned offline model."""

    def __init__(self, model: OfflineModel) -> None:
        super().__init__()
        self.table, self.head = _tables(model.embed_chords, model.head)
        self.step = StackStep(model.decoder)

    def forward(self, tokens: Tensor, positions: Tensor, filled: Tensor, read: Tensor, condition: Tensor,
                past: list[Tensor]) -> tuple[Tensor, Tensor]:  # fmt: skip
        states, new = self.step(self.table[tokens].float() + condition, positions, filled, past)
        return states[:, read] @ self.head.t(), new


def _tables(embed: nn.Embedding, head: nn.Linear | None) -> tuple[nn.Parameter, nn.Parameter]:
    """Input table in half precision, which is what a bundle stores, and the output table (tied: the same values)."""
    table = embed.weight.detach().half()
    out = table.float() if head is None else head.weight.detach()
    return nn.Parameter(table, requires_grad=False), nn.Parameter(out, requires_grad=False)


class Encoder(nn.Module):
    """Graph `encoder` of an aligned offline model: what is added to the decoder's input, frame by frame."""

    def __init__(self, model: OfflineModel) -> None:
        super().__init__()
        # A melody model reads chords; a chord model never sees an id from the chord range.
        self.table = nn.Parameter(model.embed_melody.weight.detach()[:CHORD_HOLD].half(), requires_grad=False)
        assert model.bridge is not None
        self.form, self.stack, self.bridge = model.form, model.encoder, model.bridge
        self.scale = _scale(model.config.encoder)

    def forward(self, melody: Tensor, form: Tensor) -> Tensor:
        x = self.table[melody].float()
        x = x + self.form(form) if self.form is not None else x
        angles = self.stack.angles(torch.arange(melody.shape[1]))
        for block in self.stack.layers:
            y = block.norm_self(x)
            q, k, v = block.attention.project(y, y, angles)
            mixed = torch.softmax((q * self.scale) @ k.transpose(-1, -2), -1) @ v
            x = x + block.attention.out(mixed.transpose(1, 2).flatten(2))
            x = x + block.ff(block.norm_ff(x))
        return self.bridge(self.stack.norm(x)[:, 1:])  # type: ignore[no-any-return]


def _scale(config: StackConfig) -> float:
    """What query-key products are multiplied by (spec 4.1 for the cosine kind)."""
    return 10.0 if config.qk == "cosine" else config.head_width**-0.5


def export_bundle(checkpoint: Path, folder: Path, name: str, int8: bool = True) -> BundleFile:
    """Export a checkpoint folder to a bundle folder. Raises ParityError and writes nothing when quality is lost,
    SidemanError where the engine has no graph for this kind of network."""
    file, model = load_checkpoint(checkpoint)
    _check_kind(file, model)
    with tempfile.TemporaryDirectory() as scratch:
        exact, small = Path(scratch) / "fp32", Path(scratch) / "int8"
        _write_graphs(model, exact)
        described = _describe(file, model, checkpoint, name, exact, "fp32")
        _check_against_torch(model, load_bundle(exact))
        chosen = exact
        if int8:
            _quantise(exact, small)
            described = _describe(file, model, checkpoint, name, small, "int8")
            _check_int8(load_bundle(exact), load_bundle(small))
            chosen = small
        for part in sorted(chosen.iterdir(), reverse=True):  # the graphs, then the bundle.json that names them
            write_atomic(folder / part.name, part.read_bytes())
    return described


def _check_kind(file: ModelFile, model: OnlineModel | OfflineModel) -> None:
    """The engine plays chords, on rotary networks whose melody needs no cross-attention."""
    stacks = [model.stack] if isinstance(model, OnlineModel) else [model.encoder, model.decoder]
    if any(stack.config.positions != "rotary" or stack.config.cross for stack in stacks) or file.part != "chord":
        raise SidemanError(
            "Only chord models with rotary positions and without cross-attention can be exported to a bundle.",
            "Train with part: chord, positions: rotary and, offline, aligned: true.",
            code="not_exportable",
        )


def _write_graphs(model: OnlineModel | OfflineModel, folder: Path) -> None:
    folder.mkdir(parents=True)
    if isinstance(model, OnlineModel):
        _export_step(OnlineStep(model), model.config.stack, {"form": torch.zeros(2, 3, 3, dtype=torch.long)}, folder)
        return
    step = {"condition": torch.zeros(2, 3, model.config.decoder.width)}
    _export_step(OfflineStep(model), model.config.decoder, step, folder)
    batch, length = torch.export.Dim("batch", min=1, max=4096), torch.export.Dim("length", min=3, max=65536)
    example = {"melody": torch.full((2, 5), BOS), "form": torch.zeros(2, 5, 3, dtype=torch.long)}
    shapes = {"melody": {0: batch, 1: length}, "form": {0: batch, 1: length}}
    _export(Encoder(model), example, shapes, ["melody", "form"], ["condition"], folder / ENCODER)


def _export_step(graph: nn.Module, config: StackConfig, extra: dict[str, Tensor], folder: Path) -> None:
    batch, new, past, read = (torch.export.Dim(n, min=1, max=65536) for n in ("batch", "new", "past", "read"))
    cache = [torch.zeros(2, config.heads, 4, config.head_width) for _ in range(2 * config.depth)]
    example = {
        "tokens": torch.full((2, 3), BOS), "positions": torch.arange(3).repeat(2, 1), "filled": torch.tensor([0, 2]),
        "read": torch.tensor([0, 2]), **extra, "past": cache,
    }  # fmt: skip
    shapes: dict[str, Any] = {
        "tokens": {0: batch, 1: new}, "positions": {0: batch, 1: new}, "filled": {0: batch}, "read": {0: read},
        **{key: {0: batch, 1: new} for key in extra}, "past": [{0: batch, 2: past} for _ in cache],
    }  # fmt: skip
    names = [*list(example)[:-1], *(f"past_{i}" for i in range(len(cache)))]
    _export(graph, example, shapes, names, ["logits", "new"], folder / STEP)


def _export(graph: nn.Module, example: dict[str, Any], shapes: dict[str, Any], inputs: list[str],
            outputs: list[str], path: Path) -> None:  # fmt: skip
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise MissingExtra("Exporting a model", "train") from None
    with _quiet(), torch.no_grad():
        torch.onnx.export(
            graph.eval(), (), str(path), kwargs=example, dynamic_shapes=shapes, input_names=inputs,
            output_names=outputs, opset_version=OPSET, dynamo=True, external_data=False, verbose=False, optimize=True,
        )  # fmt: skip


def _quantise(source: Path, target: Path) -> None:
    """Weights of every matrix product with a constant to int8 per column, activations dynamically."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    target.mkdir()
    for path in source.glob("*.onnx"):
        with _quiet():
            quantize_dynamic(
                path, target / path.name, op_types_to_quantize=["MatMul", "Gemm"], per_channel=True,
                weight_type=QuantType.QInt8,
            )  # fmt: skip


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporters warn of things a user can neither see nor change; parity is checked afterwards."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _describe(file: ModelFile, model: OnlineModel | OfflineModel, checkpoint: Path, name: str, folder: Path,
              precision: Any) -> BundleFile:  # fmt: skip
    config = model.config.stack if isinstance(model, OnlineModel) else model.config.decoder
    described = BundleFile(
        name=name, kind=file.kind, part=file.part, precision=precision, depth=config.depth, heads=config.heads,
        head_width=config.head_width, parameters=parameters(model),
        files={path.name: fingerprint(path) for path in sorted(folder.glob("*.onnx"))},
        checkpoint=fingerprint(checkpoint / "model.safetensors"), window=int(file.trained.get("window", 256)),
        chords=file.chords, spelling=file.spelling, trained=file.trained,
    )  # fmt: skip
    write_atomic(folder / "bundle.json", msgspec.json.format(msgspec.json.encode(described), indent=1))
    return described


def _example(size: int) -> tuple[Any, Any, Any]:
    """Random but seeded token rows [2, 24] with form and melody for parity runs."""
    rng = np.random.default_rng(0)
    tokens = rng.integers(CHORD_HOLD, size, (2, 24))
    tokens[:, 0] = BOS
    melody = np.concatenate([[BOS], rng.integers(3, CHORD_HOLD, 23), [EOS]])
    return tokens, rng.integers(0, 9, (2, 24, 3)), melody


def bundle_logits(bundle: Bundle) -> np.ndarray:
    """Logits [2, 24, V] of the parity example: a prefill of 16 tokens, 4 wrong ones taken back, then 8 at once."""
    tokens, form, melody = _example(bundle.vocabulary.size)
    extra: Any = form
    if bundle.file.kind == "offline":
        places = np.zeros((1, 25, 3), np.int64)
        (condition,) = bundle.encoder.run(None, {"melody": melody[None], "form": places})
        extra = np.repeat(condition, 2, 0)
    stream = Stream.open(bundle, 2)
    first = stream.feed(tokens[:, :16], extra[:, :16])
    stream.feed(tokens[:, 3:7], extra[:, 3:7])
    stream.rollback(np.array([16, 16]))
    return np.concatenate([first, stream.feed(tokens[:, 16:], extra[:, 16:])], 1)


@torch.inference_mode()
def torch_logits(model: OnlineModel | OfflineModel) -> np.ndarray:
    """The same from the network itself, in one uncached pass."""
    tokens, form, melody = (torch.from_numpy(x) for x in _example(model.config.tokens))
    if isinstance(model, OnlineModel):
        return model(tokens, form).numpy()  # type: ignore[no-any-return]
    encoded = model.encode(melody[None], torch.zeros(1, 25, 3, dtype=torch.long))
    return model.decode(tokens, encoded.expand(2, -1, -1)).numpy()


def _check_against_torch(model: OnlineModel | OfflineModel, bundle: Bundle) -> None:
    # The graphs keep embeddings in half precision; so does the network they are compared with.
    for name, parameter in model.named_parameters():
        if name.startswith("embed"):
            parameter.data = parameter.data.half().float()
    gap = float(np.abs(bundle_logits(bundle) - torch_logits(model)).max())
    if not gap <= MAX_FP32_DIFFERENCE:
        raise ParityError(f"The exported graph differs from the checkpoint by {gap:.2e} in a logit.")


def _check_int8(exact: Bundle, small: Bundle) -> None:
    a, b = (torch.log_softmax(torch.from_numpy(bundle_logits(x)), -1) for x in (exact, small))
    divergence = float((a.exp() * (a - b)).sum(-1).mean())
    if not divergence <= MAX_INT8_KL:
        raise ParityError(f"Int8 weights change the distribution by {divergence:.3f} nats.", "Export with --fp32.")
