"""From keys and pedal to one melody line on the grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideman.jam.heard import Heard
from sideman.music.grammar import melody_mask
from sideman.music.vocabulary import BOS, NOTE_ON, SILENCE, own_vocabulary


def line(events, frames=16):
    """Events (beat, what, pitch) -> the line as text: a pitch where it starts, - where it goes on, . for silence."""
    heard = Heard()
    for beat, what, pitch in events:
        if what == "pedal":
            heard.pedal(bool(pitch), beat)
        else:
            (heard.note_on if what == "on" else heard.note_off)(pitch, beat)
    return shown(heard.tokens(frames))


def shown(tokens):
    return " ".join("." if t == SILENCE else "-" if t < NOTE_ON else str(t - NOTE_ON) for t in tokens.tolist())


def test_a_note_is_as_long_as_its_key_is_down():
    assert line([(0.5, "on", 60), (1.5, "off", 60)], 8) == ". . 60 - - - . ."


def test_what_is_still_held_goes_on_to_now():
    assert line([(0.5, "on", 60)], 6) == ". . 60 - - -"


def test_an_onset_belongs_to_the_nearest_frame():
    assert line([(0.22, "on", 60), (0.30, "off", 60), (0.54, "on", 62), (0.7, "off", 62)], 4) == ". 60 62 ."


def test_a_note_struck_just_before_a_frame_is_known_for_it():
    assert line([(0.95, "on", 60)], 4) == ". . . . 60"
    assert line([(0.80, "on", 60)], 4) == ". . . 60"


def test_the_upper_note_is_the_melody():
    chord = [(0, "on", 48), (0.02, "on", 60), (0.03, "on", 67), (1, "off", 48), (1, "off", 60), (1, "off", 67)]
    assert line(chord, 6) == "67 - - - . ."


def test_a_held_bass_does_not_interrupt():
    tune = [(0, "on", 40), (0, "on", 64), (0.5, "off", 64), (1, "on", 65), (1.5, "off", 65)]
    assert line(tune, 8) == "64 - . . 65 - . ."


def test_bound_notes_follow_one_another():
    tune = [(0, "on", 67), (0.5, "on", 65), (0.6, "off", 67), (1.0, "on", 64), (1.2, "off", 65), (1.5, "off", 64)]
    assert line(tune, 8) == "67 - 65 - 64 - . ."


def test_the_pedal_lets_a_note_ring_until_the_next_one():
    tune = [(0, "pedal", 1), (0, "on", 67), (0.25, "off", 67), (1, "on", 64), (1.25, "off", 64), (1.75, "pedal", 0)]
    assert line(tune, 9) == "67 - - - 64 - - . ."
    assert line([*tune[:3], *tune[3:5]], 9) == "67 - - - 64 - - - -", "the pedal is still down"


def test_without_a_press_a_release_is_nothing():
    assert line([(0.5, "off", 60), (1, "on", 61)], 6) == ". . . . 61 -"


def test_a_key_struck_again_is_a_new_note():
    assert line([(0, "on", 60), (0.5, "on", 60), (1, "off", 60)], 5) == "60 - 60 - ."


def test_an_upbeat_before_beat_0_is_heard_if_it_still_sounds():
    assert line([(-0.5, "on", 59), (-0.1, "off", 59), (-0.05, "on", 60), (0.5, "off", 60)], 4) == "60 - . ."


PRESSES = st.lists(
    st.tuples(st.floats(0, 30), st.floats(0.05, 6), st.integers(50, 70), st.booleans()), min_size=1, max_size=40
)


@given(presses=PRESSES, stride=st.integers(1, 9))
def test_asking_often_changes_nothing_that_is_recent(presses, stride):
    """A line read frame by frame is valid at every moment, and ends as the line read at once."""
    events = sorted(
        (moment, on, pitch)
        for onset, length, pitch, _ in presses
        for moment, on in ((onset, True), (onset + length, False))
    )
    heard, once, sent = Heard(), Heard(), 0
    for frame in range(1, 145, stride):
        while sent < len(events) and events[sent][0] < frame / 4:
            moment, on, pitch = events[sent]
            for each in (heard, once):
                (each.note_on if on else each.note_off)(pitch, moment)
            sent += 1
        tokens = heard.tokens(frame)
        assert len(tokens) in (frame, frame + 1)
        allowed = melody_mask(own_vocabulary(), np.concatenate([[BOS], tokens[:-1]]))
        assert allowed[np.arange(len(tokens)), tokens].all()
    np.testing.assert_array_equal(heard.tokens(frame)[-8:], once.tokens(frame)[-8:])


def test_the_distant_past_does_not_change():
    heard = Heard()
    heard.note_on(60, 0)
    before = heard.tokens(40)
    heard.note_off(60, 0.5)  # far too late
    after = heard.tokens(44)
    np.testing.assert_array_equal(after[:20], before[:20])


def test_much_playing_leaves_little_behind():
    heard = Heard()
    for beat in range(2000):
        heard.note_on(60 + beat % 12, beat)
        heard.note_off(60 + beat % 12, beat + 0.5)
        if beat % 4 == 0:
            heard.tokens(4 * beat + 1)
    assert len(heard._keys) < 64


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_silence_is_silence(frames):
    assert shown(Heard().tokens(frames)) == " ".join("." * frames)
