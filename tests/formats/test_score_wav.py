"""Our own voices: the pitch that is written, at a sane level, for as long as it is held."""

import io
import sys

import numpy as np
import pytest

from sideman.errors import MissingExtra, TooLarge
from sideman.formats.score_abc import from_abc
from sideman.formats.score_files import write_score
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


def test_an_mp3_sounds_like_the_wav():
    """The same pitch, length and level, in less than a quarter of the bytes."""
    soundfile = pytest.importorskip("soundfile")
    score = from_abc('X:1\nL:1/4\nQ:1/4=60\nM:4/4\nK:C\nV:1 treble nm="Piano"\nA4|]\n')
    (packed,) = write_score(score, "mp3")
    sound, rate = soundfile.read(io.BytesIO(packed))
    plain = synthesise(perform(score))
    assert rate == RATE
    assert abs(len(sound) - len(plain)) < RATE / 10
    assert np.argmax(np.abs(np.fft.rfft(sound[: 2 * RATE, 0]))) / 2 == pytest.approx(440, abs=2)
    assert np.abs(sound).max() == pytest.approx(PEAK, rel=0.1)
    assert len(packed) < len(write_wav(score)) / 4


def test_without_the_extra_an_mp3_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtra, match="audio"):
        write_score(from_abc("X:1\nL:1/4\nK:C\nV:1\nC4|]\n"), "mp3")
