"""Bars of rests left out and put back: the worked example of spec 1.13, the golden lines of 12.4, and that nothing
is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sideman.errors import BadSheet
from sideman.music.sheet.patches import tag
from sideman.music.sheet.rests import complete, plain_rests, reduce
from sideman.music.sheet.transpose import transpose

HEADER = """%%score 1 { ( 2 4 ) | 3 }
L:1/8
Q:1/4=60
M:2/4
K:G
V:1 treble nm="Voice" snm="V."
V:2 treble nm="Piano" snm="Pno."
V:4 treble 
V:3 bass 
"""  # noqa: W291 - the converter writes these blanks
INTERLEAVED = """[V:1]"^Largo" z4|[V:2][DF]2 ^D2|[V:3]G,,4|[V:4]x4|
[V:1]G2 F2|[V:2][DF]2 ^D2|[V:3]G,,4|[V:4]B,4|
[V:1]G2 F2|][V:2][DF]2 ^D2|][V:3]G,,4|][V:4]x4|]
"""
REDUCED = """[V:1]"^Largo" z4|[V:2][DF]2 ^D2|[V:3]G,,4|
[V:1]G2 F2|[V:2][DF]2 ^D2|[V:3]G,,4|[V:4]B,4|
[V:1]G2 F2|][V:2][DF]2 ^D2|][V:3]G,,4|]
"""
IN_A_FLAT = """[V:1]"^Largo" z4|[V:2][EG]2 =E2|[V:3]A,,4|
[V:1]A2 G2|[V:2][EG]2 =E2|[V:3]A,,4|[V:4]C4|
[V:1]A2 G2|][V:2][EG]2 =E2|][V:3]A,,4|]
"""


@pytest.mark.parametrize("reference", [False, True])
def test_the_worked_example(reference):
    assert reduce(HEADER + INTERLEAVED, reference) == HEADER + REDUCED
    assert transpose(HEADER + REDUCED, "Ab", reference) == HEADER.replace("K:G", "K:Ab") + IN_A_FLAT
    assert complete(HEADER + "".join(line + "\n" for line in tag(REDUCED.splitlines())), reference) == (
        HEADER + INTERLEAVED
    )


@pytest.mark.parametrize("reference", [False, True])
def test_the_golden_lines(reference):
    given_lines = """[r:0/2][V:1]"^Largo" z4|[V:2][DF]2 ^D2|
[r:1/1][V:2][DF]2 ^D2|[V:4]B,7/2|
[r:2/0][V:1]G2 F2|][V:2](3DDD D2|][V:3]G,,4|]
"""
    assert complete(HEADER + given_lines, reference) == (
        HEADER
        + """[V:1]"^Largo" z4|[V:2][DF]2 ^D2|[V:3]z4|[V:4]x4|
[V:1]z4|[V:2][DF]2 ^D2|[V:3]z4|[V:4]B,7/2|
[V:1]G2 F2|][V:2](3DDD D2|][V:3]G,,4|][V:4]x4|]
"""
    )


def test_a_bar_in_which_all_rest_is_not_lost():
    silent = "[V:1]z4|[V:2]z4|[V:3]z4|[V:4]x4|\n"
    assert reduce(HEADER + INTERLEAVED + silent) == HEADER + REDUCED + "[V:1]z4|\n"
    assert complete(HEADER + REDUCED + "[V:1]z4|\n") == HEADER + INTERLEAVED + silent
    assert reduce(HEADER + INTERLEAVED + silent, reference=True) == HEADER + REDUCED


def test_a_single_voice_without_score_line():
    text = "L:1/8\nM:3/4\nK:C\nV:1 treble\n[r:0/1][V:1]c6|\n[r:1/0][V:1]z6|]\n"
    plain = text.replace("[r:0/1]", "").replace("[r:1/0]", "")
    assert complete(text) == plain
    assert reduce(plain) == plain
    with pytest.raises(BadSheet):
        complete(text, reference=True)


def test_brackets_that_are_missing():
    header = "%%score 1 { ( 2 4 | 3\nL:1/8\nM:2/4\nV:1\nV:2\nV:3\nV:4\n"
    assert complete(header + "[V:1]c4|\n").startswith("%%score 1 { ( 2 4 | 3 )}\nL:1/8\n")
    assert complete(header + "[V:1]c4|\n", reference=True).startswith("%%score 1 { ( 2 4 | 3\n)}L:1/8\n")


def test_a_bar_without_a_barline():
    text = "%%score 1 2\nL:1/8\nM:4/4\nK:C\nV:1\nV:2\n[V:1]c4|]\n[V:1]d6"
    assert complete(text).endswith("[V:1]c4|][V:2]z4|]\n[V:1]d6|[V:2]z6|\n")
    assert complete(text, reference=True).endswith("[V:1]d6[V:2]z0d6\n")


def test_rests_of_a_length_nobody_knows():
    text = "%%score 1 2\nL:1/8\nK:C\nV:1\nV:2\n[V:1]c//|\n"
    with pytest.raises(BadSheet, match="length"):
        complete(text)
    assert complete(text.replace("L:", "M:3/4\nL:")).endswith("[V:2]z6|\n")


def test_rests_are_spelled_one_way():
    text = HEADER + "[V:1]z2 z2|[V:2]x4|[V:3]z z3|[V:4]z4|\n[V:1]z4 c|[V:2]Z|[V:3]|[V:4]z3/ z5/|\n"
    assert plain_rests(text) == HEADER + "[V:1]z4|[V:2]z4|[V:3]z4|[V:4]x4|\n[V:1]z4 c|[V:2]Z|[V:3]|[V:4]x4|\n"


BAR = st.sampled_from(
    ["z4", "x4", "z2 z2", "z6", "c4", "[CE]2 d2", '"^f"z4', "c6", "x2", "Z", "", "{a}z4", "c//", "(3abc c2"]
)
RIGHT = st.sampled_from(["|", "|", "|", "||", ":|2", "|]"])
LEFT = st.sampled_from(["", "", "|:", "[K:D]", "[K:D]|:"])


@given(st.data(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_what_is_left_out_comes_back(data, metre):
    header = HEADER if metre else HEADER.replace("M:2/4\n", "")
    lines = []
    for i in range(data.draw(st.integers(1, 4))):
        bars = [f"[V:{v}]{data.draw(LEFT) if i == 0 else ''}{data.draw(BAR)}{data.draw(RIGHT)}" for v in "1234"]
        lines.append("".join(bars) + "\n")
    text = header + "".join(lines)
    assert complete(reduce(text)) == text
    plain = plain_rests(text)
    assert complete(reduce(plain)) == plain == plain_rests(plain)
