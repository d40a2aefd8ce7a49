"""The line that follows a jam."""

import pytest

from sideman.music.song import Meter
from sideman.serve.midi_display import Display, position, status


@pytest.mark.parametrize(
    ("beat", "meter", "shown"),
    [
        (0.0, "4/4", "1.1"),
        (7.9, "4/4", "2.4"),
        (-4.0, "4/4", "-4"),
        (-0.2, "4/4", "-1"),
        (4.6, "6/8", "2.2"),
        (5.0, "3/4", "2.3"),
    ],
)
def test_bars_and_pulses_are_counted_from_one(beat: float, meter: str, shown: str):
    assert position(beat, Meter.parse(meter)) == shown


def test_what_sounds_and_what_comes():
    line = status(9.5, Meter.parse("4/4"), 99.8, "Am7", (12.0, "D/F#"), 0.9987)
    assert line.split() == ["3.2", "Am7", "->", "D/F#", "at", "4.1", "100", "bpm", "ISR", "0.999"]


def test_a_pipe_gets_only_what_must_be_said(capsys: pytest.CaptureFixture[str]):
    display = Display()
    display.show("1.1")
    display.say("It is back.")
    display.end()
    assert capsys.readouterr().err == "It is back.\n"
