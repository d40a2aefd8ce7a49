"""Bars and positions in them: pickups, compound and changing metres, irregular bars."""

import pytest

from sideman.music.metre import bar_lines, form
from sideman.music.song import Meter


def onsets(meters: tuple[Meter, ...], beats: float) -> list[float]:
    return [onset for onset, _, _ in bar_lines(meters, beats)]


def test_plain_bars():
    assert onsets((Meter(0, 3, 4),), 7) == [0, 3, 6]


def test_a_pickup_is_a_short_first_bar():
    assert bar_lines((Meter(1, 4, 4),), 6) == [(0, 1, Meter(1, 4, 4)), (1, 4, Meter(1, 4, 4)), (5, 4, Meter(1, 4, 4))]


def test_an_introduction_longer_than_a_bar_is_counted_backwards():
    assert onsets((Meter(5, 4, 4),), 9) == [0, 1, 5]


def test_a_metre_may_change_and_a_bar_may_be_short():
    # two bars of 4/4, of which the second has three beats, then 6/8
    assert onsets((Meter(0, 4, 4), Meter(7, 6, 8)), 12) == [0, 4, 7, 10]


def test_positions_count_from_the_bar_line():
    places = form((Meter(0, 3, 4),), 24)
    assert places[:13, 0].tolist() == [*range(1, 13), 1]
    assert set(places[:, 1].tolist()) == {13}
    assert places[0, 2] == 1
    assert places[12, 2] == 2


def test_a_pickup_ends_with_its_bar():
    places = form((Meter(1, 4, 4),), 24)
    assert places[:5, 0].tolist() == [13, 14, 15, 16, 1]
    assert places[:5, 2].tolist() == [8, 8, 8, 8, 1]


def test_six_eight_has_bars_of_twelve_frames():
    places = form((Meter(0.5, 6, 8),), 26)
    assert places[2, 0] == 1
    assert places[14, 0] == 1
    assert places[2, 1] == 13


def test_a_phrase_is_eight_bars():
    places = form((Meter(0, 4, 4),), 16 * 17)
    assert places[::16, 2].tolist() == [*range(1, 9), *range(1, 9), 1]


@pytest.mark.parametrize("frames", [0, 1, 5])
def test_very_short_pieces(frames: int):
    assert form((Meter(0, 4, 4),), frames).shape == (frames, 3)
    assert (form((Meter(0, 4, 4),), frames) > 0).all()
