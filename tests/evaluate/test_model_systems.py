"""Models as systems: seeds are rows, names carry temperatures, form survives a song, roots are compared."""

import numpy as np
import pytest

from sideman.cli_evaluate import evaluate as command
from sideman.errors import UnknownModel, WrongValue
from sideman.evaluate.agreement import chord_roots, root_match, same_root
from sideman.evaluate.baselines import without_chords
from sideman.evaluate.model_systems import ModelSystem, offered, song_of
from sideman.evaluate.systems import Setting, make_system
from sideman.evaluate.table import evaluate
from sideman.music.chord import Chord
from sideman.music.frames import SILENT, encode
from sideman.music.measures import chord_events
from sideman.music.metre import form
from sideman.music.song import ChordSpan, Meter, Note, Song


def piece(number, beats=16, meters=(Meter(0.0, 4, 4),)):
    rng = np.random.default_rng(number)
    notes = tuple(Note(float(i), 1.0, int(rng.integers(55, 80))) for i in range(beats))
    return encode(Song(notes, (ChordSpan(0.0, float(beats), Chord.make(7, (0, 4, 7))),), meters))


PIECES = [piece(0), piece(1, 12, (Meter(1.0, 3, 4),)), piece(2, 20)]
SETTING = Setting(PIECES, lambda: PIECES)


def same(one, other):
    return (one.chord == other.chord).all() and (one.chord_onset == other.chord_onset).all()


@pytest.mark.parametrize("name", ["offline", "online"])
def test_seeds_are_rows(tiny_home, name):
    """Three seeds at once are the three runs apart, and each run has draws of its own."""
    system = make_system(name, SETTING)
    assert isinstance(system, ModelSystem)
    melodies = [without_chords(p) for p in PIECES]
    runs = system.harmonise(melodies, range(3))
    assert [len(run) for run in runs] == [3, 3, 3]
    for seed, run in enumerate(runs):
        for made, alone, truth in zip(run, system.harmonise(melodies, [seed])[0], PIECES, strict=True):
            assert same(made, alone)
            assert (made.melody == truth.melody).all()
            assert (made.form == truth.form).all()
    assert not same(runs[0][0], runs[1][0])


def test_temperatures_are_in_the_name(tiny_home):
    result = evaluate(make_system("offline@0.5", SETTING), PIECES, seeds=2)
    assert result.name == "offline@0.5"
    assert len(result.runs) == 2
    safest = evaluate(make_system("offline@0", SETTING), PIECES, seeds=2)
    assert len(safest.runs) == 1, "every seed would give the same"
    assert all(same(a, b) for a, b in zip(*(make_system("offline@0", SETTING).harmonise(PIECES, [0, 9])), strict=True))


@pytest.mark.parametrize(("name", "error"), [
    ("offline@", WrongValue), ("offline@hot", WrongValue), ("offline@-1", WrongValue), ("offline@nan", WrongValue),
    ("offline@4", WrongValue), ("nobody", UnknownModel), ("nobody@1", UnknownModel), ("truth@1", UnknownModel),
    ("../models/offline", UnknownModel), ("", UnknownModel),
])  # fmt: skip
def test_names_nobody_answers_to(tiny_home, name, error):
    with pytest.raises(error) as failed:
        make_system(name, SETTING)
    assert failed.value.hint


def test_options_as_a_system(tiny_home):
    silent = without_chords(encode(Song(chords=(ChordSpan(0.0, 4.0, Chord.make(0, (0, 4, 7))),))))
    (run,) = make_system("options", SETTING).harmonise([without_chords(PIECES[0]), silent], [3])
    assert same(run[0], offered(without_chords(PIECES[0]), 5, 3)[0])
    assert len(chord_events(run[0])[0])
    assert (run[1].chord == SILENT).all(), "no melody, no chords"


METERS = {
    "4/4": (Meter(0.0, 4, 4),),
    "pickup": (Meter(1.5, 4, 4),),
    "6/8": (Meter(0.0, 6, 8),),
    "7/8 with a pickup": (Meter(0.5, 7, 8),),
    "changes": (Meter(0.0, 3, 4), Meter(6.0, 4, 4), Meter(14.0, 5, 8)),
    "an irregular bar": (Meter(0.0, 4, 4), Meter(4.0, 2, 4), Meter(6.0, 4, 4)),
}


@pytest.mark.parametrize("meters", METERS.values(), ids=METERS.keys())
def test_frames_have_their_form_again(meters):
    """Position and length of bars; the options room hears the same metre as the model systems."""
    frames = piece(4, 24, meters)
    again = form(song_of(frames).meters, len(frames))
    np.testing.assert_array_equal(again, frames.form)


def test_frames_of_unknown_form_count_as_4_4():
    frames = encode(Song(tuple(Note(float(i), 1.0, 60) for i in range(8))))
    frames.form[:] = 0
    assert song_of(frames).meters == (Meter(0.0, 4, 4),)


def chords(*spans, beats=4.0):
    rows = tuple(ChordSpan(on, length, Chord.parse(name)) for on, length, name in spans)
    return encode(Song((Note(0.0, beats, 60),), rows))


def test_roots_by_hand():
    truth = chords((0.0, 2.0, "C"), (2.0, 1.0, "G7"))
    made = chords((0.0, 1.0, "Cm7/Eb"), (1.0, 2.0, "Em"), (3.0, 1.0, "C"))
    assert chord_roots(truth).tolist() == [0] * 8 + [7] * 4 + [-1] * 4
    equal, valid = same_root(made, truth)
    assert (equal.sum(), valid.sum()) == (4, 12)
    assert root_match([made, truth], [truth, truth]) == (4 + 12) / (12 + 12)


def test_command_with_a_model(tiny_home, tmp_path):
    from click.testing import CliRunner

    from sideman.data.pack import make_pack

    make_pack("x", [(str(i), "test", p) for i, p in enumerate(PIECES)]).save(tmp_path / "x.npz")
    call = ["truth", "offline", "online@0.5", "--pack", str(tmp_path / "x.npz"), "--seeds", "2"]
    done = CliRunner().invoke(command, call)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("| measure | truth | offline | online@0.5 |")
