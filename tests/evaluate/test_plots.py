"""What a picture of a comparison must show whatever the figures are."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sideman.evaluate import plots
from sideman.evaluate.table import Result


def test_what_is_zero_but_for_rounding_has_an_axis_to_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    drawn = pytest.importorskip("matplotlib.figure").Figure()

    @contextmanager
    def kept(*_: Any) -> Iterator[Any]:
        yield drawn

    monkeypatch.setattr(plots, "figure", kept)
    rounding = {"repetition": [4e-17], "density": [1.2]}
    plots.plot_measures([Result("online", [], rounding)], tmp_path / "measures.png")
    panels = dict(zip(plots._SHOWN, drawn.axes, strict=True))
    assert panels["repetition"].get_xlim() == (0.0, 1.0)
    assert 1.2 < panels["density"].get_xlim()[1] < 1.5
