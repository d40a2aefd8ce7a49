"""POP909: beats as the grid, the two clocks, trimming, and some real songs."""

import tarfile
from itertools import pairwise
from pathlib import Path

import pytest

from sideman.data import pop909
from sideman.data.piece import Discarded, Piece
from sideman.errors import UnknownChord
from sideman.formats.midi_write import write_midi
from sideman.music.frames import encode
from sideman.music.measures import note_in_chord
from sideman.music.metre import bar_lines
from sideman.music.pitch import Key
from sideman.music.song import Meter, Note, Song, Tempo

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "pop909.tar.gz"
# A ternary song, one whose melody track is chordal, and the first ones.
REAL = ("001", "002", "003", "034", "036")


def song_folder(root: Path, beats: list[tuple], chords: list[tuple], notes: list[Note], bpm: float = 120) -> Path:
    """A song `001` as the collection lays it out: note times in beats at `bpm` from second 0."""
    folder = root / "POP909-Dataset-master" / "POP909" / "001"
    folder.mkdir(parents=True)
    midi = write_midi(Song(notes=tuple(notes), tempos=(Tempo(0, bpm),))).replace(b"Melody", b"MELODY")
    (folder / "001.mid").write_bytes(midi)
    (folder / "beat_midi.txt").write_text("".join(f"{t} {half}.0 {bar}.0\n" for t, half, bar in beats))
    (folder / "chord_midi.txt").write_text("".join(f"{a}\t{b}\t{label}\n" for a, b, label in chords))
    (folder / "key_audio.txt").write_text("3.0\t20.0\tE:min\n20.0\t90.0\tGb:maj\n")
    return root


def grid(count: int, first: float = 0.0, step: float = 0.5, bar: int = 4, phase: int = 0) -> list[tuple]:
    half = bar // 2
    return [(first + i * step, int(i % half == phase % half), int(i % bar == phase)) for i in range(count)]


def convert(root: Path) -> Piece:
    assert pop909.pieces(root) == ["001"]
    return pop909.convert(root, "001")


def rows(piece: Piece) -> list[tuple]:
    return [(c.onset, c.duration, c.chord.name()) for c in piece.song.chords]


def test_seconds_become_beats_of_a_grid_that_is_not_even(tmp_path):
    # Beats half a second apart, then a whole second apart.
    beats = [(t, i % 2 == 0, i % 4 == 0) for i, t in enumerate([0, 0.5, 1, 1.5, 2, 3, 4, 5, 6])]
    beats = [(t, int(h), int(b)) for t, h, b in beats]
    notes = [Note(0, 1, 60), Note(3, 1, 62), Note(5, 1, 64), Note(6.49, 1.5, 65)]  # at 120 bpm: 0, 1.5, 2.5, 3.245 s
    piece = convert(song_folder(tmp_path, beats, [(0, 2, "C:maj"), (2, 6, "A:min7/b7")], notes))
    assert [(n.onset, n.duration, n.pitch) for n in piece.song.notes] == [
        (0, 1, 60), (3, 1, 62), (4.5, 0.5, 64), (5.25, 0.75, 65),
    ]  # fmt: skip
    assert rows(piece) == [(0, 4, "C"), (4, 4, "Am7/G")]
    assert piece.song.key == Key(6)
    assert piece.song.bpm == pytest.approx(80)


def test_times_before_the_first_beat_stay_in_front(tmp_path):
    # The grid starts at 1 s; the first chord and note come half a beat earlier.
    notes = [Note(1.5, 0.5, 60), Note(2, 2, 62), Note(6, 2, 64)]
    chords = [(0.75, 2.0, "G:maj"), (2.0, 4.0, "C:maj")]
    piece = convert(song_folder(tmp_path, grid(12, first=1.0), chords, notes))
    assert [(n.onset, n.pitch) for n in piece.song.notes] == [(0.5, 60), (1, 62), (5, 64)]
    assert rows(piece) == [(0.5, 2.5, "G"), (3, 4, "C")]
    assert piece.song.meters == (Meter(1, 4, 4),)


def test_the_introduction_and_the_coda_are_cut_at_bar_lines(tmp_path):
    notes = [Note(9.5, 0.5, 60), Note(10, 1, 62)]
    chords = [(i, i + 1, "C:maj" if i % 2 else "F:maj") for i in range(20)]
    piece = convert(song_folder(tmp_path, grid(40), chords, notes))
    assert [n.onset for n in piece.song.notes] == [1.5, 2]
    assert rows(piece) == [(0, 2, "F"), (2, 2, "C")]
    assert piece.losses["chord before the melody"] == 4
    assert piece.losses["chord after the melody"] == 14


def test_irregular_bars_restate_the_metre(tmp_path):
    beats = [(i * 0.5, 0, int(i in (0, 4, 6, 10))) for i in range(14)]
    piece = convert(song_folder(tmp_path, beats, [(0, 7, "C:maj")], [Note(0, 14, 60)]))
    assert piece.song.meters == (Meter(0, 4, 4), Meter(6, 4, 4))
    assert [onset for onset, *_ in bar_lines(piece.song.meters, 14)] == [0, 4, 6, 10]


def test_six_beats_a_bar_are_two_bars_of_three(tmp_path):
    piece = convert(song_folder(tmp_path, grid(13, bar=6), [(0, 6, "C:maj")], [Note(3, 6, 60)]))
    assert piece.song.meters == (Meter(0, 3, 4),)
    assert piece.song.notes == (Note(0, 6, 60),)


