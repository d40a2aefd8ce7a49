"""ABC text from strangers: junk, bombs and include directives end in a typed error, quickly."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sideman.errors import EmptyMelody, SidemanError, TooLarge, UnreadableFile
from sideman.formats.abc import read_abc, split_tunes
from sideman.music.metre import bar_lines

HEAD = "X:1\nM:4/4\nL:1/8\nK:C\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "\x00\x01\x02\x03" * 50,
        b"MThd\x00\x00\x00\x06\x00\x01\x00\x02\x01\xe0MTrk".decode("latin-1"),
        "PK\x03\x04" + "\ufffd" * 100,
        "X:1\nT:cut off before the ke",
        "no music here, just words",
        "%%abc-include /etc/passwd\n" + HEAD + "CDEF|",
        HEAD + "CDEF|\n%%include other.abc\n",
        HEAD + "CDEF|\nI:abc-include other.abc\n",
        HEAD + "CD[I:abc-include other.abc]EF|",
        HEAD + "C/0",
        HEAD + "C99999999999999999999",
        HEAD + "C''''''''",
    ],
)
def test_unreadable(text):
    with pytest.raises(UnreadableFile) as error:
        read_abc(text)
    assert error.value.message


@pytest.mark.parametrize("music", ["", "|: :|", "z4|", "[1 [2 ||"])
def test_no_notes(music):
    with pytest.raises(EmptyMelody):
        read_abc(HEAD + music)


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "CDEFGABc|" * 12_500,  # 100,000 notes
        HEAD + "|:" + "C|" * 40_000 + "[1-99D:|",
        HEAD + "Z9999|" * 400 + "C",
        "X:1\nY:((A999)999)999\nK:C\nP:A\nC|",
        "X:1\nY:" + "A" * 2000 + "\nK:C\nP:A\nC|",
        HEAD + "C" * 5_000_001,
    ],
)
def test_too_large(text):
    start = time.process_time()
    with pytest.raises(TooLarge):
        read_abc(text)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "piece", ["[K:", "{g", '"', "!", "(3", "[CE", ":", "|:", ":|", "[M:3/4]C", ">", "-", "[1", "&", "\\%", "+a", "^"]
)
def test_repeated_pieces_stay_quick(piece):
    start = time.process_time()
    try:
        song = read_abc(HEAD + piece * 10_000 + "C2 D2|")
        bar_lines(song.meters[:50], min(song.beats, 1000))
    except SidemanError:
        pass
    assert time.process_time() - start < 2.5


@given(st.text(alphabet="XKMLPY:ABCDEFGabcz\n|[]():\"'123/-,^_=<>{}&~!+%\\ ", max_size=120))
@settings(max_examples=150, deadline=None)
def test_any_text_gives_a_song_or_a_typed_error(text):
    try:
        song = read_abc(HEAD + text)
    except SidemanError:
        return
    ends = [note.offset for note in song.notes]
    assert all(end <= note.onset + 1e-9 for end, note in zip(ends, song.notes[1:], strict=False))
    assert all(note.duration > 0 and 0 <= note.pitch <= 127 for note in song.notes)
    lines = [onset for onset, _, _ in bar_lines(song.meters, song.beats)]
    assert all(any(abs(meter.onset - line) < 1e-6 for line in lines) for meter in song.meters[:1] if song.beats)


def test_truncated_tunes_still_read():
    whole = HEAD + '|:"C"C2(3DEF "G7"[GB]4|[1 c8:|[2 c4 {d}z4|]\n'
    for length in range(len(HEAD) + 6, len(whole)):
        assert read_abc(whole[:length]).notes


def test_windows_line_ends_and_byte_order_mark():
    text = "\ufeffX:1\r\nT:a\r\nK:G\r\nFGAB|\r\n\r\nX:2\r\nT:b\r\nK:C\r\nC\r\n"
    assert len(split_tunes(text)) == 2
    assert [n.pitch for n in read_abc(text).notes] == [66, 67, 69, 71]
