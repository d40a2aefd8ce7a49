"""Our own voices: the pitch that is written, at a sane level, for as long as it is held."""

import numpy as np
import pytest

from sideman.errors import TooLarge
from sideman.formats.score_abc import from_abc
from sideman.formats.score_performance import perform
from sideman.formats.score_wav import PEAK, RATE, synthesise, write_wav


@pytest.mark.parametrize("name", ["Piano", "Violin", "Voice", "Organ", "Guitar"])
def test_an_a_sounds_at_440_hz_and_does_not_clip(name: str):
    score = from_abc(f'X:1\nL:1/4\nQ:1/4=60\nM:2/4\nK:C\nV:1 treble nm="{name}"\nA2|]\n')
    sound = synthesise(perform(score))
    assert np.abs(sound).max() == pytest.approx(PEAK, abs=1e-4)
    spectrum = np.abs(np.fft.rfft(sound[: 2 * RATE, 0]))
    assert np.argmax(spectrum) / 2 == pytest.approx(440, abs=2)
    assert np.abs(sound[-RATE // 2 :]).max() < 0.01


def test_rests_are_silent_and_so_is_nothing_at_all():
    sound = synthesise(perform(from_abc("X:1\nL:1/4\nQ:1/4=60\nM:2/4\nK:C\nV:1\nz2|]\n")))
    assert not sound.any()


def test_too_long_is_said():
    bars = "C4|" * 700
    with pytest.raises(TooLarge, match="minutes"):
        write_wav(from_abc(f"X:1\nL:1/4\nQ:1/4=60\nM:4/4\nK:C\nV:1\n{bars}\n"))
