"""Measures against values worked out by hand, and the laws they must keep."""

import math

import numpy as np
import pytest

from sideman.music import measures
from sideman.music.chord import Chord
from sideman.music.frames import Frames, decode, encode
from sideman.music.song import ChordSpan, Meter, Note, Song


def song(notes: str, chords: str, meter: str = "4/4") -> Frames:
    """`60:2 -:1` is a note of two beats and a rest of one; chords are written alike."""

    def timed(text: str) -> list[tuple[float, float, str]]:
        at, out = 0.0, []
        for word in text.split():
            value, _, beats = word.partition(":")
            out.append((at, float(beats), value))
            at += float(beats)
        return [row for row in out if row[2] != "-"]

    spans = [ChordSpan(at, beats, Chord.parse(name)) for at, beats, name in timed(chords)]
    melody = tuple(Note(at, beats, int(pitch)) for at, beats, pitch in timed(notes))
    return encode(Song(melody, tuple(spans), (Meter.parse(meter),)))


def test_note_in_chord_counts_only_frames_where_both_sound():
    # C over C: 4 right. D over C: 4 wrong. Rest over F: not counted. A over F, one beat: 4 right, then A
    # without a chord: not counted. 8 of 12.
    frames = song("60:1 62:1 -:1 69:2", "C:2 F:2")
    assert measures.note_in_chord_counts(frames) == (8, 12)
    assert measures.note_in_chord(frames) == pytest.approx(2 / 3)


def test_the_slash_bass_is_no_chord_tone():
    assert measures.note_in_chord(song("61:1", "D/C#:1")) == 0.0
    assert measures.note_in_chord(song("61:1", "Dmaj7/C#:1")) == 1.0


def test_totals_are_summed_over_a_system_and_not_averaged():
    # 4 of 4 frames and 0 of 12 frames: 4/16, not the mean 1/2.
    assert measures.note_in_chord([song("60:1", "C:1"), song("61:3", "C:3")]) == 0.25


@pytest.mark.parametrize("frames", [song("60:1", ""), song("", "C:1"), song("", "")])
def test_nothing_to_judge_is_not_a_number(frames):
    assert math.isnan(measures.note_in_chord(frames))


def test_per_beat():
    # Beat 0 right, beat 1 wrong, beat 2 half right (C then C#), beat 3 silent.
    frames = song("60:1 61:1 60:0.5 61:0.5 -:1", "C:4")
    found = measures.note_in_chord_per_beat([frames, frames], beats=5)
    assert found[:3].tolist() == [1.0, 0.0, 0.5]
    assert np.isnan(found[3:]).all()


def test_array_form_works_on_batches():
    melody = np.array([[60, 61, -1], [67, 60, 62]])
    masks = np.array([[0b10010001] * 3, [0b10010001, 0, 0b10010001]], np.uint16)
    inside, valid = measures.inside_chord(melody, masks)
    assert inside.tolist() == [[True, False, False], [True, False, False]]
    assert valid.tolist() == [[True, True, False], [True, False, True]]
    assert measures.uncovered(melody, masks).tolist() == [[False] * 3, [False, True, False]]


def test_silence():
    # Melody: 3 beats of sound, of which the last has no chord. 16 frames in all, 4 + 4 of them without a chord.
    frames = song("60:1 -:1 60:2", "C:3")
    assert measures.silence(frames) == pytest.approx(4 / 12)
    assert measures.overall_silence(frames) == pytest.approx(4 / 16)


def test_onset_intervals_look_back_to_the_note_before():
    # Notes start at frames 4 and 12. Chords start at 0 (no note yet), 4 (same frame: 0), 10 (6 after), 13 (1 after).
    frames = song("-:1 60:2 62:2", "C:1 F:1.5 G:0.75 C:1")
    assert measures.onset_intervals(frames).tolist() == [0, 6, 1]


def test_intervals_of_17_frames_and_more_share_a_bin():
    frames = song("60:1 -:10", "C:4 F:0.25 G:6")  # chords at frames 0, 16, 17: intervals 0, 16, 17
    counts = measures.interval_counts(frames)
    assert len(counts) == 18
    assert np.flatnonzero(counts).tolist() == [0, 16, 17]


