"""What the options page knows of music: bars, notes that cut each other, chords that stay, and when it sounds them."""

from collections.abc import Callable
from typing import Any

import numpy as np

PURE = """async ([name, body]) => {
  const lib = await import(`/static/js/options/${name}.js`);
  return new Function("lib", `return (${body})`)(lib);
}"""


def pure(bench: Any, name: str, body: str) -> Any:
    return bench.evaluate(PURE, [name, body])


def test_a_note_cuts_what_it_covers(bench: Any) -> None:
    note = "(onset, duration, pitch) => ({ onset, duration, pitch })"
    body = f"""((note) => lib.withNote([note(0, 2, 60), note(2, 1, 62), note(3, 2, 64), note(6, 1, 65)], note(1, 3, 70))
      .map(({{ onset, duration, pitch }}) => [onset, duration, pitch]))({note})"""
    assert pure(bench, "melody", body) == [[0, 1, 60], [1, 3, 70], [4, 1, 64], [6, 1, 65]]


def test_an_upbeat_becomes_a_pickup_on_the_grid(bench: Any) -> None:
    upbeat = "{ onset: -0.97, duration: 0.8, pitch: 60, velocity: 70 }"
    note = "{ onset: 0.04, duration: 1.1, pitch: 64, velocity: 0 }"
    found = pure(bench, "melody", f"lib.played([{note}, {upbeat}], {{ meter: '4/4', tempo: 100 }})")
    assert found["pickup"] == 1
    assert [(n["onset"], n["duration"], n["velocity"]) for n in found["notes"]] == [(0, 0.75, 70), (1, 1.25, 1)]


def test_a_pickup_is_shorter_than_a_bar(bench: Any) -> None:
    early = "{ onset: -5.5, duration: 0.8, pitch: 60, velocity: 70 }"
    found = pure(bench, "melody", f"lib.played([{early}], {{ meter: '4/4', tempo: 100 }})")
    assert (found["pickup"], found["notes"][0]["onset"]) == (1.5, 0)
    assert pure(bench, "melody", "lib.inMetre('3/4', 3.5)") == {"meter": "3/4", "meter_changes": [], "pickup": 0.5}


def test_bars_follow_pickup_and_changes_of_metre(bench: Any) -> None:
    melody = "{ meter: '3/4', pickup: 1, meter_changes: [{ onset: 7, meter: '6/8' }, { onset: 9, meter: '2/4' }] }"
    found = pure(bench, "bars", f"lib.barsOf({melody}, 12)")
    assert [(bar["onset"], bar["length"], bar["number"]) for bar in found] == [
        (0, 1, 0), (1, 3, 1), (4, 3, 2), (7, 2, 3), (9, 2, 4), (11, 2, 5),
    ]  # fmt: skip


def test_one_chord_is_kept_at_a_time_and_locks_follow_an_edit(bench: Any) -> None:
    chord = "(onset, duration, symbol) => ({ onset, duration, symbol })"
    body = f"""((chord) => {{
      const kept = lib.keeping(lib.keeping([], [chord(0, 4, "C"), chord(4, 4, "F")]), [chord(2, 4, "Am")]);
      const again = lib.toggled(kept, [chord(8, 4, "G")]);
      const split = lib.following(again, [chord(8, 4, "G")], [chord(8, 2, "Dm"), chord(10, 2, "G")]);
      const gone = lib.toggled(again, [chord(8, 4, "G")]);
      return [kept, again, gone, split].map((all) => all.map(({{ symbol }}) => symbol));
    }})({chord})"""
    assert pure(bench, "keeps", body) == [["Am"], ["Am", "G"], ["Am"], ["Am", "Dm", "G"]]


LOOP = """
  const { PassSource } = await lib.load("options/pass-source");
  const { soundsOf } = await lib.load("options/performance");
  const notes = [{ onset: 0, duration: 1, pitch: 72 }, { onset: 2.5, duration: 0.25, pitch: 76 }];
  const melody = { notes, meter: "4/4", tempo: 240, pickup: 0 };
  const led = (pitches, bass) => ({ pitches, bass, voicing: [bass, ...pitches] });
  const chord = (onset, symbol, pitches, bass) => ({ onset, duration: 1.5, symbol, ...led(pitches, bass) });
  const chords = [chord(0, "C", [52, 55, 60], 36), chord(2, "G", [50, 55, 59], 43)];
  const sounds = soundsOf(melody, chords, { rhythm: "held", style: "close", octave: 0 });
  engine.scheduler.add(new PassSource(sounds, { zero: 0.1, from: 0.5, to: 1 }));
"""


def begins(sound: np.ndarray) -> np.ndarray:
    """Seconds at which the level rises out of the room's tail."""
    level = np.abs(sound).max(0)[: sound.shape[1] // 44 * 44].reshape(-1, 44).max(1)
    loud = np.flatnonzero(level > 0.35 * level.max())
    return loud[np.diff(loud, prepend=-1000) > 60] * 44 / 44100


def test_what_goes_round_sounds_on_its_beats(render: Callable[..., np.ndarray]) -> None:
    # Beats 2 to 4 at 240 a minute: half a second a round, the chord on its first beat, the note half a beat later.
    chords = begins(render(1.7, LOOP, {"chordInstrument": "organ", "melodyInstrument": "none"}))
    assert np.abs(chords - [0.1, 0.6, 1.1, 1.6]).max() < 0.025
    assert np.ptp(np.diff(chords)) < 0.002, "each round like the others"
    notes = begins(render(1.2, LOOP, {"chordInstrument": "none", "melodyInstrument": "organ"}))
    assert np.abs(notes - [0.225, 0.725]).max() < 0.025
