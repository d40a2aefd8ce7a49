"""With the weights a user gets: what the choices do to the music, and that there is music at all."""

import statistics
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from asking import ODE, ask, span, spans, tune

from sideman.engine.models import find_model, open_model
from sideman.engine.speculate import Melody, score
from sideman.errors import UnknownModel
from sideman.formats.load import load_song
from sideman.music.frames import encode
from sideman.music.pitch import parse_key
from sideman.music.roman import in_key
from sideman.music.song import ChordSpan
from sideman.options.likeness import Style, read_chart
from sideman.options.plan import make_plan
from sideman.options.request import Request

SONG = tune(ODE * 2)  # eight bars of 4/4
GREEN = load_song(Path(__file__).parents[2] / "examples" / "greensleeves.mid")


@pytest.fixture(autouse=True)
def weights():
    try:
        find_model(None)
    except UnknownModel:
        pytest.skip("no weights ship yet, and none are in the home")


@cache
def plain():
    """What nobody turned a dial for."""
    return ask(GREEN)


def test_the_melody_fits_its_chords():
    answer = ask(SONG)
    assert len(answer.options) == 5
    assert answer.remarks == []
    assert statistics.mean(option.note_in_chord for option in answer.options) > 0.6
    assert all(option.silence <= 0.1 for option in answer.options)


def test_density_steers():
    def per_bar(density):
        return [len(option.chords) / 8 for option in ask(SONG, density=density).options]

    few, many = per_bar(1.0), per_bar(4.0)
    assert statistics.mean(few) < 1.6
    assert statistics.mean(many) > 1.5 * statistics.mean(few)


def test_the_safest_is_safe():
    safe, hot = ask(SONG, temperature=0.0, n=3), ask(SONG, temperature=3.0, n=3)
    assert statistics.mean(o.note_in_chord for o in safe.options) > statistics.mean(
        o.note_in_chord for o in hot.options
    )


@pytest.mark.parametrize(
    "song", [tune(ODE * 2, 0.5, "6/8"), tune(ODE * 2, meter="3/4", pickup=1.0)], ids=["6/8", "3/4"]
)
def test_chords_begin_where_bars_do(song):
    """Most chords start on a bar line of the metre at hand, not on that of another one."""
    bar, pickup = song.meters[0].bar_beats, song.pickup
    onsets = [each.onset for option in ask(song).options for each in option.chords]
    assert statistics.mean((onset - pickup) % bar == 0 for onset in onsets) > 0.5


def test_what_is_kept_is_heard_by_the_rest():
    """Chords no list has, in the middle of bars: kept to the letter, with music around them."""
    keep = (span(5.0, 1.0, "Calt"), span(6.0, 2.0, "F#m7b5"), span(30.0, 2.0, "C"))
    for option in ask(SONG, keep=keep).options:
        assert {(k.onset, k.duration, k.chord) for k in keep} <= set(spans(option))
        assert option.silence <= 0.2


def log_likelihood(song, answer):
    """Mean log-probability a frame of the options under the model that ships."""
    bundle = open_model(find_model(None))
    plan = make_plan(Request(song))
    melody, _ = bundle.vocabulary.encode(plan.frames)
    prepared = Melody.prepare(bundle, melody.astype(np.int64), plan.frames.form)
    rows = [
        bundle.vocabulary.encode(
            encode(replace(song, chords=tuple(ChordSpan(*each) for each in spans(o))), len(melody))
        )
        for o in answer.options
    ]
    return score(bundle, prepared, np.stack([chords for _, chords in rows]).astype(np.int64)).mean()


def test_surprise_is_what_the_model_does_not_expect():
    answers = dull, _, wild = [ask(GREEN, surprise=dial) for dial in (0.0, 0.5, 1.0)]
    found = [log_likelihood(GREEN, answer) for answer in answers]
    assert min(found[:2]) > 1.3 * found[2]
    assert sum(len(o.chords) for o in wild.options) < 1.5 * sum(len(o.chords) for o in dull.options), "which, not when"


def test_a_smooth_bass_moves_less():
    def motion(bass):
        steps = []
        for option in ask(GREEN, bass=bass).options:
            line = [each.bass for _, _, each in spans(option)]
            steps += [min((b - a) % 12, (a - b) % 12) for a, b in pairwise(line)]
        return statistics.mean(steps)

    rough, usual, smooth = (motion(bass) for bass in (0.0, 0.5, 1.0))
    assert smooth < 0.6 * rough
    assert smooth < usual < rough


def test_a_free_key_leaves_it_more_often():
    def foreign(answer):
        rows = [spans(option) for option in answer.options]
        return statistics.mean(not in_key(each, parse_key("Am")) for row in rows for _, _, each in row)

    assert foreign(ask(GREEN, key="lock")) == 0
    assert foreign(ask(GREEN, key="free")) > 1.3 * foreign(plain()) > 0


def test_richer_chords_still_hold_the_melody():
    triads = statistics.mean(option.note_in_chord for option in ask(GREEN, complexity="triads").options)
    for complexity, tones in (("sevenths", 4), ("extensions", 5)):
        answer = ask(GREEN, complexity=complexity)
        rich = [len(each.tones) >= tones for option in answer.options for _, _, each in spans(option)]
        assert statistics.mean(rich) > 0.8
        assert statistics.mean(option.note_in_chord for option in answer.options) > triads - 0.02


def test_like_an_example():
    style = read_chart("Dm9 | G13 | Cmaj9 | Fmaj7 . E7#9 .")

    def likeness(answer):
        return statistics.mean(
            style.likeness(Style.of([each for _, _, each in spans(option)], GREEN.beats / 3))
            for option in answer.options
        )

    assert likeness(ask(GREEN, like=style)) > likeness(plain()) + 0.1


def test_options_say_what_sets_them_apart():
    answer = plain()
    assert len({option.explanation.summary for option in answer.options}) >= 4
    assert all(option.explanation.keys[0].key == "A minor" for option in answer.options)
