"""The clock of sheet models: after each character how much of the bar has sounded and how much is left."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideman.music.sheet.clock import CLOCK_SIZES, GRID, MOST, MOST_NOTES, Clock, clocks
from sideman.music.sheet.durations import duration
from sideman.music.sheet.patches import EOS, encode, encode_piece

HEADER = "%%score { 1 | 2 }\nL:1/8\nQ:1/4=96\nM:3/4\nK:G\nV:1 treble\nV:2 bass\n"
BARS = [
    "G2 B2 d2", "GABcde", "(3GAB c2 d2", "z6", "[GBd]3 [G2B2] G", "G3/2B/ d4", "G/4A/4B/2 c4 d", '"^dolce" G4 !mf!B2',
    "{/cd}e4 (d2", "(5:4:5GABcd e2", "(3:2:4G2ABc d2", "[K:D]F4- F2)", "(3!f!(A,/E/A/ =B2- (3B/A/E/) z2", "x9/2 z3/2",
]  # fmt: skip


def read(text: str) -> tuple[int, ...]:
    clock = Clock()
    for char in text.encode():
        clock.read(char)
    return clock.now()


def behind(text: str) -> tuple[int, ...]:
    """What is left of the bar and what has sounded."""
    return read(text)[:4]


def told(left: Fraction | float, sounded: Fraction | float) -> tuple[int, ...]:
    return tuple(x for part in (left, sounded) for x in (int(part) + 1, round(part % 1 * GRID) + 1))


@pytest.mark.parametrize("bar", BARS)
def test_a_bar_is_as_long_as_it_is(bar: str):
    length = duration(bar)
    assert length is not None
    assert behind(f"{HEADER}[r:0/0][V:1]{bar}") == told(6 - length, length)


def test_the_clock_runs_with_the_notes():
    so_far = [behind(f"{HEADER}[r:0/0][V:1]{text}") for text in ("", "G", "G3", "G3/", "G3/2", "G3/2 ", "G3/2(3A")]
    assert so_far == [
        told(left, 6 - left) for left in (6, 5, 3, 4.5, 4.5, 4.5, Fraction(6) - Fraction(3, 2) - Fraction(2, 3))
    ]


def test_the_first_voice_says_how_long_the_others_are():
    short = f"{HEADER}[r:0/1][V:1]G|[V:2]"
    assert behind(short) == told(1, 0)
    assert behind(short + "G,2") == (MOST + 2, 0, *told(0, 2)[2:])
    assert behind(short + "G,|\n[r:1/0][V:1]G2") == told(4, 2), "and the next bar is a whole one again"


def test_between_voices_and_in_the_header_it_stands():
    for text in (HEADER, f"{HEADER}[r:0/0]", f"{HEADER}[r:0/0][V:1]G6|", f"{HEADER}[r:0/0][V:1]G6|[V:"):
        assert behind(text) == (0, 0, 0, 0)
    assert read(HEADER) == (*(0,) * (len(CLOCK_SIZES) - 1), ord("\n"))


def test_what_is_open():
    opened = [
        read(f"{HEADER}[V:1]{text}")[4] for text in ("", "[", "[GB", "[GB]", '"', '"^a[!', '"^a"', "!mf", "{/c", "[V:")
    ]
    assert opened == [1, 2, 2, 1, 3, 3, 1, 4, 5, 2]


def test_what_a_tuplet_still_wants():
    wanted = [
        read(f"{HEADER}[V:1]{text}")[5] for text in ("G", "(3", "(3G", "(3GA", "(3GAB", "(3GAB c", "(G", "(5:4:5G2A")
    ]
    assert wanted == [0, MOST_NOTES + 1, 2, 1, 0, 0, 0, 3]


def test_the_metre_and_the_unit_are_those_of_the_piece():
    assert behind("L:1/4\nM:C|\nK:C\nV:1\n[V:1]c") == told(3, 1)
    assert behind(f"{HEADER}[r:0/0][V:1][M:2/4]G") == told(3, 1)
    assert behind("L:1/8\nM:none\nK:C\nV:1\n[V:1]c") == (0, 0, *told(0, 1)[2:])


def test_an_upbeat_before_a_repeat_is_no_bar():
    opening = f"{HEADER}[r:0/0][V:1]d|:G2"
    assert behind(opening) == told(4, 2)
    assert behind(f"{opening}B4|[V:2]") == told(6, 0)


def test_patches_are_read_through():
    text = f"{HEADER}[r:0/1][V:1]G2 B2 d2|[V:2]G,6|\n[r:1/0][V:1](3GAB c4|][V:2]G,6|]\n"
    patches = encode(text)
    flat, clock = patches.ravel(), Clock()
    expected = [clock.read(id) for id in flat.tolist()]
    found = clocks(patches)
    assert found.shape == (*patches.shape, len(CLOCK_SIZES))
    rows = found.reshape(flat.size, -1)
    assert rows.tolist() == [list(each) for each in expected]
    ends = flat[1:] <= EOS
    assert (rows[1:][ends] == rows[:-1][ends]).all(), "ends and padding change nothing"
    middle = encode_piece(text)
    cropped = np.concatenate([middle.head, middle.body[middle.line_starts[1] :]])
    assert (clocks(cropped)[-3:, :, :4] == found[-4:-1, :, :4]).all(), "a crop begins with the header and a whole line"


@given(st.text(st.characters(min_codepoint=0, max_codepoint=126), max_size=60))
def test_no_text_stops_it(text: str):
    clock = Clock()
    for char in f"{HEADER}[V:1]{text}".encode():
        found = clock.read(char)
        assert all(0 <= id < size for id, size in zip(found, CLOCK_SIZES, strict=True))


def test_endless_numbers_mean_nothing():
    behind(f"{HEADER}[V:1]c{'9' * 5000}/{'9' * 5000}({'3' * 5000}:{'4' * 5000}abc[c{'8' * 5000}]")
