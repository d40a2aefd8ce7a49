"""Each dial does what it says, whatever the network: here networks that know no music."""

from dataclasses import replace

import pytest
from asking import ODE, ask, chord, span, spans, symbols, tune

from sideman.music.cadence import TARGETS
from sideman.music.pitch import parse_key
from sideman.music.roman import in_key
from sideman.music.song import KeyChange
from sideman.options.bass_line import smoothness_of
from sideman.options.likeness import Style, read_chart

pytestmark = pytest.mark.usefixtures("tiny_home")

IN_C = replace(tune(), keys=(KeyChange(0.0, parse_key("C")),))
KEPT = (span(4.0, 2.0, "F#13"), span(6.0, 2.0, "Ebmaj9/G"))


def chords(answer, kept=()):
    """The chords of each option that were not kept."""
    given = {(k.onset, k.duration) for k in kept}
    return [[each for at, long, each in spans(option) if (at, long) not in given] for option in answer.options]


@pytest.mark.parametrize(
    ("complexity", "sizes"), [("triads", {1, 2, 3}), ("sevenths", {4}), ("extensions", {4, 5, 6, 7})]
)
def test_complexity(complexity, sizes):
    answer = ask(IN_C, complexity=complexity, keep=KEPT, n=3)
    found = [each for row in chords(answer, KEPT) for each in row]
    named = [each for each in found if {3, 4} & set(each.tones) and 7 in each.tones]
    assert named
    assert {len(each.tones) for each in named} <= sizes
    if complexity == "triads":
        assert {len(each.tones) for each in found} <= sizes
        assert all(1 << each.bass_interval & each.mask for each in found)


def test_the_key_is_locked():
    answer = ask(IN_C, key="lock", keep=KEPT, n=3)
    assert all(in_key(each, parse_key("C")) for row in chords(answer, KEPT) for each in row)
    for option in answer.options:
        assert option.explanation.keys[0].key == "C major"


@pytest.mark.parametrize("dials", [{"complexity": "extensions"}, {"like": read_chart("C7#9 | F#13 | Dm11")}], ids=str)
def test_colours_stay_in_a_locked_key(dials):
    for key in ("C", "Am"):
        song = replace(tune(), keys=(KeyChange(0.0, parse_key(key)),))
        for row in chords(ask(song, key="lock", bass=1.0, n=2, **dials)):
            assert all(in_key(each, parse_key(key)) for each in row)


def test_the_lock_follows_a_melody_that_modulates():
    song = replace(IN_C, keys=(*IN_C.keys, KeyChange(8.0, parse_key("E"))))
    for option in ask(song, key="lock", n=2).options:
        for at, _, each in spans(option):
            assert in_key(each, parse_key("C" if at < 8.0 else "E"))


@pytest.mark.parametrize("cadence", TARGETS)
@pytest.mark.parametrize("key", ["C", "Am", "F#"])
def test_cadences(cadence, key):
    answer = ask(replace(tune(), keys=(KeyChange(0.0, parse_key(key)),)), cadence=cadence, n=3)
    assert [option.explanation.cadence for option in answer.options] == [cadence] * 3
    assert not answer.remarks


def test_a_cadence_within_the_key_and_with_triads():
    answer = ask(IN_C, cadence="authentic", key="lock", complexity="triads", n=2)
    for row in symbols(answer):
        assert [each[2] for each in row][-1] == "C"
        assert next(each[2] for each in reversed(row) if not each[2].startswith("C")).startswith("G")


def test_a_given_end_leaves_no_room_for_a_cadence_and_that_is_said():
    answer = ask(IN_C, cadence="authentic", keep=(span(8.0, 8.0, "F#m"),), n=2)
    assert "2 of 2 end otherwise" in answer.remarks[-1]


def test_one_bar_is_room_for_a_cadence():
    song = replace(tune(ODE[:4]), keys=(KeyChange(0.0, parse_key("C")),))
    assert all(o.explanation.cadence == "authentic" for o in ask(song, cadence="authentic", n=2).options)


