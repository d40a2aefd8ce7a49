"""`scripts/mix` adds up what several checkpoints learned from the same start."""

import runpy
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from sideman.models.build import load_checkpoint, save_checkpoint  # noqa: E402

SCRIPT = Path(__file__).parents[2] / "scripts" / "mix"


def mix(monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    monkeypatch.setattr("sys.argv", ["mix", *map(str, words)])
    return int(runpy.run_path(str(SCRIPT))["main"]())


def test_shares_of_what_was_learned_are_added(tiny_folders, tmp_path, monkeypatch):
    start = tiny_folders["online"] / "checkpoint"
    for number in (1, 2):
        file, model = load_checkpoint(start)
        with torch.no_grad():
            for weight in model.parameters():
                weight += number
        save_checkpoint(tmp_path / str(number), file, model)
    assert mix(monkeypatch, tmp_path / "mixed", start, f"{tmp_path / '1'}=0.5", f"{tmp_path / '2'}=1") == 0
    (_, before), (file, mixed) = load_checkpoint(start), load_checkpoint(tmp_path / "mixed")
    for weight, begun in zip(mixed.parameters(), before.parameters(), strict=True):
        torch.testing.assert_close(weight, begun + 2.5)
    assert str(file.trained["mixed"]).endswith("=1")


def test_a_bundle_is_a_start_too(tiny_folders, tmp_path, monkeypatch):
    bundle, checkpoint = tiny_folders["online"] / "bundle", tiny_folders["online"] / "checkpoint"
    assert mix(monkeypatch, tmp_path / "mixed", bundle, f"{checkpoint}=0.7") == 0
    (_, before), (_, mixed) = load_checkpoint(checkpoint), load_checkpoint(tmp_path / "mixed")
    for weight, begun in zip(mixed.parameters(), before.parameters(), strict=True):
        torch.testing.assert_close(weight, begun, atol=1e-3, rtol=0)


@pytest.mark.parametrize("words", [[], ["target"], ["target", "start", "run=much"], ["target", "nowhere", "nowhere=1"]])
def test_what_cannot_be_mixed_is_said_in_a_line(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert mix(monkeypatch, *words) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(tmp_path.iterdir())
