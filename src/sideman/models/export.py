"""From a checkpoint to a bundle: ONNX graphs, int8 weights, and the proof that they still are the same network.

Export refuses: fp32 graphs must agree with torch to 1e-3 in every logit, int8 graphs must stay within
MAX_INT8_KL nats of them on average. Graph contracts: engine/bundle.py.
"""

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from sideman.engine.bundle import CHARS, ENCODER, PATCHES, STEP, Bundle, BundleFile, fingerprint, load_bundle
from sideman.engine.stream import Stream
from sideman.errors import MissingExtra, SidemanError
from sideman.files import write_atomic
from sideman.models import export_sheet
from sideman.models.build import ModelFile, load_checkpoint, parameters
from sideman.models.offline import OfflineModel
from sideman.models.online import OnlineModel
from sideman.models.sheet import SheetModel
from sideman.music.vocabulary import BOS, CHORD_HOLD, EOS

MAX_FP32_DIFFERENCE = 1e-3
MAX_INT8_KL = 0.02

Playing = OnlineModel | OfflineModel | SheetModel


class ParityError(SidemanError):
    """The exported graphs do not reproduce the checkpoint."""

    code = "export_parity"
    status = 500


def export_bundle(
    checkpoint: Path,
    folder: Path,
    name: str,
    int8: bool = True,
    window: int | None = None,
    follow_turns: bool = False,
) -> BundleFile:
    """Export a checkpoint folder to a bundle folder, to hear at most `window` frames (None: as many as trained on) and,
    after a turn of the melody, only what came since. Raises ParityError and writes nothing when quality is lost,
    SidemanError where the engine has no graph for this kind of network or it cannot follow turns."""
    file, model = load_checkpoint(checkpoint)
    if not isinstance(model, Playing):
        raise SidemanError(f"A {file.kind} network plays nothing: it judges.", code="not_exportable")
    _check_kind(file, follow_turns)
    with tempfile.TemporaryDirectory() as scratch:
        exact, small = Path(scratch) / "fp32", Path(scratch) / "int8"
        _write_graphs(model, exact, int8=False)
        described = _describe(file, model, checkpoint, name, exact, "fp32")
        _check_against_torch(model, load_bundle(exact))
        chosen = exact
        if int8:
            _write_graphs(model, small, int8=True)
            described = _describe(file, model, checkpoint, name, small, "int8")
            _check_int8(load_bundle(exact), load_bundle(small))
            chosen = small
        described = msgspec.structs.replace(described, window=window or described.window, follows_turns=follow_turns)
        _write_description(chosen, described)
        for part in sorted(chosen.iterdir(), reverse=True):  # the graphs, then the bundle.json that names them
            write_atomic(folder / part.name, part.read_bytes())
    return described


def _check_kind(file: ModelFile, follow_turns: bool) -> None:
    """The engine plays chords, melodies of online models, and sheets."""
    if follow_turns and (file.kind, file.part) != ("online", "chord"):
        raise SidemanError(
            "Only an online chord model can follow the turns of a melody.",
            "Export it without --follow-turns.",
            code="not_exportable",
        )
    if file.kind != "sheet" and file.part != "chord" and file.kind != "online":
        raise SidemanError(
            "Only chord models and online melody models can be exported to a bundle.",
            "Train with stage: online or part: chord.",
            code="not_exportable",
        )


def _write_graphs(model: Playing, folder: Path, int8: bool) -> None:
    try:
        from sideman.models import graph
        from sideman.models.nodes import Graph
    except ImportError:
        raise MissingExtra("Exporting a model", "train") from None
    folder.mkdir(parents=True)
    if isinstance(model, OnlineModel):
        graph.online_step(model, Graph(int8)).save(folder / STEP)
        return
    if isinstance(model, SheetModel):
        graph.sheet_patches(model, Graph(int8)).save(folder / PATCHES)
        graph.sheet_chars(model, Graph(int8)).save(folder / CHARS)
        return
    graph.offline_step(model, Graph(int8)).save(folder / STEP)
    graph.encoder(model, Graph(int8)).save(folder / ENCODER)


