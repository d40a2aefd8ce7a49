"""Chords on MIDI out: struck on their beat, released before the next, and nothing ever hangs."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sideman.jam.cues import ClockOut, CountIn
from sideman.jam.messages import JamChord, Plan, Timings
from sideman.jam.service import Tally
from sideman.jam.sounding import Sounding
from sideman.music.song import Meter

TRIADS = {"C": [48, 52, 55], "F": [48, 53, 57], "G": [50, 55, 59]}


class Synth:
    """What a synthesizer hears. A key struck twice, or released unstruck, is an error."""

    def __init__(self) -> None:
        self.on: set[int] = set()
        self.log: list[tuple[int, int]] = []

    def hear(self, message: bytes) -> None:
        kind, key = message[0] & 0xF0, message[1]
        if kind == 0x90:
            assert key not in self.on
            self.on.add(key)
        elif kind == 0x80:
            self.on.remove(key)
        self.log.append((message[0], key))


def plan(frame: int, frames: int, *chords: tuple[float, float, str, bool], committed: int = 0) -> Plan:
    sounding = [
        JamChord(onset, end - onset, symbol, TRIADS[symbol], TRIADS[symbol][0] - 12, struck)
        for onset, end, symbol, struck in chords
    ]
    return Plan(1, frame, frames, committed, sounding, Timings(0, 0, 0, 0), Tally().figures())


def test_released_before_struck():
    synth = Synth()
    chords = Sounding(synth.hear, channel=2)
    chords.plan(plan(0, 32, (0, 4, "C", True), (4, 6, "F", True)), -1)
    assert chords.next_beat() == 0
    chords.advance(0.0001)
    assert synth.log == [(0x92, 36), (0x92, 48), (0x92, 52), (0x92, 55)]
    assert (chords.now, chords.next_beat()) == ("C", 4)
    chords.advance(3.9)
    assert len(synth.log) == 4
    chords.advance(4)
    assert synth.log[4:8] == [(0x82, 36), (0x82, 48), (0x82, 52), (0x82, 55)]
    assert synth.on == {36, 48, 53, 57}
    chords.advance(6)
    assert synth.on == set()
    assert [(c.onset, c.end, c.symbol) for c in chords.history] == [(0, 4, "C"), (4, 6, "F")]


def test_what_is_taken_up_right_after_a_rest_overlaps_nothing():
    chords = Sounding(Synth().hear)
    chords.plan(plan(0, 32, (0, 4, "C", True)), -1)
    chords.advance(0)
    chords.rest(0.03)
    chords.advance(0.03)
    chords.rest(1)
    assert [(c.onset, c.end) for c in chords.history] == [(0, 0.03), (0.03, 1)]


def test_what_goes_on_is_not_struck_again():
    synth = Synth()
    chords = Sounding(synth.hear, octave=1)
    chords.plan(plan(0, 16, (0, 4, "C", True)), -1)
    chords.advance(1)
    chords.plan(plan(6, 16, (1.5, 5, "C", False), (5, 5.5, "G", True)), 1.25)
    chords.advance(4.5)
    assert synth.on == {48, 60, 64, 67}
    assert len(synth.log) == 4
    chords.plan(plan(16, 16, (4, 8, "C", True)), 4.6)  # too late for its beat: it already sounds
    chords.advance(6)
    assert len(synth.log) == 4


def test_a_late_plan_leaves_what_sounds_alone():
    synth = Synth()
    chords = Sounding(synth.hear)
    chords.plan(plan(0, 16, (0, 4, "C", True)), -1)
    chords.advance(0)
    chords.advance(5)
    assert synth.on == {36, 48, 52, 55}, "the last chord goes on until there is another plan"
    assert chords.next_beat() is None
    chords.plan(plan(12, 16, (3, 7, "F", True)), 5.1)
    assert chords.next_beat() == 5.25, "the first frame that has not begun"
    chords.advance(5.25)
    assert synth.on == {36, 48, 53, 57}


def test_rest_and_take_up_again():
    synth = Synth()
    chords = Sounding(synth.hear, channel=1)
    chords.plan(plan(0, 32, (0, 8, "G", True)), -1)
    chords.advance(0)
    chords.rest(2)
    assert synth.on == set()
    assert synth.log[-2:] == [(0xB1, 64), (0xB1, 123)]
    chords.advance(2.5)
    assert synth.on == {38, 50, 55, 59}
    chords.rest(3)
    assert [(c.onset, c.end) for c in chords.history] == [(0, 2), (2.5, 3)]


SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 12), st.sampled_from(sorted(TRIADS)), st.booleans()), max_size=5
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("plan"), st.integers(0, 40), SPANS),
        st.tuples(st.just("advance"), st.floats(0, 3), st.just([])),
        st.tuples(st.just("rest"), st.floats(0, 3), st.just([])),
    ),
    max_size=30,
)


@given(STEPS)
def test_nothing_hangs_whatever_happens(steps):
    synth, beat = Synth(), 0.0
    chords = Sounding(synth.hear)
    for what, amount, spans in steps:
        if what == "plan":
            made, at = [], amount
            for gap, length, symbol, struck in spans:
                made.append((at / 4, (at + length) / 4, symbol, struck))
                at += length + gap % 4
            sounding = set(synth.on)
            chords.plan(plan(amount, max(16, at - amount), *made), beat)
            assert synth.on == sounding, "a plan alone changes nothing"
        elif what == "advance":
            beat += amount
            chords.advance(beat)
            assert len(synth.on) == (4 if chords.now else 0)
            coming = chords.next_beat()
            assert coming is None or coming > beat
        else:
            chords.rest(beat)
            assert synth.on == set()
    chords.rest(beat)
    assert synth.on == set()
    ends = [(c.onset, c.end) for c in chords.history]
    assert all(end >= onset for onset, end in ends)
    assert all(first[1] <= second[0] + 1e-9 for first, second in pairwise(ends))


def test_a_count_in_clicks_the_pulses():
    synth = Synth()
    clicks = CountIn(synth.hear, Meter(0.0, 6, 8))
    struck = []
    while (beat := clicks.next_beat()) is not None:
        clicks.advance(beat)
        struck += [(beat, key) for key in synth.on]
    assert struck == [(-3, 76), (-1.5, 77)]
    assert synth.on == set()
    assert {status for status, _ in synth.log} == {0x99, 0x89}


def test_a_clock_of_24_ticks():
    sent = []
    clock = ClockOut(sent.append)
    clock.advance(-0.1)
    assert sent == []
    for step in range(49):
        clock.advance(step / 48)
    assert sent == [b"\xfa"] + [b"\xf8"] * 25
    clock.advance(50)
    assert len(sent) <= 26 + 25, "who was away is not flooded"
    clock.stop()
    assert sent[-1] == b"\xfc"
