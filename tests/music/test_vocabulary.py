"""Token ids: the published layout, lossless coding, transposition, and the grammar of what may follow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideman.errors import EmptyMelody, UnknownChord
from sideman.music.chord import Chord
from sideman.music.frames import decode, encode, encode_melody
from sideman.music.grammar import chord_mask, hold_of, melody_mask
from sideman.music.song import ChordSpan, Note, Song
from sideman.music.vocabulary import BOS, CHORD_HOLD, NOTE_HOLD, NOTE_ON, SILENCE, from_names, own_vocabulary

OWN = own_vocabulary()


@st.composite
def songs(draw: st.DrawFn) -> Song:
    """Songs on the grid whose chords our list has."""

    def line(values: st.SearchStrategy[int]) -> list[tuple[float, float, int]]:
        at, out = 0, []
        for _ in range(draw(st.integers(1, 8))):
            at += draw(st.integers(0, 6))
            length = draw(st.integers(1, 12))
            out.append((at / 4, length / 4, draw(values)))
            at += length
        return out

    notes = tuple(Note(a, d, p) for a, d, p in line(st.integers(0, 127)))
    chords = tuple(ChordSpan(a, d, OWN.symbols[c]) for a, d, c in line(st.integers(0, OWN.chords - 1)))
    return Song(notes=notes, chords=chords)


def test_the_published_layout():
    vocabulary = from_names(["C", "Dm", "G7"])
    assert vocabulary.size == 260 + 2 * 3
    song = Song(notes=(Note(0.5, 0.5, 60),), chords=(ChordSpan(0, 0.75, Chord.make(7, (0, 4, 7, 10))),))
    melody, chords = vocabulary.encode(encode(song))
    assert melody.tolist() == [3, 3, 132 + 60, 4 + 60]
    assert chords.tolist() == [260 + 3 + 2, 260 + 2, 260 + 2, 3]
    with pytest.raises(UnknownChord):
        vocabulary.encode(encode(Song(notes=song.notes, chords=(ChordSpan(0, 1, Chord.make(1, (0, 4, 7))),))))


@given(songs())
def test_coding_loses_nothing(song: Song):
    frames = encode(song)
    again = decode(OWN.decode(*OWN.encode(frames), frames.form))
    assert [(n.onset, n.duration, n.pitch) for n in again.notes] == [(n.onset, n.duration, n.pitch) for n in song.notes]
    assert again.chords == song.chords


def test_off_grid_times_fall_into_their_frame():
    frames = encode(Song(notes=(Note(1 / 3, 1 / 3, 60), Note(2 / 3, 1 / 3, 62), Note(1, 0.01, 64))))
    assert np.flatnonzero(frames.melody_onset).tolist() == [1, 2, 4]
    assert frames.melody.tolist() == [-1, 60, 62, 62, 64]


def test_later_events_overwrite_earlier_ones():
    frames = encode(Song(notes=(Note(0, 2, 60), Note(1, 0.5, 62))))
    assert frames.melody.tolist() == [60] * 4 + [62] * 2 + [60] * 2
    # spec 1.4: a shorter overwritten event is not resumed as an event of its own
    assert np.flatnonzero(frames.melody_onset).tolist() == [0, 4]


def test_a_crop_may_begin_inside_a_note():
    frames = encode(Song(notes=(Note(0, 2, 60),))).crop(4, 8)
    assert [(n.onset, n.duration) for n in decode(frames).notes] == [(0, 1)]


def test_an_empty_melody_is_refused():
    with pytest.raises(EmptyMelody):
        encode_melody(Song())


@given(songs(), st.integers(-6, 6))
def test_transposing_tokens_is_transposing_the_song(song: Song, semitones: int):
    low, high = min(n.pitch for n in song.notes), max(n.pitch for n in song.notes)
    if low + semitones < 0 or high + semitones > 127:
        return
    for ours, theirs in zip(OWN.encode(encode(song)), OWN.encode(encode(song.transpose(semitones))), strict=True):
        assert OWN.transpose(ours, semitones).tolist() == theirs.tolist()


def test_our_list_is_closed_under_transposition_and_names_are_unique():
    assert len(set(OWN.names)) == OWN.chords
    for index in range(0, OWN.chords, 7):
        moved = OWN.symbols[index].transpose(5)
        assert OWN.symbols[OWN.lookup(moved)] == moved


@pytest.mark.parametrize(
    ("symbol", "nearest"),
    [("C13b9", "C7b9"), ("C11", "C9"), ("C/Db", "C"), ("Am(add11)", "Am"), ("Eb7b9/G", "Eb7b9"), ("Dm7/G", "Dm7/G")],
)
def test_what_the_list_lacks_becomes_its_nearest_relative(symbol: str, nearest: str):
    chord = Chord.parse(symbol)
    assert chord is not None
    index = OWN.lookup(chord)
    assert index is not None
    assert OWN.names[index] == nearest


@given(st.integers(0, 11), st.integers(1, 4095))
def test_every_chord_finds_a_relative_on_its_root(root: int, mask: int):
    index = OWN.lookup(Chord(root, mask, root))
    assert index is not None
    assert OWN.symbols[index].root == root


def test_only_what_sounds_can_be_held():
    hold, onset = CHORD_HOLD + 5, OWN.chord_on + 5
    previous = np.array([BOS, SILENCE, onset, hold])
    allowed = chord_mask(OWN, previous)
    assert allowed[:, SILENCE].all()
    assert allowed[:, OWN.chord_on :].all()
    assert not allowed[:, :SILENCE].any()
    assert not allowed[:, NOTE_HOLD:CHORD_HOLD].any()
    assert allowed[:, CHORD_HOLD : OWN.chord_on].sum(1).tolist() == [0, 0, 1, 1]
    assert allowed[2, hold]
    assert allowed[3, hold]


def test_the_published_grammar_lets_anything_be_held_after_silence():
    allowed = chord_mask(OWN, np.array([SILENCE, BOS]), reference=True)
    assert allowed[0, CHORD_HOLD : OWN.chord_on].all()
    assert not allowed[1, CHORD_HOLD : OWN.chord_on].any()


def test_the_melody_has_the_same_grammar():
    allowed = melody_mask(OWN, np.array([BOS, NOTE_ON + 60, NOTE_HOLD + 60]))
    assert allowed[:, NOTE_HOLD:NOTE_ON].sum(1).tolist() == [0, 1, 1]
    assert allowed[1, NOTE_HOLD + 60]
    assert not allowed[:, CHORD_HOLD:].any()


def test_holds_prolong():
    tokens = np.array([BOS, SILENCE, NOTE_ON + 7, NOTE_HOLD + 7, OWN.chord_on + 9, CHORD_HOLD + 9])
    assert hold_of(OWN, tokens).tolist() == [3, 3, 11, 11, 269, 269]
