"""Score <-> ABC: the dialect to the letter, what models write, what people write."""

from fractions import Fraction
from pathlib import Path

import pytest

from sideman.errors import SidemanError, TooLarge, UnreadableFile
from sideman.formats.score_abc import from_abc
from sideman.formats.score_abc_write import to_abc
from sideman.formats.score_musicxml import read
from sideman.formats.score_musicxml_write import write
from sideman.music.score import Clef, Group, KeySignature, Mark, Metre, Score, Syllable, sounding

SONG = Path(__file__).parent / "data" / "song.musicxml"
DIALECT = """X:1
T:Abend
C:A. Nonymous
%%score 1 { ( 2 4 ) | 3 }
L:1/8
Q:1/4=60
M:3/4
K:G
V:1 treble transpose=-2 nm="Clarinet in Bb" snm="Cl."
V:2 treble nm="Piano"
V:4 treble@
V:3 bass@
V:1
[K:A]"^Langsam"e2 |: ({/B}!>!A2) (3!p!!<(!_Bzc B2- !<)! |1 !fermata!_B6 :|2 [M:2/4][K:Bb]z4 |] %4
w:A- bend _
w:Nacht
V:2
z2 |: !arpeggio![DF-]4 F2 |1 z6 :|2 [M:2/4][K:Ab]A4 |] %4
V:3
z2 |: !ped!G,,[I:staff -1]G, [I:staff 0]^^G,,4 !ped-up! |1 G,,6 :|2 [M:2/4][K:Ab]z4 |] %4
V:4
x2 |: x2 C2 x2 |1 x6 :|2 [M:2/4][K:Ab]x4 |] %4
""".replace("@", " ")
# The worked example of NotaGen's interleaved form: a bar of all voices on a line.
INTERLEAVED = """%%score 1 { ( 2 4 ) | 3 }
L:1/8
Q:1/4=60
M:2/4
K:G
V:1 treble nm="Voice" snm="V."
V:2 treble nm="Piano" snm="Pno."
V:4 treble@
V:3 bass@
[V:1]"^Largo" z4|[V:2][DF]2 ^D2|[V:3]G,,4|[V:4]x4|
[V:1]G2 F2|[V:2][DF]2 ^D2|[V:3]G,,4|[V:4]B,4|
[V:1]G2 F2|][V:2][DF]2 ^D2|][V:3]G,,4|][V:4]x4|]
""".replace("@", " ")
HEAD = "X:1\nL:1/8\nM:4/4\nK:C\n"


def tune(music: str, head: str = HEAD) -> Score:
    return from_abc(head + music)


def heard(found: Score) -> list[tuple[Fraction, Fraction, int]]:
    return [(n.onset, n.duration, n.pitch.midi) for part in found.parts for n in sounding(found, part)]


def test_the_dialect_is_written_to_the_letter() -> None:
    assert to_abc(read(SONG)) == DIALECT


def test_the_dialect_is_read_back() -> None:
    song, again = read(SONG), from_abc(DIALECT)
    assert again.parts == song.parts
    assert again.groups == song.groups
    assert again.bars == song.bars
    assert to_abc(again) == DIALECT


def test_musicxml_to_abc_to_musicxml() -> None:
    song = read(SONG)
    assert heard(read(write(from_abc(to_abc(song))))) == heard(song)


def test_interleaved_is_the_same_as_blocks() -> None:
    found = from_abc(INTERLEAVED)
    assert [[voice.staff for voice in part.voices] for part in found.parts] == [[0], [0, 1, 0]]
    assert found.parts[1].name == "Piano"
    assert found.parts[1].staves[1][0].clefs == ((Fraction(0), Clef("F", 4)),)
    assert found.parts[0].staves[0][0].marks == (Mark(Fraction(0), "words", "Largo"),)
    assert from_abc(to_abc(found)) == found
    assert heard(found)[:2] == [(2, 1, 67), (3, 1, 66)]


def test_a_page_of_words_is_no_music() -> None:
    """Further verses stand over a bar of some songs; letters of words that are not read as words would be notes."""
    verses = " ".join(["E a cambada dominando"] * 40)
    found = from_abc(INTERLEAVED.replace('"^Largo"', f'"^{verses}"'))
    assert found.parts[0].staves[0][0].marks == (Mark(Fraction(0), "words", verses),)
    assert heard(found) == heard(from_abc(INTERLEAVED))


def test_a_voice_missing_from_a_line_rests_in_that_bar() -> None:
    lines = INTERLEAVED.replace('[V:1]"^Largo" z4|', "").replace("[V:4]x4|\n", "\n").replace("[V:4]x4|]", "")
    without = from_abc(lines.replace("[V:2][DF]2 ^D2|[V:3]", "[r:0/2][V:2][DF]2 ^D2|[V:3]", 1))
    assert heard(without) == heard(from_abc(INTERLEAVED))
    assert [event.hidden for event in without.parts[0].voices[0].bars[0]] == [False]  # a leading voice shows its rest
    assert [event.hidden for event in without.parts[1].voices[2].bars[0]] == [True]


