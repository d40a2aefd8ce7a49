"""Which header lines and voice bars may stand, and what is written where none came right."""

from fractions import Fraction

import pytest

from sideman.compose.bar import Line, fitted
from sideman.compose.header import Header, metre_length
from sideman.music.sheet.durations import duration

SONG = ("%%score 1 { ( 2 4 ) | 3 }", "L:1/8", "Q:1/4=60", "M:2/4", "K:G", 'V:1 treble nm="Voice" snm="V."',
        'V:2 treble nm="Piano" snm="Pno."', "V:4 treble ", "V:3 bass ")  # fmt: skip


def song(lines: tuple[str, ...] = SONG, **wanted: str) -> Header:
    header = Header({f"{kind}:": line for kind, line in wanted.items()})
    for line in lines:
        assert not header.objection(line), line
        header.add(line)
    return header


def test_a_header_as_the_data_has_it():
    header = song()
    assert not header.objection("")
    assert not header.remedy()
    assert (header.voices, header.metre) == (["1", "2", "4", "3"], 4)


@pytest.mark.parametrize(
    ("before", "line"),
    [
        (SONG[:1], "%%score 1 2"),  # twice
        (SONG[:3], "%%score 1"),  # too late
        (SONG[:0], "%%score 1 { ( 2 4 ) | 3"),
        (SONG[:0], "%%score 1 { ( 2 4 } | 3 )"),
        (SONG[:0], "%%score 1 1"),
        (SONG[:0], "%%score"),
        (SONG[:1], "L:1/0"),
        (SONG[:2], "Q:fast"),
        (SONG[:2], "Q:1/4=4000"),
        (SONG[:2], "M:3/0"),
        (SONG[:2], "M:abc"),
        (SONG[:4], "K:H"),
        (SONG[:4], "K:none"),
        (SONG[:1], "K:G"),  # before the metre
        (SONG[:5], "V:9 treble"),
        (SONG[:6], "V:1 treble"),
        (SONG[:5], 'V:2 treble nm="Pia'),
        (SONG[:5], "X:1"),
        (SONG[:5], "[V:1]c4|"),
        (("%a", "%b", "%c"), "%d"),
        (SONG[:8], ""),  # voice 3 was never declared
        (SONG[:4], ""),
    ],
)
def test_lines_that_may_not_come_next(before: tuple[str, ...], line: str):
    assert song(before).objection(line)


def test_what_was_asked_for_has_its_place():
    header = song(SONG[:2], Q="Q:1/4=96", K="K:Em")
    assert header.due("%%score 2") == ""
    assert header.due("Q:1/4=60") == "Q:1/4=96"
    assert header.due("M:3/4") == "Q:1/4=96"
    header.add("Q:1/4=96")
    assert header.due("M:3/4") == ""
    assert header.due("K:G") == "K:Em"
    assert header.due("") == "K:Em"


def test_every_unfinished_header_can_be_finished():
    for count in range(len(SONG)):
        header = song(SONG[:count])
        for _ in range(12):
            line = header.remedy()
            if not line:
                break
            assert not header.objection(line)
            header.add(line)
        assert not header.objection("")


@pytest.mark.parametrize(("metre", "length"), [("4/4", 8), ("C", 8), ("C|", 8), ("6/8", 6), ("x", None), ("0/4", None)])
def test_length_of_a_metre(metre: str, length: int | None):
    assert metre_length(metre, Fraction(1, 8)) == length


def line(*chunks: str, number: int = 1, last: bool = False, fixed: bool = False, upbeat: int | None = None) -> Line:
    out = Line(song(), number, last, Fraction(4), fixed, None if upbeat is None else Fraction(upbeat))
    for chunk in chunks:
        assert not out.objection(chunk), out.objection(chunk)
        out.add(chunk)
    return out


@pytest.mark.parametrize(
    "chunks",
    [
        ("[V:1]G2 F2", "|[V:2][DF]2 ^D2", "|[V:3]G,,4", "|[V:4]B,4|\n"),
        ("[V:2]G2 F2|\n",),
        ("[V:1]G2 F2", "|][V:2]G4|]\n"),
        ("[V:1](3GAB c2", ":|1[V:3]{c}d4:|1\n"),
        ('[V:1]"^a tempo" [M:3/4] c6', "|[V:2][M:3/4]z6", "|[V:3]!p!C6|\n"),
        ("[V:1][Q:3/8=60]G2 F2", '|[V:2][Q:"Largo" 1/4=50][K:bass]G4|\n'),
    ],
)
def test_lines_that_may_stand(chunks: tuple[str, ...]):
    done = line(*chunks, last=True)
    assert done.ended
    assert done.text == "".join(chunks)


