"""Progress goes to a terminal's stderr, with rich or without it, and nowhere else."""

import io
import sys

import pytest

from sideman import progress as module
from sideman.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("rich", [True, False])
def test_a_terminal_sees_label_and_share(rich: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    if not rich:
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    with progress("Converting toy", 4) as advance:
        advance(2)
        advance(2)
    assert "Converting toy" in screen.getvalue()
    assert ("50 %" in screen.getvalue()) == (not rich)


def test_a_log_file_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    with progress("Loading", None, "B") as advance:
        advance(10)
    assert log.getvalue() == ""
