"""`sideman models import`: every container, and every file that must not get in; what came in plays."""

import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from published_states import FAMILY, NAMES, SHAPES, WIDTH, V, random_state, save_as

from sideman.cli import run
from sideman.engine.bundle import load_bundle
from sideman.engine.models import find_model
from sideman.models.build import load_checkpoint
from sideman.models.published_file import read_weights
from sideman.music.chord import Chord
from sideman.music.reference_names import reference_vocabulary
from sideman.music.vocabulary import own_vocabulary, translate
from sideman.train.rl.parts import load_terms
from sideman.train.rl.recipe import NetworkReward

KINDS = tuple(SHAPES)
Call = Callable[..., tuple[int, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SIDEMAN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "chord_names.json"
    path.write_text(json.dumps(NAMES))
    return path


@pytest.fixture
def call(home: Path, names: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Import a file under the name `theirs`; (exit code, what was said on stderr)."""

    def importing(family: str, path: Path, *more: str, names: Path = names) -> tuple[int, str]:
        code = run(["models", "import", family, str(path), "--chord-names", str(names), "--name", "theirs", *more])
        return code, capsys.readouterr().err

    return importing


@pytest.mark.parametrize("roof", ["lightning", "converted", "rl actor"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_roof_holds_the_same(roof: str, kind: str, tmp_path: Path):
    state = random_state(SHAPES[kind]())
    found = read_weights(save_as(roof, state, tmp_path / "file"))
    assert found.roof == roof
    assert set(found.tensors) == set(state)
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in state.items())


def test_a_compiled_network_in_the_converted_format(tmp_path: Path):
    state = random_state(SHAPES["online"]())
    wrapped = {f"_orig_mod.{name}": tensor for name, tensor in state.items()}
    assert set(read_weights(save_as("converted", wrapped, tmp_path / "file")).tensors) == set(state)


@pytest.mark.parametrize("kind", ["online", "offline"])
def test_a_model_joins_the_others_and_its_card_says_where_it_is_from(kind: str, call: Call, tmp_path: Path):
    path = save_as("lightning", random_state(SHAPES[kind]()), tmp_path / "step=1.ckpt")
    assert call(FAMILY[kind], path, "--fp32")[0] == 0
    bundle = load_bundle(find_model("theirs"))
    assert (bundle.file.kind, bundle.file.chords, bundle.file.spelling) == (kind, NAMES, "reference")
    assert bundle.file.cross == (kind == "offline")
    card = (bundle.folder / "card.md").read_text()
    assert "| source | step=1.ckpt |" in card
    assert read_weights(path).sha256 in card


def test_int8_is_the_default_and_is_refused_where_it_plays_something_else(call: Call, home: Path, tmp_path: Path):
    calm = {name: t * (0.1 if "weight" in name else 1) for name, t in random_state(SHAPES["online"]()).items()}
    assert call("realchords-online", save_as("converted", calm, tmp_path / "calm"))[0] == 0
    assert load_bundle(find_model("theirs")).file.precision == "int8"
    wild = {name: t * (9 if "to_logits" in name else 1) for name, t in random_state(SHAPES["online"]()).items()}
    code, said = call("realchords-online", save_as("converted", wild, tmp_path / "wild"))
    assert code == 2
    assert "Int8 weights change the distribution" in said
    assert "--fp32" in said


@pytest.mark.parametrize("kind", ["contrastive", "discriminative"])
def test_a_judge_becomes_a_checkpoint(kind: str, call: Call, home: Path, tmp_path: Path):
    path = save_as("lightning", random_state(SHAPES[kind]()), tmp_path / "step=1.ckpt")
    code, said = call("realchords-reward", path)
    assert code == 0
    assert "networks.0.path=" in said
    file, model = load_checkpoint(home / "checkpoints" / "theirs")
    assert (file.kind, file.chords, file.spelling) == (kind, NAMES, "reference")
    assert not model.training
    assert not (home / "models").exists()
    (term,) = load_terms((NetworkReward(path=str(home / "checkpoints" / "theirs")),), reference_vocabulary(NAMES))
    assert term.name == kind


def test_the_checkpoint_is_kept_where_asked(call: Call, tmp_path: Path):
    path = save_as("converted", random_state(SHAPES["online"]()), tmp_path / "file")
    assert call("realchords-online", path, "--fp32", "--checkpoint", str(tmp_path / "kept"))[0] == 0
    assert load_checkpoint(tmp_path / "kept")[0].trained["container"] == "converted"


def test_who_writes_melodies_is_told_apart(call: Call, home: Path, tmp_path: Path):
    path = save_as("converted", random_state(SHAPES["online"]()), tmp_path / "online")
    assert call("realchords-online", path, "--fp32", "--part", "melody")[0] == 0
    assert load_bundle(find_model("theirs")).file.part == "melody"
    path = save_as("converted", random_state(SHAPES["offline"]()), tmp_path / "offline")
    code, said = call("realchords-offline", path, "--part", "melody")
    assert code == 0
    assert "anchor=" in said
    assert load_checkpoint(home / "checkpoints" / "theirs")[0].part == "melody"


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.flag),)


@pytest.mark.parametrize("how", ["archive", "pickle", "newer pickle", "inside the state dict"])
def test_code_in_a_file_is_never_run(how: str, call: Call, home: Path, tmp_path: Path):
    path, flag = tmp_path / "actor.pth", tmp_path / "ran"
    state: dict[str, Any] = dict(random_state(SHAPES["online"]()))
    if how.endswith("pickle"):
        path.write_bytes(pickle.dumps(Bomb(flag), protocol=4 if "newer" in how else 2))
    elif how == "archive":
        torch.save({"state_dict": state, "hyper_parameters": Bomb(flag)}, path)
    else:
        torch.save(state | {"decoder.extra": Bomb(flag)}, path)
    code, said = call("realchords-online", path)
    assert code == 2
    # Nothing at all is read of the newer sort of pickle, which no weight file is.
    assert "is no weight file" in said if how == "newer pickle" else "wants to run code when it is opened (" in said
    assert len(said.splitlines()) == 1
    assert not flag.exists()
    assert not home.exists()


def damaged(how: str, path: Path) -> None:
    state: dict[str, Any] = dict(random_state(SHAPES["online"]()))
    if how == "truncated":
        whole = save_as("converted", state, path).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("<html>Not found</html>")
    elif how == "other archive":
        with zipfile.ZipFile(path, "w") as parts:
            parts.writestr("data.pkl", b"hello")
    elif how == "bomb":
        save_as("converted", state, path)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as parts:
            parts.writestr("archive/data/999", bytes(10_000_000))
    elif how == "list":
        torch.save([torch.zeros(3)], path)
    elif how == "no tensors":
        torch.save({"a": 1}, path)
    elif how == "integers":
        torch.save(state | {"decoder.to_logits.weight": torch.zeros(V, WIDTH, dtype=torch.int64)}, path)
    elif how == "sparse":
        torch.save(state | {"decoder.to_logits.weight": torch.zeros(V, WIDTH).to_sparse()}, path)
    elif how == "huge":  # one number that says it is a trillion
        torch.save(state | {"decoder.to_logits.weight": torch.zeros(1).expand(2**20, 2**20)}, path)
    elif how == "not finite":
        state["decoder.attn_layers.layers.1.1.ff.2.bias"][3] = float("nan")
        torch.save(state, path)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("missing", "There is no file"), ("truncated", "damaged"), ("empty", "damaged"), ("text", "damaged"),
        ("other archive", "damaged"), ("bomb", "packed"), ("list", "holds no weights"), ("no tensors", "is a int"),
        ("integers", "to_logits.weight is not a plain"), ("sparse", "to_logits.weight is not a plain"),
        ("huge", "more than"), ("not finite", "1.1.ff.2.bias holds numbers that are not finite"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_weight_file(how: str, why: str, call: Call, home: Path, tmp_path: Path):
    path = tmp_path / "step=1.ckpt"
    damaged(how, path)
    code, said = call("realchords-online", path)
    assert code == 2
    assert why in said
    assert len(said.splitlines()) == 1
    assert not home.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_another_kind_than_named_is_told_by_its_name(kind: str, call: Call, tmp_path: Path):
    path = save_as("converted", random_state(SHAPES[kind]()), tmp_path / "file")
    for family in {*FAMILY.values()} - {FAMILY[kind]}:
        code, said = call(family, path)
        assert code == 2
        assert f"Import it as {FAMILY[kind]}." in said


@pytest.mark.parametrize("roof", ["rl critic", "rl actor"])
def test_a_critic_is_no_player(roof: str, call: Call, tmp_path: Path):
    state = random_state(SHAPES["online"]() | {"decoder.to_logits.weight": (1, WIDTH)})
    code, said = call("realchords-online", save_as(roof, state, tmp_path / "critic.pth"))
    assert code == 2
    assert "critic" in said
    assert "actor.pth" in said


def test_what_does_not_fit_is_named(call: Call, home: Path, tmp_path: Path):
    state = random_state(SHAPES["online"]())
    layer = "decoder.attn_layers.layers"
    del state[f"{layer}.2.1.to_v.weight"]
    state["decoder.surprise"] = torch.zeros(2)
    state[f"{layer}.1.1.ff.2.bias"] = torch.zeros(31)
    code, said = call("realchords-online", save_as("converted", state, tmp_path / "file"))
    assert code == 2
    assert f"1 missing: {layer}.2.1.to_v.weight;" in said
    assert "1 not known: decoder.surprise;" in said
    assert f"1 of another shape: {layer}.1.1.ff.2.bias is [31] instead of [32]." in said
    assert not home.exists()


def test_a_file_without_its_sizes(call: Call, tmp_path: Path):
    state = random_state(SHAPES["online"]())
    del state["decoder.attn_layers.layers.0.1.qk_norm_q_scale"]
    code, said = call("realchords-online", save_as("converted", state, tmp_path / "file"))
    assert code == 2
    assert "lacks decoder.attn_layers.layers.0.1.qk_norm_q_scale" in said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (json.dumps(NAMES[:-2]), f"knows {V} tokens, which is 15 chords; the chord list has 13"),
        (json.dumps(sorted(NAMES, reverse=True)), "is not sorted"),
        (json.dumps([*NAMES[:-1], NAMES[0]]), "is not sorted, or repeats"),
        (json.dumps(sorted([*NAMES[:-1], "H7"])), "'H7' is not a chord name"),
        ("[]", "is empty"),
        ('{"C": 1}', "Cannot read chord names"),
        ("\xff", "Cannot read chord names"),
    ],
)  # fmt: skip
def test_a_chord_list_of_another_network(text: str, why: str, call: Call, home: Path, tmp_path: Path):
    path = save_as("converted", random_state(SHAPES["online"]()), tmp_path / "file")
    (tmp_path / "other.json").write_bytes(text.encode("latin-1"))
    code, said = call("realchords-online", path, names=tmp_path / "other.json")
    assert code == 2
    assert why in said
    assert not home.exists()


def test_chords_of_another_list_are_carried_over():
    """What one list lacks becomes the chord with the most tones in common."""
    theirs, ours = reference_vocabulary(("Am", "C", "C7", "F")), own_vocabulary()

    def told(known, wanted, *symbols: str) -> list[str]:
        index = [known.lookup(Chord.parse(symbol)) for symbol in symbols]
        tokens = np.array([3, *(known.chord_on + i for i in index), *(260 + i for i in index)])
        out = translate(known, wanted, tokens)
        assert out[0] == 3
        assert (out[1 : 1 + len(index)] - wanted.chord_on).tolist() == (out[1 + len(index) :] - 260).tolist()
        return [wanted.names[i] for i in (out[1 : 1 + len(index)] - wanted.chord_on).tolist()]

    assert told(ours, theirs, "C", "C/E", "C9", "Am7", "Fmaj7") == ["C", "C", "C7", "Am", "F"]
    assert told(theirs, ours, "Am", "C7") == ["Am", "C7"]


def test_their_offline_model_in_place_of_ours(
    call: Call, home: Path, tiny_folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Called `offline` it judges what our online model makes, in chords of another list."""
    monkeypatch.setattr("sideman.engine.models.SHIPPED", tmp_path / "nothing")
    path = save_as("converted", random_state(SHAPES["offline"]()), tmp_path / "file")
    assert call("realchords-offline", path, "--fp32")[0] == 0
    (home / "models" / "theirs").rename(home / "models" / "offline")
    shutil.copytree(tiny_folders["online"] / "bundle", home / "models" / "online")
    melody = Path(__file__).parents[2] / "examples" / "greensleeves.mid"
    assert run(["options", str(melody), "--model", "online", "-n", "1"]) == 0


def test_they_play(call: Call, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """`sideman options` by an imported offline model, and a jam's planning by an imported online one."""
    from sideman.jam.planner import FREE, Planner, Question
    from sideman.music.vocabulary import BOS, NOTE_ON, SILENCE

    root = Path(__file__).parents[2]
    path = save_as("converted", random_state(SHAPES["offline"]()), tmp_path / "offline")
    assert call("realchords-offline", path, "--fp32")[0] == 0
    melody = root / "examples" / "greensleeves.mid"
    assert run(["options", str(melody), "--model", "theirs", "-n", "1", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["model"] == "theirs"
    assert {chord["symbol"] for chord in answer["options"][0]["chords"]} <= {*NAMES, "Cadd9", "F#dim7", "Csus4"}
    path = save_as("rl actor", random_state(SHAPES["online"]()), tmp_path / "actor.pth")
    assert call("realchords-online", path, "--fp32")[0] == 0
    given = np.full(2 * 20, FREE, np.int64)
    given[0] = BOS
    given[2:20:2] = NOTE_ON + 60
    planner = Planner(load_bundle(find_model("theirs"), threads=1))
    work = planner.settle(Question(given, np.zeros((20, 3), np.uint8), 1, 1.0))
    step = next(work)
    while True:
        try:
            step = work.send(step.row.stream.feed(step.tokens[None], step.form[None], read=step.read)[0])
        except StopIteration:
            break
    chords = planner.tokens[1::2]
    assert ((chords == SILENCE) | (chords >= 260)).all()
