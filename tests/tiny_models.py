"""Tiny networks with random weights, exported once and kept in pytest's cache: an online one, an aligned offline one,
an offline one as published, with cross-attention and the T5 bias, an online one that makes melodies, and three that
write sheets: our own kind, without and with a clock, and the published one.

Two layers of width 32. Random weights alone would never hold a chord; one dimension of the state is the same for
every token, and the output weights on it make holds likely, so that drafts are accepted and refused about equally.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Literal

import pytest

import sideman
from sideman.engine.bundle import Bundle, load_bundle

Kind = Literal["online", "offline", "cross", "melody", "sheet", "clock", "gpt2"]
# Those that make chords.
KINDS: tuple[Kind, ...] = ("online", "offline", "cross")
SOURCE = Path(sideman.__file__).parent
# What a bundle is made by and made for.
MADE_BY = (*sorted((SOURCE / "models").glob("*.py")), SOURCE / "engine" / "bundle.py", Path(__file__))


def tiny_folder(cache: Path, kind: Kind) -> Path:
    """Folder with `bundle` and the `checkpoint` it was exported from, made now unless the cache has it."""
    folder = cache / f"{kind}-{_fingerprint()}"
    if not folder.exists():
        scratch = Path(tempfile.mkdtemp(dir=cache))
        _export(scratch, kind)
        try:
            os.replace(scratch, folder)
        except OSError:  # another process was faster
            shutil.rmtree(scratch)
    return folder


def _fingerprint() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in MADE_BY)).hexdigest()[:16]


def _export_sheet(folder: Path, kind: Kind) -> None:
    import torch

    from sideman.models.build import ModelFile, build, save_checkpoint
    from sideman.models.export import export_bundle
    from sideman.models.sheet import SheetConfig, published_sheet
    from sideman.models.transformer import StackConfig

    patches = StackConfig(32, 2, 2, 16, 48, rotary_width=16, norm="layer")
    chars = StackConfig(24, 1, 1, 24, 32, norm="layer", positions="learned", span=17)
    own = SheetConfig(patches, chars, 96, clock=kind == "clock")
    config = published_sheet(64, 2, 1, 96) if kind == "gpt2" else own
    prompts = (("Romantic", "Schubert, Franz", "Art Song"), ("Romantic", "Schumann, Clara", "Art Song"))
    file = ModelFile("sheet", sheet=config, prompts=prompts)
    torch.manual_seed(7)
    model = build(file).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(8.0 if weight.ndim == 2 else 1.0)
        for name, weight in model.named_parameters():
            if "clock" in name:  # which says nothing at first
                weight.normal_()
    save_checkpoint(folder / "checkpoint", file, model)
    export_bundle(folder / "checkpoint", folder / "bundle", f"tiny-{kind}", int8=False)


def _export(folder: Path, kind: Kind) -> None:
    if kind in ("sheet", "clock", "gpt2"):
        _export_sheet(folder, kind)
        return
    import torch

    from sideman.models.build import ModelFile, build, save_checkpoint
    from sideman.models.export import export_bundle
    from sideman.models.offline import OfflineConfig
    from sideman.models.online import OnlineConfig
    from sideman.models.transformer import StackConfig, published_stack
    from sideman.music.vocabulary import CHORD_HOLD, NOTE_HOLD, NOTE_ON, SILENCE, own_vocabulary

    vocabulary = own_vocabulary()
    sizes = {"width": 32, "depth": 2, "heads": 2, "head_width": 16, "ff_width": 48, "rotary_width": 16}
    stack, listening = StackConfig(**sizes), StackConfig(**sizes, causal=False)  # type: ignore[arg-type]
    online = OnlineConfig(vocabulary.size, stack, tied=False)
    offline = OfflineConfig(vocabulary.size, listening, stack, tied=False)
    if kind == "cross":
        encoder = published_stack(32, 2, 2, causal=False, t5=True)
        decoder = published_stack(32, 2, 2, causal=True, t5=True, cross=True)
        offline = OfflineConfig(vocabulary.size, encoder, decoder, form=False, tied=False, aligned=False)
    file = ModelFile("offline", offline=offline)
    if kind in ("online", "melody"):
        file = ModelFile("online", "melody" if kind == "melody" else "chord", online=online)
    torch.manual_seed(7)
    model = build(file).eval()
    embed = model.embed if file.kind == "online" else model.embed_chords
    holds = slice(NOTE_HOLD, NOTE_ON) if kind == "melody" else slice(CHORD_HOLD, vocabulary.chord_on)
    with torch.no_grad():
        embed.weight[:, 0] = 2.0
        model.head.weight *= 3.0
        model.head.weight[:, 0] = 0.0
        model.head.weight[holds, 0] = 3.7
        model.head.weight[SILENCE, 0] = 2.4
        for name, weight in model.named_parameters():
            if name.endswith(("query.weight", "attention.out.weight")):  # what came before matters
                weight.mul_(2.5)
            if name.endswith(("attention.out.weight", "cross.out.weight", "ff.fall.weight", "bridge.weight")):
                weight[0] = 0.0
            if name.endswith("fall.bias"):
                weight[0] = 0.0
            if name.startswith("embed"):  # which a bundle keeps in half precision
                weight.copy_(weight.half().float())
    save_checkpoint(folder / "checkpoint", file, model)
    export_bundle(folder / "checkpoint", folder / "bundle", f"tiny-{kind}", int8=False)


@pytest.fixture(scope="session")
def tiny_folders(request: pytest.FixtureRequest) -> dict[Kind, Path]:
    """Kind -> folder with `bundle` and `checkpoint`."""
    cache = request.config.cache.mkdir("tiny-models")
    return {kind: tiny_folder(cache, kind) for kind in KINDS}


@pytest.fixture(scope="session")
def tiny_melody_folder(request: pytest.FixtureRequest) -> Path:
    """Folder with the `bundle` and `checkpoint` of the model that makes melodies."""
    return tiny_folder(request.config.cache.mkdir("tiny-models"), "melody")


@pytest.fixture(scope="session")
def tiny_melody(tiny_melody_folder: Path) -> Bundle:
    return load_bundle(tiny_melody_folder / "bundle", threads=1)


@pytest.fixture(scope="session")
def tiny_sheet_folders(request: pytest.FixtureRequest) -> dict[Kind, Path]:
    """Kind -> folder with `bundle` and `checkpoint` of a network that writes sheets: random ones."""
    cache = request.config.cache.mkdir("tiny-models")
    return {kind: tiny_folder(cache, kind) for kind in ("sheet", "clock", "gpt2")}


@pytest.fixture(scope="session")
def tiny_sheet(tiny_sheet_folders: dict[Kind, Path]) -> Bundle:
    return load_bundle(tiny_sheet_folders["sheet"] / "bundle", threads=1)


@pytest.fixture(scope="session")
def tiny_bundles(tiny_folders: dict[Kind, Path]) -> dict[Kind, Bundle]:
    return {kind: load_bundle(folder / "bundle", threads=1) for kind, folder in tiny_folders.items()}


@pytest.fixture(scope="session", params=KINDS)
def tiny(request: pytest.FixtureRequest, tiny_bundles: dict[Kind, Bundle]) -> Bundle:
    """Each of them in turn."""
    return tiny_bundles[request.param]


@pytest.fixture(scope="session")
def shared_home(tiny_folders: dict[Kind, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    for kind in ("online", "offline"):
        shutil.copytree(tiny_folders[kind] / "bundle", home / "models" / kind)
    return home


@pytest.fixture
def tiny_home(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, shared by all tests, whose only models are the tiny ones, `offline` and `online`; none ships."""
    monkeypatch.setenv("SIDEMAN_HOME", str(shared_home))
    monkeypatch.setattr("sideman.engine.models.SHIPPED", shared_home / "nothing")
    return shared_home


@pytest.fixture
def own_home(tiny_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of `tiny_home` that a test may damage."""
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path / "home"))
    return Path(shutil.copytree(tiny_home, tmp_path / "home"))
