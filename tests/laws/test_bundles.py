"""Every bundle that ships opens, is the file that was exported, and means what it says; damage is one clear line."""

import shutil

import msgspec
import numpy as np
import pytest

from sideman.engine import models
from sideman.engine.bundle import ENCODER, GRAPHS, STEP, BundleFile, fingerprint, load_bundle
from sideman.engine.models import find_model, list_models
from sideman.engine.sampling import Sampling
from sideman.engine.speculate import Melody, decode, score
from sideman.errors import UnknownModel
from sideman.music.vocabulary import CHORD_HOLD, NOTE_HOLD, NOTE_ON

SHIPPED = sorted(path.parent for path in models.SHIPPED.glob("*/bundle.json"))
MAX_FILE, MAX_ALL = 16_000_000, 36_000_000


@pytest.fixture(params=SHIPPED or [None], ids=lambda folder: folder.name if folder else "none")
def shipped(request):
    if request.param is None:
        pytest.skip("no weights ship yet")
    return request.param


def test_it_opens_and_is_what_was_exported(shipped):
    bundle = load_bundle(shipped)
    file = bundle.file
    assert file.name == shipped.name
    assert set(file.files) == {path.name for path in shipped.glob("*.onnx")}
    assert set(file.files) == set(GRAPHS[file.kind])
    assert all(fingerprint(shipped / name) == digest for name, digest in file.files.items())
    assert len(file.checkpoint) == 64
    assert (shipped / "card.md").read_text(encoding="utf-8").startswith("#")


def test_its_graphs_have_the_sizes_it_states(shipped):
    bundle = load_bundle(shipped)
    file = bundle.file
    if file.kind == "sheet":
        inputs = {i.name: i.shape for i in bundle.patches.get_inputs()}
        assert all((inputs[f"past_{i}"][1], inputs[f"past_{i}"][3]) == (file.heads, file.head_width)
                   for i in range(2 * file.depth))  # fmt: skip
        assert {o.name: o.shape for o in bundle.chars.get_outputs()}["logits"][-1] == 128
        return
    inputs = {i.name: i.shape for i in bundle.step.get_inputs()}
    extra = "form" if file.kind == "online" else "condition"
    past = {f"past_{i}" for i in range(2 * file.depth)}
    assert set(inputs) == {"tokens", "positions", "filled", "read", extra} | past
    assert all((inputs[name][1], inputs[name][3]) == (file.heads, file.head_width) for name in past)
    outputs = {o.name: o.shape for o in bundle.step.get_outputs()}
    assert outputs["logits"][2] == bundle.vocabulary.size


def test_it_makes_chords_for_a_melody(shipped):
    """A scale in C: the chords are chords, and most notes of the scale are in them."""
    bundle = load_bundle(shipped)
    if bundle.file.part != "chord":
        pytest.skip("makes no chords")
    frames = 128
    pitches = np.repeat([60, 62, 64, 65, 67, 69, 71, 72], frames // 8)
    tokens = np.where(np.arange(frames) % 16 == 0, NOTE_ON, NOTE_HOLD) + pitches
    place = np.stack([np.arange(frames) % 16 + 1, np.full(frames, 17), np.arange(frames) // 16 % 8 + 1], 1)
    melody = Melody.prepare(bundle, tokens, place.astype(np.uint8))
    decoded = decode(bundle, melody, np.random.default_rng(0).random((8, frames)), Sampling())
    made = decoded.chords
    # Int8 graphs scale activations over all that is fed at once, so a pass of other size differs a little.
    assert np.abs(score(bundle, melody, made) - decoded.log_p).mean() < 0.02
    sounding = made >= CHORD_HOLD
    assert sounding.mean() > 0.8
    if bundle.file.kind == "offline":  # a supervised online model does not hold a harmony; its card says how far
        masks = bundle.vocabulary.token_masks[made].astype(np.int64)
        assert (masks >> (pitches % 12) & 1)[sounding].mean() > 0.5


def test_the_weights_are_small_enough():
    if not SHIPPED:
        pytest.skip("no weights ship yet")
    sizes = [path.stat().st_size for folder in SHIPPED for path in folder.iterdir()]
    assert max(sizes) < MAX_FILE
    assert sum(sizes) < MAX_ALL


# --- damage -------------------------------------------------------------------------------------


@pytest.fixture
def copy(own_home):
    """A model alone in its home, to be damaged."""
    shutil.rmtree(own_home / "models" / "online")
    return own_home / "models" / "offline"


@pytest.mark.parametrize("name", [STEP, ENCODER])
@pytest.mark.parametrize("damage", ["truncated", "empty", "missing", "one bit"])
def test_damaged_weights(copy, name, damage):
    path = copy / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"truncated": data[: len(data) // 2], "empty": b"", "one bit": data}[damage])
    with pytest.raises(UnknownModel, match=f"damaged: {name}") as failed:
        load_bundle(copy)
    assert failed.value.hint


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"name": "x", "kind": "sideways"}'])
def test_damaged_description(copy, text):
    (copy / "bundle.json").write_bytes(text)
    with pytest.raises(UnknownModel, match=r"damaged: bundle\.json"):
        load_bundle(copy)
    assert list_models() == [], "it is not listed either"


def test_a_graph_the_description_does_not_name(copy):
    """Without its fingerprint a file cannot be trusted."""
    file = msgspec.json.decode((copy / "bundle.json").read_bytes(), type=BundleFile)
    kept = {STEP: file.files[STEP]}
    (copy / "bundle.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(file, files=kept)))
    with pytest.raises(UnknownModel, match=f"damaged: {ENCODER}"):
        load_bundle(copy)


def test_what_is_no_model_at_all(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UnknownModel, match="no model"):
            load_bundle(folder)
    (tmp_path / "file").write_text("x")
    with pytest.raises(UnknownModel):
        load_bundle(tmp_path / "file")


# --- names --------------------------------------------------------------------------------------


def test_models_are_found_by_name_and_kind(tiny_home):
    assert [info.name for info in list_models()] == ["offline", "online"]
    assert find_model(None) == tiny_home / "models" / "offline"
    assert find_model(None, "online") == find_model("online") == tiny_home / "models" / "online"


@pytest.mark.parametrize("name", ["nobody", "../models/offline", "/etc", ".", "..", "off\0line"])
def test_other_names_are_no_models(tiny_home, name):
    with pytest.raises(UnknownModel) as failed:
        find_model(name)
    assert "offline, online" in failed.value.hint


def test_a_card_that_is_not_text_harms_nobody(own_home):
    (own_home / "models" / "offline" / "card.md").write_bytes(b"\xff\xfe\x00")
    assert len(list_models()) == 2


def test_who_answers_when_nobody_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path))
    assert (find_model(None).name, find_model(None, "online").name) == ("offline", "gapt")
    assert find_model("online", "online").name == "online"
