"""Tiny networks with random weights, exported once and kept in pytest's cache: an online one, an aligned offline one,
an offline one as published, with cross-attention and the T5 bias, and an online one that makes melodies.

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

Kind = Literal["online", "offline", "cross", "melody"]
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


def _export(folder: Path, kind: Kind) -> None:
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
