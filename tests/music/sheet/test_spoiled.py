"""Spoiled sheets keep their header and texture, and are wrong."""

import re

import numpy as np
import pytest

from sideman.music.sheet.measures import bars
from sideman.music.sheet.patches import split
from sideman.music.sheet.spoiled import bars_in_disorder, spoil, voices_apart, wrong_lengths, wrong_notes

HEADER = "L:1/8\nM:4/4\nK:C\n"
BODY = ['[V:1]c2 d2 "Am"e4|[V:2][C,E,]8|', "[V:1]!p!f2 g2 a4|", "[V:1]b8|[V:2][K:F]F,4 G,4|", "[V:1]c8|]"]
SHEET = HEADER + "\n".join(BODY) + "\n"


def rng() -> np.random.Generator:
    return np.random.default_rng(4)


def test_voices_apart():
    _, body = split(voices_apart(SHEET, rng()))
    assert [re.findall(r"\[V:\d\]", line) for line in body] == [re.findall(r"\[V:\d\]", line) for line in BODY]
    for voice in "12":
        bars_of = [re.findall(rf"\[V:{voice}\]([^\[]*(?:\[[^V][^\[]*)*)", "".join(lines)) for lines in (BODY, body)]
        assert sorted(bars_of[0]) == sorted(bars_of[1])
    assert body != BODY


def test_bars_in_disorder():
    header, body = split(bars_in_disorder(SHEET, rng()))
    assert sorted(body) == sorted(BODY)
    assert body != BODY
    assert header == HEADER.splitlines()


def test_wrong_notes_keep_their_rhythm():
    spoiled = wrong_notes(SHEET, rng())
    assert spoiled != SHEET
    masked = [re.sub(r"[A-Ga-g]", "x", text) for text in (spoiled, SHEET)]
    assert masked[0] == masked[1]
    for kept in ('"Am"', "!p!", "[K:F]", "K:C"):
        assert kept in spoiled


def test_wrong_lengths_make_bars_that_do_not_fit():
    long = "L:1/8\nM:4/4\nK:C\nV:1\nV:2\n" + "[V:1]c2 d2 e4|[V:2]C2 D2 E4|\n" * 20
    spoiled = wrong_lengths(long, rng())
    assert re.sub(r"\d", "", spoiled) == re.sub(r"\d", "", long)
    assert bars([spoiled]).error > 0.3


@pytest.mark.parametrize("text", [SHEET, HEADER + "[V:1]cdef|\n", HEADER + "[V:1]c8|\n[V:1]c8|\n"])
def test_something_is_always_wrong(text: str):
    for seed in range(40):
        spoiled = spoil(text, np.random.default_rng(seed))
        assert spoiled.startswith(HEADER)
        same = spoiled == text
        assert not same or len(text) < 60  # of few notes chance may leave each as it is
