"""Written sheets: they say the same when read back, and are laid out as the schema and musicians expect."""

import math
from fractions import Fraction
from itertools import pairwise
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sideman.formats.musicxml import read_musicxml
from sideman.formats.musicxml_write import write_musicxml
from sideman.formats.notation import VALUES, Event, notate, snap_beat
from sideman.music.chord import Chord
from sideman.music.pitch import Key
from sideman.music.song import ChordSpan, KeyChange, Meter, Note, Song, Tempo

METERS = ("4/4", "3/4", "6/8", "2/2", "2/4", "12/8", "9/8", "5/4", "7/8", "3/8")
GRID = st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(1, 3), Fraction(1, 6)])
CHORDS = st.builds(Chord, st.integers(0, 11), st.integers(0, 2047).map(lambda m: 2 * m + 1), st.integers(0, 11))
KEYS = st.builds(Key, st.integers(0, 11), st.sampled_from(["major", "minor"]))


def chord(symbol: str) -> Chord:
    found = Chord.parse(symbol)
    assert found is not None
    return found


@st.composite
def songs(draw: st.DrawFn) -> Song:
    """Songs as a reader of any format makes them: bars regular, times on a grid that may change every beat."""
    meter = Meter.parse(draw(st.sampled_from(METERS)))
    pickup = draw(st.sampled_from([0.0, 0.5, 1.0]))
    pickup = pickup if pickup < meter.bar_beats else 0.0
    meters = [Meter(pickup, meter.numerator, meter.denominator)]
    if draw(st.booleans()):
        other = Meter.parse(draw(st.sampled_from([m for m in METERS if m != str(meter)])))
        at = pickup + 2 * meter.bar_beats
        meters.append(Meter(at, other.numerator, other.denominator))
    times: list[Fraction] = []
    for beat in range(draw(st.integers(1, 14))):
        step = draw(GRID)
        steps = draw(st.sets(st.integers(0, int(1 / step) - 1)))
        times += [beat + k * step for k in sorted(steps)]
    times.append(Fraction(15))
    notes, chords = [], []
    for start, stop in pairwise(times):
        if draw(st.booleans()):
            notes.append(Note(float(start), float(stop) - float(start), draw(st.integers(0, 127))))
        if draw(st.integers(0, 3)) == 0:
            chords.append((start, draw(CHORDS)))
    ends = [float(start) for start, _ in chords[1:]] + [15.0] * bool(chords)
    keys = [KeyChange(0.0, draw(KEYS))] if draw(st.booleans()) else []
    return Song(
        notes=tuple(notes),
        chords=tuple(ChordSpan(float(s), e - float(s), c) for (s, c), e in zip(chords, ends, strict=True)),
        meters=tuple(meters),
        keys=tuple(keys),
        tempos=(Tempo(0.0, draw(st.integers(40, 240)) / 2),),
        title=draw(st.text(alphabet="aé<&>' 0", max_size=8)),
    )


def same(a: Song, b: Song) -> None:
    assert [n.pitch for n in a.notes] == [n.pitch for n in b.notes]
    assert [c.chord for c in a.chords] == [c.chord for c in b.chords]
    for one, two in zip([*a.notes, *a.chords], [*b.notes, *b.chords], strict=True):
        assert one.onset == pytest.approx(two.onset, abs=1e-9)
        assert one.duration == pytest.approx(two.duration, abs=1e-9)
    assert a.keys == b.keys
    assert a.tempos == b.tempos
    assert " ".join(a.title.split()) == b.title


@settings(max_examples=60, deadline=None)
@given(songs())
def test_reading_back_gives_the_song(song: Song) -> None:
    data = write_musicxml(song)
    back = read_musicxml(data)
    same(song, back)
    assert back.meters == song.meters
    check_layout(fromstring(data))


# The order of children the schema prescribes, and those that may not be missing.
ORDER = {
    "note": "pitch rest duration tie voice type dot accidental time-modification notations",
    "harmony": "root kind inversion bass degree offset", "attributes": "divisions key time clef",
    "direction": "direction-type offset sound", "key": "fifths mode", "time": "beats beat-type",
    "pitch": "step alter octave", "degree": "degree-value degree-alter degree-type",
    "time-modification": "actual-notes normal-notes normal-type",
    "score-partwise": "work identification part-list part",
    "root": "root-step root-alter", "bass": "bass-step bass-alter", "clef": "sign line",
    "metronome": "beat-unit per-minute",
}  # fmt: skip
REQUIRED = {"note": ["duration"], "harmony": ["root", "kind"], "score-partwise": ["part-list", "part"], "degree":
    ["degree-value", "degree-alter", "degree-type"], "time-modification": ["actual-notes", "normal-notes"]}  # fmt: skip


