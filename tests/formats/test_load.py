"""Any file in, any file out: told apart by content, never half-written."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from sideman.errors import EmptyMelody, SidemanError, TooLarge, UnreadableFile, WrongValue
from sideman.formats.load import MAX_BYTES, load_song, read_song, save_song
from sideman.music.chord import Chord
from sideman.music.song import ChordSpan, Note, Song

TUNE = Song(
    notes=(Note(0, 1, 60), Note(1, 1, 64), Note(2, 2, 67)),
    chords=(ChordSpan(0, 2, Chord.make(0, (0, 4, 7))), ChordSpan(2, 2, Chord.make(7, (0, 4, 7, 10), 11))),
    title="Tune",
)
ABC = 'X:1\nT:Tune\nM:4/4\nL:1/4\nK:C\n"C"C E "G7"G2|\n'
XML = """<?xml version="1.0"?><score-partwise><part-list><score-part id="P1"><part-name>M</part-name></score-part>
</part-list><part id="P1"><measure number="1"><attributes><divisions>1</divisions></attributes>
<note><pitch><step>C</step><octave>4</octave></pitch><duration>4</duration></note></measure></part></score-partwise>"""


def events(song: Song) -> tuple:
    return [(n.onset, n.duration, n.pitch) for n in song.notes], [(c.onset, c.duration, c.chord) for c in song.chords]


@pytest.mark.parametrize("name", ["tune.mid", "tune.MIDI", "tune.json", "tune.musicxml", "tune.xml", "tune.abc"])
def test_what_is_saved_loads(tmp_path, name):
    if name.endswith(("xml", "abc")):
        pytest.importorskip(f"sideman.formats.{'abc' if name.endswith('abc') else 'musicxml'}_write")
    save_song(TUNE, tmp_path / name)
    assert events(load_song(tmp_path / name)) == events(TUNE)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_content_decides_over_the_name(tmp_path):
    save_song(TUNE, tmp_path / "a.mid")
    data = (tmp_path / "a.mid").read_bytes()
    assert events(read_song(data, "upload.json")) == events(TUNE)
    assert read_song(XML.encode(), "upload").notes[0].pitch == 60
    assert read_song(b"\xef\xbb\xbf" + ABC.encode(), "upload.txt").title == "Tune"
    assert read_song(b'{"frames": [60]}', "upload").notes[0].pitch == 60
    entry = b'{"annotations": {"melody": [{"onset": 0, "offset": 1, "octave": 0, "pitch_class": 4}]}}'
    assert read_song(entry, "entry.json").notes[0].pitch == 64


def test_a_song_without_title_takes_the_name_of_its_file(tmp_path):
    (tmp_path / "my song.json").write_bytes(b'{"frames": [60]}')
    assert load_song(tmp_path / "my song.json").title == "my song"


def test_abc_in_an_old_encoding():
    assert read_song(ABC.replace("Tune", "Tänze").encode("latin-1"), "x.abc").title == "Tänze"


@pytest.mark.parametrize(
    "data", [b"", b"   \n", b"hello", bytes(50), b"\x89PNG\r\n", b"%PDF-1.4", b"PK\x03\x04zzz", b"<a>", b"{"]
)
@pytest.mark.parametrize("name", ["x", "x.mid", "x.mxl", "x.json", "x.abc"])
def test_what_is_no_song_raises_our_errors(data, name):
    with pytest.raises(SidemanError) as error:
        read_song(data, name)
    assert isinstance(error.value, UnreadableFile | EmptyMelody)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(UnreadableFile, match="No such file"):
        load_song(tmp_path / "nothing.mid")
    with pytest.raises(UnreadableFile):
        load_song(tmp_path)


def test_too_large(tmp_path):
    with pytest.raises(TooLarge):
        read_song(b"MThd" + bytes(MAX_BYTES), "x.mid")
    with open(tmp_path / "big.mid", "wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(TooLarge):
        load_song(tmp_path / "big.mid")


def test_an_ending_we_do_not_write(tmp_path):
    with pytest.raises(WrongValue, match="pdf"):
        save_song(TUNE, tmp_path / "tune.pdf")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "tune.mid"
    save_song(TUNE, path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SidemanError, match="No space left"):
        save_song(replace(TUNE, notes=()), path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["tune.mid"]


def test_a_chart_is_written_as_text(tmp_path):
    save_song(TUNE, tmp_path / "tune.txt")
    assert "| C . G7/B . |" in (tmp_path / "tune.txt").read_text()
