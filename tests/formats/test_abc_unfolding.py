"""Repeats, endings, playing orders and bar lines: the tune as it is played."""

import pytest

from sideman.formats.abc import read_abc
from sideman.music.metre import bar_lines


def played(music: str, header: str = "") -> str:
    """Letters of the notes as played; every note is a whole bar unless the music says otherwise."""
    song = read_abc(f"X:1\nM:4/4\nL:1/1\n{header}K:C\n{music}\n")
    return "".join("C?D?EF?G?A?B"[n.pitch % 12] for n in song.notes)


def symbols(music: str, header: str = "") -> list[str]:
    song = read_abc(f"X:1\nM:4/4\nL:1/1\n{header}K:C\n{music}\n")
    return [span.chord.name() for span in song.chords]


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C|D:|", "CDCD"),
        ("C|:D|E:|F|", "CDEDEF"),
        ("|:C:|D:|", "CCDD"),
        ("|:C::D:|", "CCDD"),
        ("|:C:||:D:|", "CCDD"),
        ("|:C:|:D:|", "CCDD"),
        ("||:C|D:||E|]", "CDCDE"),
        ("|::C::|D|", "CCCD"),
        ("|:C|[1D:|[2E||F|", "CDCEF"),
        ("|:C|1D:|2E||F:|", "CDCEFF"),  # the second ending closes the first section
        ("|:C|1 D :|2 E || F :|", "CDCEFF"),
        ("|:C|[1,3 D:|[2 E:|G|]", "CDCECDG"),
        ("|:C|[1-2D:|[3E|]", "CDCDCE"),
        ("|:C|[1D:|[2E:|F|", "CDCEF"),
        ("C|:D|[1E|F:|[2G|A|:B:|", "CDEFDGABB"),
        ("C:|\n[2D|]", "CCD"),
    ],
)
def test_repeats(music, expected):
    assert played(music) == expected


@pytest.mark.parametrize(
    ("music", "order", "expected"),
    [
        ("P:A\nC|\nP:B\nD|", "AB", "CD"),
        ("P:A\nC|\nP:B\nD|", "ABA", "CDC"),
        ("P:A\nC:|\nP:B\nD:|", "AB", "CCDD"),  # the order does not count passes, so repeats are played
        ("P:A\nC:|\nP:B\nD|", "AAB", "CCD"),  # here it does: the repeat sign says the same again
        ("P:A\nC:|\nP:B\nD:|", "AAB", "CCD"),
        ("P:A\nC|[1D:|[2E||\nP:B\nF|", "AABA", "CDCEFCE"),
        ("P:A\nC/2|:D:|\nP:B\nF|", "AAB", "CDDF"),  # a lead-in sounds once
        ("P:A\nC|:D:|E|\nP:B\nF|", "AAB", "CDDECDDEF"),  # more than one repeat: the part as written, twice
        ("G|\nP:A\nC|\nP:B\nD|", "BA", "GDC"),
        ("P:A\nC|\nP:B\nD|", "A(AB)2", "CCDCD"),
        ("P:A\nC|\nP:B\nD|", "A ABX", "CCD"),
        ("P:A\nC|\nP:B\nD|", "", "CD"),
        ("P:V 1\nC:|\nP:V 2\nD|", "", "CCD"),
    ],
)
def test_playing_orders(music, order, expected):
    assert played(music, f"Y:{order}\n" if order else "") == expected
    if len(order) > 1:
        assert played(music, f"P:{order}\n") == expected


def test_what_the_order_leaves_out_is_said():
    song = read_abc("X:1\nL:1/1\nY:AX\nK:C\nP:A\nC|\nP:B\nD|\n")
    assert song.remarks == (
        "part that the playing order leaves out: 1",
        "part that the playing order names but the tune lacks: 1",
    )


def test_a_part_comes_back_in_its_own_key_and_metre():
    song = read_abc("X:1\nM:4/4\nL:1/4\nY:ABA\nK:C\nP:A\nF4|\nP:B\nM:3/4\nK:D\nF3|\n")
    assert [n.pitch for n in song.notes] == [65, 66, 65]
    assert [(m.onset, str(m)) for m in song.meters] == [(0, "4/4"), (4, "3/4"), (7, "4/4")]
    assert [(k.onset, k.key.tonic) for k in song.keys] == [(0, 0), (4, 2), (7, 0)]


@pytest.mark.parametrize(
    ("music", "header", "expected"),
    [
        ('|:"C""Am"C|"G"D:|', "", ["C", "G", "Am", "G"]),
        ('P:A\n"C""Am"C|\nP:B\n"G"D|', "Y:ABA\n", ["C", "G", "Am"]),
        ('P:A\n"C""Am""F"C:|\nP:B\n"G"D|', "Y:AAAB\n", ["C", "Am", "F", "G"]),
        ('"C""Am"C|"G"D|', "", ["C", "G"]),
        # an ending without a symbol begins with the chord of the first ending
        ('|:"G"C|[1"C"D "D7"E:|[2F||', "", ["G", "C", "D7", "G", "C"]),
        ('|:"G"C|[1D "D7"E:|[2F||', "", ["G", "D7", "G"]),
    ],
)
def test_chords_for_each_time_through(music, header, expected):
    assert symbols(music, header) == expected


def bars(music: str, meter: str = "4/4") -> tuple[list[float], list[tuple[float, str]]]:
    song = read_abc(f"X:1\nM:{meter}\nL:1/4\nK:C\n{music}\n")
    return [onset for onset, _, _ in bar_lines(song.meters, song.beats)], [(m.onset, str(m)) for m in song.meters]


@pytest.mark.parametrize(
    ("music", "onsets", "meters"),
    [
        ("C4|C4|C4|", [0, 4, 8], [(0, "4/4")]),
        ("C|C4|C4|", [0, 1, 5], [(1, "4/4")]),  # a pickup
        ("C|:C4|C3:|C|C4|", [0, 1, 5, 8, 12, 16], [(1, "4/4"), (8, "4/4")]),
        ("|:C|C4|C3:|", [0, 1, 5, 9, 13], [(1, "4/4")]),  # the repeat sign cuts a bar in two
        ("|:C|C4|C3:|:C|C4|C3:|", [0, 1, 5, 9, 13, 17, 21, 25, 29], [(1, "4/4")]),
        ("C4|C2|C4|C4|", [0, 4, 6, 10], [(0, "4/4"), (6, "4/4")]),  # an irregular bar
        ("C4|C2|C2|C4|", [0, 4, 6, 8], [(0, "4/4"), (6, "4/4"), (8, "4/4")]),  # two of them are not one
        ("C4|[M:3/4]C3|C3|[M:4/4]C4|", [0, 4, 7, 10], [(0, "4/4"), (4, "3/4"), (10, "4/4")]),
        ("C8|C4|", [0, 4, 8], [(0, "4/4")]),  # a missing bar line
        ("C9|C4|", [0, 1, 5, 9], [(1, "4/4")]),
        ("C2|", [0], [(0, "4/4")]),
    ],
)
def test_bar_lines(music, onsets, meters):
    assert bars(music) == (onsets, meters)


def test_a_metre_that_changes_inside_a_bar_waits_for_the_bar_line():
    onsets, meters = bars("C5|C3||\nM:4/4\nC2|C4|C4|", meter="5/4")
    assert onsets == [0, 5, 10, 14]
    assert meters == [(0, "5/4"), (10, "4/4")]
