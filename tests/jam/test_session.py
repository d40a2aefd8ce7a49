"""What a player may rely on: nothing before its time, promises kept, and a history that says what sounded."""

import itertools
import tracemalloc
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from jamming import START, messages, random_notes, sounding, step, with_window

from sideman.errors import UnknownChord, WrongValue
from sideman.jam.drive import finish
from sideman.jam.messages import History, NoteEvent, Notes, PlayedChord, PlayedNote, Set
from sideman.jam.session import Session
from sideman.music.vocabulary import CHORD_HOLD, SILENCE


@pytest.fixture
def online(tiny_bundles):
    return tiny_bundles["online"]


@pytest.fixture
def offline(tiny_bundles):
    return tiny_bundles["offline"]


def beats(stop, stride=1.0, offset=0.05):
    return [offset + i * stride for i in range(int(stop / stride))]


def start(**changes):
    return msgspec.structs.replace(START, **changes)


def play(session, moments, seed=0, offline=None, late=0):
    events = random_notes(moments[-1] + 1, seed)
    return [step(session, message, offline, late) for message in messages(events, moments)]


def test_nothing_sounds_while_the_player_is_listened_to(online, offline):
    session = Session(start(listen=6.0), online)
    plans = play(session, beats(16), offline=offline)
    frames = {frame for planned in plans for frame in sounding(planned)}
    assert min(frames) >= 24
    assert max(frames) > 60
    first = next(planned for planned in plans if planned.chords)
    assert first.frame + first.frames > 24, "and is shown as soon as it is in sight"
    assert all(chord.struck for chord in first.chords if chord.onset == 6)


def test_a_turn_makes_the_past_unheard(online):
    """Who follows turns hears, after one, only what came since; others hear on."""
    follower = replace(online, file=msgspec.structs.replace(online.file, follows_turns=True))
    scale = np.random.default_rng(0).choice([0, 2, 4, 5, 7, 9, 11], 80) + np.repeat([60, 66], 40)
    events = [
        NoteEvent(on, int(pitch), number / 2 + (0 if on else 0.4))
        for number, pitch in enumerate(scale)
        for on in (1, 0)
    ]
    moments = beats(32)
    heard = {}
    for bundle in (follower, online):
        session, heard[bundle.file.follows_turns] = Session(start(listen=0.0), bundle), []
        for message in messages(events, moments):
            step(session, message)
            heard[bundle.file.follows_turns].append(session.planner.first)
    assert set(heard[False]) == {0}
    turned = [(beat, first) for beat, first in zip(moments, heard[True], strict=True) if first]
    (beat, first), later = turned[0], {first for _, first in turned}
    assert later == {first}
    assert 80 <= first <= 92
    assert 20 < beat < 26, "within six beats of the turn"


def test_chords_after_a_turn_are_spelled_in_its_key(online):
    """C major for 32 beats, then E major: who hears on still writes G sharp as A flat."""
    follower = replace(online, file=msgspec.structs.replace(online.file, follows_turns=True))
    degrees = np.random.default_rng(0).choice([0, 0, 2, 4, 4, 5, 7, 7, 9, 11], 128) + np.repeat([60, 64], 64)
    events = [
        NoteEvent(on, int(pitch), number / 2 + (0 if on else 0.4))
        for number, pitch in enumerate(degrees)
        for on in (1, 0)
    ]
    written = {}
    for bundle in (follower, online):
        session = Session(start(listen=0.0), bundle)
        plans = [step(session, message) for message in messages(events, beats(64))][-20:]
        names = {chord.symbol for plan in plans for chord in plan.chords}
        written[bundle.file.follows_turns] = {name[1] for name in names if name[1:2] in ("#", "b")}
    assert written == {True: {"#"}, False: {"b"}}


