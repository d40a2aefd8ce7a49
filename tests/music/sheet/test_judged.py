"""What judges read, and crops that keep to the keys of their voices."""

import numpy as np
import pytest

from sideman.errors import BadSheet
from sideman.music.sheet.judged import cropped, judged, notes_alone
from sideman.music.sheet.m3_patches import decode

HEADER = """%%score 1 { 2 | 3 }
L:1/8
Q:1/4=90
M:3/4
K:G
V:1 treble nm="Voice" snm="V."
V:2 treble nm="Piano" snm="Pno."
V:3 bass
"""
TAGGED = "%Romantic\n%Nobody, Anna\n%Art Song\n%end\n" + HEADER + "[r:0/1][V:2]G6|[V:3]G,,6|\n[r:1/0][V:1]d6|]\n"


def test_our_judge_reads_the_notes_alone():
    assert notes_alone(TAGGED) == "L:1/8\nM:3/4\nK:G\n[V:2]G6|[V:3]G,,6|\n[V:1]d6|]\n"
    assert decode(judged(TAGGED, "judge"))[1:-1] == [
        "L:1/8\n", "M:3/4\n", "K:G\n", "[V:2]G6|", "[V:3]G,,6|\n", "[V:1]d6|]\n",
    ]  # fmt: skip


def test_clamp2_reads_every_rest_and_header_line():
    patches = decode(judged(TAGGED, "clamp2"))[1:-1]
    assert patches[:8] == HEADER.splitlines(keepends=True)
    assert patches[8:] == ["[V:1]z6|", "[V:2]G6|", "[V:3]G,,6|\n", "[V:1]d6|]", "[V:2]z6|]", "[V:3]z6|]\n"]


def test_a_sheet_whose_rests_cannot_be_told_is_refused():
    with pytest.raises(BadSheet):
        judged(TAGGED.replace("M:3/4", "M:none").replace("G6|[V:3]G,,6|", "(2ab|"), "clamp2")


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("[V:")]


def test_crops_are_windows_of_lines_that_fit():
    sheet = HEADER + "".join(f"[V:1]{chr(65 + n % 7)}6|[V:3]z{n}|\n" for n in range(20))
    rng = np.random.default_rng(0)
    starts = set()
    for _ in range(200):
        kept = lines(cropped(sheet, 8, rng))
        first = lines(sheet).index(kept[0])
        assert kept == lines(sheet)[first : first + 4]
        starts.add(first)
    assert starts == set(range(17))
    assert cropped(sheet, 8, rng).startswith(HEADER)
    assert lines(cropped(sheet, 100, rng)) == lines(sheet)


def test_a_line_that_does_not_fit_is_kept_alone():
    sheet = HEADER + "[V:1]a6|[V:2]b6|[V:3]c6|\n" * 3
    assert lines(cropped(sheet, 2, np.random.default_rng(3))) == ["[V:1]a6|[V:2]b6|[V:3]c6|"]


def test_voices_keep_the_key_they_have_come_to():
    body = ["[V:1]a6|[V:2]b6|", "[V:1][K:D]f6|[V:2][Ace]6|", "[V:1]f6[K:A]|[V:2]b6|", "[V:1]g6|[V:2]b6|"]
    sheet = HEADER + "\n".join(body) + "\n"
    rng = np.random.default_rng(0)
    seen = {tuple(lines(cropped(sheet, 2, rng))) for _ in range(100)}
    assert seen == {(body[0],), (body[1],), ("[V:1][K:D]f6[K:A]|[V:2]b6|",), ("[V:1][K:A]g6|[V:2]b6|",)}