@pytest.mark.parametrize(
    ("music", "lengths"),
    [
        ("(3abc", "1/3 1/3 1/3"),
        ("(3:2:2a2b", "2/3 1/3"),
        ("a>b", "3/4 1/4"),
        ("a<<b c", "1/8 7/8 1/2"),
        ("[CEG]2 z", "1 1/2"),
        ("c3/2 d/4", "3/4 1/8"),
        ("B4 (5:4:5abcde", "2" + " 2/5" * 5),
        ("C2- C", "1 1/2"),
        (".A2 (B c)", "1 1/2 1/2"),
        ("(3:2:3(3abcde", "2/9 2/9 2/9 1/3 1/3"),
        ("[C2E2]/", "1/2"),
    ],
)
def test_durations(music: str, lengths: str) -> None:
    events = tune(music + "|").parts[0].voices[0].bars[0]
    assert " ".join(str(event.duration) for event in events) == lengths


def test_accidentals_hold_to_the_bar_line_in_their_octave() -> None:
    found = tune("^F F f =F|F ^f-|f f|", "L:1/4\nK:C\n")
    assert [n.pitch.midi for bar in found.parts[0].voices[0].bars for e in bar for n in e.notes] == [
        66, 66, 77, 65, 65, 78, 78, 77,
    ]  # fmt: skip
    assert (5, 2, 78) in heard(found)


def test_ties_may_lead_to_another_voice_of_the_part() -> None:
    found = from_abc("%%score ( 1 2 )\nL:1/4\nM:4/4\nK:C\nV:1\nV:2\nV:1\nc2- x2|\nV:2\nx2 c2|\n")
    assert heard(found) == [(0, 4, 72)]


def test_bar_lines_endings_and_changes() -> None:
    found = tune("|: c8 |1 c8 :|2 c8 || [M:3/4][K:Eb] c6 [|: c6 :: c6 |]")
    assert [(b.left, b.right, b.ending, b.ending_stops) for b in found.bars] == [
        ("repeat", "regular", "", False), ("", "repeat", "1", True), ("", "double", "2", True),
        ("", "regular", "", False), ("repeat", "repeat", "", False), ("repeat", "final", "", False),
    ]  # fmt: skip
    assert found.bars[3].metre == Metre("3")
    assert found.parts[0].staves[0][3].keys == ((Fraction(0), KeySignature(-3)),)


def test_lyrics_fall_under_their_notes() -> None:
    found = tune("c d e2 z f g a|\nw:Glo-ri-a_ in * ex~cel\nw:Two\n")
    events = [e for e in found.parts[0].voices[0].bars[0] if e.notes]
    assert [e.lyrics[0] if e.lyrics else None for e in events] == [
        Syllable("Glo", hyphen=True), Syllable("ri", hyphen=True), Syllable("a", held=True), None,
        Syllable("in"), None,
    ]  # fmt: skip
    assert events[0].lyrics[1] == Syllable("Two")


def test_overlays_graces_and_decorations() -> None:
    found = tune('"Am"!p!c4 {/de}.T!fermata!f4 & E8 !<)! |')
    first, over = found.parts[0].voices
    assert [e.signs for e in first.bars[0]] == [(), (), (), ("staccato", "trill", "fermata")]
    assert [e.slash for e in first.bars[0]] == [False, True, False, False]
    assert over.bars[0][0].duration == 4
    kinds = [(mark.kind, mark.text) for mark in found.parts[0].staves[0][0].marks]
    assert kinds == [("chord", "Am"), ("dynamic", "p"), ("wedge", "crescendo stop")]


def test_groups_of_parts() -> None:
    head = 'L:1/8\nM:4/4\nK:C\nV:1 nm="A"\nV:2 nm="B"\nV:3 nm="C"\n'
    body = "V:1\nc8|\nV:2\nc8|\nV:3\nc8|\n"
    found = from_abc("%%score [ 1 | 2 ] 3\n" + head + body)
    assert found.groups == (Group(0, 1, "bracket", joined=True),)
    assert from_abc("%%score { 1 2 } 3\n" + head + body).groups == (Group(0, 1, "brace"),)
    assert len(from_abc("%%score { 1 | ( 2\n" + head.replace(' nm="B"', "") + body).parts) == 2  # closed at the end


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", UnreadableFile),
        ("X:1\nM:4/4\nCDEF|", UnreadableFile),
        ("X:1\nM:4/4\n", UnreadableFile),
        ("X:1\nK:C\n", UnreadableFile),
        (HEAD + "[V:1]\n", UnreadableFile),
        ("X:1\n%%abc-include /etc/passwd\nK:C\nCDEF|", UnreadableFile),
        ("\x00\x01\x02" * 100, UnreadableFile),
        (HEAD + "c99999999|", UnreadableFile),
        (HEAD + "c" + "'" * 30 + "|", UnreadableFile),
        (HEAD + "c" * 5_000_001, TooLarge),
        (HEAD + "".join(f"V:{n}\nc8|\n" for n in range(80)), UnreadableFile),
    ],
)
def test_broken_and_hostile_texts(text: str, error: type[SidemanError]) -> None:
    with pytest.raises(error):
        from_abc(text)


def test_too_many_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sideman.formats.score_abc_voice_read.MAX_BARS", 20)
    assert len(tune("Z20|").bars) == 20
    with pytest.raises(TooLarge):
        tune("c|" * 21)


def test_junk_between_notes_is_skipped_and_counted() -> None:
    found = tune("c § d !nonsense!e [|")
    assert [n[2] for n in heard(found)] == [72, 74, 76]
    assert found.losses == {"characters that mean nothing": 1, "decorations such as !nonsense!": 1}
