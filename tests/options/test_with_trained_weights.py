"""With the weights a user gets: what the choices do to the music, and that there is music at all."""

import statistics

import pytest
from asking import ODE, ask, span, spans, tune

from sideman.engine.models import find_model
from sideman.errors import UnknownModel

SONG = tune(ODE * 2)  # eight bars of 4/4


@pytest.fixture(autouse=True)
def weights():
    try:
        find_model(None)
    except UnknownModel:
        pytest.skip("no weights ship yet, and none are in the home")


def test_the_melody_fits_its_chords():
    answer = ask(SONG)
    assert len(answer.options) == 5
    assert answer.remarks == []
    assert statistics.mean(option.note_in_chord for option in answer.options) > 0.6
    assert all(option.silence <= 0.1 for option in answer.options)


def test_density_steers():
    def per_bar(density):
        return [len(option.chords) / 8 for option in ask(SONG, density=density).options]

    few, many = per_bar(1.0), per_bar(4.0)
    assert statistics.mean(few) < 1.6
    assert statistics.mean(many) > 1.5 * statistics.mean(few)


def test_the_safest_is_safe():
    safe, hot = ask(SONG, temperature=0.0, n=3), ask(SONG, temperature=3.0, n=3)
    assert statistics.mean(o.note_in_chord for o in safe.options) > statistics.mean(
        o.note_in_chord for o in hot.options
    )


@pytest.mark.parametrize(
    "song", [tune(ODE * 2, 0.5, "6/8"), tune(ODE * 2, meter="3/4", pickup=1.0)], ids=["6/8", "3/4"]
)
def test_chords_begin_where_bars_do(song):
    """Most chords start on a bar line of the metre at hand, not on that of another one."""
    bar, pickup = song.meters[0].bar_beats, song.pickup
    onsets = [each.onset for option in ask(song).options for each in option.chords]
    assert statistics.mean((onset - pickup) % bar == 0 for onset in onsets) > 0.5


def test_what_is_kept_is_heard_by_the_rest():
    """Chords no list has, in the middle of bars: kept to the letter, with music around them."""
    keep = (span(5.0, 1.0, "Calt"), span(6.0, 2.0, "F#m7b5"), span(30.0, 2.0, "C"))
    for option in ask(SONG, keep=keep).options:
        assert {(k.onset, k.duration, k.chord) for k in keep} <= set(spans(option))
        assert option.silence <= 0.2