def test_nobody_plays_alone(online):
    """Before the first note nothing is planned; after it the accompanist joins without delay."""
    session = Session(start(listen=0.0), online)
    plans = []
    for beat in range(12):
        notes = [NoteEvent(True, 60, beat - 0.2)] if beat == 5 else []
        plans.append(step(session, Notes(beat, beat + 0.1, notes)))
    assert not any(planned.chords for planned in plans[:5])
    assert all(planned.chords for planned in plans[5:])
    assert session.own[:20].tolist() == [SILENCE] * 20
    assert session.tally.figures().misses == 0


@pytest.mark.parametrize(("commit", "stride"), [(2.0, 1.0), (4.0, 0.25), (0.5, 1.0), (1.0, 0.25)])
def test_what_is_promised_is_kept(online, offline, commit, stride):
    """The chord of a committed frame never changes, whatever is played."""
    session = Session(start(commit=commit), online)
    promised = {}
    for planned in play(session, beats(24, stride), seed=1, offline=offline):
        now = sounding(planned)
        for frame, symbol in promised.items():
            if frame >= planned.frame:
                assert now.get(frame) == symbol
        promised |= {f: now.get(f) for f in range(planned.frame, planned.frame + round(4 * commit)) if f >= 8}
        known = [f for f in promised if planned.frame <= f < planned.frame + planned.committed]
        assert len(known) == min(planned.committed, len([f for f in known if f >= 8]))


def test_committed_counts_what_was_promised_before(online):
    plans = play(Session(start(listen=0.0, commit=2.0), online), beats(6))
    assert [planned.committed for planned in plans] == [0, 4, 4, 4, 4, 4]
    plans = play(Session(start(listen=0.0, commit=0.0), online), beats(6))
    assert {planned.committed for planned in plans} == {0}


def test_the_same_jam_is_the_same_plan(online, offline):
    one, two = (play(Session(START, online), beats(20), offline=offline) for _ in range(2))
    assert one == two
    assert play(Session(start(seed=4), online), beats(20), offline=offline) != one


def test_a_plan_does_not_depend_on_earlier_plans(online):
    """With nothing promised, a session that planned at every frame plans as one that planned once."""
    events = random_notes(24, 5)
    often, once = Session(start(commit=0.0), online), Session(start(commit=0.0), online)
    for message in messages(events, beats(20, 0.25)):
        last = step(often, message)
    history = often.own.copy()
    (message,) = messages(events, [often.beat])
    once.hear(message)
    once.take_introduction(history[: once.frame])
    finish(once.plan())
    assert once.adopt(once.frame).chords == last.chords


def test_a_late_answer_begins_later(online):
    session = Session(start(listen=0.0), online)
    plans = play(session, beats(12), late=3)
    assert [planned.frame for planned in plans[:3]] == [1 + 3, 5 + 3, 9 + 3]
    for before, after in itertools.pairwise(plans):
        old, new = sounding(before), sounding(after)
        held = after.chords[0]
        if not held.struck:  # it goes on from what sounded before
            assert old.get(after.frame - 1) == held.symbol == new[after.frame]
    figures = session.tally.figures()
    assert figures.misses == 3, "the first plan had none before it"
    ages = np.array([3 + frame % 4 for frame in range(41)])  # frames 4 to 44; a plan begins 3 late and lasts 4
    assert figures.hits == len(ages)
    assert figures.age == pytest.approx(ages.mean() / 4, abs=1e-4)
    assert figures.isrw == pytest.approx((1 - ages / 32).sum() / 44, abs=1e-5)


