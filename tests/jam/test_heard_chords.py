"""From keys and pedal to chords on the grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideman.jam.heard_chords import RING_FRAMES, HeardChords
from sideman.jam.keys import OPEN_FRAMES
from sideman.music.chord import Chord
from sideman.music.grammar import chord_mask
from sideman.music.recognise import Recogniser
from sideman.music.vocabulary import BOS, CHORD_HOLD, SILENCE, from_names, own_vocabulary

OWN = own_vocabulary()


def chord(beat, *pitches, length=1.0):
    """Keys struck together and let go together."""
    return [(beat, "on", p) for p in pitches] + [(beat + length, "off", p) for p in pitches]


def feed(heard, events):
    for beat, what, pitch in sorted(events, key=lambda event: (event[0], event[1] == "on")):
        if what == "pedal":
            heard.pedal(bool(pitch), beat)
        else:
            (heard.note_on if what == "on" else heard.note_off)(pitch, beat)
    return heard


def line(events, frames=16):
    """The chords as text: a symbol where one begins, - where it goes on, . for silence."""
    return shown(feed(HeardChords(OWN), events).tokens(frames))


def shown(tokens, vocabulary=OWN):
    names = [vocabulary.symbols[(t - CHORD_HOLD) % vocabulary.chords].name() for t in tokens.tolist()]
    return " ".join(
        "." if token == SILENCE else "-" if token < vocabulary.chord_on else name
        for token, name in zip(tokens.tolist(), names, strict=True)
    )


@pytest.mark.parametrize(
    ("pitches", "symbol"),
    [
        ((60, 64, 67), "C"), ((64, 67, 72), "C/E"), ((55, 60, 64), "C/G"), ((57, 60, 64), "Am"),
        ((48, 64, 67, 72), "C"),
        ((60, 64, 67, 71), "Cmaj7"), ((60, 64, 67, 70), "C7"), ((57, 60, 64, 67), "Am7"), ((60, 64, 67, 69), "C6"),
        ((62, 65, 69, 72), "Dm7"), ((59, 62, 65, 69), "Bm7b5"), ((59, 62, 65, 68), "Bdim7"), ((60, 65, 67), "Csus4"),
        ((60, 62, 67), "Csus2"), ((60, 64, 68), "Caug"), ((59, 62, 65), "Bdim"), ((43, 59, 62, 65), "G7"),
        ((48, 58, 62, 65), "Bb/C"), ((60, 64, 67, 70, 74), "C9"), ((55, 59, 65, 69, 74), "G9"),
        # with tones missing or foreign
        ((60, 64), "C"), ((57, 60), "Am"), ((60, 67), "C5"), ((60, 64, 71), "Cmaj7"), ((60, 64, 70), "C7"),
        ((60, 63, 70), "Cm7"), ((60, 64, 67, 66), "C"),
    ],
)  # fmt: skip
def test_keys_are_the_chord_a_musician_names(pitches, symbol):
    assert line(chord(0.0, *pitches), 2) == f"{symbol} -"


def test_every_chord_of_the_list_is_recognised():
    """Played as it is voiced, over its bass: as itself, or as another of the same tones and bass."""
    recogniser = Recogniser.of(OWN)
    for known in OWN.symbols:
        index, exact = recogniser.nearest({36 + known.bass, *known.voicing()})
        found = OWN.symbols[index]
        assert exact, known.name()
        assert found.bass == known.bass
        assert {*found.pitch_classes, found.bass} == {*known.pitch_classes, known.bass}


def test_a_chord_list_of_others_is_enough():
    vocabulary = from_names(["C", "Dm", "G7"])
    heard = feed(HeardChords(vocabulary), chord(0.0, 60, 64, 67, 71) + chord(1.0, 62, 65, 69, 72))
    assert shown(heard.tokens(5), vocabulary) == "C - - - Dm"


def test_a_rolled_chord_is_one_chord():
    rolled = [(0.95, "on", 60), (1.02, "on", 64), (1.15, "on", 67)]
    assert line(rolled, 8) == ". . . . C - - -"


def test_one_key_is_no_chord_and_two_begin():
    heard = HeardChords(OWN)
    heard.note_on(60, 0.0)
    assert heard.first is None
    assert (heard.tokens(4) == SILENCE).all()
    heard.note_on(64, 1.0)
    assert heard.first == 4


def test_letting_go_of_some_keys_changes_nothing():
    held = [*chord(0, 60, length=3), *chord(0, 64, length=1), *chord(0, 67, length=1.5)]
    assert line(held, 12) == "C - - - - - - - - - - -"


def test_a_chord_goes_on_for_a_while_after_it_was_let_go():
    text = line(chord(0, 60, 64, 67, length=0.5), 2 + RING_FRAMES + 2).split()
    assert text == ["C"] + ["-"] * (1 + RING_FRAMES) + [".", "."]
    assert line(chord(0, 60, 64, 67, length=0.7) + chord(1, 65, 69, 72), 6) == "C - - - F -"


def test_the_same_chord_struck_again_goes_on():
    stabs = [event for beat in (0, 1, 1.5, 2) for event in chord(beat, 60, 64, 67, length=0.25)]
    assert line(stabs, 10) == "C - - - - - - - - -"
    again = chord(0, 60, 64, 67, length=0.5) + chord(8, 60, 64, 67)
    assert line(again, 34).split()[30:] == [".", ".", "C", "-"]


def test_some_tones_of_the_chord_are_the_chord():
    assert line(chord(0, 60, 64, 67) + chord(1, 64, 67) + chord(2, 67), 10) == "C - - - - - - - - -"


def test_a_tone_added_to_a_held_chord():
    held = chord(0, 60, 64, 67, length=4)
    assert line([*held, (1, "on", 71)], 8) == "C - - - Cmaj7 - - -"
    assert line([*held, (1, "on", 61)], 8) == "C - - - - - - -", "no chord has that: it goes on"


def test_a_bass_and_then_its_chord():
    stride = [*chord(0, 43, length=2), *chord(1, 59, 62, 65, length=0.5)]
    assert line(stride, 8) == ". . . . G7 - - -"


def test_bound_chords_do_not_mix_and_a_bass_may_lie():
    bound = [*chord(0, 60, 64, 67, length=1.2), *chord(1, 65, 69, 72)]
    assert line(bound, 8) == "C - - - F - - -"
    assert line([*chord(0, 48, length=4), *chord(0, 64, 67), *chord(1, 65, 69)], 8) == "C - - - F/C - - -"


def test_what_is_struck_again_over_a_held_bass_does_not_waver():
    heard = feed(HeardChords(OWN), [*chord(0, 48, length=9), *chord(0, 53, 57, 60, length=0.5)])
    for beat in (1, 2, 3):
        feed(heard, chord(beat, 53, 57, 60, length=0.5)[:3])
        assert shown(heard.tokens(4 * beat + 1)) == "F/C" + " -" * (4 * beat)
        feed(heard, chord(beat, 53, 57, 60, length=0.5)[3:])


def test_the_sustain_pedal_does_not_blur_chords():
    pedalled = [(0, "pedal", 1), *chord(0, 60, 64, 67, length=0.5), *chord(1, 65, 69, 72)]
    assert line(pedalled, 8) == "C - - - F - - -"


def test_broken_chords_under_the_pedal_are_heard():
    broken = [(0, "pedal", 1)]
    for beat, pitch in enumerate((48, 55, 64)):
        broken += chord(beat, pitch, length=0.5)
    assert line(broken, 12) == ". . . . C5 - - - C - - -"


def test_what_was_decided_long_ago_stays():
    """Heard at every 16th, with chords that come as they like: the past changes within OPEN_FRAMES only."""
    rng, heard, before = np.random.default_rng(4), HeardChords(OWN), np.zeros(0, np.int64)
    down: list[int] = []
    for frame in range(1, 200):
        if rng.random() < 0.3:
            for pitch in down:
                heard.note_off(pitch, frame / 4 - 0.2)
            down = sorted({int(p) for p in rng.integers(48, 72, rng.integers(0, 5))})
            for pitch in down:
                heard.note_on(pitch, frame / 4 - rng.uniform(0, 0.2))
        if rng.random() < 0.1:
            heard.pedal(bool(rng.integers(2)), frame / 4)
        tokens = heard.tokens(frame)
        settled = max(0, frame - OPEN_FRAMES - 1)
        np.testing.assert_array_equal(tokens[:settled], before[:settled])
        before = tokens
    assert len(np.unique(before)) > 20
    assert len(heard._keys) < 20, "keys that are over are let go of"


EVENTS = st.lists(
    st.tuples(st.floats(-1, 12), st.sampled_from(["on", "on", "on", "off", "pedal"]), st.integers(48, 60)), max_size=40
)


@given(EVENTS)
def test_whatever_is_played_is_in_the_grammar(events):
    tokens = feed(HeardChords(OWN), events).tokens(48)
    before = np.concatenate([[BOS], tokens[:-1]])
    assert chord_mask(OWN, before)[np.arange(len(tokens)), tokens].all()


def test_a_past_is_not_heard_anew_and_rings_on():
    past = HeardChords(OWN)
    feed(past, chord(0, 60, 64, 67, length=2))
    known = past.tokens(8)[:8]
    heard = HeardChords(OWN, known)
    assert heard.first == 0
    feed(heard, chord(0.5, 65, 69, 72, length=0.2) + chord(3, 67, 71, 74))
    assert shown(heard.tokens(14)) == "C - - - - - - - - - - - G -"


def test_another_vocabulary_reads_what_was_heard():
    heard = feed(HeardChords(OWN), chord(0, 60, 64, 67) + chord(1, 62, 65, 69))
    heard.tokens(40)
    other = from_names(["Dm", "C", "G7"])
    heard.read_by(other)
    assert shown(heard.tokens(40), other).startswith("C - - - Dm -")
    assert other.symbols[1] == Chord.parse("C")
