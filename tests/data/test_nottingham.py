"""The Nottingham collection: small tunes of our own for the rules, a sample of the archive for the facts."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from sideman.data.nottingham import convert, pieces
from sideman.data.piece import Discarded
from sideman.errors import UnreadableFile, WrongValue
from sideman.music.frames import encode
from sideman.music.metre import bar_lines
from sideman.music.song import Song

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "nottingham.tar.gz"

OWN = """X: 1
T:The Trial, A
M:2/4
L:1/4
Y:AB
K:G
P:A
D|"G"GG|"D/f+"F[FA]:|
P:B
"Gd"G2:|

X: 12
T:Trial
K:G
GABc|

X: 3
T:Trial Variation
K:G
"G"z8|

X:4
T: Missing title !
K:G
"G"G8|
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    root = tmp_path_factory.mktemp("own")
    (root / "ABC_cleaned").mkdir()
    (root / "ABC_cleaned" / "mine.abc").write_text(OWN)
    return root


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    if not ARCHIVE.exists():
        pytest.skip(f"needs {ARCHIVE.name} in ../shared/data")
    root = tmp_path_factory.mktemp("nottingham")
    with tarfile.open(ARCHIVE) as packed:
        packed.extractall(root, filter="data")
    return root


def test_a_piece(own):
    assert pieces(own) == ["mine:1", "mine:3", "mine:4", "mine:12"]
    piece = convert(own, "mine:1")
    assert [n.pitch for n in piece.song.notes] == [62, 67, 67, 66, 69] * 2 + [67, 67]
    assert [c.chord.name() for c in piece.song.chords] == ["G", "D/F#"] * 2 + ["Gdim"] * 2
    assert piece.losses == {"lower note of a double stop dropped": 1}
    assert piece.split is None
    assert piece.song.pickup == 1


def test_versions_share_a_work_and_untitled_tunes_do_not(own):
    assert convert(own, "mine:1").work == "nottingham:trial"
    assert convert(own, "mine:4").work == "nottingham:mine:4"


@pytest.mark.parametrize(("piece", "reason"), [("mine:12", "no chords"), ("mine:3", "no melody")])
def test_discarded_with_a_reason(own, piece, reason):
    with pytest.raises(Discarded, match=reason):
        convert(own, piece)


@pytest.mark.parametrize("piece", ["mine:2", "mine:x", "mine", "yours:1", ""])
def test_unknown_ids(own, piece):
    with pytest.raises(WrongValue):
        convert(own, piece)


def test_no_such_folder(tmp_path):
    with pytest.raises(UnreadableFile):
        pieces(tmp_path)


def test_every_tune_of_the_archive_is_listed(archive):
    ids = pieces(archive)
    assert len(ids) == len(set(ids)) == 1034
    assert pieces(archive / "nottingham-dataset-master") == ids
    assert ids[:2] == ["ashover:1", "ashover:2"]
    assert sum(name.startswith("jigs:") for name in ids) == 340


def test_tunes_without_chords_are_the_known_thirteen(archive):
    known = {f"jigs:{n}" for n in (6, 336)} | {f"morris:{n}" for n in (3, 4, 5, 6, 28)} | {"hpps:37", "waltzes:43"}
    known |= {"reelsd-g:53", "reelsh-l:19", "reelsh-l:85", "reelsr-t:52"}
    for piece in sorted(known):
        with pytest.raises(Discarded, match="no chords"):
            convert(archive, piece)


def test_double_stops_give_a_melody(archive):
    for piece in ("ashover:9", "ashover:43"):  # written wholly in double stops
        converted = convert(archive, piece)
        assert len(converted.song.notes) > 30
        assert converted.losses["lower note of a double stop dropped"] > 30


def _sample(archive: Path) -> list[Song]:
    songs = []
    for piece in pieces(archive)[::7]:
        try:
            songs.append(convert(archive, piece).song)
        except Discarded:
            continue
    return songs


def test_the_sample_sounds_like_tunes_with_chords(archive):
    """Melody in the chord, chord changes on strong beats, regular bars, dance lengths: signs of right reading."""
    songs = _sample(archive)
    assert len(songs) > 140
    inside = frames = on_bar = chords = irregular = bars = dances = 0
    for song in songs:
        line = encode(song)
        masks = np.array([chord.pitch_class_mask for chord in line.chords] + [0])
        both = (line.melody >= 0) & (line.chord >= 0)
        inside += int((masks[line.chord[both]] >> (line.melody[both] % 12) & 1).sum())
        frames += int(both.sum())
        grid = bar_lines(song.meters, song.beats)
        onsets = {round(onset, 6) for onset, _, _ in grid}
        on_bar += sum(round(span.onset, 6) in onsets for span in song.chords)
        chords += len(song.chords)
        irregular += sum(abs(length - meter.bar_beats) > 1e-6 for _, length, meter in grid[1:-1])
        bars += len(grid)
        dances += sum(abs(length - meter.bar_beats) < 1e-6 for _, length, meter in grid) in (16, 24, 32, 48, 64)
        assert all(55 <= note.pitch <= 95 for note in song.notes)
    assert 0.76 < inside / frames < 0.82
    assert on_bar / chords > 0.7
    assert irregular / bars < 0.001
    assert dances / len(songs) > 0.85


def test_a_known_tune_note_by_note(archive):
    """The first tune by hand: a pickup, a bar of two beats, first and second endings."""
    song = convert(archive, "ashover:1").song
    assert song.title == "A and A's Waltz"
    assert [(n.onset, n.duration, n.pitch) for n in song.notes[:5]] == [
        (0, 1, 76), (1, 2, 74), (3, 1, 71), (4, 1.5, 69), (5.5, 0.5, 71),
    ]  # fmt: skip
    assert [(m.onset, str(m)) for m in song.meters[:3]] == [(1, "3/4"), (19, "2/4"), (21, "3/4")]
    assert [c.chord.name() for c in song.chords[:7]] == ["G", "D", "G", "D", "G", "D", "F"]
    assert [(c.onset, c.duration) for c in song.chords[-2:]] == [(88, 2), (90, 3)]  # 1 + 2 x 23 + 2 x 23 beats
