"""What is said about a progression is true of it."""

import re

from asking import ODE, span, tune

from sideman.music.pitch import parse_key
from sideman.options.apart import alone, told_by_bars
from sideman.options.explain import Reading, summaries

C = parse_key("C")
SONG = tune(ODE * 2)


def reading(text):
    spans = tuple(span(4.0 * i, 4.0, symbol) for i, symbol in enumerate(text.split()))
    return Reading.of(spans, SONG, C)


def test_keys_numerals_and_tensions():
    found = reading("C F D A7 D G A7 D")
    explanation = found.explanation(SONG, "")
    assert [(key.onset, key.key) for key in explanation.keys] == [(0.0, "C major"), (8.0, "D major")]
    assert [chord.numeral for chord in found.chords()] == ["I", "IV", "I", "V7", "I", "IV", "V7", "I"]
    first = explanation.tensions[0]
    assert (first.onset, first.pitch, first.symbol, first.tension) == (2.0, 65, "C", "11")


def test_what_sets_options_apart():
    rows = [reading(text) for text in ("C F G C C F G C", "Am Dm Em Am Am Dm Em Am", "C E7 A7 D7 G7 B7 E7 C")]
    plain, dark, far = summaries(rows, SONG, 8)
    assert "brighter" in plain or "plainer" in plain or "tonic" in plain
    assert plain.endswith("ends at home from the dominant.")
    assert "darker (100% under minor chords)" in dark
    assert "avoids the tonic (0%)" in dark or "darker" in dark
    assert "leaves the key more (62% of the time)" in far or "richer (75% sevenths and beyond)" in far
    assert len({plain, dark, far}) == 3


def test_one_option_and_none_at_all():
    assert summaries([reading("C G")], SONG, 2) == ["Begins on I, ends open on the dominant."]
    nothing = reading("")
    assert nothing.chords() == []
    assert summaries([nothing], SONG, 2) == ["Begins on nothing, ends away from home."]
    assert [key.key for key in nothing.explanation(SONG, "").keys] == ["C major"]


def test_options_that_are_alike_are_told_apart_by_their_bars():
    texts = ("C F G C C F G C", "C G F C C F G C", "C F G C C G F C", "C G F C C G F C")
    rows = [reading(text) for text in texts]
    found = summaries(rows, SONG, 8)
    assert len(set(found)) == len(rows)
    assert found[0] == "Much like the others but alone has F in bar 2 and F in bar 6, ends at home from the dominant."
    told = [told_by_bars(row.spans, SONG.meters, C) for row in rows]
    for sentence, own in zip(found, told, strict=True):
        bars = {int(bar): name for name, bar in re.findall(r"(\S+) in bar (\d+)", sentence)}
        assert bars.items() <= own.items(), "it says what is there"
        assert sum(bars.items() <= other.items() for other in told) == 1


def test_bars_are_told_with_their_beats():
    song = tune(ODE[:9], 1.0, pickup=1.0)
    spans = (span(0.0, 1.0, "G"), span(1.0, 2.0, "C"), span(3.0, 1.0, "F/A"), span(5.0, 4.0, "Am"))
    told = told_by_bars(spans, song.meters, C)
    assert told == {0: "G", 1: "C, F/A on beat 3, silence on beat 4", 2: "Am"}
    same = [told, told, {0: "G", 1: "C", 2: "Am"}]
    assert alone(same, 0) == ""
    assert alone(same, 2) == "C in bar 1"
    assert alone([{0: "G", 1: "C"}, {0: "D", 1: "C"}], 0) == "G in the pickup"
