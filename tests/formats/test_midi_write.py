"""Writing MIDI, with mido as the judge of the bytes and our reader as the way back."""

import io
from fractions import Fraction

import mido
from hypothesis import given, settings
from hypothesis import strategies as st

from sideman.formats.midi import read_midi
from sideman.formats.midi_write import write_midi, write_options_midi
from sideman.music.chord import Chord
from sideman.music.metre import bar_lines
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song, Tempo


def span(onset: float, duration: float, symbol: str) -> ChordSpan:
    chord = Chord.parse(symbol)
    assert chord is not None
    return ChordSpan(onset, duration, chord)


TUNE = Song(
    notes=(Note(0, 1, 67, 90), Note(1, 1 / 3, 60), Note(4 / 3, 1 / 3, 62), Note(5 / 3, 1 / 3, 64), Note(3, 2, 65)),
    chords=(span(1, 2, "C"), span(3, 1.5, "D/C#"), span(5, 4, "F#m7b5")),
    meters=(Meter(1.0, 3, 4), Meter(7.0, 4, 4)),
    tempos=(Tempo(0, 96), Tempo(4, 150.5)),
    keys=(KeyChange(0, Key(7)), KeyChange(4, Key(4, "minor"))),
    title="Étude",
)


def tracks(data: bytes) -> list[list[tuple[int, mido.Message]]]:
    """(tick, message) of every track, by mido."""
    out = []
    for track in mido.MidiFile(file=io.BytesIO(data), charset="utf-8").tracks:
        at, rows = 0, []
        for message in track:
            at += message.time
            rows.append((at, message))
        out.append(rows)
    return out


def metas(track: list, kind: str) -> list:
    return [(tick, message) for tick, message in track if message.type == kind]


def test_mido_reads_what_we_meant():
    file = mido.MidiFile(file=io.BytesIO(write_midi(TUNE)))
    assert (file.type, file.ticks_per_beat) == (1, 480)
    conductor, melody, chords = tracks(write_midi(TUNE))
    assert conductor[0][1].name == "Étude"
    assert [(t, m.tempo) for t, m in metas(conductor, "set_tempo")] == [(0, 625000), (1920, 398671)]
    signatures = [(t, m.numerator, m.denominator) for t, m in metas(conductor, "time_signature")]
    assert signatures == [(0, 3, 4), (480, 3, 4), (3360, 4, 4)]
    assert [(t, m.key) for t, m in metas(conductor, "key_signature")] == [(0, "G"), (1920, "Em")]
    markers = [(t, m.text) for t, m in metas(conductor, "marker")]
    assert markers == [(480, "C"), (1440, "D/C#"), (2160, "N.C."), (2400, "F#m7b5"), (4320, "N.C.")]
    assert [t for t, m in melody if m.type == "note_on"] == [0, 480, 640, 800, 1440]
    assert [t for t, m in melody if m.type == "note_off"] == [480, 640, 800, 960, 2400]
    struck = sorted(m.note for t, m in chords if m.type == "note_on" and t == 1440)
    assert struck == [37, 50, 54, 57]  # C#2 under D major
    assert all(m.channel == 1 for _, m in chords if m.type == "note_on")


def test_a_song_comes_back():
    back = read_midi(write_midi(TUNE))
    assert back.chords == TUNE.chords
    assert (back.meters, back.tempos, back.keys) == (TUNE.meters, TUNE.tempos, TUNE.keys)
    # Sums of thirds differ from a third in the last bit only.
    assert [(n.onset, n.pitch, n.velocity) for n in back.notes] == [(n.onset, n.pitch, n.velocity) for n in TUNE.notes]
    assert max(abs(a.duration - b.duration) for a, b in zip(back.notes, TUNE.notes, strict=True)) < 1e-12


def test_notes_end_before_the_same_pitch_starts_again():
    song = Song(notes=(Note(0, 1, 60), Note(1, 1, 60), Note(2, 0.0001, 60), Note(3, 1, 60)))
    melody = [(t, m.type) for t, m in tracks(write_midi(song))[1] if m.type.startswith("note")]
    assert melody[1:3] == [(480, "note_off"), (480, "note_on")]
    assert melody[4:6] == [(960, "note_on"), (961, "note_off")]


def test_without_chords_there_is_no_chord_track():
    data = write_midi(Song(notes=(Note(0, 1, 60),)))
    assert len(tracks(data)) == 2
    assert read_midi(data).chords == ()


def test_options_are_tracks_of_their_own():
    progressions = [(f"Option {i + 1}", (span(0, 4, "C"), span(4, 4, "Am"))) for i in range(16)]
    data = write_options_midi(TUNE, progressions)
    conductor, _, *options = tracks(data)
    assert not metas(conductor, "marker")
    assert len(options) == 16
    assert [m.name for _, m in (metas(track, "track_name")[0] for track in options)][:2] == ["Option 1", "Option 2"]
    assert all(m.channel != 9 for track in options for _, m in track if m.type == "note_on")
    assert [(t, m.text) for t, m in metas(options[0], "text")] == [(0, "C"), (1920, "Am"), (3840, "N.C.")]
    back = read_midi(data)
    assert [n.pitch for n in back.notes] == [n.pitch for n in TUNE.notes]
    assert back.chords == ()


SYMBOLS = ["C", "F", "G", "Bb/D", "D/C#", "Am7", "Ebmaj7#11", "C5", "F#m7b5/C", "Abm6", "Gsus2sus4", "B7(add13)"]
METERS = ["4/4", "3/4", "6/8", "2/2", "12/8"]


@st.composite
def songs(draw: st.DrawFn) -> Song:
    """Songs on a grid of 16ths and triplets, perhaps with a pickup."""
    grid = st.sampled_from([Fraction(1, 4), Fraction(1, 3), Fraction(1, 2), Fraction(1), Fraction(3, 2)])
    at, notes = Fraction(0), []
    for _ in range(draw(st.integers(1, 20))):
        at += draw(grid) if draw(st.booleans()) else 0
        length = draw(grid)
        notes.append(Note(float(at), float(length), draw(st.integers(0, 127)), draw(st.integers(1, 127))))
        at += length
    at, chords = Fraction(0), []
    for _ in range(draw(st.integers(0, 8))):
        at += draw(grid) if draw(st.booleans()) else 0
        length = 2 * draw(grid)
        chords.append(span(float(at), float(length), draw(st.sampled_from(SYMBOLS))))
        at += length
    meter = Meter.parse(draw(st.sampled_from(METERS)))
    pickup = draw(st.sampled_from([0, 1, 0.25, 1 / 3]))
    return Song(tuple(notes), tuple(chords), (Meter(float(pickup), meter.numerator, meter.denominator),))


@settings(max_examples=80, deadline=None)
@given(songs())
def test_reading_undoes_writing(song):
    back = read_midi(write_midi(song))

    def rounded(events):
        return [(round(e.onset, 9), round(e.offset, 9), *rest(e)) for e in events]

    def rest(event):
        return (event.pitch, event.velocity) if isinstance(event, Note) else (event.chord,)

    assert rounded(back.notes) == rounded(song.notes)
    assert rounded(back.chords) == rounded(song.chords)
    lines = [[round(onset, 9) for onset, *_ in bar_lines(s.meters, song.beats)] for s in (song, back)]
    assert lines[0] == lines[1]
