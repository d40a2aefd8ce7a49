"""MusicXML <-> Score: what is read, what is written, what comes back."""

from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from score_text import ATTRIBUTES, note, part, parts, rest, score

from sideman.errors import SidemanError, TooLarge, UnreadableFile
from sideman.formats.score_abc import from_abc
from sideman.formats.score_abc_write import to_abc
from sideman.formats.score_musicxml import read
from sideman.formats.score_musicxml_write import write
from sideman.music.score import KeySignature, Mark, Metre, Pitch, Score, Syllable, Tempo, sounding

SONG = Path(__file__).parent / "data" / "song.musicxml"


@pytest.fixture(scope="module")
def song() -> Score:
    return read(SONG)


def pitches(found: Score, number: int) -> list[tuple[Fraction, Fraction, str]]:
    names = []
    for sound in sounding(found, found.parts[number]):
        sign = {-1: "b", 0: "", 1: "#", 2: "##"}[sound.pitch.alter]
        names.append((sound.onset, sound.duration, f"{sound.pitch.step}{sign}{sound.pitch.octave}"))
    return names


def test_sounding_notes_are_exact(song: Score) -> None:
    third = Fraction(1, 3)
    assert pitches(song, 0) == [
        (0, 1, "E5"), (1, 1, "A4"), (1, 0, "B4"), (2, third, "Bb4"), (2 + 2 * third, third, "C#5"), (3, 4, "Bb4"),
    ]  # fmt: skip
    assert (Fraction(1), Fraction(3), "F#4") in pitches(song, 1)  # tied
    assert (Fraction(2), Fraction(1), "C4") in pitches(song, 1)


def test_a_drum_clef_among_pitched_notes_takes_no_key_away() -> None:
    """As one bar of a quartet by Faure has it. At the beginning of a part it makes a drum of it."""
    clef = "<attributes><clef><sign>percussion</sign><line>2</line></clef></attributes>"
    sharp = ATTRIBUTES.replace("<fifths>0", "<fifths>1")
    bar = note("F", 8, alter=1)
    among = read(score(bar, clef + bar, attributes=sharp))
    assert not among.parts[0].percussion
    assert pitches(from_abc(to_abc(among)), 0) == [(0, 4, "F#4"), (4, 4, "F#4")]
    assert read(score(clef + bar, attributes=sharp)).parts[0].percussion


def test_bars_hold_what_parts_share(song: Score) -> None:
    assert [bar.length for bar in song.bars] == [1, 3, 3, 2]
    assert [bar.number for bar in song.bars] == ["", "1", "2", "3"]
    assert [bar.metre for bar in song.bars] == [Metre("3"), None, None, Metre("2")]
    assert [(bar.left, bar.right) for bar in song.bars] == [
        ("", "regular"), ("repeat", "regular"), ("", "repeat"), ("", "final"),
    ]  # fmt: skip
    assert [(bar.ending, bar.ending_stops) for bar in song.bars[2:]] == [("1", True), ("2", True)]
    assert song.bars[0].tempos == (Tempo(Fraction(0), Fraction(1), 60.0),)


def test_parts_voices_and_staves(song: Score) -> None:
    clarinet, piano = song.parts
    assert (clarinet.name, clarinet.abbreviation, clarinet.transpose) == ("Clarinet in Bb", "Cl.", -2)
    assert clarinet.key() == KeySignature(3)
    assert [voice.staff for voice in piano.voices] == [0, 1, 0]  # the third appears last
    assert [event.staff for event in piano.voices[1].bars[1]] == [1, 0, 1]
    assert [(e.onset, e.duration, e.hidden) for e in piano.voices[2].bars[1]] == [
        (0, 1, True),
        (1, 1, False),
        (2, 1, True),
    ]
    marks = piano.staves[1][1].marks
    assert marks == (Mark(Fraction(0), "pedal", "start"), Mark(Fraction(3), "pedal", "stop"))


def test_notes_carry_signs_and_words(song: Score) -> None:
    grace, main, *_ = song.parts[0].voices[0].bars[1]
    assert (grace.duration, grace.slash, grace.value, grace.slurs_start) == (0, True, Fraction(1, 2), 1)
    assert (main.signs, main.slurs_stop) == (("accent",), 1)
    assert main.lyrics == (Syllable("bend", held=True),)
    assert song.parts[0].voices[0].bars[0][0].lyrics == (Syllable("A", hyphen=True), Syllable("Nacht"))


