"""What the page sounds like, rendered offline to samples: in tune, in time, never too loud, without clicks."""

from collections.abc import Callable

import numpy as np
import pytest

Render = Callable[..., np.ndarray]
RATE = 44100
INSTRUMENTS = ("epiano", "organ", "pluck", "pad")
CEILING_DB = -1.0

CHORDS = """
  const plan = new lib.Plan(lib.dresser(settings));
  const stage = lib.Stage.jam(engine, settings, plan);
  const chord = (onset, duration, symbol, pitches, bass) => ({onset, duration, symbol, pitches, bass, struck: true});
  const promise = (frames, ...chords) => plan.apply({frame: 0, frames, committed: frames, chords});
"""


def db(level: float) -> float:
    return float(20 * np.log10(max(level, 1e-9)))


def onsets(sound: np.ndarray, least: float = 0.2) -> np.ndarray:
    """Seconds at which the level jumps from near silence: windows of 1 ms, at least `least` seconds apart."""
    window = RATE // 1000
    level = np.abs(sound).max(0)
    level = level[: len(level) // window * window].reshape(-1, window).max(1)
    found: list[int] = []
    for i in range(20, len(level)):
        quiet = level[i - 20 : i - 1].max()
        if level[i] > 0.01 and level[i] > 4 * quiet and (not found or i - found[-1] > least * 1000):
            found.append(i)
    return np.array(found) * window / RATE


def pitch_of(sound: np.ndarray, near: float) -> float:
    """The fundamental near a frequency in Hz: the best of a fine comb of sums over harmonics."""
    wave = sound.mean(0) * np.hanning(sound.shape[1])
    size = 1 << 20
    spectrum = np.abs(np.fft.rfft(wave, size))
    cents = np.arange(-40, 40.1, 0.5)
    scores = [
        sum(spectrum[round(near * 2 ** (c / 1200) * h * size / RATE)] for h in range(1, 5) if near * h < RATE / 2.2)
        for c in cents
    ]
    return float(cents[int(np.argmax(scores))])


@pytest.mark.parametrize("instrument", INSTRUMENTS)
@pytest.mark.parametrize("pitch", [40, 60, 76, 91])
def test_every_instrument_is_in_tune(render: Render, instrument: str, pitch: int) -> None:
    body = f"engine.melody.name = '{instrument}'; engine.melody.play({pitch}, 90, 0.05);"
    sound = render(1.3, body, {"melodyInstrument": instrument})
    off = pitch_of(sound[:, RATE // 4 :], 440 * 2 ** ((pitch - 69) / 12))
    assert abs(off) <= 5, f"{instrument} plays {pitch} {off:+.1f} cents off"


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_a_full_chord_and_a_melody_stay_under_the_ceiling(render: Render, instrument: str) -> None:
    body = (
        CHORDS
        + """
      promise(16, chord(0, 4, 'Cmaj7', [48, 52, 55, 59], 36));
      at(0.1, () => engine.noteOn(76, 127));
      at(1.3, () => engine.noteOn(79, 127));
    """
    )
    chosen = {"tempo": 240, "chordInstrument": instrument, "melodyInstrument": instrument, "listen": 0}
    loud = {"masterVolume": 100, "chordVolume": 100, "melodyVolume": 100}
    usual = render(2.6, body, chosen)
    assert db(np.abs(usual).max()) < -3, "usual volumes leave room"
    assert abs(usual[:, int(1.3 * RATE) :].mean()) < 0.002, "the membrane swings around its middle"
    assert db(np.sqrt((usual[:, int(1.3 * RATE) : int(2 * RATE)] ** 2).mean())) > -32, "it can be heard"
    assert db(np.abs(render(2.6, body, chosen | loud)).max()) < CEILING_DB


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_velocity_makes_louder(render: Render, instrument: str) -> None:
    levels = [
        np.sqrt((render(0.8, f"engine.melody.play(64, {v}, 0.05);", {"melodyInstrument": instrument}) ** 2).mean())
        for v in (20, 70, 120)
    ]
    assert levels[0] < levels[1] < levels[2]


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_notes_end_without_a_click_and_then_in_silence(render: Render, instrument: str) -> None:
    body = "engine.mixer.channels.melody.disconnect(); engine.mixer.channels.melody.connect(engine.mixer.master);"
    body += "const note = engine.melody.play(57, 100, 0.05); note.release(0.55);"
    sound = render(2.4, body, {"melodyInstrument": instrument})[0]
    bend = np.abs(np.diff(sound, 2))  # a click is a corner in the wave
    before, at_end = bend[int(0.4 * RATE) : int(0.54 * RATE)].max(), bend[int(0.54 * RATE) :].max()
    assert at_end <= 1.3 * before
    assert db(np.abs(sound[int(2.1 * RATE) :]).max()) < -75


def test_chords_sound_at_their_beats(render: Render) -> None:
    body = (
        CHORDS
        + """
      promise(32, chord(0, 1.5, 'C', [48, 52, 55], 36), chord(2, 1.5, 'F', [53, 57, 48], 41),
        chord(4.25, 1, 'G', [55, 59, 50], 43));
    """
    )
    sound = render(5.0, body, {"tempo": 120, "chordInstrument": "organ", "metronome": False, "clickVolume": 0})
    count_in = 0.25 + 4 * 0.5
    expected = count_in + np.array([0, 2, 4.25]) * 0.5
    found = onsets(sound, 0.3)
    assert len(found) == 3, found
    assert np.abs(found[:3] - expected[:3]).max() < 0.005


def test_a_changed_plan_is_heard_though_the_old_one_was_placed_already(render: Render) -> None:
    """At 0.2 s before beat 2 the plan changes: the chord there is another one, and moves to beat 2.5."""
    body = (
        CHORDS
        + """
      const tones = {C: [48, 52, 55], A: [57, 61, 64]};
      promise(32, chord(0, 1, 'C', tones.C, 36), chord(2, 2, 'C', tones.C, 36));
      const news = {frame: 8, frames: 16, committed: 0, chords: [chord(2.5, 1.5, 'A', tones.A, 33)]};
      at(0.25 + 2 + 0.8, () => plan.apply(news, stage.placedBeat));
    """
    )
    sound = render(4.4, body, {"tempo": 120, "chordInstrument": "organ", "metronome": False, "clickVolume": 0})
    found = onsets(sound, 0.3)
    assert np.abs(found - (2.25 + np.array([0, 1.25]))).max() < 0.005
    late = sound[:, int(3.6 * RATE) : int(4.2 * RATE)]
    spectrum = np.abs(np.fft.rfft(late.mean(0) * np.hanning(late.shape[1]), 1 << 18))
    at = lambda hz: spectrum[round(hz * (1 << 18) / RATE) - 3 : round(hz * (1 << 18) / RATE) + 4].max()  # noqa: E731
    assert at(277.18) > 5 * at(261.63), "C sharp of the new chord sounds, C of the old one does not"


def test_a_chord_that_goes_on_is_not_struck_again(render: Render) -> None:
    """Each plan lengthens the chord a little; its release, placed already, is taken back each time."""
    body = (
        CHORDS
        + """
      for (let i = 0; i < 12; i += 1)
        at(2.0 + i * 0.125, () => plan.apply({frame: i + 1, frames: 3, committed: 3,
          chords: [{...chord((i + 1) / 4, 0.75, 'C', [48, 52, 55], 36), struck: false}]}, stage.placedBeat));
    """
    )
    first = "promise(4, chord(0, 1, 'C', [48, 52, 55], 36));"
    sound = render(4.6, body + first, {"tempo": 120, "chordInstrument": "organ", "metronome": False, "clickVolume": 0})
    assert len(onsets(sound, 0.3)) == 1
    level = [np.abs(sound[:, int(t * RATE) : int((t + 0.1) * RATE)]).max() for t in np.arange(2.4, 3.9, 0.1)]
    assert min(level) > 0.45 * max(level), "no hole between the plans"


def test_the_metronome_counts_in_and_clicks(render: Render) -> None:
    sound = render(3.4, CHORDS, {"tempo": 120, "meterCount": 3})
    expected = 0.25 + np.arange(6) * 0.5
    assert np.abs(onsets(sound, 0.3)[:6] - expected).max() < 0.004


def test_a_new_tempo_moves_what_comes_and_not_what_is_placed(render: Render) -> None:
    body = CHORDS + "at(1.3, () => stage.setTempo(240));"
    sound = render(3.2, body, {"tempo": 120})
    found = onsets(sound, 0.1)
    gaps = np.diff(found)
    assert np.abs(gaps[:2] - 0.5).max() < 0.004
    assert np.abs(gaps[-3:] - 0.25).max() < 0.004


def test_panic_ends_every_sound(render: Render) -> None:
    body = (
        CHORDS
        + """
      promise(64, chord(0, 16, 'C', [48, 52, 55], 36));
      at(0.1, () => engine.noteOn(72, 100));
      at(2.6, () => engine.silence());
    """
    )
    sound = render(
        5.0, body, {"tempo": 240, "chordInstrument": "organ", "melodyInstrument": "organ", "metronome": False}
    )
    assert np.abs(sound[:, int(2.4 * RATE) : int(2.6 * RATE)]).max() > 0.02
    assert db(np.abs(sound[:, int(4.6 * RATE) :]).max()) < -60
