"""Other chords for one place: ranked, different, explained, and within what was asked."""

from dataclasses import replace

import pytest
from asking import ODE, chord, span, tune

from sideman.errors import EmptyMelody, TooLarge, UnknownModel, WrongValue
from sideman.music.pitch import parse_key
from sideman.music.roman import in_key
from sideman.music.song import KeyChange, Song
from sideman.options.alternatives import A_ROOT, Place, alternatives
from sideman.options.dials import is_within

pytestmark = pytest.mark.usefixtures("tiny_home")

SONG = replace(tune(), keys=(KeyChange(0.0, parse_key("C")),))
CHORDS = tuple(span(4.0 * i, 4.0, symbol) for i, symbol in enumerate(["C", "F", "G7", "C"]))


@pytest.mark.parametrize(("onset", "index"), [(0.0, 0), (4.0, 1), (7.9, 1), (12.0, 3)])
def test_contract(onset, index):
    answer = alternatives(Place(SONG, CHORDS, onset))
    now = CHORDS[index]
    assert (answer.key, answer.chord.symbol, answer.chord.onset) == ("C major", now.chord.name(), now.onset)
    assert len(answer.alternatives) == 8
    assert [each.rank for each in answer.alternatives] == list(range(1, 9))
    scores = [each.score for each in answer.alternatives]
    assert scores == sorted(scores, reverse=True)
    found = [chord(each.symbol) for each in answer.alternatives]
    assert len({each.pitch_class_mask for each in (*found, now.chord)}) == 9, "all sound different"
    assert all([each.root for each in found].count(root) <= A_ROOT for root in range(12))
    for each, named in zip(answer.alternatives, found, strict=True):
        assert (each.onset, each.duration) == (now.onset, now.duration)
        assert {pitch % 12 for pitch in each.pitches} == set(named.pitch_classes)
        assert each.voicing[0] % 12 == named.bass
        assert each.reason.startswith(f"{each.symbol} ({each.numeral}) ")
        assert each.reason.endswith(".")
        assert bool(each.tensions) == ("sings" in each.reason)


@pytest.mark.parametrize("complexity", ["triads", "sevenths", "extensions"])
def test_dials(complexity):
    answer = alternatives(Place(SONG, CHORDS, 4.0, n=16, complexity=complexity, key="lock"))
    found = [chord(each.symbol) for each in answer.alternatives]
    assert found
    assert all(is_within(each, complexity) and in_key(each, parse_key("C")) for each in found)


@pytest.mark.parametrize(
    ("melody", "row", "keys"),
    [
        ((64, 65), "C F", ("C major", "F major")),
        ((60, 60), "Cm Fm", ("C minor",)),
        ((60, 62, 67, 60), "C7 F7 C7 G7", ("C major",)),
    ],
)
def test_a_key_that_is_not_given_is_that_of_the_chords(melody, row, keys):
    chords = tuple(span(4.0 * i, 4.0, symbol) for i, symbol in enumerate(row.split()))
    assert alternatives(Place(tune(melody, 4.0), chords, 4.0)).key in keys


def test_a_key_that_is_given_holds_where_it_is_given():
    changes = (KeyChange(0.0, parse_key("C")), KeyChange(8.0, parse_key("Ab")))
    found = [alternatives(Place(replace(SONG, keys=changes), (*CHORDS[:2], span(8.0, 8.0, "Eb7")), at)).key
             for at in (4.0, 8.0)]  # fmt: skip
    assert found == ["C major", "Ab major"]


def test_reasons():
    def reasons(row):
        chords = tuple(span(4.0 * i, 4.0, symbol) for i, symbol in enumerate(row.split()))
        answer = alternatives(Place(SONG, chords, 4.0, n=16))
        return {each.symbol: each.reason for each in answer.alternatives}

    found = reasons("C F G7 C")
    assert "shares D and F" in "".join(found.values()) or "shares F and A" in "".join(found.values())
    assert any("falls a fifth to G7" in reason for reason in found.values())
    assert any("keeps the root of F" in reason for reason in found.values())


@pytest.mark.parametrize(
    "place",
    [
        Place(tune((ODE * 40)[:600]), tuple(span(2.0 * i, 2.0, "C") for i in range(300)), 500.0),
        Place(SONG, (span(0.0, 16.0, "C"),), 3.0),
        Place(SONG, (span(0.1, 1.3, "C"), span(15.75, 0.25, "Galt")), 15.8),
        Place(Song(tune([60], 1024.0).notes), (span(0.0, 1024.0, "C"),), 3.0),
        Place(SONG, (*CHORDS, span(16.0, 8.0, "Am")), 20.0),
        Place(SONG, CHORDS, 4.0, model="online"),
    ],
    ids=["long", "all", "a 16th", "one chord of 256 bars", "after the melody", "online model"],
)
def test_any_place(place):
    assert alternatives(place).alternatives


@pytest.mark.parametrize(
    ("place", "error", "message"),
    [
        (Place(SONG, CHORDS, 16.0), WrongValue, "no chord sounds at beat 16"),
        (Place(SONG, CHORDS[1:], 2.0), WrongValue, "no chord sounds at beat 2"),
        (Place(SONG, (), 0.0), WrongValue, "no chord"),
        (Place(Song(), CHORDS, 0.0), EmptyMelody, "no notes"),
        (Place(tune(ODE * 157), CHORDS, 0.0), TooLarge, "2512 beats"),
        (Place(SONG, CHORDS, 0.0, n=0), WrongValue, "n is 0"),
        (Place(SONG, CHORDS, 0.0, model="nobody"), UnknownModel, "nobody"),
    ],
)
def test_refused(place, error, message):
    with pytest.raises(error, match=message):
        alternatives(place)