@pytest.mark.parametrize("cadence", TARGETS)
def test_a_note_is_no_room_for_two_chords(cadence):
    song = replace(tune([60]), keys=(KeyChange(0.0, parse_key("C")),))
    found = {option.explanation.cadence for option in ask(song, cadence=cadence, n=2).options}
    assert found <= {cadence, "tonic", "open", "half"}


def test_as_many_changes_of_key_as_there_are_frames():
    changes = tuple(KeyChange(i / 4, parse_key("C" if i % 2 else "E")) for i in range(4096))
    assert ask(replace(tune(), keys=changes), key="lock", complexity="triads", n=1).options


def test_the_bass():
    def line(bass):
        return chords(ask(tune(ODE * 2), bass=bass, n=3))

    roots, smooth = line(0.0), line(1.0)
    assert all(each.bass == each.root for row in roots for each in row)
    assert all(row[-1].bass == row[-1].root for row in smooth)
    own = [[replace(each, bass=each.root) for each in row] for row in smooth]
    assert sum(smoothness_of(row, 1.0) for row in smooth) > sum(smoothness_of(row, 1.0) for row in own)


def test_kept_chords_keep_their_bass_and_their_colour():
    answer = ask(IN_C, bass=0.0, complexity="triads", key="lock", keep=KEPT, n=2)
    for option in answer.options:
        assert {(4.0, 2.0, chord("F#13")), (6.0, 2.0, chord("Ebmaj9/G"))} <= set(spans(option))


def test_dials_in_a_part_leave_the_rest_alone():
    own = tuple(span(4.0 * i, 4.0, symbol) for i, symbol in enumerate(["Cmaj9", "F13", "G7b9", "C6/9"]))
    song = replace(IN_C, chords=own)
    for row in symbols(ask(song, between=(4.0, 12.0), complexity="triads", bass=0.0, cadence="half", n=2)):
        assert row[0] == (0.0, 4.0, "Cmaj9")
        assert row[-1] == (12.0, 4.0, "C6/9")


@pytest.mark.parametrize("surprise", [0.0, 1.0])
def test_surprise_keeps_the_contract(surprise):
    answer = ask(tune(), surprise=surprise, n=3)
    assert all("surprise" in option.scores for option in answer.options)


def test_like_takes_kinds_and_density():
    style = read_chart("Dm9 . G13 . | Cmaj9 . A7b9 .")
    answer = ask(tune(ODE * 2), like=style, n=3)
    plain = ask(tune(ODE * 2), n=3)

    def likeness(answer):
        rows = chords(answer)
        return sum(style.likeness(Style.of(row, 8.0)) for row in rows) / len(rows)

    assert likeness(answer) > likeness(plain)


def test_everything_at_once_on_a_melody_longer_than_the_window():
    song = replace(tune((ODE * 6)[:80]), keys=(KeyChange(0.0, parse_key("C")),))
    answer = ask(
        song,
        complexity="sevenths",
        bass=0.7,
        key="lock",
        cadence="plagal",
        like=read_chart("C | F G"),
        surprise=0.3,
        n=2,
    )
    assert all(option.explanation.cadence == "plagal" for option in answer.options)


@pytest.mark.parametrize("model", ["offline", "online"])
def test_dials_reach_each_kind_of_model(model):
    answer = ask(IN_C, model=model, key="lock", complexity="triads", n=2)
    assert all(in_key(each, parse_key("C")) and len(each.tones) <= 3 for row in chords(answer) for each in row)


def test_a_chart_is_read():
    assert read_chart("Dm7 G7 | %").density == 2.0
    style = read_chart("Dm7 | G7 . C . | . | N.C.")
    assert style.density == pytest.approx(1.0)  # three chords in three bars; the fourth is silent
    assert sum(style.motions) == pytest.approx(1)
    assert style.motions[5] == pytest.approx(1), "fourths up throughout"
