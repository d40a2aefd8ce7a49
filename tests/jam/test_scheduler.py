"""Few threads for all: the most pressed first, the newest question of each, and nobody's trouble is another's."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from jamming import START, beats_of, messages, random_notes

import sideman.jam.scheduler as scheduling
from sideman.jam.drive import feed
from sideman.jam.messages import Error, Intro, Late, NoteEvent, Notes, Plan, Set, SettingsOut
from sideman.jam.rows import Pass, Row
from sideman.jam.scheduler import Scheduler
from sideman.jam.seat import Seat


class Table:
    """A scheduler with players, and what each was told. Its clock stands still unless a test moves `now`."""

    def __init__(self, online, offline, threads=1):
        self.online, self.offline = online, offline
        self.now = 0.0
        self.scheduler = Scheduler(lambda: self.now, threads)
        self.told = {}

    def sit(self, name, **changes):
        self.told[name] = []
        start = START.__class__(**({field: getattr(START, field) for field in START.__struct_fields__} | changes))
        seat = Seat.open(name, start, self.online, self.offline, self.scheduler.clock, self.told[name].append)
        self.scheduler.join(seat)
        return seat

    def wait(self, name, kind, count=1):
        deadline = time.monotonic() + 60
        while len(found := [m for m in self.told[name] if isinstance(m, kind)]) < count:
            assert time.monotonic() < deadline, f"{name} was told {self.told[name]}"
            time.sleep(0.002)
        return found

    def hold(self):
        """Keeps a thread busy; the returned function lets it go."""
        release, busy = threading.Event(), threading.Event()

        def work():
            busy.set()
            release.wait(20)
            return
            yield

        self.scheduler.run(work(), deadline=-1.0)
        assert busy.wait(20)
        return release.set


@pytest.fixture
def table(tiny_bundles) -> Iterator[Table]:
    table = Table(tiny_bundles["online"], tiny_bundles["offline"])
    yield table
    table.scheduler.close()


@pytest.fixture
def pair(tiny_bundles) -> Iterator[Table]:
    """A table with two threads."""
    table = Table(tiny_bundles["online"], tiny_bundles["offline"], threads=2)
    yield table
    table.scheduler.close()


def passes(bundle, name, order, count=3):
    """Work that writes down when it gets a pass."""
    row = Row.open(bundle, 0)
    for _ in range(count):
        yield Pass(row, np.ones(1, np.int64), np.ones((1, 3), np.uint8), np.zeros(1, np.int64))
        order.append(name)


def test_the_earliest_deadline_goes_first(table):
    order, release = [], table.hold()
    futures = [
        table.scheduler.run(passes(table.online, name, order), due) for name, due in (("c", 3), ("a", 1), ("b", 2))
    ]
    release()
    for future in futures:
        future.result(20)
    assert "".join(order) == "aaabbbccc"


def test_who_is_more_pressed_gets_the_next_pass(table):
    """A planning at work does not hold up one that is due sooner."""
    order = []

    def long():
        for number, wanted in enumerate(passes(table.online, "long", order, 6)):
            if number == 3:
                late.append(table.scheduler.run(passes(table.online, "short", order, 2), 1.0))
            yield wanted

    late = []
    table.scheduler.run(long(), 2.0).result(20)
    late[0].result(20)
    assert order[-3:] == ["long"] * 3
    assert order.count("short") == 2


def test_a_newer_question_takes_the_place_of_one_that_waits(table):
    seat, release = table.sit("ann", listen=0.0), table.hold()
    for request, beat in enumerate((0.05, 1.05, 2.05)):
        table.scheduler.post(seat, Notes(request, beat, [NoteEvent(True, 60 + request, beat - 0.02)]))
    release()
    (plan,) = table.wait("ann", Plan)
    assert (plan.request, plan.frame) == (2, 9)
    time.sleep(0.05)
    assert not [m for m in table.told["ann"] if isinstance(m, Plan)][1:]
    assert seat.session.heard.tokens(9)[[0, 4, 8]].tolist() == [132 + 60, 132 + 61, 132 + 62]


def test_an_answer_after_its_deadline_says_so_and_begins_later(table):
    """At 400 bpm a 16th lasts 38 ms; with nothing promised the first frame is due at once."""
    seat, release = table.sit("ann", listen=0.0, commit=0.0, tempo=400.0), table.hold()
    table.scheduler.post(seat, Notes(0, 0.2, [NoteEvent(True, 60, 0.1)]))
    table.now += 0.2  # more than five 16ths
    release()
    (late,), (plan,) = table.wait("ann", Late), table.wait("ann", Plan)
    assert (late.request, late.frame) == (plan.request, 1) == (0, 1)
    assert plan.frame == 7, "the first 16th that begins after beat 0.2 + 0.2 s"
    assert late.misses == plan.frame - 1
    assert plan.frame + plan.frames == 17
    assert plan.timings.queued == 200


def test_a_question_dropped_after_its_deadline_is_late(table):
    seat, release = table.sit("ann", listen=0.0, commit=0.0, tempo=400.0), table.hold()
    table.scheduler.post(seat, Notes(0, 0.2))
    table.now += 0.2
    table.scheduler.post(seat, Notes(1, 0.6))
    release()
    assert table.wait("ann", Late)[0].request == 0


def test_settings_are_answered_and_wrong_ones_too(table):
    seat = table.sit("ann")
    table.scheduler.post(seat, Set(tempo=90.0))
    (answer,) = table.wait("ann", SettingsOut)
    assert answer.settings.tempo == 90.0
    table.scheduler.post(seat, Set(meter="4/5"))
    (error,) = table.wait("ann", Error)
    assert "4/5" in error.message
    assert not error.fatal


def test_a_wrong_message_leaves_the_jam_as_it_was(table):
    seat = table.sit("ann", listen=0.0)
    table.scheduler.post(seat, Notes(0, 1.05, [NoteEvent(True, 60, 0.9)]))
    table.wait("ann", Plan)
    table.scheduler.post(seat, Notes(1, 2.05, [NoteEvent(True, 60, 99.0)]))
    table.wait("ann", Error)
    table.scheduler.post(seat, Notes(2, 3.05))
    assert [plan.request for plan in table.wait("ann", Plan, 2)] == [0, 2]


def test_a_bug_in_one_jam_is_no_other_players_trouble(table, monkeypatch, caplog):
    sick, well = table.sit("sick", listen=0.0), table.sit("well", listen=0.0)
    monkeypatch.setattr(sick.session, "adopt", lambda frame: 1 // 0)
    for seat in (sick, well):
        table.scheduler.post(seat, Notes(0, 1.05, [NoteEvent(True, 60, 0.9)]))
    assert table.wait("sick", Error)[0].code == "internal"
    table.wait("well", Plan)
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.undo()
    table.scheduler.post(sick, Notes(1, 2.05))
    table.wait("sick", Plan)


def test_introductions_come_while_listening(table):
    seat = table.sit("ann", listen=8.0)
    for message in messages(random_notes(12), beats_of(10)):
        table.scheduler.post(seat, message)
        table.wait("ann", Plan, message.request + 1)
    intros = table.wait("ann", Intro)
    assert len(intros) >= 4
    assert max(chord.onset + chord.duration for intro in intros for chord in intro.chords) <= 8


def test_players_come_and_go(table):
    seats = [table.sit(f"p{i}", listen=0.0, seed=i) for i in range(5)]
    for beat in range(6):
        for number, seat in enumerate(seats):
            if beat == 3 and number == 2:
                table.scheduler.leave(seat)
            table.scheduler.post(seat, Notes(beat, beat + 0.05, [NoteEvent(True, 60 + beat, beat)]))
        for number, seat in enumerate(seats):
            if number != 2 or beat < 3:
                table.wait(seat.name, Plan, beat + 1)
    assert len(table.wait("p2", Plan)) == 3


def test_whoever_gives_up_waiting_harms_nobody(table):
    release = table.hold()
    table.scheduler.run(passes(table.online, "a", []), 1.0).cancel()
    later = table.scheduler.run(passes(table.online, "b", []), 2.0)
    release()
    later.result(20)


def test_closing_does_not_wait_for_those_at_work(tiny_bundles):
    scheduler = Scheduler()
    scheduler.run(passes(tiny_bundles["online"], "x", [], 10**6), 0.0)
    started = time.monotonic()
    scheduler.close()
    assert time.monotonic() - started < 5


def test_a_free_thread_takes_whoever_waits(pair):
    """Nobody is one thread's alone: with the other busy all the time, everybody is planned for."""
    release = pair.hold()
    for number in range(4):
        seat = pair.sit(f"p{number}", listen=0.0)
        pair.scheduler.post(seat, Notes(0, 1.05, [NoteEvent(True, 60, 0.9)]))
    for number in range(4):
        pair.wait(f"p{number}", Plan)
    release()


