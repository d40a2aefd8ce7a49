"""The order bars sound in: repeats, endings, and jumps. Bars are named by letters."""

import pytest
from score_text import ATTRIBUTES, barline, note, rest, score, words

from sideman.formats.musicxml import read_musicxml

FORWARD = barline('<repeat direction="forward"/>', "left")
BACK = barline('<repeat direction="backward"/>')
SEGNO = "<direction><direction-type><segno/></direction-type></direction>"
CODA = "<direction><direction-type><coda/></direction-type></direction>"


def ending(numbers: str, kind: str = "start") -> str:
    return barline(f'<ending number="{numbers}" type="{kind}"/>', "left" if kind == "start" else "right")


def back(numbers: str) -> str:
    return barline(f'<ending number="{numbers}" type="stop"/><repeat direction="backward"/>')


def sound(attribute: str) -> str:
    return f"<sound {attribute}/>"


def played(*bars: str) -> str:
    """Bars like `|: C ... :|` given as XML with {} for the note; the steps that sound."""
    steps = "CDEFGABCDEFG"
    full = [bar.format(note(step, 8)) if "{}" in bar else bar for bar, step in zip(bars, steps, strict=False)]
    song = read_musicxml(score(*full))
    names = {60: "C", 62: "D", 64: "E", 65: "F", 67: "G", 69: "A", 71: "B"}
    return "".join(names[n.pitch] for n in song.notes)


@pytest.mark.parametrize(
    ("bars", "order"),
    [
        (["{}", "{}"], "CD"),
        (["{}", FORWARD + "{}", "{}" + BACK, "{}"], "CDEDEF"),
        (["{}", "{}" + BACK, "{}" + BACK, "{}"], "CDCDEEF"),  # the second goes back to the first
        (["{}" + barline('<repeat direction="backward" times="3"/>'), "{}"], "CCCD"),
        ([FORWARD + "{}", ending("1") + "{}" + back("1"), ending("2") + "{}" + ending("2", "stop"), "{}"], "CDCEF"),
        ([FORWARD + "{}", ending("1, 2") + "{}" + back("1, 2"), ending("3") + "{}"], "CDCDCE"),
        ([FORWARD + "{}", ending("1") + "{}" + back("1"), ending("2") + "{}" + back("2"), "{}"], "CDCEF"),
        # brackets closed after one bar although the ending is longer
        ([FORWARD + "{}", ending("1") + "{}" + ending("1", "stop"), "{}" + BACK, ending("2") + "{}", "{}"], "CDECFG"),
        # brackets with wrong numbers, with no repeat sign, and one alone
        ([FORWARD + "{}", ending("1") + "{}" + back("1"), ending("1") + "{}"], "CDCE"),
        ([FORWARD + "{}", ending("1") + "{}" + ending("1", "stop"), ending("2") + "{}"], "CDCE"),
        ([FORWARD + "{}", ending("1") + "{}" + back("1"), "{}"], "CDCE"),
        # jumps, as sounds and as words
        (["{}" + sound('fine="yes"'), "{}", "{}" + sound('dacapo="yes"'), "{}"], "CDEC"),
        (["{}" + words("Fine"), "{}", "{}" + words("D.C. al Fine")], "CDEC"),
        (["{}", SEGNO + "{}", "{}" + words("(fine)"), "{}" + words("D.S. al Fine")], "CDEFDE"),
        (["{}", sound('segno="1"') + "{}", "{}", "{}" + sound('dalsegno="1"')], "CDEFDEF"),
        (["{}", "{}" + CODA, "{}" + words("D.C. al Coda"), CODA + "{}"], "CDECDF"),
        (["{}", CODA + "{}", "{}" + words("D.C.alCoda"), CODA + "{}"], "CDECF"),
        (["{}", "{}" + sound('tocoda="1"'), "{}" + sound('dacapo="yes"'), sound('coda="1"') + "{}"], "CDECDF"),
        # no repeats after a jump, the last ending, unless the Fine stands in another
        ([FORWARD + "{}", "{}" + BACK, "{}" + words("D.C.")], "CDCDECDE"),
        (["{}", ending("1") + "{}" + back("1"), ending("2") + "{}" + words("Fine"), "{}" + words("D.C.")], "CDCEFCE"),
        (["{}", ending("1") + "{}" + words("Fine") + back("1"), ending("2") + "{}", "{}" + words("D.C.")], "CDCEFCD"),
        # Fine and Coda with a repeat and no jump: taken the last time through
        (["{}" + words("Fine"), "{}", "{}" + BACK], "CDEC"),
        (["{}" + CODA, "{}" + BACK, CODA + "{}"], "CDCE"),
        # signs that lead nowhere
        (["{}" + words("D.S. al Coda"), "{}"], "CCD"),
        (["{}" + CODA, "{}"], "CD"),
    ],
)  # fmt: skip
def test_order(bars: list[str], order: str) -> None:
    assert played(*bars) == order


def test_a_repeat_to_the_start_replays_a_pickup_only_where_it_fits() -> None:
    full = read_musicxml(score(note("G", 2), note("C", 8), note("D", 8) + BACK))
    short = read_musicxml(score(note("G", 2), note("C", 8), note("D", 6) + BACK))
    assert [n.pitch for n in full.notes] == [67, 60, 62, 60, 62]
    assert [n.pitch for n in short.notes] == [67, 60, 62, 67, 60, 62]
    for song in (full, short):
        assert [m.onset for m in song.meters] == [1.0]


def test_a_repeat_inside_a_bar_leaves_the_bars_whole() -> None:
    song = read_musicxml(
        score(note("C", 8), note("D", 6) + BACK, FORWARD + note("E", 2), note("F", 8),
              note("G", 6), rest(2) + note("A", 6))
    )  # fmt: skip
    assert song.beats == 4 + 3 + 4 + 3 + 1 + 4 + 3 + 4
    # 3 beats (back to a full bar), 3 + 1 beats, 3 beats at the end of the second part
    assert [m.onset for m in song.meters] == [0.0, 7.0, 22.0]


def test_ties_reach_over_a_repeat() -> None:
    tie = '<tie type="{}"/>'.format
    bars = [
        FORWARD + note("C", 8), ending("1") + note("D", 8, tie("start")) + back("1"),
        ending("2") + note("D", 8, tie("stop")) + ending("2", "stop"),
    ]  # fmt: skip
    song = read_musicxml(score(*bars))
    assert [(n.pitch, n.duration) for n in song.notes] == [(60, 4.0), (62, 4.0), (60, 4.0), (62, 4.0)]
    assert "3 written bars, 4 played" in song.remarks[0]


def test_state_is_restored_on_the_way_back() -> None:
    change = ATTRIBUTES.replace("<fifths>0", "<fifths>2").replace("<beats>4", "<beats>3")
    song = read_musicxml(score(FORWARD + note("C", 8), change + note("D", 6) + BACK))
    assert [(m.onset, m.numerator) for m in song.meters] == [(0.0, 4), (4.0, 3), (7.0, 4), (11.0, 3)]
    assert [(k.onset, k.key.fifths) for k in song.keys] == [(0.0, 0), (4.0, 2), (7.0, 0), (11.0, 2)]
