"""Standard ABC in, interleaved ABC out, and back (spec 1.3-1.5, 1.8)."""

import pytest

from sideman.errors import BadSheet
from sideman.music.sheet.alignment import align
from sideman.music.sheet.bars import split_bars
from sideman.music.sheet.clean import clean
from sideman.music.sheet.interleaved import read_interleaved, read_standard, write_interleaved, write_standard
from sideman.music.sheet.prepare import interleave, prepare

STANDARD = """X:1
T:Probe für Sideman
C:Franz Schubert
%%score 1 { ( 2 4 ) | 3 }
L:1/8
Q:1/4=60
M:2/4
I:linebreak $
K:G
V:1 treble nm="Voice" snm="V."
V:2 treble nm="Piano" snm="Pno."
V:4 treble
V:3 bass
V:1
"^Größe" z2 z2 | G2 F2 |: %2
w: ~ La la
G2 F2 :| %3
V:2
[DF]2 ^D2 | [DF]2 "|" ^D2 |: [DF]2 ""^D2 :| %3
V:3
 G,,4 | G,,4 |: G,,4 :| %3
V:4
x2 x2 | B,4 |: x4 :| %3
"""
INTERLEAVED = """%%score 1 { ( 2 4 ) | 3 }
L:1/8
Q:1/4=60
M:2/4
I:linebreak $
K:G
V:1 treble nm="Voice" snm="V."
V:2 treble nm="Piano" snm="Pno."
V:4 treble
V:3 bass
[V:1]"^Grosse" z2 z2|[V:2][DF]2 ^D2|[V:3]G,,4|[V:4]x4|
[V:1]G2 F2|:[V:2][DF]2  ^D2|:[V:3]G,,4|:[V:4]B,4|:
[V:1]G2 F2:|[V:2][DF]2 ^D2:|[V:3]G,,4:|[V:4]x4:|
"""


def test_a_whole_piece():
    assert interleave(STANDARD) == INTERLEAVED
    assert prepare(STANDARD) == INTERLEAVED.replace("[V:4]x4|\n", "\n").replace("[V:4]x4:|\n", "\n")


def test_back_to_standard():
    sheet = read_interleaved(INTERLEAVED)
    assert write_interleaved(sheet) == INTERLEAVED
    assert write_interleaved(read_standard(write_standard(sheet))) == INTERLEAVED
    assert align(sheet).good


def test_long_voices_are_wrapped():
    text = "L:1/8\nK:C\nV:1\n" + "[V:1]abcdefgabcdefg|\n" * 40
    lines = write_standard(read_interleaved(text)).splitlines()
    assert max(map(len, lines)) <= 100
    assert read_standard("\n".join(lines)).voices["1"].texts == ["abcdefgabcdefg"] * 40


@pytest.mark.parametrize(
    ("text", "left", "bars"),
    [
        ("c4|d4|]", "", ["c4|", "d4|]"]),
        ("|:c4:|2 d4||", "|:", ["c4:|2", "d4||"]),
        ("[K:D]|: c4|1 d4:|2,3 e4|]", "|:", ["c4|1", "d4:|2,3", "e4|]"]),
        ("c4:||:d4:|", "", ["c4:||:", "d4:|"]),
        ("c4 :|\n|: d4|", "", ["c4::", "d4|"]),
        ("c4| |d4|", "", ["c4|", "d4|"]),
        ("|:||c4:|||d4||\n|:e4|| |]", "|:", ["c4:||", "d4|:", "e4|]"]),
        ("c4|d4", "", ["c4|", "d4|"]),
        ("[K:D]c4|", "", ["[K:D]c4|"]),
        ("|1 c4|", "|1", ["c4|"]),
    ],
)
def test_bars_of_a_voice(text, left, bars):
    voice = split_bars(text)
    assert (voice.left, [a + b for a, b in zip(voice.texts, voice.barlines, strict=True)]) == (left, bars)
    assert voice.prefix == ("[K:D]" if text.startswith("[K:D]|") else "")


def test_what_is_cleaned_away():
    text = 'X:1\nT:Ä\nK:C\n%%MIDI on\nV:1 nm="Høch"\nV:1\n"^a|b"c2"@1,2 x" "_so.......... long" d2 \\"e2 %12\nw: la\n'
    assert clean(text) == 'K:C\nV:1 nm="Hoch"\nV:1\nc2"@1,2 x" "_so. long" d2 e2\n'
    assert clean(f'V:1\n"^{"a" * 37}"c|"^{"a" * 38}"d|"{"a" * 50}"e|') == f'V:1\n"^{"a" * 37}"c|d|"{"a" * 50}"e|\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (STANDARD.replace("K:G\n", ""), "no key"),
        (STANDARD.replace("\nV:1\n", "\n"), "V:1"),
        (STANDARD.replace("B,4 |:", "B,4"), "number of bars"),
        ("K:C\nV:1\n", "no bars"),
    ],
)
def test_rejected_with_a_reason(text, why):
    with pytest.raises(BadSheet, match=why):
        interleave(text)


def test_voices_that_do_not_fit():
    good = read_interleaved(INTERLEAVED)
    assert align(read_interleaved(INTERLEAVED.replace("B,4", "B,3"))).uneven == 1
    assert not align(read_interleaved(INTERLEAVED.replace("B,4|:", "B,4|"))).barlines
    good.voices["3"].texts.pop()
    assert not align(good).bars
    with pytest.raises(BadSheet, match="lacks voice 4"):
        read_interleaved(INTERLEAVED.replace("[V:4]x4|", ""))