@pytest.mark.parametrize(
    ("before", "chunk"),
    [
        ((), "[V:1]G2 F"),  # not a whole bar
        ((), "[V:7]G2 F2"),
        ((), "|[V:1]G2 F2"),
        ((), "[V:1]G2 F2\n"),
        ((), '[V:1]"^Largo G2 F2'),
        ((), "[V:1]!p G2 F2"),
        ((), "[V:1][GB2 F2"),
        ((), "[V:1]G2|F2"),
        ((), "[V:1]G2[V:1]F2"),
        ((), "[V:1][L:1/4]G2 F2"),
        ((), "G2 F2"),
        (("[V:2]G2 F2",), "|[V:1]G4"),
        (("[V:1]G2 F2",), "|[V:2]G3"),
        (("[V:1]G2 F2",), "[V:2]G4"),
        (("[V:1]G2 F2", "|[V:2]G4"), "|][V:3]G4"),
        (("[V:1]G2 F2", "|[V:2]G4"), "|[V:3]G4|]\n"),
        (("[V:1]G2 F2",), ":|[V:2]G4:|1\n"),
        (("[V:1]G2 F2",), "|][V:2]G4"),  # the piece is not at its end
        ((), "[V:3]G4|]\n"),
        ((), "[V:1][M:4:6/8]G2 F2"),
        ((), "[V:1][Q:11/4=66]G2 F2"),
        ((), "[V:1][Q:1/4=726]G2 F2"),
        (("[V:1]G2 F2",), "|[V:2][M:3/4]G4"),  # the first voice goes on in 2/4
    ],
)
def test_chunks_that_may_not_follow(before: tuple[str, ...], chunk: str):
    assert line(*before).objection(chunk)


def test_upbeats_are_no_whole_bars():
    assert not line(number=0).objection("[V:1]G")
    assert line(number=0).objection("[V:1]G17/12")
    assert line("[V:1]G", number=0).short == 1
    assert line("[V:1]G4", number=0).short is None
    assert not line(last=True, upbeat=1).objection("[V:1]G3|]\n")
    assert line(last=True, upbeat=1).objection("[V:1]G2|]\n")
    assert line(last=True).objection("[V:1]G3|]\n")
    assert line(number=0).objection("[V:1]G6")
    assert line(fixed=True).objection("[V:1][M:3/4]G6")


@pytest.mark.parametrize(
    ("bar", "length", "expected"),
    [
        ("G2 F", 4, "G2 F z"),
        ("G2 F2 E2", 4, "G2 F2"),
        ("(3GAB c2", 3, "(3GAB z"),
        ("(3GA", 4, "z4"),
        ("", Fraction(7, 2), "z7/2"),
        ('"^dolce" [CEG]2 !p!', 4, '"^dolce" [CEG]2 !p! z2'),
        ("G2 [CE", 4, "G2 z2"),
        ("a>b c", 4, "a>b c z"),
    ],
)
def test_what_fits(bar: str, length: int, expected: str):
    assert fitted(bar, Fraction(length)) == expected
    assert duration(fitted(bar, Fraction(length))) == length


def test_a_bar_that_is_too_long_is_seen_before_its_end():
    now = line("[V:1]G2 F2")
    assert not now.overfull("|[V:2]c2 d2 e")  # which may become e/
    assert not now.overfull("|[V:2](3cde f2 g")
    assert now.overfull("|[V:2]c2 d2 e f")
    assert not line().overfull("[V:1]c2 d2 e f g a")  # the first voice says how long it is


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        ("|[V:2]c2 d2 e f", "|[V:2]c2 d2"),
        ("|[V:2](3cde f2 !p!g2", "|[V:2](3cde f2"),
        ("|[V:2]c3 d2", ""),  # no note ends where the bar does
        ("|[V:1]c2 d2 e", ""),  # the voice has sung
        ("garbage", ""),
    ],
)
def test_a_bar_ends_when_it_is_full(chunk: str, expected: str):
    assert line("[V:1]G2 F2").trimmed(chunk) == expected


@pytest.mark.parametrize(
    "chunk",
    [
        "",
        "garbage",
        "|[V:2]G9|\n",
        "[V:9]c",
        "|[V:3]G",
        "[V:3]c|d|e\n",
        "|[V:2][M:4:6/8][Q:1/4=900]G4",
        "|[V:3][M:3/4]G4",
        "|[V:2]G2[V:2]E,/",
        "|][V:2]G4",
        "[V:3]G4|]\n",
    ],
)
def test_a_mended_chunk_may_always_follow(chunk: str):
    for before in ((), ("[V:1]G2 F2",), ("[V:1]G4", "|[V:2]G4")):
        for last in (False, True):
            now = line(*before, last=last)
            mended = now.mended(chunk)
            assert not now.objection(mended), (before, mended)
