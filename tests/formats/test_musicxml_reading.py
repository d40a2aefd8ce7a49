"""What a score means in time and pitch: ties, voices, pickups, metres, transposing parts, chord places."""

import pytest
from score_text import ATTRIBUTES, barline, harmony, note, part, parts, rest, score, words

from sideman.errors import SidemanError, UnreadableFile
from sideman.formats.musicxml import read_musicxml, read_sheet
from sideman.music.song import Song

TIE = '<tie type="{}"/>'.format


def heard(song: Song) -> list[tuple[float, float, int]]:
    return [(n.onset, n.duration, n.pitch) for n in song.notes]


def symbols(song: Song) -> list[tuple[float, float, str]]:
    return [(c.onset, c.duration, c.chord.name(song.key)) for c in song.chords]


def test_ties_merge_within_and_over_bars() -> None:
    song = read_musicxml(
        score(note("C", 4) + note("D", 4, TIE("start")), note("D", 8, TIE("stop") + TIE("start")),
              note("D", 2, TIE("stop")) + note("D", 2) + note("E", 4, TIE("stop")))
    )  # fmt: skip
    assert heard(song) == [(0, 2, 60), (2, 7, 62), (9, 1, 62), (10, 2, 64)]


def test_ties_written_as_notations_only() -> None:
    tied = '<notations><tied type="{}"/></notations>'.format
    assert heard(read_musicxml(score(note("C", 4, tied("start")) + note("C", 4, tied("stop"))))) == [(0, 4, 60)]


def test_graces_cues_slashes_and_unpitched_notes_are_left_out_and_counted() -> None:
    grace = "<note><grace/><pitch><step>D</step><octave>4</octave></pitch></note>"
    song, losses = read_sheet(
        score(grace + note("C", 2) + note("E", 2, before="<cue/>") + note("F", 2, "<notehead>slash</notehead>")
              + "<note><unpitched/><duration>2</duration></note>")
    )  # fmt: skip
    assert heard(song) == [(0, 1, 60)]
    assert losses == {"grace notes skipped": 1, "cue notes skipped": 1, "notes without pitch skipped": 2}
    assert "Grace notes skipped: 1." in song.remarks


def test_chord_notes_and_a_second_voice_leave_the_top_line() -> None:
    stack = note("E", 4) + note("G", 4, before="<chord/>") + note("C", 4, before="<chord/>")
    second = "<backup><duration>8</duration></backup>" + note("C", 8, octave=3)
    late = "<backup><duration>2</duration></backup><forward><duration>1</duration></forward>" + note("B", 1)
    song, losses = read_sheet(score(stack + note("A", 4) + second, note("C", 8) + late))
    assert heard(song) == [(0, 2, 67), (2, 2, 69), (4, 3.5, 60), (7.5, 0.5, 71)]
    assert losses["notes below the melody line dropped"] == 3


def test_quarter_tones_and_accidentals() -> None:
    song = read_musicxml(score(note("B", 2, alter=-2) + note("C", 2, alter=-1) + note("F", 4, alter=1)))
    assert [n.pitch for n in song.notes] == [69, 59, 66]


def test_pickup_and_irregular_bars() -> None:
    song = read_musicxml(score(note("C", 2), note("D", 8), note("E", 10), note("F", 6), note("G", 8)))
    assert [m.onset for m in song.meters] == [1, 10, 13]
    assert song.pickup == 1
    assert read_musicxml(score(note("C", 8), note("D", 2))).pickup == 0


def test_two_short_bars_that_make_one_are_one() -> None:
    song = read_musicxml(score(note("C", 8), note("D", 6), note("E", 2), note("F", 8)))
    assert [m.onset for m in song.meters] == [0]


def test_a_bar_rest_fills_the_bar_whatever_its_duration_says() -> None:
    waltz = ATTRIBUTES.replace("<beats>4", "<beats>3")
    bar_rest = '<note><rest measure="yes"/><duration>8</duration></note>'
    assert heard(read_musicxml(score(bar_rest, "", note("C", 6), attributes=waltz))) == [(6, 3, 60)]


@pytest.mark.parametrize(
    ("time", "meter"),
    [
        ("<beats>6</beats><beat-type>8</beat-type>", "6/8"), ("<beats>3+2</beats><beat-type>8</beat-type>", "5/8"),
        ("<beats>3</beats><beat-type>4</beat-type><beats>1</beats><beat-type>8</beat-type>", "7/8"),
    ],
)  # fmt: skip
def test_metres(time: str, meter: str) -> None:
    attributes = f"<attributes><divisions>2</divisions><time>{time}</time></attributes>"
    assert str(read_musicxml(score(note("C", 6), attributes=attributes)).meters[0]) == meter


def test_a_missing_metre_is_told_from_the_bars() -> None:
    song = read_musicxml(
        score(note("C", 6), note("D", 6), attributes="<attributes><divisions>2</divisions></attributes>")
    )
    assert str(song.meters[0]) == "3/4"
    assert "3/4" in song.remarks[0]


def test_impossible_metres_are_an_error() -> None:
    for bad in ("0", "999", "-4", "x"):
        with pytest.raises(SidemanError):
            read_musicxml(score(note("C", 8), attributes=ATTRIBUTES.replace("<beats>4", f"<beats>{bad}")))
    with pytest.raises(SidemanError):
        read_musicxml(score(note("C", 8), attributes=ATTRIBUTES.replace("<beat-type>4", "<beat-type>0")))


