"""Copies are found whatever their key, and other music is not taken for one."""

import numpy as np
import pytest

from sideman.music.sheet.shingles import BARS, FEWEST, HOP, NOTES, Shingled, windows
from sideman.music.sheet.transpose import transpose

HEADER = "L:1/8\nM:4/4\nK:C\nV:1 treble\nV:2 bass\n"


def sheet(seed: int, bars: int = 24) -> str:
    rng = np.random.default_rng(seed)
    letters = list("CDEFGABcdefgab")
    lines = [
        f"[V:1]{' '.join(rng.choice(letters, 6))}|[V:2]{' '.join(f'{x},' for x in rng.choice(letters[:7], 2))}|"
        for _ in range(bars)
    ]
    return HEADER + "\n".join(lines) + "\n"


def test_windows_are_sixteen_bars_every_eight():
    text = sheet(1, 40)
    assert len(windows(text)) == (40 - BARS) // HOP + 1
    assert len(windows(sheet(1, 5))) == 1
    first = 16 * 6 - NOTES + 1 + 16 * 2 - NOTES + 1
    assert len(windows(text)[0]) == pytest.approx(first, abs=3)  # two may be the same by chance
    assert windows(HEADER + "[V:1]c4|\n") == []
    assert windows(HEADER) == []


@pytest.mark.parametrize("key", ["F#", "Db", "A", "Bb"])
def test_a_copy_in_another_key_is_one(key: str):
    pieces = Shingled.of([sheet(n) for n in range(5)])
    likeness = pieces.likeness(transpose(sheet(3), key))
    assert likeness.argmax() == 3
    assert likeness[3] == pytest.approx(1.0)
    assert np.delete(likeness, 3).max() < 0.05


def test_half_a_copy_is_half_alike():
    text = sheet(7, 16)
    other = sheet(8, 16).splitlines()
    half = "\n".join(text.splitlines()[:13] + other[13:]) + "\n"
    assert Shingled.of([text]).nearest([half])[0] == pytest.approx(0.5, abs=0.1)


def test_what_is_not_heard_does_not_count():
    plain = HEADER + "[V:1]c d e f g a b c'|\n" * 16
    marked = HEADER + '[V:1]!f!c "Am"d {ga}e [Af] [K:G]g/2 ^a3 =b [ac\']-|\n' * 16
    tagged = HEADER + "".join(f"[r:{n}/{15 - n}][V:1]c d e f g a b c'|\n" for n in range(16))
    assert np.array_equal(windows(plain)[0], windows(marked)[0])
    assert np.array_equal(windows(plain)[0], windows(tagged)[0])


def test_a_few_notes_are_no_copy():
    scrap = HEADER + "[V:1]c d e f g a b c'|\n"
    assert Shingled.of([scrap]).nearest([scrap])[0] == pytest.approx(1 / FEWEST)


def test_nothing_is_like_nothing():
    assert Shingled.of([]).nearest([sheet(1)]).tolist() == [0.0]
    assert Shingled.of([sheet(1)]).nearest([HEADER]).tolist() == [0.0]


def test_a_voice_that_rests_keeps_its_place():
    """Sixteen bars are sixteen lines, whoever plays in them."""
    silent = HEADER + "[V:2]C,4|\n" * 20 + "[V:1]c d e f g a b c'|[V:2]C,4|\n" * 4
    assert len(windows(silent)[0]) == 1  # the bass's repeated note alone
    assert len(windows(silent)[-1]) > 5
