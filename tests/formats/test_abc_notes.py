"""Pitches, lengths and chords of single tunes, against values worked out by hand."""

import pytest

from sideman.errors import UnreadableFile, WrongValue
from sideman.formats.abc import read_abc, read_tune
from sideman.formats.abc_tune import read_chord
from sideman.music.chord import Chord
from sideman.music.pitch import Key


def tune(music: str, key: str = "C", meter: str = "4/4", unit: str = "1/4") -> str:
    return f"X:1\nT:Trial\nM:{meter}\nL:{unit}\nK:{key}\n{music}\n"


def pitches(music: str, **header: str) -> list[int]:
    return [note.pitch for note in read_abc(tune(music, **header)).notes]


def times(music: str, **header: str) -> list[tuple[float, float]]:
    return [(round(n.onset, 6), round(n.duration, 6)) for n in read_abc(tune(music, **header)).notes]


def chords(music: str, **header: str) -> list[tuple[float, float, str]]:
    return [(c.onset, c.duration, c.chord.name()) for c in read_abc(tune(music, **header)).chords]


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C c c' C, C,,", [60, 72, 84, 48, 36]),
        ("^C _D =E ^^F __G", [61, 61, 64, 67, 65]),
        ("^F F | F", [66, 66, 65]),  # an accidental holds to the bar line
        ("^F f ^f | F", [66, 78, 78, 65]),  # and in all octaves (ABC 2.1)
        ("^F- | F F", [66, 65]),  # a tie carries it over, for that note alone
        ("[CEG] [E2c2]", [67, 72]),
    ],
)
def test_pitches(music, expected):
    assert pitches(music) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("G", [65 + 1, 67, 69, 71, 72]), ("F", [65, 67, 69, 70, 72]), ("Bb", [65, 67, 69, 70, 72]),
        ("Am", [65, 67, 69, 71, 72]), ("A minor", [65, 67, 69, 71, 72]), ("Ador", [66, 67, 69, 71, 72]),
        ("D mix", [66, 67, 69, 71, 72]), ("Amix", [66, 67, 69, 71, 73]), ("Ephrygian", [65, 67, 69, 71, 72]),
        ("F lydian", [65, 67, 69, 71, 72]), ("Cm", [65, 67, 68, 70, 72]), ("F#m", [66, 68, 69, 71, 73]),
        ("Ebmaj", [65, 67, 68, 70, 72]), ("D exp _B ^F", [66, 67, 69, 70, 72]), ("Am ^G", [65, 68, 69, 71, 72]),
        ("HP", [66, 67, 69, 71, 73]), ("none", [65, 67, 69, 71, 72]), ("G clef=treble", [66, 67, 69, 71, 72]),
    ],
)  # fmt: skip
def test_key_signatures(key, expected):
    assert pitches("FGABc", key=key) == expected


def test_the_key_of_the_song_and_its_changes():
    song = read_abc(tune("F4 | [K:D] F4 |\nK:Gm\nB4 |", key="Ador"))
    assert [n.pitch for n in song.notes] == [66, 66, 70]
    assert [(k.onset, k.key) for k in song.keys] == [(0, Key(9, "minor")), (4, Key(2)), (8, Key(7, "minor"))]


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C2 C/ C/2 C3/2 C/4 C//", [(0, 2), (2, 0.5), (2.5, 0.5), (3, 1.5), (4.5, 0.25), (4.75, 0.25)]),
        ("C z C x2 C", [(0, 1), (2, 1), (5, 1)]),
        ("C Z2 C", [(0, 1), (9, 1)]),
        ("C2- C C", [(0, 3), (3, 1)]),
        ("C4 -| C2 D2", [(0, 6), (6, 2)]),
        ("C- D", [(0, 1), (1, 1)]),  # a slur written as a tie
        ("C>D C<D C>>D", [(0, 1.5), (1.5, 0.5), (2, 0.5), (2.5, 1.5), (4, 1.75), (5.75, 0.25)]),
        ("(3CDE F", [(0, 0.666667), (0.666667, 0.666667), (1.333333, 0.666667), (2, 1)]),
        ("(3:2:4 C/D/E/F/ G", [(0, 1 / 3), (1 / 3, 1 / 3), (2 / 3, 1 / 3), (1, 1 / 3), (4 / 3, 1)]),
        ("(2CD (4CDEF", [(0, 1.5), (1.5, 1.5), (3, 0.75), (3.75, 0.75), (4.5, 0.75), (5.25, 0.75)]),
        ("(3::2 CD E", [(0, 0.666667), (0.666667, 0.666667), (1.333333, 1)]),
        ("(C D) {ga} ~C .D !trill!E", [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1)]),
        ("[C2E2]2 [C-E-][CE]", [(0, 4), (4, 2)]),
        ("C (3DEF", [(0, 1), (1, 0.666667), (1.666667, 0.666667), (2.333333, 0.666667)]),
    ],
)
def test_lengths(music, expected):
    assert times(music) == pytest.approx([pytest.approx(pair, abs=1e-5) for pair in expected])