def test_what_was_missed_is_recorded_as_it_sounded(online):
    """Nothing came for a while: the plan was played to its end, and then its last chord went on."""
    session = Session(start(listen=0.0, lookahead=2.0), online)
    play(session, beats(6))
    end = len(session.own)
    planned = session.own.copy()
    session.hear(Notes(99, 12.05))
    assert session.frame == 49
    np.testing.assert_array_equal(session.own[:end], planned)
    last = planned[-1]
    held = SILENCE if last == SILENCE else CHORD_HOLD + (last - CHORD_HOLD) % session.bundle.vocabulary.chords
    assert set(session.own[end:49].tolist()) == {held}
    figures = session.tally.figures()
    assert figures.misses == 49 - end
    assert figures.hits + figures.misses == figures.frames == 48 - 0
    assert figures.isr == pytest.approx(figures.hits / figures.frames, abs=1e-5)
    assert figures.isrw < figures.isr, "what sounds of an old plan weighs less"


def test_missed_frames_that_the_player_reports_count(online):
    session = Session(start(listen=0.0), online)
    play(session, beats(6))
    before = session.tally.figures()
    session.hear(Notes(50, 6.05, missed=3))
    after = session.tally.figures()
    assert (after.frames, after.misses) == (before.frames + 4, before.misses + 3)


def test_an_introduction_is_history_and_never_sounds(online, offline):
    session = Session(start(listen=8.0), online)
    play(session, beats(7), offline=offline)
    assert session.wants_introduction() is False, "it was made"
    chords = session.introduce(offline)
    assert chords
    assert max(chord.onset + chord.duration for chord in chords) <= 7
    history = session.own[: session.frame].copy()
    assert (history != SILENCE).any()
    step(session, Notes(90, 7.9))
    np.testing.assert_array_equal(session.own[: len(history)], history)
    np.testing.assert_array_equal(session.planner.tokens[1::2][: len(history)], history)


def test_looking_less_far_breaks_no_promise(online):
    session = Session(start(listen=0.0, lookahead=8.0, commit=6.0), online)
    play(session, beats(6))
    promised = session.own[: session.frame + 24].copy()
    session.change(Set(lookahead=1.0, commit=1.0))
    planned = step(session, Notes(50, 6.05))
    assert planned.frames == planned.committed == 20
    np.testing.assert_array_equal(session.own[: len(promised)], promised)
    assert session.settings.commit == 1.0


def test_commit_is_at_most_what_is_looked_ahead(online):
    assert Session(start(lookahead=2.0, commit=4.0), online).settings.commit == 2.0