def check_layout(root: Element) -> None:
    """Schema order; every bar as long as its symbols; each value as long as its duration; ties in pairs."""
    for element in root.iter():
        if element.tag in ORDER:
            order = ORDER[element.tag].split()
            places = [order.index(child.tag) for child in element]
            assert places == sorted(places), element.tag
            assert all(element.find(tag) is not None for tag in REQUIRED.get(element.tag, []))
    divisions = Fraction(root.findtext(".//divisions", ""))
    names = {name: value for value, name in VALUES.items()}
    open_ties = 0
    for measure in root.iter("measure"):
        assert measure.findall("note")
        depth = 0
        for note in measure.findall("note"):
            length = Fraction(note.findtext("duration", "")) / divisions
            assert length > 0
            if note.find("type") is not None:
                value = names[note.findtext("type", "")] * (Fraction(3, 2) if note.find("dot") is not None else 1)
                change = note.find("time-modification")
                if change is not None:
                    value *= Fraction(change.findtext("normal-notes", "")) / int(change.findtext("actual-notes", "1"))
                assert value == length
            else:
                assert note.find("rest") is not None
            kinds = [tie.get("type") for tie in note.findall("tie")]
            assert kinds == [tied.get("type") for tied in note.findall("notations/tied")]
            assert (open_ties == 1) == ("stop" in kinds)
            open_ties = int("start" in kinds)
            for bracket in note.findall("notations/tuplet"):
                depth += 1 if bracket.get("type") == "start" else -1
                assert depth in (0, 1)
        assert depth == 0
    assert open_ties == 0


def exact(time: float) -> Fraction:
    return Fraction(time).limit_denominator(48)


def values(*events: tuple[float, float], length: float = 4, pulse: float = 1, rest: bool = False) -> list[str]:
    filled = [Event(exact(a), exact(b), None if rest else 60) for a, b in events]
    return [
        VALUES[s.value] + "." * s.dots + (f"*{s.tuplet.actual}:{s.tuplet.normal}" if s.tuplet else "")
        for s in notate(filled, Fraction(length), Fraction(pulse))
    ]


def test_values_show_the_beat() -> None:
    assert values((0, 4)) == ["whole"]
    assert values((0, 1.5), (1.5, 2), (2, 4)) == ["quarter.", "eighth", "half"]
    assert values((0, 1.5), (1.5, 3.5), (3.5, 4)) == ["quarter.", "eighth", "quarter.", "eighth"]
    assert values((0, 0.5), (0.5, 1.5), (1.5, 4)) == ["eighth", "quarter", "eighth", "half"]
    assert values((0, 2.5), (2.5, 3), length=3, pulse=1.5) == ["quarter.", "quarter", "eighth"]
    assert values((1, 4), rest=True) == ["quarter", "half"]


def test_tuplets_are_as_wide_as_they_can_be() -> None:
    third = 1 / 3
    assert values((0, third), (third, 2 * third), (2 * third, 1), (1, 4)) == ["eighth*3:2"] * 3 + ["half."]
    assert values((0, 2 * third), (2 * third, 4 * third), (4 * third, 2), (2, 4)) == ["quarter*3:2"] * 3 + ["half"]
    assert values((0, 2 * third), (2 * third, 1), (1, 4)) == ["quarter*3:2", "eighth*3:2", "half."]
    fifths = [(k / 5, (k + 1) / 5) for k in range(5)]
    assert values(*fifths, (1, 4)) == ["16th*5:4"] * 5 + ["half."]


def test_times_of_a_beat_share_the_plainest_division_that_fits() -> None:
    assert snap_beat([0.0, 0.25, 0.5]) == [0, Fraction(1, 4), Fraction(1, 2)]
    assert snap_beat([0.3333, 0.6667]) == [Fraction(1, 3), Fraction(2, 3)]
    assert snap_beat([2.2, 2.4, 2.8]) == [Fraction(11, 5), Fraction(12, 5), Fraction(14, 5)]
    assert snap_beat([0.02, 0.27, 0.49]) == [0, Fraction(1, 4), Fraction(1, 2)]  # played, not written
    assert snap_beat([0.02, 0.31, 0.66]) == [0, Fraction(1, 3), Fraction(2, 3)]
    assert len(set(snap_beat([0.01, 0.11, 0.23, 0.31, 0.46, 0.55]))) == 6


