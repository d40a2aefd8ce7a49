"""Following a MIDI clock: the position is the master's, whatever the ticks go through on their way."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideman.jam.midi_clock import Change, ClockFollower
from sideman.jam.transport import FollowedClock
from sideman.music.song import Meter

TICK, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"
FOUR = Meter(0.0, 4, 4)


def position(sixteenths: int) -> bytes:
    return bytes((0xF2, sixteenths & 0x7F, sixteenths >> 7))


def ticks(clock, count: int, at: float = 0.0, bpm: float = 120.0, jitter: float = 0.0, seed: int = 0) -> float:
    """So many ticks; returns when the next one would come."""
    rng = random.Random(seed)
    step = 60 / bpm / 24
    for number in range(count):
        clock.hear(TICK, at + number * step + rng.uniform(0, jitter))
    return at + count * step


def test_a_steady_clock():
    clock = ClockFollower()
    assert clock.hear(START, 9.99) is Change.STARTED
    assert clock.beat(9.995) == 0
    ticks(clock, 97, at=10.0)
    assert clock.beat(12.0) == pytest.approx(4)
    assert clock.beat(12.01) == pytest.approx(4.02), "between two ticks the position goes on"
    assert clock.bpm == pytest.approx(120)
    assert clock.time(4.25) == pytest.approx(12.125)


def test_jitter_is_smoothed():
    clock = ClockFollower()
    clock.hear(START, 0.0)
    step, rng, worst = 60 / 120 / 24, random.Random(1), 0.0
    for number in range(960):
        at = number * step
        clock.hear(TICK, at + rng.uniform(0, 0.006))  # of 20.8 ms between ticks
        if number > 48:
            worst = max(worst, abs(clock.beat(at + 0.006) - (at + 0.003) * 2))
            assert clock.bpm == pytest.approx(120, rel=0.02)
    assert worst < 0.006  # 3 ms


def test_a_ramp_is_followed():
    clock = ClockFollower()
    clock.hear(START, 0.0)
    at, worst = 0.0, 0.0
    for number in range(24 * 16):
        clock.hear(TICK, at)
        worst = max(worst, abs(clock.beat(at) - number / 24))
        bpm = 100 + 40 * number / (24 * 16)
        at += 60 / bpm / 24
    assert worst < 0.008
    assert clock.bpm == pytest.approx(140, rel=0.02)


@pytest.mark.parametrize("bpm", [60, 100, 190, 240])
def test_another_tempo_at_once(bpm):
    clock = ClockFollower()
    clock.hear(START, 0.0)
    at = ticks(clock, 96, bpm=120)
    at = ticks(clock, 48, at, bpm)
    assert clock.beat(at) == pytest.approx(6, abs=1 / 24)
    assert clock.bpm == pytest.approx(bpm, rel=0.02)


@pytest.mark.parametrize("lost", [1, 2, 5])
def test_lost_ticks_are_counted(lost):
    clock = ClockFollower()
    clock.hear(START, 0.0)
    step = 60 / 120 / 24
    at = ticks(clock, 50)
    at = ticks(clock, 46 - lost, at + lost * step, jitter=0.001)
    assert clock.beat(at) == pytest.approx(4, abs=0.01)
    assert clock.bpm == pytest.approx(120, rel=0.01)


def test_stop_and_continue():
    clock = ClockFollower()
    clock.hear(START, 0.0)
    at = ticks(clock, 48)
    assert clock.hear(STOP, at) is Change.STOPPED
    ticks(clock, 30, at)  # masters often tick on
    assert clock.beat(at + 5) == 2
    assert clock.time(3.0) is None
    assert clock.hear(STOP, at + 5) is None
    assert clock.hear(CONTINUE, at + 5) is Change.CONTINUED
    assert clock.beat(at + 5) == 2
    at = ticks(clock, 24, at + 5.01)
    assert clock.beat(at) == pytest.approx(3, abs=0.01)


def test_song_position():
    clock = ClockFollower()
    assert clock.hear(position(130), 0.0) is Change.MOVED
    clock.hear(CONTINUE, 0.1)
    ticks(clock, 25, 0.2)
    assert clock.beat(0.7) == pytest.approx(32.5 + 1)
    clock.hear(position(16), 0.71)  # a loop, while playing
    assert clock.beat(0.715) == 4
    ticks(clock, 13, 0.72)
    assert clock.beat(0.97) == pytest.approx(4.5, abs=1e-3)


def test_a_master_who_vanishes():
    clock = ClockFollower()
    clock.hear(START, 0.0)
    at = ticks(clock, 48)
    assert not clock.lost(at + 0.2)
    assert clock.lost(at + 0.3)
    assert clock.beat(at + 60) == pytest.approx(2.5, abs=0.1), "the position runs on for half a beat, then rests"
    assert clock.time(8.0) is None


def test_the_line_keeps_bar_lines_and_never_goes_back():
    clock = FollowedClock(FOUR, 100)
    clock.hear(START, 0.0)
    assert (clock.takes, clock.running) == (1, True)
    at = ticks(clock, 24 * 6)
    before = clock.beat(at)
    clock.hear(position(4), at)  # back to beat 1
    assert clock.song_beat(at) == 1
    assert clock.beat(at) == 9 > before, "the next beat that stands in its bar as beat 1 does"
    at = ticks(clock, 24, at)
    clock.hear(STOP, at)
    clock.hear(CONTINUE, at + 1)
    assert clock.beat(at + 1) == pytest.approx(10, abs=0.05), "who only paused goes on where he was"
    clock.hear(START, at + 2)
    assert (clock.takes, clock.beat(at + 2)) == (2, 0)


def test_who_begins_in_the_midst_of_a_song():
    clock = FollowedClock(Meter(0.0, 3, 4), 100)
    clock.hear(position(4 * 7), 0.0)
    assert not clock.running
    assert clock.hear(CONTINUE, 1.0) is Change.STARTED
    assert (clock.beat(1.0), clock.song_beat(1.0)) == (1, 7)


MESSAGES = st.sampled_from([TICK] * 8 + [START, CONTINUE, STOP, position(0), position(37), b"\xfe"])


@given(st.lists(st.tuples(MESSAGES, st.floats(0, 4)), max_size=60))
def test_whatever_comes_the_line_goes_forward(stream):
    clock, now, last, takes = FollowedClock(FOUR, 100), 0.0, 0.0, 0
    for message, wait in stream:
        now += wait
        clock.hear(message, now)
        beat = clock.beat(now)
        assert clock.takes > takes or beat >= last
        last, takes = beat, clock.takes
        coming = clock.time(beat + 0.01)
        assert coming is None or abs(coming - now) < 30
        assert 9.9 < clock.bpm < 401
