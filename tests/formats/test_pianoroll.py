"""The piano-roll picture: every kind of melody draws, the same input gives the same file, colours tell roots apart."""

import xml.etree.ElementTree as ET
from itertools import combinations

import numpy as np
import pytest

from sideman.errors import EmptyMelody, WrongValue
from sideman.formats.pianoroll import plot_pianoroll, pretty_symbol, root_colour
from sideman.music.chord import Chord
from sideman.music.frames import encode
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, Meter, Note, Song

TUNE = Song(
    notes=tuple(Note(1.0 + i, 1.0, pitch) for i, pitch in enumerate([60, 64, 67, 65, 64, 62, 60, 59, 62, 60, 60])),
    chords=(ChordSpan(1.0, 4.0, Chord.make(0, (0, 4, 7))), ChordSpan(5.0, 0.25, Chord.make(10, (0, 3, 6, 10)))),
    meters=(Meter(1.0, 4, 4),),
)


def texts(path):
    return [node.text for node in ET.parse(path).iter() if node.tag.endswith("}text")]


@pytest.mark.parametrize("count", [0, 1, 8])
def test_any_number_of_lanes(tmp_path, count):
    path = tmp_path / "roll.png"
    plot_pianoroll(TUNE, [(f"{i}\n0.5", TUNE) for i in range(count)], path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_what_is_written_in_the_picture(tmp_path):
    path = tmp_path / "roll.svg"
    plot_pianoroll(TUNE, [("1\n0.83", TUNE.chords)], path)
    found = texts(path)
    assert {"1", "0.83", "C", "C4", "quarter-note beats", "bar"} <= set(found)
    assert "B♭m7♭5" not in found, "a symbol that does not fit is left out"
    assert found.count("2") == 1, "the pickup is no bar, so there are bars 1, 2 and 3"
    assert "4" in found  # a beat
    again = tmp_path / "again.svg"
    plot_pianoroll(TUNE, [("1\n0.83", TUNE.chords)], again)
    assert again.read_bytes() == path.read_bytes()


def test_frames_draw_like_their_song(tmp_path):
    plot_pianoroll(TUNE, [("a", TUNE)], tmp_path / "song.svg")
    plot_pianoroll(encode(TUNE), [("a", TUNE)], tmp_path / "frames.svg")
    assert texts(tmp_path / "song.svg") == texts(tmp_path / "frames.svg")


@pytest.mark.parametrize(
    "song", [Song((Note(0.0, 0.25, 0),)), Song((Note(0.0, 300.0, 127),)), Song((Note(9.0, 1.0, 60),))]
)
def test_odd_melodies_draw(tmp_path, song):
    plot_pianoroll(song, [("1", ())], tmp_path / "roll.png")
    assert (tmp_path / "roll.png").stat().st_size > 1000


def test_errors(tmp_path):
    with pytest.raises(EmptyMelody):
        plot_pianoroll(Song(), [], tmp_path / "roll.png")
    with pytest.raises(WrongValue):
        plot_pianoroll(TUNE, [], tmp_path / "roll.gif")
    assert not list(tmp_path.iterdir())


def test_colours_differ_by_root_and_are_light_enough_for_dark_text():
    colours = [np.array(root_colour(Chord.make(root, tones))) for root in range(12) for tones in ((0, 4, 7), (0, 3, 7))]
    assert min(np.abs(a - b).max() for a, b in combinations(colours, 2)) > 0.03
    assert min((c * [0.21, 0.72, 0.07]).sum() for c in colours) > 0.6
    fifth, tritone = (np.abs(colours[0] - colours[2 * root]).max() for root in (7, 6))
    assert fifth < tritone


def test_symbols_use_real_accidentals():
    assert pretty_symbol(Chord.make(10, (0, 3, 6, 10), 1), Key(8)) == "B♭m7♭5/D♭"
