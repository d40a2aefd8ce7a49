"""An evaluation that breaks off loses no system that was done."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_model_systems import PIECES

from sideman.cli_evaluate import evaluate as command
from sideman.data.pack import Pack, make_pack
from sideman.engine.models import open_model
from sideman.evaluate.kept import Kept
from sideman.evaluate.model_systems import ModelSystem
from sideman.evaluate.systems import Setting, Truth, make_partner, make_system
from sideman.files import CannotWrite
from sideman.music.frames import decode

TAKEN = "taken over from an evaluation that broke off"


class Killed(BaseException):
    pass


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "x.npz"
    make_pack("x", [(str(number), "test", frames) for number, frames in enumerate(PIECES)]).save(path)
    return path


def ask(pack: Path, *words: str) -> Result:
    return CliRunner().invoke(command, ["--pack", str(pack), "--seeds", "2", "--json", *words])


def dying(monkeypatch: pytest.MonkeyPatch, at: int) -> list[str]:
    """Names of the models that really play, in order; the process dies when number `at` would begin."""
    names: list[str] = []
    real = ModelSystem.harmonise

    def harmonise(self: ModelSystem, *arguments: object) -> object:
        names.append(self.name)
        if len(names) == at:
            raise Killed
        return real(self, *arguments)

    monkeypatch.setattr(ModelSystem, "harmonise", harmonise)
    return names


def test_what_was_done_is_taken_over(pack: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch):
    """The second of two models dies; the next call plays that one alone and prints what an unbroken one prints."""
    call = ("truth", "online", "offline@0.5")
    whole = ask(pack, *call)
    kept = own_home / "unfinished"
    assert not any(kept.iterdir())
    with monkeypatch.context() as patch:
        assert dying(patch, 2) == []
        with pytest.raises(Killed):
            ask(pack, *call)
    assert len(list(kept.iterdir())) == 1
    names = dying(monkeypatch, 0)
    again = ask(pack, *call)
    assert names == ["offline@0.5"]
    assert f"online: 3 pieces {TAKEN}." in again.stderr
    assert again.stdout == whole.stdout
    assert not any(kept.iterdir())
    assert TAKEN not in ask(pack, *call).stderr


def test_melodies_that_turn_and_other_questions(pack: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch):
    """Plain and turned melodies are kept apart; other temperatures, pieces and seeds are other questions."""
    with monkeypatch.context() as patch:
        dying(patch, 3)
        with pytest.raises(Killed):
            ask(pack, "offline", "offline@0.5", "--perturb", "single_transpose_6")
    names = dying(monkeypatch, 0)
    for words in (("offline@0.5",), ("offline", "--limit", "2"), ("offline", "--seeds", "1"), ("online",)):
        assert TAKEN not in ask(pack, *words).stderr
        assert names.pop() == words[0]
    done = ask(pack, "offline", "--perturb", "single_transpose_6")
    assert done.stderr.count(TAKEN) == 2
    assert names == []
    assert json.loads(done.stdout)["offline"]["adaptation"]


@pytest.mark.parametrize("other", [{"checkpoint": "other weights"}, {"window": 16}, {"follows_turns": True}])
def test_another_model_of_the_same_name_plays_itself(
    other: dict[str, object], pack: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        dying(patch, 2)
        with pytest.raises(Killed):
            ask(pack, "online", "offline")
    described = own_home / "models" / "online" / "bundle.json"
    content = json.loads(described.read_text())
    described.write_text(json.dumps({**content, **other}))
    open_model.cache_clear()
    assert dying(monkeypatch, 0) == []
    assert TAKEN not in ask(pack, "online").stderr


def test_damaged_or_full(pack: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch):
    """What is kept is never in the way."""
    with monkeypatch.context() as patch:
        dying(patch, 2)
        with pytest.raises(Killed):
            ask(pack, "online", "offline")
    (file,) = (own_home / "unfinished").iterdir()
    file.write_bytes(b"PK cut off")
    assert TAKEN not in ask(pack, "online").stderr

    def full(self: Pack, path: Path) -> None:
        raise CannotWrite(f"Cannot write {path}: No space left on device.")

    monkeypatch.setattr(Pack, "save", full)
    done = ask(pack, "online")
    assert done.exit_code == 0
    assert "online: what it played is not kept. Cannot write" in done.stderr


def test_duets_are_kept_too(pack: Path, duet_home: Path):
    truth = [frames for frames in PIECES if len(frames)]
    setting = Setting(truth, list, make_partner("melody"))
    said: list[str] = []
    kept = Kept(duet_home / "unfinished", said.append)
    runs = [kept.of(make_system(name, setting), truth).harmonise(truth, [0, 1]) for name in ("online", "online")]
    for one, other in zip(*([frames for run in played for frames in run] for played in runs), strict=True):
        assert [str(x) for x in decode(one).chords] == [str(x) for x in decode(other).chords]
        assert (one.melody == other.melody).all()
    assert len(said) == 1
    kept.of(make_system("online@0.5", setting), truth).harmonise(truth, [0, 1])
    kept.of(make_system("online:4,online", setting), truth).harmonise(truth, [0, 1])
    assert len(said) == 1
    assert isinstance(kept.of(make_system("truth", setting), truth), Truth)
