"""What a picture of a comparison must show whatever the figures are."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sideman.evaluate import plots
from sideman.evaluate.columns import COLUMNS
from sideman.evaluate.table import Result


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The figure that is drawn next."""
    made = pytest.importorskip("matplotlib.figure").Figure()

    @contextmanager
    def kept(*_: Any) -> Iterator[Any]:
        yield made

    monkeypatch.setattr(plots, "figure", kept)
    return made


@pytest.mark.parametrize(("seeds", "said"), [(1, "dashed: ground truth"), (3, "± one standard deviation")])
def test_the_spread_is_explained_where_there_is_one(drawn: Any, tmp_path: Path, seeds: int, said: str):
    truth = Result("truth", [[]], {"density": [1.0]})
    plots.plot_measures([truth, Result("online", [[]] * seeds, {"density": [1.2] * seeds})], tmp_path / "m.png")
    note = drawn.get_supxlabel()
    assert note.endswith(said if seeds == 1 else "over seeds")
    assert said in note


def test_no_two_measures_are_called_the_same():
    titles = [column.title for column in COLUMNS]
    assert len(set(titles)) == len(titles)


def test_what_is_zero_but_for_rounding_has_an_axis_to_read(drawn: Any, tmp_path: Path):
    rounding = {"repetition": [4e-17], "density": [1.2]}
    plots.plot_measures([Result("online", [], rounding)], tmp_path / "measures.png")
    panels = dict(zip(plots._SHOWN, drawn.axes, strict=True))
    assert panels["repetition"].get_xlim() == (0.0, 1.0)
    assert 1.2 < panels["density"].get_xlim()[1] < 1.5