def test_melody_becomes_one_line_on_the_sixteenths(tmp_path):
    notes = [
        Note(0, 1.1, 60),
        Note(1, 1, 64),
        Note(1, 1, 72),
        Note(2.05, 0.05, 65),
        Note(2.1, 0.9, 67),
        Note(3.4, 0.5, 69),
    ]
    piece = convert(song_folder(tmp_path, grid(9), [(0, 4, "C:maj")], notes))
    assert [(n.onset, n.duration, n.pitch) for n in piece.song.notes] == [
        (0, 1, 60), (1, 1, 72), (2, 1, 67), (3.5, 0.5, 69),
    ]  # fmt: skip
    losses = +piece.losses
    assert losses == {
        "note hidden by a higher one": 1, "note shorter than a sixteenth": 1, "note off the sixteenth grid": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("N", None), ("X", None), ("C:maj", "C"), ("F#:min", "F#m"), ("Bb:maj/3", "Bb/D"), ("A:min/b3", "Am/C"),
        ("G:sus4(b7)", "G7sus4"), ("D:min7/b7", "Dm7/C"), ("Eb:maj7/7", "Ebmaj7/D"), ("C:7/b7", "C7/Bb"),
        ("B:hdim7", "Bm7b5"), ("A:maj6", "A6"), ("E:minmaj7", "EmMaj7"), ("G:min6", "Gm6"), ("C:dim7", "Cdim7"),
        ("Ab:sus2", "Absus2"), ("C:aug", "Caug"), ("C:7/5", "C7/G"), ("C:min7/5", "Cm7/G"),
        ("G:sus4(b7,9)", "G9sus4"),
    ],
)  # fmt: skip
def test_labels(label, name):
    chord = pop909.parse_label(label)
    assert (chord.name() if chord else None) == name


@pytest.mark.parametrize("label", ["C:maj/z", "H:maj", "C:nonsense", "C:maj/15"])
def test_labels_nobody_knows(label):
    with pytest.raises(UnknownChord):
        pop909.parse_label(label)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda f: (f / "001.mid").unlink(), "the MIDI file is missing"),
        (lambda f: (f / "001.mid").write_bytes(b"MThd"), "the MIDI file is damaged"),
        (
            lambda f: (f / "001.mid").write_bytes((f / "001.mid").read_bytes().replace(b"MELODY", b"BRIDGE")),
            "no melody",
        ),
        (lambda f: (f / "beat_midi.txt").unlink(), "beat_midi.txt is missing"),
        (lambda f: (f / "beat_midi.txt").write_text("0.5 1.0 1.0\n"), "fewer than two beats"),
        (lambda f: (f / "chord_midi.txt").write_text("0.0\t4.0\tN\n"), "no chord sounds"),
    ],
)
def test_songs_that_cannot_be_used_say_why(tmp_path, change, reason):
    root = song_folder(tmp_path, grid(9), [(0, 4, "C:maj")], [Note(0, 1, 60)])
    change(root / "POP909-Dataset-master" / "POP909" / "001")
    with pytest.raises(Discarded, match=reason):
        pop909.convert(root, "001")


def test_a_missing_key_file_means_no_key(tmp_path):
    root = song_folder(tmp_path, grid(9), [(0, 4, "C:maj")], [Note(0, 1, 60)])
    (root / "POP909-Dataset-master" / "POP909" / "001" / "key_audio.txt").unlink()
    assert pop909.convert(root, "001").song.keys == ()


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> dict[str, Piece]:
    """The songs REAL, unpacked from the start of the archive."""
    if not ARCHIVE.exists():
        pytest.skip(f"{ARCHIVE.name} is not here")
    root = tmp_path_factory.mktemp("pop909")
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            part = member.name.split("/")[2:3]
            if part and part[0] > max(REAL):
                break
            if part and part[0] in REAL:
                archive.extract(member, root, filter="data")
    assert pop909.pieces(root) == list(REAL)
    return {name: pop909.convert(root, name) for name in REAL}


def test_real_songs_are_on_the_grid_and_in_order(real):
    for piece in real.values():
        song = piece.song
        assert all(a.offset <= b.onset for part in (song.notes, song.chords) for a, b in pairwise(part))
        assert all(n.onset * 4 == round(n.onset * 4) and n.duration >= 0.25 for n in song.notes)
        assert 0 <= song.notes[0].onset < 8
        assert song.chords[-1].offset - song.notes[-1].offset < 4


def test_real_melodies_agree_with_their_chords(real):
    for name, piece in real.items():
        assert note_in_chord(encode(piece.song)) > 0.6, name


def test_real_chords_change_on_bar_lines_and_half_bars(real):
    for piece in real.values():
        half = piece.song.meters[0].bar_beats / 2 if piece.song.meters[0].numerator == 4 else 3
        strong = {
            onset + k * half for onset, length, _ in bar_lines(piece.song.meters, piece.song.beats) for k in (0, 1)
        }
        assert sum(c.onset in strong for c in piece.song.chords) > 0.75 * len(piece.song.chords)


def test_one_song_under_two_numbers_is_one_work(tmp_path):
    root = song_folder(tmp_path, grid(9), [(0, 4, "C:maj")], [Note(0, 1, 60)])
    folder = root / "POP909-Dataset-master" / "POP909"
    for number in ("017", "018"):
        (folder / number).mkdir()
        for source in (folder / "001").iterdir():
            (folder / number / source.name.replace("001", number)).write_bytes(source.read_bytes())
    works = [pop909.convert(root, number).work for number in ("001", "017", "018")]
    assert works[0] != works[1] == works[2]


def test_the_first_song_as_annotated(real):
    song = real["001"].song
    assert (song.bpm, song.key, song.meters[0]) == (pytest.approx(90, abs=0.01), Key(6), Meter(0, 4, 4))
    assert [n.pitch for n in song.notes[:4]] == [61, 63, 66, 68]
    assert real["034"].song.meters[0].numerator == 3
    assert real["036"].losses["note hidden by a higher one"] > 100