def test_tempi_from_sounds_and_metronomes() -> None:
    metronome = (
        "<direction><direction-type><metronome><beat-unit>quarter</beat-unit><beat-unit-dot/>"
        "<per-minute>ca. 60</per-minute></metronome></direction-type>{}</direction>"
    )
    song = read_musicxml(
        score(metronome.format(""), note("C", 4) + '<sound tempo="72.5"/>' + note("D", 4),
              metronome.format('<offset>4</offset><sound tempo="100"/>') + note("E", 8), note("F", 8))
    )  # fmt: skip
    assert [(t.onset, t.bpm) for t in song.tempos] == [(0, 90), (6, 72.5), (10, 100)]
    assert read_musicxml(score(note("C", 8))).bpm == 120


def test_keys_and_modes() -> None:
    change = "<attributes><key><fifths>-3</fifths><mode>minor</mode></key></attributes>"
    song = read_musicxml(score(note("C", 8), note("D", 4) + change + note("E", 4)))
    assert [(k.onset, k.key.name) for k in song.keys] == [(0, "C major"), (6, "C minor")]


def test_transposing_parts_sound_where_they_sound() -> None:
    clarinet = ATTRIBUTES.replace(
        "</attributes>",
        "<transpose><chromatic>-2</chromatic><octave-change>-1</octave-change></transpose></attributes>",
    )
    song = read_musicxml(score(harmony("D", "dominant") + note("D", 8), attributes=clarinet))
    assert heard(song) == [(0, 4, 48)]
    assert symbols(song) == [(0, 4, "C7")]
    assert song.key is not None
    assert song.key.name == "Bb major"


def test_a_chord_lasts_until_the_next_and_may_stand_inside_a_note() -> None:
    first = harmony("C") + harmony("F", "major", "<offset>4</offset>") + note("C", 8)
    song = read_musicxml(score(first, note("D", 8), note("E", 2) + harmony("G", "dominant") + note("F", 6)))
    assert symbols(song) == [(0, 2, "C"), (2, 7, "F"), (9, 3, "G7")]


def test_chords_heaped_on_one_note_share_it() -> None:
    heap = harmony("C") + harmony("A", "dominant") + harmony("D", "minor")
    song, losses = read_sheet(score(heap + note("C", 8), harmony("G") + harmony("C") + note("D", 2) + note("E", 6)))
    assert symbols(song) == [(0, 2, "C"), (2, 1, "A7"), (3, 1, "Dm"), (4, 0.5, "G"), (4.5, 3.5, "C")]
    assert losses["chords at one place spread over their note"] == 2


def test_no_chord_as_kind_and_as_words() -> None:
    song = read_musicxml(
        score(harmony("C") + note("C", 4) + words("N.C.") + note("D", 4), harmony("G") + note("E", 4)
              + harmony("C", "none") + note("F", 4), words("G7(b9)") + note("F", 8))
    )  # fmt: skip
    assert symbols(song) == [(0, 2, "C"), (4, 2, "G"), (8, 4, "G7b9")]


def test_unknown_chords_are_counted_not_fatal() -> None:
    song, losses = read_sheet(score(harmony("C", "other", text="???") + harmony("F") + note("C", 8)))
    assert symbols(song) == [(0, 4, "F")]
    assert losses["chord symbols nobody can parse"] == 1


def test_the_part_with_words_and_chords_is_the_melody() -> None:
    lyric = "<lyric><text>la</text></lyric>"
    data = parts(
        ("Flute", part(note("C", 8, octave=6), name="P1")),
        ("Voice", part(harmony("C") + note("E", 8, lyric), name="P2")),
        ("Piano", part(note("C", 8, octave=2), name="P3")),
    )
    song = read_musicxml(data)
    assert heard(song) == [(0, 4, 64)]
    assert song.remarks[0] == "The melody is part 'Voice' of 3 (it has lyrics and it has chord symbols)."


def test_chords_and_signs_of_another_part() -> None:
    lyric = "<lyric><text>la</text></lyric>"
    repeat = barline('<repeat direction="backward"/>')
    data = parts(
        ("Guitar", part(harmony("G") + rest(8) + repeat, name="P1")),
        ("Singer", part(note("D", 8, lyric), name="P2")),
    )
    song = read_musicxml(data)
    assert heard(song) == [(0, 4, 62), (4, 4, 62)]
    assert symbols(song) == [(0, 4, "G"), (4, 4, "G")]
    assert "The chords are those of part 'Guitar'." in song.remarks


def test_timewise_scores_read_the_same() -> None:
    bars = [ATTRIBUTES + harmony("C") + note("C", 8), note("D", 8)]
    timewise = "<score-timewise>" + "".join(f'<measure><part id="P1">{b}</part></measure>' for b in bars)
    partwise = score(harmony("C") + note("C", 8), note("D", 8))
    assert read_musicxml((timewise + "</score-timewise>").encode()) == read_musicxml(partwise)


def test_title_composer_and_encodings() -> None:
    head = "<work><work-title> Où\n es-tu </work-title></work><identification><creator>X</creator></identification>"
    text = score(note("C", 8)).decode().replace("<part-list>", head + "<part-list>", 1)
    for encoding in ("utf-8", "utf-16", "iso-8859-1"):
        declared = text.replace('<?xml version="1.0"?>', f'<?xml version="1.0" encoding="{encoding}"?>')
        song = read_musicxml(declared.encode(encoding))
        assert (song.title, song.composer) == ("Où es-tu", "X")


def test_a_score_of_rests_has_no_notes() -> None:
    assert read_musicxml(score(rest(8))).notes == ()
    with pytest.raises(UnreadableFile):
        read_musicxml(parts())
