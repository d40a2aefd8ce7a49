"""Reading back what was written gives the same song; the text is what a musician would write."""

import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sideman.errors import EmptyMelody, TooLarge
from sideman.formats.abc import read_abc, read_tune, split_tunes
from sideman.formats.abc_write import write_abc
from sideman.music.chord import QUALITIES, Chord
from sideman.music.metre import bar_lines
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song, Tempo

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "nottingham.tar.gz"


def outline(song: Song) -> tuple[object, ...]:
    """What must survive: notes, chords, bar lines with their metre, keys, tempi, names."""
    bars = [(round(a, 6), round(n, 6), str(m)) for a, n, m in bar_lines(song.meters, song.beats)]
    notes = [(round(n.onset, 6), round(n.duration, 6), n.pitch) for n in song.notes]
    chords = [(round(c.onset, 6), round(c.duration, 6), c.chord) for c in song.chords]
    return notes, chords, bars, song.keys, song.tempos, song.title, song.composer


# Lengths in 24ths of a beat: plain ones, dotted ones, and triplets of three sizes.
LENGTHS = st.sampled_from([3, 6, 12, 18, 24, 36, 48, 60, 96, 8, 16, 4, 20, 32, 1])
KEYS = st.builds(Key, st.integers(0, 11), st.sampled_from(["major", "minor"]))
CHORDS = st.builds(
    lambda root, quality, bass: Chord.make(root, quality.tones, (root + bass) % 12),
    st.integers(0, 11),
    st.sampled_from(QUALITIES),
    st.sampled_from([0, 0, 0, 3, 4, 7, 10, 1]),
)
METERS = st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 2), (5, 4), (7, 8), (9, 8), (2, 4)])


@st.composite
def songs(draw: st.DrawFn) -> Song:
    """Melody with rests, chords with gaps, a pickup, metre and irregular-bar changes, key changes."""
    notes: list[Note] = []
    at = 0
    for length, pitch in draw(st.lists(st.tuples(LENGTHS, st.none() | st.integers(36, 96)), min_size=1, max_size=25)):
        if pitch is not None:
            notes.append(Note(at / 24, length / 24, pitch))
        at += length
    chords: list[ChordSpan] = []
    start = draw(st.integers(0, 3)) * 24
    for length, chord in draw(st.lists(st.tuples(st.sampled_from([12, 24, 48, 96]), st.none() | CHORDS), max_size=10)):
        if chord is not None:
            chords.append(ChordSpan(start / 24, length / 24, chord))
        start += length
    if not notes and not chords:
        notes = [Note(0.0, 1.0, 60)]
    first = draw(METERS)
    end = max([n.offset for n in notes] + [c.offset for c in chords])
    pickup = draw(st.sampled_from([0.0, 0.5, 1.0])) if end > 1.1 else 0.0
    meters = [Meter(pickup, *first)]
    for bars, short, meter in draw(st.lists(st.tuples(st.integers(1, 3), st.sampled_from([0, 1]), METERS), max_size=2)):
        last = meters[-1]
        meters.append(Meter(last.onset + bars * last.bar_beats - short * min(0.5, last.bar_beats / 2), *meter))
    meters = meters[:1] + [m for m in meters[1:] if m.onset < end - 1e-6]
    keys = [KeyChange(0.0, draw(KEYS))] if draw(st.booleans()) else []
    if keys and end > 2 and (change := draw(KEYS)) != keys[0].key:
        keys.append(KeyChange(1.5, change))
    return Song(
        tuple(notes), tuple(chords), tuple(meters), (Tempo(0.0, 97.5),), tuple(keys), title="50% off", composer="A"
    )


@given(songs())
@settings(max_examples=75, deadline=None)
def test_reading_back_gives_the_same_song(song):
    assert outline(read_abc(write_abc(song))) == outline(song)


def test_real_tunes_survive():
    if not ARCHIVE.exists():
        pytest.skip(f"needs {ARCHIVE.name} in ../shared/data")
    with tarfile.open(ARCHIVE) as archive:
        names = sorted(name for name in archive.getnames() if name.endswith(".abc"))
        texts = [archive.extractfile(name).read().decode() for name in names]
    songs = [read_tune(tune)[0] for text in texts for tune in split_tunes(text)[::19]]
    assert len(songs) > 50
    for song in songs:
        again = read_abc(write_abc(song))
        assert (again.notes, again.chords, again.meters) == (song.notes, song.chords, song.meters)
        assert (again.keys, again.tempos, again.title) == (song.keys, song.tempos, song.title)


def test_a_small_lead_sheet_looks_like_one():
    def chord(name: str, onset: float, duration: float) -> ChordSpan:
        return ChordSpan(onset, duration, Chord.parse(name))

    song = Song(
        notes=(
            Note(0, 1, 74), Note(1, 1, 79), Note(2, 0.5, 78), Note(2.5, 0.5, 79), Note(3, 3, 81), Note(7, 1 / 3, 70),
            Note(7 + 1 / 3, 1 / 3, 71), Note(7 + 2 / 3, 1 / 3, 72), Note(8, 1, 74),
        ),
        chords=(chord("G", 1, 3), chord("D7/F#", 4, 3), chord("Bb", 8, 1)),
        meters=(Meter(1, 3, 4),),
        tempos=(Tempo(0, 96), Tempo(7, 80)),
        keys=(KeyChange(0, Key(7)),),
        title="Trial",
    )  # fmt: skip
    assert write_abc(song) == (
        'X:1\nT:Trial\nM:3/4\nL:1/8\nQ:1/4=96\nK:G\nd2|"G"g2 fg a2-|"D7/F#"a4 z2|[Q:1/4=80]"N.C."(3_B=Bc "Bb"d2|]\n'
    )


def test_accidentals_are_written_again_in_another_octave_and_after_the_bar():
    notes = tuple(Note(i, 1, p) for i, p in enumerate((66, 78, 66, 65, 66, 65, 77, 77)))
    text = write_abc(Song(notes, keys=(KeyChange(0.0, Key(0)),)))
    assert text.splitlines()[-1] == "^F2 ^f2 F2 =F2|^F2 =F2 =f2 f2|]"


def test_nothing_and_too_much_are_refused():
    with pytest.raises(EmptyMelody):
        write_abc(Song())
    with pytest.raises(TooLarge):
        write_abc(Song(notes=(Note(1e6, 1, 60),)))
