"""Melodies and questions for the tests of the options room, and what every answer must be."""

from itertools import combinations

import msgspec
import numpy as np

from sideman.music.chord import Chord
from sideman.music.song import ChordSpan, Meter, Note, Song
from sideman.options.answer import Answer
from sideman.options.choose import LEAST_DIFFERENCE
from sideman.options.offer import offer
from sideman.options.request import Request

ODE = (64, 64, 65, 67, 67, 65, 64, 62, 60, 60, 62, 64, 64, 62, 62, 62)


def tune(pitches=ODE, length=1.0, meter="4/4", start=0.0, pickup=0.0):
    """One note after the other from beat `start` on."""
    notes = tuple(Note(start + i * length, length, pitch) for i, pitch in enumerate(pitches))
    return Song(notes=notes, meters=(Meter.parse(meter, pickup),))


def chord(symbol):
    found = Chord.parse(symbol)
    assert found is not None
    return found


def span(onset, duration, symbol):
    return ChordSpan(onset, duration, chord(symbol))


def ask(song, **choices) -> Answer:
    """The answer, after everything that must hold for all of them was checked."""
    request = Request(song, **choices)
    answer = offer(request)
    check(answer, request)
    return answer


def check(answer, request):
    last = max(note.offset for note in request.melody.notes)
    longest = max(meter.bar_beats for meter in request.melody.meters)
    assert (answer.seed, answer.beats) == (request.seed, last)
    assert 1 <= len(answer.options) <= request.n
    assert [option.rank for option in answer.options] == list(range(1, len(answer.options) + 1))
    scores = [option.score for option in answer.options]
    assert scores == sorted(scores, reverse=True)
    assert len({option.explanation.summary for option in answer.options}) == len(answer.options)
    for option in answer.options:
        assert {"harmony", "fit", "novelty"} <= set(option.scores)
        assert all(0 <= value <= 1 for value in (option.score, option.silence, *option.scores.values()))
        assert option.note_in_chord is None or 0 <= option.note_in_chord <= 1
        at = 0.0
        for each in option.chords:
            assert each.onset >= at - 1e-9
            assert each.duration > 0
            at = each.onset + each.duration
            named = chord(each.symbol)
            assert each.pitches == sorted(each.pitches)
            assert {pitch % 12 for pitch in each.pitches} == set(named.pitch_classes)
            assert each.bass % 12 == named.bass
        end = max(last, request.melody.beats if request.between else 0.0)
        assert at <= end + longest + 1e-9, "nothing after the bar of the last note"
    least = LEAST_DIFFERENCE * (1 - 1e-9)
    for one, other in combinations(answer.options, 2):
        assert difference(one, other, request, last) >= least
    assert (len(answer.options) == request.n) or any("progression" in r or "nothing" in r for r in answer.remarks)
    msgspec.json.decode(msgspec.json.encode(answer), type=Answer)


def masks(option, beats):
    """Pitch-class set of the chord in the middle of every 16th, 0 for none."""
    out = np.zeros(round(4 * beats), np.int64)
    for each in option.chords:
        middle = np.arange(len(out)) / 4 + 0.125
        inside = (middle >= each.onset) & (middle < each.onset + each.duration)
        out[inside] = chord(each.symbol).pitch_class_mask
    return out


def difference(one, other, request, beats):
    """Share of the frames asked for in which two options differ in pitch-class set."""
    end = max([beats, *(each.onset + each.duration for each in (*one.chords, *other.chords))])
    start = np.arange(round(4 * end)) / 4
    open_ = np.ones(len(start), np.bool_)
    for kept in request.keep:
        open_ &= (start + 0.25 <= kept.onset + 1e-6) | (start >= kept.offset - 1e-6)
    if request.between:
        open_ &= (start >= request.between[0] - 1e-6) & (start + 0.25 <= request.between[1] + 1e-6)
    return (masks(one, end) != masks(other, end))[open_].mean()


def symbols(answer):
    return [[(each.onset, each.duration, each.symbol) for each in option.chords] for option in answer.options]


def spans(option):
    return [(each.onset, each.duration, chord(each.symbol)) for each in option.chords]
