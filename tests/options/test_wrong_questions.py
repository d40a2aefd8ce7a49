"""What cannot be answered is refused in one line that says which field is wrong, and a hint."""

import math
import shutil

import pytest
from asking import ODE, span, tune

from sideman.errors import EmptyMelody, SidemanError, TooLarge, UnknownModel, WrongValue
from sideman.music.song import Note, Song
from sideman.options.offer import offer
from sideman.options.request import MAX_FRAMES, Request

pytestmark = pytest.mark.usefixtures("tiny_home")

WRONG = {
    "no notes": ({"melody": Song()}, EmptyMelody, "no notes"),
    "10,000 frames": ({"melody": tune(ODE * 157)}, TooLarge, "2512 beats"),
    "one frame too many": ({"melody": tune([60], MAX_FRAMES / 4 + 0.25)}, TooLarge, "limit is 1024"),
    "n = 0": ({"n": 0}, WrongValue, "n is 0; it must be from 1 to 16"),
    "n = 99": ({"n": 99}, WrongValue, "n is 99"),
    "overlapping keeps": (
        {"keep": (span(4.0, 2.0, "G7"), span(0.0, 4.5, "C"))}, WrongValue, "C and G7 overlap at beat 4"),
    "the same keep twice": ({"keep": (span(0.0, 4.0, "C"),) * 2}, WrongValue, "overlap"),
    "a keep after the end": ({"keep": (span(16.0, 4.0, "C"),)}, WrongValue, "melody's end at 16. Leave it out"),
    "a keep before the start": ({"keep": (span(-1.0, 4.0, "C"),)}, WrongValue, "kept chord"),
    "a keep of no length": ({"keep": (span(0.0, 0.0, "C"),)}, WrongValue, "kept chord"),
    "a keep shorter than a 16th": ({"keep": (span(0.0, 0.1, "C"),)}, WrongValue, "16th"),
    "a keep at NaN": ({"keep": (span(math.nan, 1.0, "C"),)}, WrongValue, "kept chord"),
    "a keep without end": ({"keep": (span(0.0, math.inf, "C"),)}, WrongValue, "kept chord"),
    "NaN onset": ({"melody": Song(notes=(Note(math.nan, 1.0, 60),))}, WrongValue, "note starts at beat nan"),
    "NaN length": ({"melody": Song(notes=(Note(0.0, math.nan, 60),))}, WrongValue, "lasts nan"),
    "negative onset": ({"melody": Song(notes=(Note(-1.0, 1.0, 60),))}, WrongValue, "beat -1"),
    "no length": ({"melody": Song(notes=(Note(0.0, 0.0, 60),))}, WrongValue, "lasts 0"),
    "endless": ({"melody": Song(notes=(Note(0.0, math.inf, 60),))}, WrongValue, "lasts inf"),
    "pitch 200": ({"melody": Song(notes=(Note(0.0, 1.0, 200),))}, WrongValue, "pitch is 200"),
    "cold": ({"temperature": -0.1}, WrongValue, "temperature"),
    "hot": ({"temperature": 3.1}, WrongValue, "temperature"),
    "NaN temperature": ({"temperature": math.nan}, WrongValue, "temperature"),
    "density 0": ({"density": 0.0}, WrongValue, "density"),
    "density of NaN": ({"density": math.nan}, WrongValue, "density"),
    "negative seed": ({"seed": -1}, WrongValue, "seed"),
    "huge seed": ({"seed": 2**63}, WrongValue, "seed"),
    "between backwards": ({"between": (8.0, 4.0)}, WrongValue, "between is 8 to 4"),
    "between nothing": ({"between": (4.0, 4.0)}, WrongValue, "between"),
    "between two 16ths": ({"between": (4.1, 4.4)}, WrongValue, "whole 16th"),
    "between after the end": ({"between": (16.0, 20.0)}, WrongValue, "melody's end at 16. Begin before"),
    "between NaN": ({"between": (math.nan, 4.0)}, WrongValue, "between"),
    "unknown model": ({"model": "nobody"}, UnknownModel, "no model 'nobody'"),
    "a path for a model": ({"model": "../offline"}, UnknownModel, "no model"),
}  # fmt: skip


@pytest.mark.parametrize(("choices", "error", "message"), WRONG.values(), ids=WRONG.keys())
def test_refused(choices, error, message):
    with pytest.raises(error) as failed:
        offer(Request(**{"melody": tune(), **choices}))
    assert message in str(failed.value)
    assert "\n" not in str(failed.value)


def test_the_longest_melody_is_not_refused():
    Request(tune([60], MAX_FRAMES / 4)).check()


def test_no_model_at_all(own_home):
    shutil.rmtree(own_home / "models")
    with pytest.raises(UnknownModel, match="These are here: none"):
        offer(Request(tune()))


def test_a_model_of_melodies(own_home, tiny_melody_folder):
    shutil.copytree(tiny_melody_folder / "bundle", own_home / "models" / "melody")
    with pytest.raises(UnknownModel, match="'tiny-melody' makes no chords") as failed:
        offer(Request(tune(), model="melody"))
    assert failed.value.hint == "These do: offline, online."


@pytest.mark.parametrize("name", ["step.onnx", "encoder.onnx"])
def test_truncated_weights(own_home, name):
    path = own_home / "models" / "offline" / name
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(SidemanError, match=f"damaged: {name}") as failed:
        offer(Request(tune()))
    assert "Reinstall" in failed.value.hint
