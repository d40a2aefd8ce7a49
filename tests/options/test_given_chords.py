"""Kept chords are in every option exactly as given; `between` leaves everything else as it was."""

from dataclasses import replace

import pytest
from asking import ODE, ask, chord, span, spans, symbols, tune

from sideman.music.song import Song

pytestmark = pytest.mark.usefixtures("tiny_home")

KEEPS = {
    "a bar": [(4.0, 4.0, "C")],
    "all of the start": [(0.0, 4.0, "Am")],
    "the end": [(12.0, 4.0, "C")],
    "the middle of a bar": [(5.0, 1.0, "F#m7b5")],
    "chords no list has": [(0.0, 2.0, "Calt"), (6.0, 2.0, "D/C#"), (9.0, 1.0, "Ebm(add11)")],
    "next to each other": [(4.0, 2.0, "Dm7"), (6.0, 2.0, "G7"), (8.0, 2.0, "G7")],
    "a 16th": [(3.75, 0.25, "B7")],
    "thirds of a beat": [(4.0, 4 / 3, "F"), (4 + 4 / 3, 2 / 3, "C/E"), (6.0, 1 / 3, "Dm")],
    "off the grid": [(1.1, 2.7, "Am"), (3.9, 0.4, "G")],
    "a short gap": [(4.0, 1.1, "C"), (5.2, 1.0, "C")],
    "many": [(float(i), 1.0, symbol) for i, symbol in enumerate(["C", "Dm", "E7", "Am"] * 3)],
}


@pytest.mark.parametrize("rows", KEEPS.values(), ids=KEEPS.keys())
def test_kept_exactly(rows):
    answer = ask(tune(), keep=tuple(span(*row) for row in rows), n=4)
    for option in answer.options:
        made = spans(option)
        for onset, duration, symbol in rows:
            found = [
                each
                for each in made
                if each[0] == pytest.approx(onset, abs=1e-9) and each[1] == pytest.approx(duration, abs=1e-9)
            ]
            assert [each[2] for each in found] == [chord(symbol)]


def test_the_rest_is_still_open():
    kept = ask(tune(), keep=(span(4.0, 4.0, "C"),))
    assert len({tuple(row) for row in symbols(kept)}) == 5


def test_keeping_everything_leaves_one():
    answer = ask(tune(), keep=(span(0.0, 8.0, "C"), span(8.0, 8.0, "G")))
    assert symbols(answer) == [[(0.0, 8.0, "C"), (8.0, 8.0, "G")]]
    assert answer.remarks == ["The given chords leave nothing to choose."]


def test_a_keep_that_outlasts_the_melody_ends_with_it():
    answer = ask(tune(), keep=(span(12.0, 8.0, "C"),))
    assert all(row[-1] == (12.0, 4.0, "C") for row in symbols(answer))
    assert "ends with the melody, at beat 16" in answer.remarks[0]


def test_too_little_is_open_for_many():
    """One 16th that is free takes as many chords as there are, all of them different."""
    answer = ask(tune(), keep=(span(0.0, 8.0, "C"), span(8.25, 7.75, "G")), n=3)
    assert all(row[0] == (0.0, 8.0, "C") and row[-1] == (8.25, 7.75, "G") for row in symbols(answer))


OWN = tuple(span(2.0 * i, 2.0, symbol) for i, symbol in enumerate(["C", "F", "G", "C", "Am", "D7", "Dm/F", "Galt"]))


def inside(row, first, last):
    return [each for each in row if first - 1e-9 <= each[0] and each[0] + each[1] <= last + 1e-9]


@pytest.mark.parametrize(("first", "last"), [(4.0, 8.0), (0.0, 4.0), (8.0, 99.0), (5.0, 6.5), (4.3, 9.7)])
def test_own_chords_stay_outside(first, last):
    song = replace(tune(), chords=OWN)
    for option in ask(song, between=(first, last)).options:
        made = spans(option)
        for own in OWN:
            if own.offset <= first or own.onset >= last:
                assert any(
                    (each[0], each[1], each[2]) == (pytest.approx(own.onset), pytest.approx(own.duration), own.chord)
                    for each in made
                )
        assert all(each[0] >= first - 0.25 - 1e-9 or each[0] + each[1] <= first + 1e-9 for each in made)


def test_a_chord_across_the_edge_is_cut_there():
    song = replace(tune(), chords=(span(0.0, 16.0, "C"),))
    for row in symbols(ask(song, between=(5.0, 9.0))):
        assert row[0] == (0.0, 5.0, "C")
        assert row[-1] == (9.0, 7.0, "C")


def test_nothing_outside_where_nothing_was():
    for option in ask(tune(), between=(4.0, 8.0)).options:
        assert all(each.onset >= 4.0 and each.onset + each.duration <= 8.0 for each in option.chords)
        assert option.silence >= 0.75


def test_own_chords_without_between_are_not_looked_at():
    assert symbols(ask(replace(tune(), chords=OWN))) == symbols(ask(tune()))


def test_chords_after_the_melody_stay_too():
    song = Song(tune(ODE[:8]).notes, chords=(span(8.0, 4.0, "G7"), span(12.0, 4.0, "C")))
    for row in symbols(ask(song, between=(0.0, 8.0))):
        assert row[-2:] == [(8.0, 4.0, "G7"), (12.0, 4.0, "C")]


def test_keep_and_between_together():
    song = replace(tune(), chords=OWN)
    for option in ask(song, between=(4.0, 12.0), keep=(span(6.0, 1.0, "Calt"), span(13.0, 1.0, "E7"))).options:
        made = spans(option)
        assert (6.0, 1.0, chord("Calt")) in made
        assert (13.0, 1.0, chord("E7")) in made
        assert (2.0, 2.0, chord("F")) in made
        assert (12.0, 1.0, chord("Dm/F")) in made, "the own chord is cut where the kept one begins"
