"""Learning curves are read from logs, whatever state a kill left them in."""

import json

import pytest

from sideman.errors import UnreadableFile
from sideman.evaluate.curves import plot_curves, read_run, smoothed


def test_a_log_with_a_line_cut_off(tmp_path):
    rows = [{"step": 10, "loss": 2.0, "seconds": 1}, {"step": 20, "loss": 1.5}, {"step": 20, "valid_loss": 1.75}]
    text = "\n".join(map(json.dumps, rows)) + '\n{"step": 30, "lo'
    (tmp_path / "log.jsonl").write_text(text)
    run = read_run(tmp_path)
    assert run.name == tmp_path.name
    assert run.figures["loss"] == ([10, 20], [2.0, 1.5])
    assert run.figures["valid_loss"] == ([20], [1.75])
    assert read_run(tmp_path / "log.jsonl") == run
    assert plot_curves([run], tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5_000
    run.figures.pop("loss")
    run.figures.pop("valid_loss")
    assert not plot_curves([run], tmp_path / "nothing.png")


def test_smoothing_by_hand():
    # (1), (0.9 + 0) / 1.9, (0.81 + 0 + 1) / 2.71
    assert smoothed([1.0, 0.0, 1.0]) == pytest.approx([1.0, 0.9 / 1.9, 1.81 / 2.71])


@pytest.mark.parametrize("text", [None, "", "no log\n", '{"loss": 1}\n'])
def test_what_is_no_log(tmp_path, text):
    if text is not None:
        (tmp_path / "log.jsonl").write_text(text)
    with pytest.raises(UnreadableFile) as failed:
        read_run(tmp_path)
    assert failed.value.hint