@pytest.mark.parametrize(("meter", "bar", "at"), [("3/4", 12, 21), ("6/8", 12, 21), ("5/4", 20, 21), ("4/4", 16, 1)])
def test_metres_are_honoured(online, meter, bar, at):
    session = Session(start(meter=meter), online)
    form = session.bars.form(64)
    assert (form[:64, 0] == np.arange(64) % bar + 1).all()
    assert (form[:, 1] == bar + 1).all()
    session.hear(Notes(0, (at - 1) / 4))
    session.change(Set(meter="2/4"))
    change = -(-at // bar) * bar
    form = session.bars.form(80)
    assert form[change, 0] == 1
    assert (form[change:80, 1] == 9).all()
    assert (form[:change, 1] == bar + 1).all()
    assert session.settings.meter == "2/4"


def test_a_metre_changed_while_playing_is_the_metre_planned_with(online):
    one, two = Session(start(seed=2, temperature=0.9), online), Session(start(seed=2, temperature=0.9), online)
    play(one, beats(8))
    play(two, beats(8))
    two.change(Set(meter="3/4", tempo=90.0))
    assert two.settings.tempo == 90.0
    plans = [step(session, Notes(50, 8.05)) for session in (one, two)]
    assert plans[0].chords != plans[1].chords


def test_another_model_takes_over(online, tiny_bundles):
    session = Session(start(listen=0.0), online)
    play(session, beats(6))
    before = session.own.copy()
    other = with_window(online, 128)
    session.change(Set(model="other"), other)
    assert session.bundle is other
    planned = step(session, Notes(50, 6.05))
    np.testing.assert_array_equal(session.own[: len(before) - 12], before[: len(before) - 12])
    assert planned.chords


def test_a_jam_goes_on_for_longer_than_the_window(online):
    session = Session(start(listen=0.0, tempo=200.0), with_window(online, 48))
    plans = play(session, beats(64), seed=3)
    assert all(planned.frames == 16 for planned in plans)
    slots = sum(row.stream.lengths[0] for row in session.planner.rows.values())
    assert slots <= 2 * 2 * 48


def test_an_hour_is_no_more_work_than_a_minute_and_hardly_more_memory(online):
    """What is kept of each beat, in bytes, and how many tokens a plan is made of."""
    session = Session(start(listen=0.0), with_window(online, 48))
    promised = np.full(16, CHORD_HOLD)
    step(session, Notes(0, 0.05, [NoteEvent(True, 60, 0.0)]))
    tracemalloc.start()
    for beat in range(4, 2400, 4):
        notes = [NoteEvent(True, 60 + beat % 11, beat), NoteEvent(False, 60 + beat % 11, beat + 0.04)]
        session.promise(session.hear(Notes(beat, beat + 0.05, notes)), promised)
        if beat == 240:
            before = tracemalloc.get_traced_memory()[0]
    kept = (tracemalloc.get_traced_memory()[0] - before) / (2400 - 240)
    tracemalloc.stop()
    assert kept < 120
    step(session, Notes(2400, 2400.05))
    assert len(session.planner.tokens) < 2 * 100


def test_what_another_server_knew_can_be_taken_up(online):
    history = History(
        notes=[PlayedNote(0.0, 1.0, 60), PlayedNote(1.0, 2.0, 64)],
        chords=[PlayedChord(0.0, 2.0, "C"), PlayedChord(2.0, 1.5, "G7")],
    )
    session = Session(start(listen=0.0, history=history), online)
    planned = step(session, Notes(7, 4.05))
    symbols = [session.bundle.vocabulary.symbols[(t - CHORD_HOLD) % session.bundle.vocabulary.chords].name()
               for t in session.own[:17].tolist()]  # fmt: skip
    assert symbols == ["C"] * 8 + ["G7"] * 9
    assert planned.frame == 17
    melody = session.planner.tokens[2::2][:12]
    assert (melody[:4] != SILENCE).all()
    assert session.tally.figures().misses == 0


def test_unknown_chords_in_a_history_are_named(online):
    history = History(chords=[PlayedChord(0.0, 2.0, "Cxyz")])
    with pytest.raises(UnknownChord, match="Cxyz"):
        Session(start(history=history), online)


@pytest.mark.parametrize(
    ("notes", "beat", "match"),
    [
        ([NoteEvent(True, 60, 9.0)], 6.0, "future"),
        ([NoteEvent(True, 60, 2.0)], 6.0, "past"),
        ([], 5000.0, "after the last message"),
    ],
)
def test_impossible_times_change_nothing(online, notes, beat, match):
    session = Session(start(listen=0.0), online)
    play(session, beats(6))
    before = (session.frame, session.beat, len(session.own), session.tally.figures())
    with pytest.raises(WrongValue, match=match):
        session.hear(Notes(50, beat, notes))
    assert (session.frame, session.beat, len(session.own), session.tally.figures()) == before


def test_what_is_sent_twice_is_heard_once(online):
    sessions = [Session(start(listen=0.0), online) for _ in range(2)]
    events = random_notes(8, 2)
    for session in sessions:
        for message in messages(events, beats(6)):
            step(session, message)
    again = [event for event in events if event.beat <= 5.05]
    plans = [step(sessions[0], Notes(50, 6.05, again)), step(sessions[1], Notes(50, 6.05))]
    assert plans[0] == plans[1]


@pytest.mark.parametrize("meter", ["4", "0/4", "4/5", "99/4", "5/64", "17/4"])
def test_metres_off_the_grid_are_refused(online, meter):
    with pytest.raises(WrongValue):
        Session(start(meter=meter), online)
