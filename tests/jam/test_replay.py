"""A record of a jam makes the same jam again, and says so if it does not."""

import time

import msgspec
import pytest
from jamming import START, beats_of, messages, random_notes, with_window

from sideman.errors import UnreadableFile, WrongValue
from sideman.jam.log import Begun, Changed, Heard, Introduced, Planned, Prepared, read_log
from sideman.jam.messages import Set
from sideman.jam.replay import replay
from sideman.jam.scheduler import Scheduler
from sideman.jam.seat import Seat


@pytest.fixture
def recorded(tiny_bundles) -> bytes:
    """The record of 24 beats with a short window and surprises: settings change, requests are superseded."""
    scheduler, told = Scheduler(clock=lambda: 0.0), []  # nobody is late, however busy this machine is
    seat = Seat.open(
        "ann", START, with_window(tiny_bundles["online"], 40), tiny_bundles["offline"], scheduler.clock, told.append
    )
    scheduler.join(seat)
    for message in messages(random_notes(26), beats_of(24)):
        scheduler.post(seat, message)
        if message.request == 10:
            scheduler.post(seat, Set(temperature=1.4, meter="3/4", lookahead=2.0))
        if message.request % 7:  # every seventh is overtaken, as it may happen
            while message.request not in [getattr(said, "request", None) for said in told] or scheduler._tasks:
                time.sleep(0.002)
    scheduler.close()
    return seat.log.text()


def models_of(bundles):
    return lambda name, kind: with_window(bundles[kind], 40) if kind == "online" else bundles[kind]


def test_a_record_replays_to_the_same_plans(recorded, tiny_bundles):
    entries = list(read_log(recorded))
    kinds = [type(entry) for entry in entries]
    assert kinds[0] is Begun
    assert {Heard, Planned, Introduced, Changed, Prepared} <= set(kinds)
    found = replay(entries, models_of(tiny_bundles))
    assert found.plans == kinds.count(Planned) > 15
    assert found.differ == []


def test_another_jam_is_told_apart(recorded, tiny_bundles):
    entries = list(read_log(recorded))
    first = msgspec.structs.replace(entries[0], start=msgspec.structs.replace(START, seed=99))
    found = replay([first, *entries[1:]], models_of(tiny_bundles))
    assert found.differ


def test_a_player_who_played_otherwise_is_told_apart(recorded, tiny_bundles):
    entries = list(read_log(recorded))
    for place, entry in enumerate(entries):
        if isinstance(entry, Heard) and entry.message.request >= 12:
            notes = [msgspec.structs.replace(note, pitch=note.pitch + 7) for note in entry.message.notes]
            entries[place] = msgspec.structs.replace(entry, message=msgspec.structs.replace(entry.message, notes=notes))
    found = replay(entries, models_of(tiny_bundles))
    assert found.differ
    assert min(found.differ) >= 12


def test_a_model_that_changed_is_named(recorded, tiny_bundles):
    entries = list(read_log(recorded))
    entries[0] = msgspec.structs.replace(entries[0], checkpoint="0" * 64)
    with pytest.raises(WrongValue, match="not the one"):
        replay(entries, models_of(tiny_bundles))


@pytest.mark.parametrize("text", [b"{}\n", b"no json", b'{"type":"begun"}', b"\xff\xfe"])
def test_other_files_are_refused(text):
    with pytest.raises(UnreadableFile, match="Line 1"):
        list(read_log(text))


def test_a_record_without_its_beginning_is_refused(recorded, tiny_bundles):
    with pytest.raises(WrongValue, match="beginning"):
        replay(list(read_log(recorded))[1:], models_of(tiny_bundles))
