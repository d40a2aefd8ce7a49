"""Melodies that turn, and how many beats it takes to follow them, by hand."""

import json

import numpy as np
import pytest

from sideman.errors import WrongValue
from sideman.evaluate.adaptation import adaptation, recovery_beats, recovery_text, to_json, to_markdown
from sideman.evaluate.baselines import with_chords, without_chords
from sideman.evaluate.perturb import PERTURBATIONS, Turn, find_perturbation, perturb
from sideman.evaluate.plots_adaptation import plot_adaptation, pooled
from sideman.music.chord import Chord
from sideman.music.frames import SILENT, encode
from sideman.music.measures import note_in_chord
from sideman.music.song import ChordSpan, Note, Song

SINGLE, MULTIPLE = PERTURBATIONS["single_transpose_6"], PERTURBATIONS["multiple_transpose"]
C, GB = Chord.parse("C"), Chord.parse("Gb")


def held(beats: int = 64, pitch: int = 60):
    """One note and one chord all the way."""
    return encode(Song((Note(0.0, float(beats), pitch),), (ChordSpan(0.0, float(beats), C),)))


def test_a_single_turn():
    frames = perturb(held(), SINGLE)
    assert frames.melody[[0, 63, 64, 255]].tolist() == [60, 60, 66, 66]
    assert [frames.chords[i].root for i in frames.chord[[63, 64]]] == [0, 6]
    assert np.flatnonzero(frames.melody_onset).tolist() == [0, 64], "what sounds across the turn is struck again"
    assert np.flatnonzero(frames.chord_onset).tolist() == [0, 64]
    assert SINGLE.turns == [Turn(16, 64, 6)]


def test_several_turns_are_relative_to_the_original():
    frames = perturb(held(40), MULTIPLE)
    assert frames.melody[[31, 32, 63, 64, 95, 96, 127, 128]].tolist() == [60, 66, 66, 64, 64, 50, 50, 60]
    assert [frames.chords[i].root for i in frames.chord[[0, 32, 64, 96, 128]]] == [0, 6, 4, 2, 0]
    assert MULTIPLE.turns == [Turn(8, 16, 6), Turn(16, 24, -2), Turn(24, 32, -14), Turn(32, 64, 10)]


def test_harmony_turns_with_the_melody_and_silence_stays():
    song = Song(tuple(Note(float(i), 0.5, 60 + i % 12) for i in range(40)), (ChordSpan(0.0, 30.0, C),))
    frames = encode(song)
    turned = perturb(frames, MULTIPLE)
    assert note_in_chord(turned) == note_in_chord(frames)
    assert (turned.melody == SILENT).tolist() == (frames.melody == SILENT).tolist()
    assert (turned.chord == SILENT).tolist() == (frames.chord == SILENT).tolist()


def test_pitches_fold_at_the_ends_and_short_pieces_stay():
    assert perturb(held(pitch=125), SINGLE).melody[64] == 119
    assert perturb(held(pitch=2), MULTIPLE).melody[96] == 4
    short = held(10)
    assert np.array_equal(perturb(short, SINGLE).melody, short.melody)
    assert perturb(without_chords(short), SINGLE).chords == ()


def test_unknown_perturbation():
    with pytest.raises(WrongValue, match="sideways"):
        find_perturbation("sideways")


def counts(*inside: float) -> np.ndarray:
    """Ten frames a beat, of which so many are in the chord."""
    return np.array([inside, [10.0] * len(inside)])


FULL = counts(*[10] * 8)


@pytest.mark.parametrize(("turned", "beats"), [
    # r(3) = (5+10+10)/30 is too low still, r(4) = 1.
    (counts(0, 0, 5, 10, 10, 10, 10, 10), 4),
    (counts(*[10] * 8), 0),
    (counts(*[9] * 8), 0),
    (counts(*[8.9] * 8), np.inf),
    (counts(10, 10, 0, 0, 10, 10, 10, 10), 5),  # lucky beats: r(0) = 1, but of the bar only half is right
    (counts(0, 0, 0, 0, 0, 0, 0, 10), np.inf),
    (counts(0, 0, 0, 0, 0, 0, 10, 10), 7),  # the bar may be cut off by the next turn
])  # fmt: skip
def test_beats_to_recover_by_hand(turned, beats):
    assert recovery_beats(FULL, turned) == beats


def test_recovery_is_measured_against_the_system_itself():
    assert recovery_beats(counts(*[4] * 8), counts(0, 3.6, 3.6, 3.6, 3.6, 3.6, 3.6, 3.6)) == 2
    both = recovery_beats(np.stack([FULL, FULL]), np.stack([FULL, counts(*[0] * 8)]))
    assert both.tolist() == [0, np.inf]


def test_beats_without_a_case_are_no_recovery():
    nothing = np.zeros((2, 8))
    assert recovery_beats(nothing, nothing) == np.inf


def follower(delay: int):
    """C under C for ever, and on the turned melody Gb from `delay` beats after the turn on."""
    plain = held()
    turned = with_chords(perturb(plain, SINGLE), [0, 64 + 4 * delay], [C, GB])
    return [[plain, plain]], [[turned, turned]]


def test_a_system_that_follows_after_some_beats():
    found = adaptation("slow", *follower(5), SINGLE)
    (recovery,) = found.recoveries
    # In the window around beat 5 one beat of three is wrong still, in that around beat 6 none.
    assert (recovery.beats, recovery.low, recovery.high) == (6, 6, 6), "all pieces alike: any draw of them is"
    assert (recovery.before, recovery.first, recovery.after, recovery.usual) == (1.0, 0.0, 43 / 44, 1.0)
    assert recovery_text(recovery) == "6 (6 to 6)"
    assert found.curve(True)[[15, 16, 20, 21]].tolist() == [1.0, 0.0, 0.0, 1.0]
    assert "| slow | 16 (+6) | 6 (6 to 6) | 100.0 | 0.0 | 97.7 | 100.0 |" in to_markdown([found])


def test_a_system_that_never_follows():
    found = adaptation("deaf", *follower(47), SINGLE)
    assert recovery_text(found.recoveries[0]) == "> 48 (> 48 to > 48)"
    assert json.loads(json.dumps(to_json(found)))[0]["recovery"] is None


def test_picture(tmp_path):
    found = [adaptation(name, *follower(beats), SINGLE) for name, beats in (("truth", 0), ("slow", 5), ("deaf", 47))]
    plot_adaptation(found, tmp_path / "adaptation.png")
    assert (tmp_path / "adaptation.png").stat().st_size > 5_000
    smooth = pooled(found[1].turned, [16])
    assert smooth[[15, 16, 20, 21, 22]].tolist() == pytest.approx([1, 0, 1 / 3, 2 / 3, 1]), "not across the turn"