def test_a_player_is_in_one_hand_at_a_time(pair, monkeypatch):
    """Everything he sends while he is planned for waits until that thread is done."""
    seat, inside, most = pair.sit("ann", listen=0.0), [], []
    plan = seat.plan

    def watched():
        inside.append(1)
        most.append(len(inside))
        yield from plan()
        inside.pop()

    monkeypatch.setattr(seat, "plan", watched)
    for request in range(30):
        pair.scheduler.post(seat, Notes(request, request / 4 + 0.05, [NoteEvent(True, 60, request / 4)]))
        time.sleep(0.001)
    deadline = time.monotonic() + 60
    while pair.told["ann"][-1:] == [] or getattr(pair.told["ann"][-1], "request", None) != 29:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    assert set(most) == {1}


@pytest.mark.parametrize(("busy", "players", "expected"), [(False, 1, True), (True, 1, False), (False, 3, False)])
def test_one_of_few_who_computes_alone_has_all_cores(pair, monkeypatch, busy, players, expected):
    alone = []
    monkeypatch.setattr(scheduling, "feed", lambda wanted, unshared: (alone.append(unshared), feed(wanted))[1])
    for number in range(players):
        pair.sit(f"p{number}")
    release = pair.hold() if busy else lambda: None
    pair.scheduler.run(passes(pair.online, "a", []), 0.0).result(20)
    release()
    assert alone == [expected] * 3