def test_what_is_written_is_read_back(song: Score) -> None:
    assert read(write(song)) == song


def test_rounded_tuplets_are_read_as_what_they_say() -> None:
    """Five in the time of four at 8 divisions cannot be counted: 3 + 3 + 3 + 3 + 4 are meant alike."""
    ratio = "<actual-notes>5</actual-notes><normal-notes>4</normal-notes>"
    said = f"<type>eighth</type><time-modification>{ratio}</time-modification>"
    bar = "".join(note("C", length, said) for length in (3, 3, 3, 3, 4)) + note("D", 16)
    found = read(score(bar, attributes=ATTRIBUTES.replace("<divisions>2<", "<divisions>8<")))
    assert [e.duration for e in found.parts[0].voices[0].bars[0]][:5] == [Fraction(2, 5)] * 5
    assert found.parts[0].voices[0].bars[0][5].onset == 2


def test_lengths_no_note_can_show_are_tied() -> None:
    found = read(score(note("C", 5) + rest(3)))
    written = fromstring(write(found).split(b'dtd">')[1])
    assert [e.findtext("type") for e in written.iter("note")][:2] == ["half", "eighth"]
    assert sounding(read(write(found)), found.parts[0]) == sounding(found, found.parts[0])


def test_a_voice_that_overlaps_itself_becomes_two() -> None:
    back = "<backup><duration>6</duration></backup>"
    found = read(score(note("C", 8) + back + note("E", 6)))
    assert [len(voice.bars[0]) for voice in found.parts[0].voices] == [1, 2]
    assert found.losses == {"bars whose voice overlaps itself": 1}


def test_parts_of_unequal_length_rest_to_the_end() -> None:
    found = read(parts(("A", part(note("C", 8), note("C", 8))), ("B", part(note("D", 8), name="P2"))))
    last = found.parts[1].voices[0].bars[1]
    assert [(event.duration, event.notes, event.hidden) for event in last] == [(4, (), False)]


def test_a_tie_without_a_second_note_is_no_tie() -> None:
    found = read(score(note("C", 4, '<tie type="start"/>') + note("D", 4)))
    assert found.losses == {"ties without a second note": 1}
    assert not found.parts[0].voices[0].bars[0][0].notes[0].tie


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"PK\x03\x04 cut", UnreadableFile),
        (b"", UnreadableFile),
        (b"<html/>", UnreadableFile),
        (b"<score-partwise><part-list/></score-partwise>", UnreadableFile),
        (b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><score-partwise>&c;</score-partwise>', UnreadableFile),
        (score(note("H", 8)), UnreadableFile),
        (score(note("C", 8).replace("8<", "eight<")), UnreadableFile),
        (score(note("C", 8, octave=99)), UnreadableFile),
        (score(note("C", 80_000)), UnreadableFile),
        (b" " * 20_000_001, TooLarge),
    ],
)
def test_broken_and_hostile_files(data: bytes, error: type[SidemanError]) -> None:
    with pytest.raises(error):
        read(data)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"nothing\.mxl"):
        read(tmp_path / "nothing.mxl")


def test_pitches_of_many_accidentals_are_respelled() -> None:
    found = read(score(note("C", 8, alter=3)))
    assert found.parts[0].voices[0].bars[0][0].notes[0].pitch == Pitch("D", 1, 4)


def test_a_slur_that_hangs_on_an_invisible_rest_is_no_slur() -> None:
    text = "X:1\n%%score {{ ( 1 2 ) }}\nL:1/8\nM:4/4\nK:C\nV:1 treble\nV:2 treble\nV:1\nc4 c4|c8|\nV:2\n{}|x8|\n"
    for bar in ("(x4 E2) E2", "(E4 x2) E2", "(E4 E4)"):
        slurs = [each.get("type") for each in fromstring(write(from_abc(text.format(bar)))).iter("slur")]
        assert slurs == ([] if "x" in bar else ["start", "stop"])