def test_tuplets_of_five_follow_the_metre():
    assert times("(5CDEFG A")[-1][0] == pytest.approx(2)
    assert times("(5CDEFG A", meter="6/8", unit="1/8")[-1][0] == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("meter", "beats"), [("2/4", 0.25), ("3/4", 0.5), ("6/8", 0.5), ("C|", 0.5), ("3/8", 0.25), ("none", 0.5)]
)
def test_default_unit_length(meter, beats):
    song = read_abc(f"X:1\nM:4/4\nM:{meter}\nK:C\nCD\nM:2/4\nE")
    assert [n.duration for n in song.notes] == [beats] * 3  # a later metre leaves it alone


def test_the_last_metre_before_the_music_counts():
    song = read_abc("X:1\nM:4/4\nK:A\nM:6/8\nA3 A3|A6|")
    assert [str(m) for m in song.meters] == ["6/8"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Gd", "Gdim"), ("D#d", "D#dim"), ("Da", "Daug"), ("Fa7", "F7#5"), ("D/f+", "D/F#"), ("Gm/bb", "Gm/Bb"),
        ("(D7)", "D7"), (" Em", "Em"), ("D m", "Dm"), ("A7/c+", "A7/C#"), ("Ebd", "Ebdim"), ("E7b9", "E7b9"),
        ("C6", "C6"), ("Am/g+", "Am/G#"),
    ],
)  # fmt: skip
def test_chord_spelling_of_the_collection(written, name):
    assert read_chord(written) == Chord.parse(name)


def test_chords_last_until_the_next_symbol_or_the_end():
    music = '"^slow"C4|"G"C2 "D7/f+""Em"D2-|"^text"D4|"N.C."E2 "C"F2|'
    assert chords(music) == [(4, 2, "G"), (6, 6, "D7/F#"), (14, 2, "C")]


def test_stray_and_unreadable_symbols_are_counted():
    song, losses = read_tune(tune('"G"C " "D "D.C."E "@2,3 x"F | {gab}G [CEG]4 ¿'))
    assert [c.chord.name() for c in song.chords] == ["G"]
    assert losses == {
        "unreadable chord symbol dropped": 1,
        "grace note dropped": 3,
        "lower note of a double stop dropped": 2,
        "unknown character skipped": 1,
    }
    assert len(song.remarks) == 4


def test_other_voices_and_overlays_are_left_out_and_counted():
    song, losses = read_tune(tune("V:1\nV:2\n[V:1] CDEF & G4 | G4 |\n[V:2] c4 | c4 |\nV:1\nA4 |"))
    assert [n.pitch for n in song.notes] == [60, 62, 64, 65, 67, 69]
    assert losses == {"note of another voice dropped": 3}


def test_header_fields():
    song = read_abc("%c\nX:7\nT:100\\% Jig % not this\nT:other\nC:Anon\nM:6/8\nQ:3/8=80\nK:G\nG3 [Q:1/4=60] G3|\n")
    assert (song.title, song.composer, song.source) == ("100% Jig", "Anon", "")
    assert [(t.onset, t.bpm) for t in song.tempos] == [(0, 120), (1.5, 60)]


def test_tunes_are_found_by_number():
    text = "% a file\nX:3\nT:a\nK:C\nC\n\nX:5\nT:b\nK:C\nD\n"
    assert read_abc(text).title == "a"
    assert read_abc(text, 5).title == "b"
    with pytest.raises(WrongValue):
        read_abc(text, 4)


def test_a_music_line_may_look_like_a_field():
    assert pitches("C2 D2|\nE:|") == [60, 62, 64] * 2
    with pytest.raises(UnreadableFile):
        read_abc("X:1\nT:no key\nCDEF|")
