"""Real lead sheets: none is lost, they sound right, and each survives being written and read."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from sideman.data import openewld, wikifonia
from sideman.data.piece import Discarded
from sideman.formats.musicxml import read_musicxml
from sideman.formats.musicxml_write import write_musicxml
from sideman.music.frames import encode
from sideman.music.song import Song

ARCHIVE = Path(__file__).parents[2].parent / "shared/data/openewld.tar.gz"
SHARE = 6


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every sixth sheet of the archive, unpacked."""
    if not ARCHIVE.is_file():
        pytest.skip(f"needs {ARCHIVE.name} in ../shared/data")
    folder = tmp_path_factory.mktemp("openewld")
    with tarfile.open(ARCHIVE) as archive:
        sheets = sorted((m for m in archive if m.name.endswith(".mxl")), key=lambda m: m.name)
        archive.extractall(folder, sheets[::SHARE], filter="data")
    return folder


@pytest.fixture(scope="module")
def songs(root: Path) -> dict[str, Song]:
    return {name: openewld.convert(root, name).song for name in openewld.pieces(root)}


def test_all_convert(root: Path, songs: dict[str, Song]) -> None:
    assert len(songs) == 59
    assert all(song.notes and song.chords for song in songs.values())
    assert openewld.pieces(root / "OpenEWLD-master") == list(songs) == openewld.pieces(root / "OpenEWLD-master/dataset")


def test_melody_and_chords_belong_together(songs: dict[str, Song]) -> None:
    hits = frames = 0
    for song in songs.values():
        coded = encode(song)
        both = (coded.melody >= 0) & (coded.chord >= 0)
        masks = np.array([c.pitch_class_mask for c in coded.chords])[coded.chord[both]]
        hits += int((masks >> (coded.melody[both] % 12) & 1).sum())
        frames += int(both.sum())
    assert frames > 20_000
    assert 0.74 < hits / frames < 0.84


def test_bars_are_whole(songs: dict[str, Song]) -> None:
    irregular = [name for name, song in songs.items() if len(song.meters) > 1]
    assert len(irregular) <= 2
    assert {str(song.meters[0]) for song in songs.values()} >= {"4/4", "2/2", "3/4", "6/8"}
    assert sum(song.pickup > 0 for song in songs.values()) >= 5


def test_written_sheets_read_the_same(songs: dict[str, Song]) -> None:
    for name, song in list(songs.items())[::5]:
        back = read_musicxml(write_musicxml(song))
        assert [n.pitch for n in back.notes] == [n.pitch for n in song.notes], name
        assert [c.chord for c in back.chords] == [c.chord for c in song.chords], name
        for a, b in zip([*song.notes, *song.chords], [*back.notes, *back.chords], strict=True):
            assert abs(a.onset - b.onset) < 1e-6
            assert abs(a.duration - b.duration) < 1e-6
        assert (back.meters, back.keys, back.title) == (song.meters, song.keys, song.title), name


def test_works_are_titles_without_accents_and_version_marks(root: Path, tmp_path: Path) -> None:
    data = next(root.rglob("*.mxl")).read_bytes()
    for name in ("A - Été.mxl", "B/C - ete [2].mxl", "D - Other.xml", ".hidden.mxl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    ids = wikifonia.pieces(tmp_path)
    assert ids == ["A - Été", "B/C - ete [2]", "D - Other"]
    works = [wikifonia.convert(tmp_path, name).work for name in ids]
    assert works == ["wikifonia:ete", "wikifonia:ete", "wikifonia:other"]


def test_what_cannot_be_used_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken.mxl").write_bytes(b"PK\x03\x04")
    (tmp_path / "rests.xml").write_bytes(b"<score-partwise><part id='P1'><measure/></part></score-partwise>")
    for name, reason in (("broken", "unreadable"), ("rests", "no melody note"), ("gone", "cannot be opened")):
        with pytest.raises(Discarded, match=reason):
            wikifonia.convert(tmp_path, name)
