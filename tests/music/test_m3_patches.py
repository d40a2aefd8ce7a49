"""Patches of the music encoder: the vectors of the specification, and what cutting must not lose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideman.errors import WrongValue
from sideman.music.sheet.m3_patches import BOS, EOS, PAD, PATCH, decode, encode, truncate, units

HEADER = """%%score 1 { ( 2 4 ) | 3 }
L:1/8
Q:1/4=60
M:2/4
K:G
V:1 treble nm="Voice" snm="V."
V:2 treble nm="Piano" snm="Pno."
V:4 treble 
V:3 bass 
"""  # noqa: W291
BODY = """[V:1]"^Largo" z4|[V:2][DF]2 ^D2|[V:3]G,,4|[V:4]x4|
[V:1]G2 F2|[V:2][DF]2 ^D2|[V:3]G,,4|[V:4]B,4|
[V:1]G2 F2|][V:2][DF]2 ^D2|][V:3]G,,4|][V:4]x4|]
"""
MTF = """ticks_per_beat 480
time_signature 3 4 24 8 0
key_signature G 0
set_tempo 500000 0
control_change 0 0 7 100
control_change 0 0 10 64
note_on 0 0 74 80
note_on 0 0 55 80
note_on 0 0 59 80
note_on 0 0 62 80
note_on 455 0 74 0
note_on 25 0 67 80
end_of_track 1"""


def test_abc_is_cut_into_header_lines_and_bars():
    patches = encode(HEADER + BODY)
    assert patches.shape == (23, 64)
    assert patches.dtype == np.int64
    assert patches[0].tolist() == [BOS] * 64
    assert patches[-1].tolist() == [BOS] + [EOS] * 63
    assert decode(patches[1:10]) == HEADER.splitlines(keepends=True)
    assert decode(patches[10:14]) == ['[V:1]"^Largo" z4|', "[V:2][DF]2 ^D2|", "[V:3]G,,4|", "[V:4]x4|\n"]
    assert decode(patches[18:22]) == ["[V:1]G2 F2|]", "[V:2][DF]2 ^D2|]", "[V:3]G,,4|]", "[V:4]x4|]\n"]
    bar = '[V:1]"^Largo" z4|'
    assert patches[10].tolist() == [BOS, *map(ord, bar), EOS] + [PAD] * (62 - len(bar))
    assert np.array_equal(encode(HEADER + BODY, special=False), patches[1:-1])


def test_mtf_messages_of_a_kind_share_a_patch():
    patches = encode(MTF)
    assert len(patches) == 8 + 2
    assert decode(patches[5:9]) == [
        "control_change 0 0 7 100\t0 0 10 64\n",
        "note_on 0 0 74 80\t0 0 55 80\t0 0 59 80\t0 0 62 80\t455 0 74 0\n",
        "note_on 25 0 67 80\n",
        "end_of_track 1",
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("|:c4|d4:|\n", ["|:c4|", "d4:|\n"]),  # a leading barline joins what follows
        ("c4|d4", ["c4|\n"]),  # what follows the last barline is dropped
        ("c4 d4\n", []),
        ("|\n", []),
        ("c4::d4[|e4||f4|]", ["c4::", "d4[|", "e4||", "f4|]\n"]),
        ("w:a b\n", ["w:a b\n"]),
        ("%%staves 1\n", ["%%staves 1\n"]),
        ("%comment|\n", ["%comment|\n"]),
        ("\n\n", []),
    ],
)
def test_lines(line: str, expected: list[str]):
    assert units(line) == expected


def test_a_long_bar_is_cut_and_has_no_end():
    bar = "c" * 70 + "|"
    patch = encode(bar, special=False)[0]
    assert patch.tolist() == [BOS, *[ord("c")] * 63]
    exact = encode("c" * 60 + "|", special=False)[0]  # with BOS, EOL and EOS 64
    assert (exact[-2], exact[-1]) == (ord("\n"), EOS)


def test_other_letters_are_refused():
    with pytest.raises(WrongValue, match="ASCII"):
        encode("T:Für\n")


@given(st.integers(1, 40), st.integers(1, 20), st.integers(0, 99))
def test_truncation_keeps_a_window(n: int, limit: int, seed: int):
    patches = np.arange(n)[:, None].repeat(PATCH, 1)
    head = truncate(patches, limit)
    assert np.array_equal(head, patches[:limit])
    some = truncate(patches, limit, np.random.default_rng(seed))
    assert len(some) == min(n, limit)
    assert (np.diff(some[:, 0]) == 1).all()


def test_truncation_takes_head_tail_and_middle():
    patches = np.arange(10)[:, None].repeat(PATCH, 1)
    rng = np.random.default_rng(1)
    starts = np.array([truncate(patches, 4, rng)[0, 0] for _ in range(3000)])
    share = np.bincount(starts, minlength=7) / 3000
    assert share[0] == pytest.approx(1 / 3 + 1 / 21, abs=0.03)
    assert share[6] == pytest.approx(1 / 3 + 1 / 21, abs=0.03)
    assert share[3] == pytest.approx(1 / 21, abs=0.02)
