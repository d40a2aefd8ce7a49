"""Whatever the melody, the answer keeps the contract (asking.check), on networks that know no music."""

import pytest
from asking import ODE, ask, masks, symbols, tune

from sideman.music.song import Meter, Note, Song

pytestmark = pytest.mark.usefixtures("tiny_home")

MELODIES = {
    "ode": tune(),
    "one note": Song(notes=(Note(0.0, 1.0, 60),)),
    "one 16th": Song(notes=(Note(0.0, 0.25, 60),)),
    "pickup": tune(meter="4/4", pickup=1.0),
    "pickup of an eighth in 6/8": tune(ODE, 0.5, "6/8", pickup=0.5),
    "3/4": tune(meter="3/4"),
    "6/8": tune(ODE, 0.5, "6/8"),
    "5/4": tune(ODE[:15], meter="5/4"),
    "7/8": tune(ODE, 0.5, "7/8"),
    "rests of 8 bars first": tune(start=32.0),
    "lowest": tune([0, 1, 2, 3, 4, 5, 6, 7]),
    "highest": tune([127, 126, 125, 124, 127, 126, 125, 124]),
    "one pitch": tune([60] * 16),
    "triplets": tune(ODE[:12], 1 / 3),
    "off the grid": Song(notes=tuple(Note(0.07 + 0.93 * i, 0.41, p) for i, p in enumerate(ODE))),
    "grace notes": Song(notes=tuple(Note(0.5 * i, 0.02, p) for i, p in enumerate(ODE))),
    "metre changes": Song(tune().notes, meters=(Meter(0.0, 3, 4), Meter(6.0, 4, 4), Meter(10.0, 5, 8))),
    "a metre change after the end": Song(tune().notes, meters=(Meter(0.0, 4, 4), Meter(400.0, 3, 4))),
}


@pytest.mark.parametrize("song", MELODIES.values(), ids=MELODIES.keys())
def test_contract(song):
    answer = ask(song, n=3)
    assert len(answer.options) == 3
    assert answer.meter == str(song.meters[0])


@pytest.mark.parametrize(("notes", "n"), [(150, 3), (300, 1)], ids=["600 frames", "1200 frames"])
def test_longer_than_the_window(notes, n):
    answer = ask(tune((ODE * 32)[:notes]), n=n)
    for option in answer.options:
        covered = masks(option, notes).reshape(4, -1) != 0
        assert (covered.mean(1) > 0.5).all(), "chords from beginning to end"


def test_one():
    assert len(ask(tune(), n=1).options) == 1


def test_sixteen():
    answer = ask(tune(), n=16)
    assert len(answer.options) == 16
    basses = [each.symbol for option in answer.options for each in option.chords if "/" in each.symbol]
    assert basses, "foreign basses are among them, and named as they sound (asking.check)"


def test_the_last_chord_fills_its_bar():
    """The melody stops in the middle of a bar; a metre change that never comes does not lengthen it."""
    song = Song(tune(ODE[:14]).notes, meters=(Meter(0.0, 4, 4), Meter(400.0, 3, 4)))
    ends = [option.chords[-1].onset + option.chords[-1].duration for option in ask(song).options]
    assert max(ends) == 16.0


@pytest.mark.parametrize("temperature", [0.0, 0.2, 3.0])
def test_any_temperature(temperature):
    assert len(ask(tune(), temperature=temperature).options) == 5


def test_the_seed_decides_and_nothing_else():
    """What another melody asked in between does not change the answer."""
    one, other = ask(tune(), seed=7, n=3), ask(tune(), seed=8, n=3)
    ask(tune(meter="3/4"), seed=7, temperature=2.0, n=1)
    again = ask(tune(), seed=7, n=3)
    assert symbols(one) == symbols(again)
    assert [o.scores for o in one.options] == [o.scores for o in again.options]
    assert symbols(one) != symbols(other)


@pytest.mark.parametrize("model", ["offline", "online"])
def test_each_kind_of_model_by_name(model):
    assert ask(tune(), model=model).model == f"tiny-{model}"
