"""Sheets in other keys: the golden vectors of spec 12.5, and that every note sounds the same interval away."""

import pytest

from sideman.errors import BadSheet, WrongValue
from sideman.formats.score_abc import from_abc
from sideman.music.score import sounding
from sideman.music.sheet.keys import KEYS, fifths_of, parse_key, pitch_class, semitones_between
from sideman.music.sheet.transpose import transpose

BAR = """[V:1][K:D]^A,2 =f'2 [CE]2 "Am7/C"B|_B B "^Am"z|"""
# Spec 12.5: global key C.
GOLDEN = {
    "Db": """[V:1][K:Eb]=B,2 _g'2 [DF]2 "Bbm7/Db"c|_c c "^Am"z|""",
    "Gb": """[V:1][K:Ab]=E2 _c''2 [GB]2 "Ebm7/Gb"f|_f f "^Am"z|""",
    "F#": """[V:1][K:Ab]=E2 _c''2 [GB]2 "Ebm7/Gb"f|_f f "^Am"z|""",
    "Cb": """[V:1][K:Db]=A,2 _f'2 [CE]2 "Abm7/Cb"B|__B B "^Am"z|""",
    "B": """[V:1][K:C#]^^G,2 =e'2 [B,D]2 "G#m7/B"A|=A A "^Am"z|""",
    "A": """[V:1][K:B]^^F,2 =d'2 [A,C]2 "F#m7/A"G|=G G "^Am"z|""",
    "F": """[V:1][K:G]^D2 _b'2 [FA]2 "Dm7/F"e|_e e "^Am"z|""",
}
HEADER = "L:1/8\nM:4/4\nK:{}\nV:1 treble\nV:2 bass\n"


def moved(body: str, key: str, to: str, **options: bool) -> str:
    return transpose(HEADER.format(key) + body, to, **options).split("bass\n")[1]


@pytest.mark.parametrize("to", GOLDEN)
@pytest.mark.parametrize("reference", [False, True])
def test_the_golden_bar(to, reference):
    assert moved(BAR, "C", to, reference=reference) == GOLDEN[to]


@pytest.mark.parametrize(
    ("key", "to", "result"),
    [("Am", "Cb", "Abm"), ("Fm", "", "F#m"), ("C#m", "F#", "Ebm"), ("Ddor", "Bb", "Cdor"), ("none", "D", "none")],
)
def test_keys(key, to, result):
    if not to:  # a voice in F minor of a piece in C, moved to C sharp
        assert moved("[V:1][K:Fm]c|", "C", "C#") == "[V:1][K:F#m]c|"
        return
    assert f"K:{result}\n" in transpose(HEADER.format(key) + "[V:1]c|", to)


def test_accidentals_hold_to_the_barline_in_their_voice():
    body = "[V:1]^F F f|F|[V:2]F|\n[V:1]=B B|[V:2][K:F]B B|"
    assert moved(body, "C", "D") == "[V:1]^G G g|G|[V:2]G|\n[V:1]^c c|[V:2][K:G]c c|".replace("^c c", "c c")
    assert moved("[V:1]F ^F =F F|", "G", "G") == "[V:1]F F =F F|"


def test_percussion_stays():
    text = "L:1/8\nK:C\nV:1 treble\nV:2 perc\nK:none\n[V:1]C|[V:2]F ^A|\n"
    assert transpose(text, "D") == "L:1/8\nK:D\nV:1 treble\nV:2 perc\nK:none\n[V:1]D|[V:2]F ^A|\n"


def test_a_voice_with_a_key_of_its_own():
    text = "L:1/8\nK:C\nV:1 treble\nV:2 bass\nK:D\n[V:1]F|[V:2]F|\n"
    assert transpose(text, "D") == "L:1/8\nK:D\nV:1 treble\nV:2 bass\nK:E\n[V:1]G|[V:2]G|\n"
    with pytest.raises(BadSheet):
        transpose(text, "D", reference=True)


def test_words_are_no_chords():
    body = '[V:1]"Dolce"c "Cmaj7"d "Bb/D"e !D.C.!f {cd}e|'
    assert moved(body, "C", "D") == '[V:1]"Dolce"d "Dmaj7"e "C/E"f !D.C.!g {de}f|'
    assert moved(body, "C", "D", reference=True).startswith('[V:1]"Eolce"d')


def test_there_and_back_is_the_same():
    body = '[V:1]^A,2 [C_E]2 "Am7/C"B|_B =B "^Am"z|[V:2][K:Bbm]D,,2 ^f\'\'2|\n'
    once = transpose(HEADER.format("Gm") + body, "Bb")
    for to in set(KEYS) - {"E"}:  # a tritone goes up both ways
        assert transpose(transpose(once, to), "Bb") == once


@pytest.mark.parametrize("to", KEYS)
def test_everything_moves_by_the_same_interval(to):
    text = "K:Eb\nV:1 treble\n" + "|".join(
        f"{mark}{name}"
        for name in ("C", "D,", "E", "F", "G,,", "A", "B", "c'", "f", "b")
        for mark in ("", "^", "_", "=", "__", "^^")
    )
    assert_moved(text, to, "Eb")


def test_a_clef_is_no_key():
    assert moved("[V:1][K:D]F[K:bass]F,|", "C", "D") == "[V:1][K:E]G[K:bass]G,|"
    assert moved("[V:1][K:D bass]F [K:Am clef=alto]G|", "C", "D") == "[V:1][K:E bass]G [K:Bm clef=alto]A|"


def test_what_cannot_be_moved():
    with pytest.raises(BadSheet, match="no key"):
        transpose("L:1/8\n[V:1]c|\n", "D")
    with pytest.raises(BadSheet, match="not a key"):
        parse_key("Hmoll")
    with pytest.raises(WrongValue, match="Ab"):
        transpose("K:C\n", "H")


SEVERAL_VOICES = """%%score 1 { ( 2 4 ) | 3 }
L:1/8
M:2/4
K:Eb
V:1 treble
V:2 treble
V:4 treble
V:3 bass
[V:1]"^Bad" _d=d^c2-|[V:2][_E=GB]2 {^f}g2|[V:3](3E,_F,=F, !trill!G,,2|[V:4]_c'4|
[V:1]^c2 "Bb7/D"[K:A]gG|[V:2][K:A][_d^^f]2 =c__b|[V:3][K:A bass]^^C,4|[V:4][K:A]x4|
[V:1]c4|][V:2]z4|][V:3]C,2 [K:clef=tenor]c2|][V:4]B4|]
"""


@pytest.mark.parametrize("to", KEYS)
def test_a_whole_score_moves_by_one_interval(to):
    assert_moved(SEVERAL_VOICES, to, "Eb")


def assert_moved(text: str, to: str, home: str) -> None:
    """Every note sounds as far from where it was as the keys lie apart."""
    before, after = from_abc(text), from_abc(transpose(text, to))
    shift = semitones_between(fifths_of(home), fifths_of(to))
    assert -5 <= shift <= 6
    assert (pitch_class(fifths_of(home)) + shift) % 12 == pitch_class(fifths_of(to))
    for here, there in zip(before.parts, after.parts, strict=True):
        expected = sorted((n.onset, n.duration, n.pitch.midi + shift) for n in sounding(before, here))
        assert len(expected) > 5
        assert sorted((n.onset, n.duration, n.pitch.midi) for n in sounding(after, there)) == expected
