"""The chord chart as a reader sees it."""

from dataclasses import replace

from sideman.formats.chart import write_chart
from sideman.music.chord import Chord
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song


def chords(*rows: tuple[float, float, str]) -> tuple[ChordSpan, ...]:
    return tuple(ChordSpan(onset, length, Chord.parse(symbol)) for onset, length, symbol in rows)


def test_rows_of_four_aligned_bars():
    song = Song(
        notes=(Note(0, 24, 60),),
        chords=chords((0, 4, "F"), (4, 2, "Bb"), (6, 2, "C7"), (8, 8, "F"), (17, 3, "Gm7"), (20, 4, "C7/Bb")),
        keys=(KeyChange(0, Key(5)),),
        title="Song",
        composer="Me",
    )
    assert write_chart(song) == (
        "Song - Me\n"
        "Key: F major   Metre: 4/4   Tempo: 120\n"
        "\n"
        "| F            | Bb . C7 .    | F            | %            |\n"
        "| N.C. Gm7 . . | C7/Bb        |\n"
    )


def test_a_pickup_stands_before_the_first_bar():
    song = Song((Note(0, 29, 60),), chords((1, 12, "C"), (13, 16, "G")), (Meter(1, 3, 4),))
    head, _, *rows = write_chart(song).splitlines()
    assert head == "Metre: 3/4   Tempo: 120"
    assert rows[0] == "N.C. | C | % | % | % |"
    assert rows[1].startswith("     | G | % | ")


def test_compound_beats_and_changes_between_beats():
    song = Song((Note(0, 6, 60),), chords((0, 1.5, "C"), (1.5, 0.5, "F"), (2, 1, "G"), (3, 3, "C")), (Meter(0, 6, 8),))
    assert write_chart(song).splitlines()[-1] == "| C (F G) | C       |"


def test_metre_changes_are_marked_and_spelling_follows_the_key():
    song = Song(
        notes=(Note(0, 10, 60),),
        chords=chords((0, 4, "Db"), (4, 3, "Gb"), (7, 3, "C#")),
        meters=(Meter(0, 4, 4), Meter(4, 3, 4)),
        keys=(KeyChange(0, Key(1)), KeyChange(7, Key(4))),
    )
    assert write_chart(song).splitlines()[-1] == "| Db       | (3/4) Gb | C#       |"


def test_an_empty_song_and_one_without_chords():
    assert write_chart(Song()).splitlines() == ["Metre: 4/4   Tempo: 120", ""]
    assert write_chart(Song(notes=(Note(0, 8, 60),))).splitlines()[-1] == "| N.C. | %    |"


def test_every_chord_is_written_once():
    rows = chords(*((i * 1.25, 1.25, s) for i, s in enumerate(["C", "Am", "F", "G", "E7", "Dm", "Bb"])))
    text = write_chart(replace(Song(), chords=rows))
    for span in rows:
        assert text.replace("(", " ").replace(")", " ").split().count(span.chord.name()) == 1
