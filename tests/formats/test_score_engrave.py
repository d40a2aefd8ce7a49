"""The engraver in its own process: pages, PDF, the timeline, and what happens when it dies or hangs."""

import re
import sys

import pytest

from sideman.errors import MissingExtra, WrongValue
from sideman.formats import score_engrave
from sideman.formats.score_abc import from_abc
from sideman.formats.score_engrave import CannotEngrave, pdf, svg_page, timeline
from sideman.music.score import Score

ABC = "X:1\nT:A Song\nC:Nobody\nL:1/4\nQ:1/4=90\nM:3/4\nK:G\nV:1\n|:G A B|c3:|!p!d3|]\n"


@pytest.fixture(scope="module")
def score() -> Score:
    return from_abc(ABC)


def engraver(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Another program in the place of the engraver."""
    monkeypatch.setattr(score_engrave, "can_engrave", lambda: True)
    monkeypatch.setattr(score_engrave, "_COMMAND", (sys.executable, "-c", code))


def test_a_page_knows_its_bars_and_needs_no_font(score: Score):
    pytest.importorskip("verovio", reason="verovio is not installed (extra score)")
    svg, count = svg_page(score)
    assert count == 1
    assert re.findall(r'data-bar="(\d+)"', svg) == ["0", "1", "2"]
    assert "Leipzig" not in svg
    assert re.search(r'<path d="M[^"]+" transform="translate', svg)  # the note of the tempo, drawn
    moments, _ = timeline(score)
    assert [(m.bar, m.beats) for m in moments] == [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0)]
    assert all(f'id="{name}"' in svg for moment in moments for name in moment.ids)
    with pytest.raises(WrongValue, match="no page 7"):
        svg_page(score, 7)


@pytest.mark.parametrize(("pickup", "first"), [("", 1), ("[V:1]D |\n", 0)])
def test_bars_are_called_what_is_written_over_them(pickup: str, first: int):
    pytest.importorskip("verovio", reason="verovio is not installed (extra score)")
    score = from_abc(f"X:1\nL:1/4\nM:4/4\nK:G\nV:1\n{pickup}" + "[V:1]G A B c |\n" * 24)
    svg, _ = svg_page(score, width=500)
    bars = re.findall(r'<g[^>]*data-bar="(\d+)" data-number="(\d+)"', svg)
    assert [int(number) - int(index) for index, number in bars] == [first] * len(bars)
    written = [
        (int(number), int(over[1]))
        for number, inside in re.findall(r'data-number="(\d+)"(.*?)(?=data-number=|$)', svg, re.DOTALL)
        if (over := re.search(r'class="mNum[^"]*".*?>(\d+)<', inside, re.DOTALL))
    ]
    assert len(written) > 2
    assert all(number == over for number, over in written)


def test_a_pdf(score: Score):
    pytest.importorskip("verovio", reason="verovio is not installed (extra score)")
    pytest.importorskip("typst", reason="typst is not installed (extra pdf)")
    assert pdf(score).startswith(b"%PDF-")


@pytest.mark.parametrize("code", ["import os; os.abort()", "print('not an answer')", "raise MemoryError"])
def test_an_engraver_that_dies_is_an_error(score: Score, monkeypatch: pytest.MonkeyPatch, code: str):
    engraver(monkeypatch, code)
    with pytest.raises(CannotEngrave, match="fails"):
        svg_page(score)


def test_an_engraver_that_hangs_is_ended(score: Score, monkeypatch: pytest.MonkeyPatch):
    engraver(monkeypatch, "import time; time.sleep(60)")
    with pytest.raises(CannotEngrave, match="within"):
        svg_page(score, seconds=0.2)


def test_without_the_extra(score: Score, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(score_engrave, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="score"):
        svg_page(score)
    with pytest.raises(MissingExtra, match="pdf"):
        pdf(score)
