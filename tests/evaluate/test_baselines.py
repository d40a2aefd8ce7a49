"""The two baselines: they hear what they may hear, keep to the metre, and know their harmony."""

import numpy as np
import pytest

from sideman.errors import WrongValue
from sideman.evaluate.baselines import fit_key_prior, with_chords, without_chords
from sideman.evaluate.viterbi import harmonise, segments
from sideman.music.chord import Chord
from sideman.music.frames import Frames, decode, encode
from sideman.music.measures import chord_events, note_in_chord, silence
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, Meter, Note, Song
from sideman.music.tonality import estimate_key

# Ode to Joy, first eight bars in D: (pitch, beats).
ODE = [(66, 1), (66, 1), (67, 1), (69, 1), (69, 1), (67, 1), (66, 1), (64, 1), (62, 1), (62, 1), (64, 1), (66, 1),
    (66, 1.5), (64, 0.5), (64, 2), (66, 1), (66, 1), (67, 1), (69, 1), (69, 1), (67, 1), (66, 1), (64, 1), (62, 1),
    (62, 1), (64, 1), (66, 1), (64, 1.5), (62, 0.5), (62, 2)]  # fmt: skip


def tune(notes, meter="4/4", pickup=0.0) -> Frames:
    at, out = 0.0, []
    for pitch, beats in notes:
        if pitch is not None:
            out.append(Note(at, beats, pitch))
        at += beats
    return encode(Song(tuple(out), meters=(Meter.parse(meter, pickup),)))


def names(frames: Frames) -> list[str]:
    return [frames.chords[i].name() for i in chord_events(frames)[2]]


def test_key_of_well_known_tunes():
    assert estimate_key(tune(ODE).melody) == Key(2)
    minor = [(69, 1), (71, 1), (72, 2), (71, 1), (68, 1), (69, 2), (64, 1), (69, 3)]  # with the leading note g#
    assert estimate_key(tune(minor).melody) == Key(9, "minor")
    assert estimate_key(np.full(8, -1)) == Key(0)


@pytest.mark.parametrize("shift", [-5, 0, 6])
def test_viterbi_harmonises_a_tune_by_the_book(shift):
    melody = tune([(pitch + shift, beats) for pitch, beats in ODE])
    result = harmonise(melody)
    tonic, dominant = (2 + shift) % 12, (9 + shift) % 12
    roots = [result.chords[i].root for i in chord_events(result)[2]]
    assert roots[0] == tonic
    assert roots[-2:] == [dominant, tonic]
    assert note_in_chord(result) > 0.7
    assert silence(result) == 0.0
    assert np.array_equal(result.melody, melody.melody)


def test_viterbi_changes_chords_on_bars_and_half_bars_only():
    result = harmonise(tune([(None, 1), *ODE], pickup=1.0))
    position = result.form[chord_events(result)[0][1:], 0] - 1
    assert set(position.tolist()) <= {0, 8}
    assert (position == 0).mean() >= 0.5


def test_segments_follow_the_metre():
    assert segments(tune([(60, 8)]))[0] == [0, 8, 16, 24]
    assert segments(tune([(60, 1)] * 6, "3/4"))[0] == [0, 12]
    assert segments(tune([(60, 1.5)] * 4, "6/8"))[0] == [0, 6, 12, 18]
    starts, on_bar = segments(tune([(60, 9)], pickup=1.0))
    assert starts == [0, 4, 12, 20, 28]
    assert on_bar.tolist() == [True, True, False, True, False]


@pytest.mark.parametrize("notes", [[], [(None, 3), (60, 0.25)], [(60, 0.25)], [(60, 300)]])
def test_viterbi_copes_with_odd_melodies(notes):
    result = harmonise(tune(notes))
    assert len(result) == len(tune(notes))
    assert silence(result) == 0.0 if len(result) else True


def test_viterbi_hears_the_melody_and_not_the_chords():
    frames = with_chords(tune(ODE), [0], [Chord.make(6, (0, 4, 7))])
    assert names(harmonise(frames)) == names(harmonise(tune(ODE)))


def prior_of(*symbols: str):
    spans = tuple(ChordSpan(4.0 * i, 4.0, Chord.parse(name)) for i, name in enumerate(symbols))
    return fit_key_prior([encode(Song(decode(tune(ODE)).notes, spans))])


def test_key_prior_counts_chords_relative_to_the_key():
    prior = prior_of("D", "A", "D", "D")
    assert [chord.name() for chord in prior.chords["major"]] == ["C", "G"]
    assert prior.shares["major"] == pytest.approx([0.75, 0.25])
    assert prior.chords["minor"] == prior.chords["major"], "a mode without data borrows from the other"


def test_key_prior_draws_one_chord_a_bar_in_the_key_of_the_melody():
    prior, melody = prior_of("D", "A7", "D", "Bm"), tune([(pitch + 1, beats) for pitch, beats in ODE])
    result = prior.harmonise(melody, seed=1)
    assert chord_events(result)[0].tolist() == list(range(0, len(melody), 16))
    assert set(names(result)) <= {"Eb", "Bb7", "Cm"}
    assert names(result) == names(prior.harmonise(melody, seed=1))
    assert len({tuple(names(prior.harmonise(melody, seed=s))) for s in range(5)}) > 1


def test_key_prior_needs_chords():
    with pytest.raises(WrongValue):
        fit_key_prior([tune(ODE)])


def test_without_chords_leaves_the_melody_alone():
    frames = with_chords(tune(ODE), [4, 20], [Chord.make(0, (0, 4, 7))] * 2)
    assert chord_events(frames)[0].tolist() == [4, 20]
    bare = without_chords(frames)
    assert len(chord_events(bare)[0]) == 0
    assert bare.chords == ()
    assert np.array_equal(bare.melody_onset, frames.melody_onset)
