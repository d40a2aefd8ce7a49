"""What is said about a progression is true of it."""

from asking import ODE, span, tune

from sideman.music.pitch import parse_key
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
    plain, dark, far = summaries(rows, 8)
    assert "brighter" in plain or "plainer" in plain or "tonic" in plain
    assert plain.endswith("ends at home from the dominant.")
    assert "darker (100% under minor chords)" in dark
    assert "avoids the tonic (0%)" in dark or "darker" in dark
    assert "leaves the key more (62% of the time)" in far or "richer (75% sevenths and beyond)" in far
    assert len({plain, dark, far}) == 3


def test_one_option_and_none_at_all():
    assert summaries([reading("C G")], 2) == ["Begins on I, ends open on the dominant."]
    nothing = reading("")
    assert nothing.chords() == []
    assert summaries([nothing], 2) == ["Begins on nothing, ends away from home."]
    assert [key.key for key in nothing.explanation(SONG, "").keys] == ["C major"]