def test_earth_mover_distance_by_hand():
    # 3/4 of the mass stays, 1/4 moves from bin 0 to bin 2: 1/4 * 2 = 0.5.
    assert measures.earth_mover(np.array([3, 0, 1]), np.array([8, 0, 0])) == pytest.approx(0.5)
    assert measures.earth_mover(np.array([1, 2, 5]), np.array([2, 4, 10])) == pytest.approx(0.0)
    assert math.isnan(measures.earth_mover(np.zeros(3), np.ones(3)))


def test_height_distance_by_hand():
    # Sorted heights (0, .25, .75) against (0, 0, 1): gaps 0, .25, .25, mean 1/6, times 1000.
    assert measures.height_distance(np.array([3, 0, 1]), np.array([0, 8, 0])) == pytest.approx(1000 / 6)


def test_lengths_entropy_and_long_chords():
    # Lengths 4, 4, 8, 36 frames: entropy of (1/2, 1/4, 1/4) = 1.5 ln 2; one of four is longer than 8 beats.
    frames = song("60:13", "C:1 F:1 G:2 C:9")
    assert measures.length_counts(frames)[33] == 1
    assert measures.length_entropy(frames) == pytest.approx(1.5 * math.log(2))
    assert measures.long_chords(frames) == 0.25
    assert measures.long_chords(song("60:8", "C:8")) == 0.0


def test_repetition_needs_more_than_four_in_a_row():
    assert measures.repetition(song("", "C:1 C:1 C:1 C:1 F:1")) == 0.0
    assert measures.repetition(song("", "C:1 C:1 -:1 C:1 C:1 C:1 F:1")) == pytest.approx(5 / 6)


def test_density_counts_changes_a_bar():
    # Four bars, chords C C F G C: the second C is no change.
    assert measures.chord_density(song("", "C:4 C:4 F:4 G:2 C:2")) == pytest.approx(4 / 4)
    # 3/4: six beats are two bars.
    assert measures.chord_density(song("", "C:1 G:1 C:1 F:3", "3/4")) == pytest.approx(4 / 2)


def test_pitch_classes_and_entropy_of_chords():
    frames = song("", "C:1 G7:1 C:2")
    assert measures.pitch_classes_per_chord(frames) == pytest.approx(10 / 3)
    # C holds 12 of 16 frames, G7 4: -(3/4 ln 3/4 + 1/4 ln 1/4)
    expected = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert measures.chord_entropy(frames) == pytest.approx(expected)
    assert measures.chord_entropy([frames, encode(decode(frames))]) == pytest.approx(expected)


def test_onset_positions_follow_the_bar():
    counts = measures.onset_position_counts(song("", "C:2 F:1 G:1 C:4"))
    assert np.flatnonzero(counts).tolist() == [0, 8, 12]
    assert counts[0] == 2
    assert len(counts) == 16
    assert measures.onset_position_counts(song("", "C:2 F:1", "3/4")).sum() == 0, "bars of another length"
    assert np.flatnonzero(measures.onset_position_counts(song("", "C:2 F:1", "3/4"), 12)).tolist() == [0, 8]


def test_a_crop_in_the_middle_of_a_chord_keeps_counting():
    frames = song("60:4", "C:4").crop(6, 12)
    assert measures.note_in_chord_counts(frames) == (6, 6)
    assert measures.chord_events(frames)[0].tolist() == [0]


def test_measures_do_not_change_under_transposition():
    rng = np.random.default_rng(5)
    notes = tuple(Note(i / 2, 0.5, int(p)) for i, p in enumerate(rng.integers(55, 80, 32)))
    names = ["C", "Am7", "Dm", "G7", "F#m7b5", "Eb/G"]
    chords = tuple(ChordSpan(2.0 * i, 2.0, Chord.parse(names[k])) for i, k in enumerate(rng.integers(0, 6, 8)))
    plain, moved = Song(notes, chords), Song(notes, chords).transpose(5)
    for name in ("note_in_chord", "silence", "length_entropy", "repetition", "chord_entropy", "chord_density"):
        measure = getattr(measures, name)
        assert measure(encode(plain)) == pytest.approx(measure(encode(moved))), name