def _describe(file: ModelFile, model: Playing, checkpoint: Path, name: str, folder: Path,
              precision: Any) -> BundleFile:  # fmt: skip
    if isinstance(model, SheetModel):
        kind, part, config, window = "sheet", "score", model.config.patches, model.config.length
    else:
        online = isinstance(model, OnlineModel)
        config = model.config.stack if isinstance(model, OnlineModel) else model.config.decoder
        kind, part = "online" if online else "offline", file.part
        window = int(file.trained.get("window", 256))
    described = BundleFile(
        name=name, kind=kind, part=part, precision=precision,  # type: ignore[arg-type]
        depth=config.depth, heads=config.heads, head_width=config.head_width, parameters=parameters(model),
        files={path.name: fingerprint(path) for path in sorted(folder.glob("*.onnx"))},
        checkpoint=fingerprint(checkpoint / "model.safetensors"), window=window,
        chords=file.chords, spelling=file.spelling, trained=file.trained, cross=config.cross,
        prompts=file.prompts,
        network=msgspec.to_builtins(model.config),
    )  # fmt: skip
    _write_description(folder, described)
    return described


def _write_description(folder: Path, described: BundleFile) -> None:
    write_atomic(folder / "bundle.json", msgspec.json.format(msgspec.json.encode(described), indent=1))


def _example(size: int) -> tuple[Any, Any, Any]:
    """Random but seeded token rows [2, 24] with form and melody for parity runs."""
    rng = np.random.default_rng(0)
    tokens = rng.integers(CHORD_HOLD, size, (2, 24))
    tokens[:, 0] = BOS
    melody = np.concatenate([[BOS], rng.integers(3, CHORD_HOLD, 23), [EOS]])
    return tokens, rng.integers(0, 9, (2, 24, 3)), melody


def bundle_logits(bundle: Bundle) -> np.ndarray:
    """Logits [2, 24, V] of the parity example: a prefill of 16 tokens, 4 wrong ones taken back, then 8 at once. Of a
    sheet model those of `export_sheet`."""
    if bundle.file.kind == "sheet":
        return export_sheet.bundle_logits(bundle)
    tokens, form, melody = _example(bundle.vocabulary.size)
    extra: Any = form
    if bundle.file.kind == "offline":
        made = bundle.encoder.run(None, {"melody": melody[None], "form": np.zeros((1, 25, 3), np.int64)})
        extra = tuple(made) if bundle.file.cross else np.repeat(made[0], 2, 0)
    stream = Stream.open(bundle, 2)

    def feed(start: int, stop: int) -> np.ndarray:
        return stream.feed(tokens[:, start:stop], extra if bundle.file.cross else extra[:, start:stop])

    first = feed(0, 16)
    feed(3, 7)
    stream.rollback(np.array([16, 16]))
    return np.concatenate([first, feed(16, 24)], 1)


@torch.inference_mode()
def torch_logits(model: Playing) -> np.ndarray:
    """The same from the network itself, in one uncached pass."""
    if isinstance(model, SheetModel):
        return export_sheet.torch_logits(model)
    tokens, form, melody = (torch.from_numpy(x) for x in _example(model.config.tokens))
    if isinstance(model, OnlineModel):
        return model(tokens, form).numpy()  # type: ignore[no-any-return]
    encoded = model.encode(melody[None], torch.zeros(1, 25, 3, dtype=torch.long))
    return model.decode(tokens, encoded.expand(2, -1, -1)).numpy()


def _check_against_torch(model: Playing, bundle: Bundle) -> None:
    gap = float(np.abs(bundle_logits(bundle) - torch_logits(model)).max())
    if not gap <= MAX_FP32_DIFFERENCE:
        raise ParityError(f"The exported graph differs from the checkpoint by {gap:.2e} in a logit.")


def _check_int8(exact: Bundle, small: Bundle) -> None:
    a, b = (torch.log_softmax(torch.from_numpy(bundle_logits(x)), -1) for x in (exact, small))
    divergence = float((a.exp() * (a - b)).sum(-1).mean())
    if not divergence <= MAX_INT8_KL:
        raise ParityError(f"Int8 weights change the distribution by {divergence:.3f} nats.", "Export with --fp32.")