def test_a_pickup_a_cadence_and_their_chords() -> None:
    song = Song(
        notes=(Note(0, 1, 67), Note(1, 3, 60), Note(4, 2, 61)),
        chords=(ChordSpan(1, 2, chord("C")), ChordSpan(3, 1, chord("Bb7/D")), ChordSpan(4, 2, chord("Gm7b5"))),
        meters=(Meter(1, 3, 4),),
        keys=(KeyChange(0, Key(5)),),
        composer="A. Nonymous",
    )
    root = fromstring(write_musicxml(song))
    bars = root.findall(".//measure")
    assert [(b.get("number"), b.get("implicit")) for b in bars] == [("0", "yes"), ("1", None), ("2", None)]
    assert bars[1].findtext("harmony/bass/bass-step") == "D"
    second = bars[1].findall("harmony")[1]
    assert (second.findtext("root/root-step"), second.findtext("root/root-alter")) == ("B", "-1")
    assert second.findtext("offset") == str(2 * int(root.findtext(".//divisions", "")))
    assert bars[2].findtext("note/accidental") == "flat"
    assert sum(int(n.findtext("duration", "")) for n in bars[2].iter("note")) == 2 * int(
        root.findtext(".//divisions", "")
    )
    assert read_musicxml(write_musicxml(song)) == song


def test_accidentals_stand_where_the_signature_or_the_bar_says_otherwise() -> None:
    notes = [Note(k / 2, 0.5, p) for k, p in enumerate((66, 65, 65, 66, 78, 77, 72, 73, 66, 65))]
    song = Song(notes=tuple(notes), keys=(KeyChange(0, Key(7)),))
    found = [n.findtext("accidental") for n in fromstring(write_musicxml(song)).iter("note") if n.find("rest") is None]
    assert found == [None, "natural", None, "sharp", None, "natural", None, "sharp", None, "natural"]


def test_chords_alone_are_bars_of_rest() -> None:
    song = Song(chords=(ChordSpan(0, 2, chord("Am7")), ChordSpan(2.5, 5.5, chord("D9sus4"))))
    root = fromstring(write_musicxml(song))
    assert [n.find("rest").get("measure") for n in root.iter("note")] == ["yes", "yes"]  # type: ignore[union-attr]
    assert [h.findtext("kind") for h in root.iter("harmony")][:2] == ["minor-seventh", "none"]
    assert read_musicxml(write_musicxml(song)) == song


def test_an_empty_song_is_one_bar_of_rest() -> None:
    root = fromstring(write_musicxml(Song(title="a\x00\x0b\ud800b")))
    assert root.findtext("work/work-title") == "ab"
    assert len(root.findall(".//measure")) == 1
    assert read_musicxml(write_musicxml(Song())).notes == ()


def test_key_and_tempo_changes_inside_bars() -> None:
    song = Song(
        notes=(Note(0, 2, 60), Note(2, 2, 61), Note(4, 4, 60)),
        keys=(KeyChange(0, Key(0)), KeyChange(2, Key(1, "minor")), KeyChange(4, Key(7))),
        tempos=(Tempo(0, 90), Tempo(3, 140.5)),
    )
    assert read_musicxml(write_musicxml(song)) == song


def test_played_times_are_brought_to_values_one_can_read() -> None:
    notes = tuple(Note(k * 0.317 + 0.013, 0.3, 60 + k % 12) for k in range(60))
    song = Song(notes=notes, chords=(ChordSpan(0.013, 19.1, chord("C")),))
    data = write_musicxml(song)
    check_layout(fromstring(data))
    back = read_musicxml(data)
    assert len(back.notes) == len(notes)
    assert all(math.isclose(a.onset, b.onset, abs_tol=1 / 6) for a, b in zip(notes, back.notes, strict=True))


def test_a_notation_program_draws_it() -> None:
    verovio = pytest.importorskip("verovio", reason="needs verovio: pip install 'sideman[score]'")
    song = Song(
        notes=(*(Note(k / 3, 1 / 3, 60 + k) for k in range(12)), Note(4, 5, 72)),
        chords=(ChordSpan(0, 4, chord("Cmaj7")), ChordSpan(4, 2, chord("F#7b9")), ChordSpan(6, 3, chord("Bb/D"))),
        title="Sheet",
    )
    toolkit = verovio.toolkit()
    assert toolkit.loadData(write_musicxml(song).decode())
    mei, svg = toolkit.getMEI(), toolkit.renderToSVG(1)
    assert mei.count("<harm ") == 4
    assert mei.count("<tuplet ") == 4
    assert mei.count("<measure ") == 3
    assert svg.count('class="note"') == 14  # the last one tied over the bar line
