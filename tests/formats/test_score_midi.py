"""What a score sounds like: repeats, ties, dynamics and tempi as mido reads them from the file."""

from io import BytesIO

import mido
import pytest

from sideman.formats.score_abc import from_abc
from sideman.formats.score_midi import write_score_midi
from sideman.formats.score_performance import perform
from sideman.formats.score_programs import program_of

ABC = """X:1
%%score 1 | { 2 | 3 }
L:1/8
Q:1/4=90
M:3/4
K:G
V:1 treble nm="Voice" snm="V"
V:2 treble nm="Piano"
V:3 bass
[V:1]|:!p!G2 A2 B2|[V:2]|:[GBd]6|[V:3]|:G,6|
[V:1]c2 d2 e2-|[V:2]z6|[V:3]z6|
[V:1]!f!e6:|[V:2]z6:|[V:3]z6:|
[V:1][Q:1/4=60]{ga}.g6|][V:2]z6|][V:3]G,,6|]
"""


def read(abc: str) -> mido.MidiFile:
    return mido.MidiFile(file=BytesIO(write_score_midi(from_abc(abc))))


def notes(track: mido.MidiTrack) -> list[tuple[int, int, int]]:
    """(tick, pitch, velocity) of what is struck."""
    now, found = 0, []
    for message in track:
        now += message.time
        if message.type == "note_on" and message.velocity:
            found.append((now, message.note, message.velocity))
    return found


def test_a_track_a_part_with_its_program():
    file = read(ABC)
    assert [track.name for track in file.tracks] == ["Voice", "Piano"]
    assert [m.program for track in file.tracks for m in track if m.type == "program_change"] == [53, 0]
    assert {m.note for m in file.tracks[1] if m.type == "note_on"} == {43, 55, 67, 71, 74}


def test_repeats_are_played_and_ties_are_one_note():
    voice = notes(read(ABC).tracks[0])
    first = [(0, 67), (480, 69), (960, 71), (1440, 72), (1920, 74), (2400, 76)]
    again = [(tick + 9 * 480, pitch) for tick, pitch in first]
    graces = [(18 * 480, 79), (18 * 480 + 60, 81), (18 * 480 + 120, 79)]
    assert [row[:2] for row in voice] == first + again + graces


def test_dynamics_hold_until_the_next_one():
    velocity = {row[0]: row[2] for row in notes(read(ABC).tracks[0])}
    assert velocity[0] == velocity[1920] == velocity[9 * 480] < velocity[18 * 480]


def test_a_hairpin_grows():
    score = from_abc("X:1\nL:1/4\nM:4/4\nK:C\nV:1\n!p!!<(!C C C C!<)!|!f!C C C C|]\n")
    loud = [note.velocity for note in perform(score).notes]
    assert loud[:4] == sorted(set(loud[:4]))
    assert loud[0] < loud[3] < loud[4] == loud[7]


def test_the_clock_follows_the_tempi():
    played = perform(from_abc(ABC))
    assert played.tempos == ((0.0, 90.0), (18.0, 60.0))
    assert played.seconds(18.0) == pytest.approx(12.0)
    assert played.seconds(played.beats) == played.seconds(21.0) == pytest.approx(15.0)


def test_endings_and_the_tempo_one_comes_back_to():
    abc = "X:1\nL:1/4\nQ:1/4=80\nM:2/4\nK:C\nV:1\n|:C D|1 [Q:1/4=160]E F:|2 G A|]\n"
    played = perform(from_abc(abc))
    assert [bar.bar for bar in played.bars] == [0, 1, 0, 2]
    assert played.tempos == ((0.0, 80.0), (2.0, 160.0), (4.0, 80.0), (6.0, 160.0))
    assert [note.pitch for note in played.notes] == [60, 62, 64, 65, 60, 62, 67, 69]


def test_metre_key_and_pickup_are_stated():
    file = read("X:1\nL:1/8\nM:3/4\nK:Gm\nV:1\nD2|G2 A2 B2|[K:C]c6|]\n")
    signatures = [(m.numerator, m.denominator) for m in file.tracks[0] if m.type == "time_signature"]
    keys = [m.key for m in file.tracks[0] if m.type == "key_signature"]
    assert signatures == [(1, 4), (3, 4)]
    assert keys == ["Gm", "C"]


@pytest.mark.parametrize(
    ("name", "program"),
    [("Violin I", 40), ("Violoncello", 42), ("Viola", 41), ("Singstimme", 53), ("Klavier", 0), ("Corno inglese", 60),
     ("Clarinet in Bb", 71), ("Contrabass", 43), ("", 0), ("Flöte", 73), ("Canto", 53), ("Vc.", 42)],
)  # fmt: skip
def test_names_say_who_plays(name: str, program: int):
    assert program_of(name) == program
