"""Lengths of bars: the golden vectors of spec 12.3, and what they leave open."""

from fractions import Fraction

import pytest

from sideman.errors import BadSheet
from sideman.music.sheet.durations import duration

GOLDEN = {
    "(3abc": 2, "(3:2:2a2b": 2, "a>b": 2, "a<<b c": 3, "[CEG]2 z": 3, "{c}d2": 2, "c3/2 d/4": Fraction(7, 4),
    "[K:D] z8": 8, "B4 (5:4:5abcde": 8, "Z": 1, "C2-": 2, ".A2 (B c)": 4, "[CE]-": 1, "": 0, "abc4(": 6,
    "c/ d//": None, "(2ab": None,
}  # fmt: skip


@pytest.mark.parametrize("bar", GOLDEN)
@pytest.mark.parametrize("reference", [False, True])
def test_the_golden_bars(bar, reference):
    assert duration(bar, reference) == GOLDEN[bar]


@pytest.mark.parametrize(
    ("bar", "length"),
    [
        ("!trill(!c2 !trill)!d2", 4),
        ('"^Adagio [q=60]"c2', 2),
        ("(3:2:5a(3bcde", Fraction(8, 3)),
        ("(3:2:3a/b/c/", 1),
        ("(7:8:7abcdefg", 8),
        ("(3ab", None),
        ("(0:2:3abc", None),
        ("c&d", None),
    ],
)
def test_other_bars(bar, length):
    assert duration(bar) == length


def test_lengths_inside_chords_are_those_of_the_first_tone():
    assert duration("[C2E2]c") == 3
    assert duration("[C3/E]2") == 3
    with pytest.raises(BadSheet):
        duration("[C2E2]c", reference=True)
