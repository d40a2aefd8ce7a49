"""Splits are fixed by ids alone: golden values, shares, and the source's own word."""

import pytest

from sideman.data.splits import split_of
from sideman.errors import WrongValue


@pytest.mark.parametrize(
    ("collection", "work", "split"),
    [
        ("pop909", "pop909:001", "train"),
        ("pop909", "pop909:006", "test"),
        ("pop909", "pop909:007", "valid"),
        ("nottingham", "nottingham:lark", "train"),
        ("openewld", "Für Elise", "train"),
    ],
)
def test_splits_never_change(collection: str, work: str, split: str) -> None:
    assert split_of(collection, work) == split


def test_shares_are_about_80_10_10() -> None:
    found = [split_of("any", str(n)) for n in range(5000)]
    assert [round(found.count(s) / 5000, 2) for s in ("train", "valid", "test")] == pytest.approx(
        [0.8, 0.1, 0.1], abs=0.02
    )


def test_the_same_work_falls_elsewhere_in_another_collection() -> None:
    assert len({split_of(name, "song") for name in map(str, range(50))}) == 3


def test_the_split_of_the_source_wins() -> None:
    assert {split_of("hooktheory", str(n), "TEST") for n in range(20)} == {"test"}
    with pytest.raises(WrongValue):
        split_of("hooktheory", "x", "holdout")
