"""A partner who plays the melody over the player's chords: what a player may rely on, and parts that change hands."""

import msgspec
import numpy as np
import pytest
from jamming import START, messages, random_chords, random_notes, step

from sideman.jam.drive import finish
from sideman.jam.log import Begun, Changed, read_log
from sideman.jam.messages import HeardChords, History, JamChord, NoteEvent, Notes, PlayedChord, PlayedNote, Set
from sideman.jam.recover import recover
from sideman.jam.replay import replay
from sideman.jam.round import Round
from sideman.jam.seat import Seat
from sideman.jam.session import Session
from sideman.jam.sounding import Sounding
from sideman.jam.spans import retold
from sideman.music.grammar import chord_mask, melody_mask
from sideman.music.vocabulary import BOS, SILENCE


def start(**changes):
    return msgspec.structs.replace(START, **changes)


def moments(beats, stride=1.0):
    return [0.05 + i * stride for i in range(int(beats / stride))]


def play(session, beats, seed=0, late=0, stride=1.0):
    events = random_chords(beats + 1, seed)
    return [step(session, message, None, late) for message in messages(events, moments(beats, stride))]


def sounding(planned):
    """Frame -> pitch of what a plan lets sound."""
    return {
        frame: note.pitch
        for note in planned.notes
        for frame in range(round(4 * note.onset), round(4 * (note.onset + note.duration)))
    }


def in_grammar(tokens, mask, vocabulary):
    return mask(vocabulary, np.concatenate([[BOS], tokens[:-1]]))[np.arange(len(tokens)), tokens].all()


def test_notes_are_planned_and_chords_are_heard(tiny_melody):
    session = Session(start(listen=4.0), tiny_melody)
    plans = play(session, 24)
    assert session.part == "melody"
    assert not any(planned.chords for planned in plans)
    frames = [frame for planned in plans for frame in sounding(planned)]
    assert min(frames) >= 16, "nothing sounds while he listens"
    assert plans[-1].heard.chords
    assert plans[-1].heard.frame + plans[-1].heard.frames == session.frame
    own, heard = session.own, session.heard.tokens(session.frame)
    assert in_grammar(own[16:], melody_mask, tiny_melody.vocabulary)
    assert in_grammar(heard, chord_mask, tiny_melody.vocabulary)
    np.testing.assert_array_equal(session.planner.tokens[1::2][: session.frame], own[: session.frame])
    assert not session.wants_introduction()


@pytest.mark.parametrize(("commit", "stride"), [(2.0, 1.0), (0.5, 0.25)])
def test_what_is_promised_is_kept(tiny_melody, commit, stride):
    session, promised = Session(start(commit=commit), tiny_melody), {}
    for planned in play(session, 20, seed=1, stride=stride):
        now = sounding(planned)
        for frame, pitch in promised.items():
            if frame >= planned.frame:
                assert now.get(frame) == pitch
        promised |= {f: now.get(f) for f in range(planned.frame, planned.frame + round(4 * commit)) if f >= 8}


def test_he_waits_for_a_chord(tiny_melody):
    session = Session(start(listen=0.0), tiny_melody)
    assert not step(session, Notes(0, 0.1, [NoteEvent(True, 60, 0.0)])).notes, "one key is no chord"
    assert len(session.planner.tokens) == 1, "and nothing is planned"
    (heard,) = step(session, Notes(1, 1.6, [NoteEvent(True, 64, 1.0)])).heard.chords
    assert (heard.onset, heard.symbol) == (1, "C")
    assert len(session.planner.tokens) == 2 * (7 + 16)


def test_a_late_answer_begins_later(tiny_melody):
    session = Session(start(listen=0.0), tiny_melody)
    plans = play(session, 8, late=3)
    assert [planned.frame for planned in plans[:3]] == [1 + 3, 5 + 3, 9 + 3]
    assert session.tally.figures().misses == 3


def test_the_player_takes_up_the_melody_of_his_partner_and_back(tiny_bundles, tiny_melody):
    """When parts change, each goes on from what the other played; nothing that was promised is left."""
    online = tiny_bundles["online"]
    session = Session(start(listen=0.0), online)
    for message in messages(random_notes(9), moments(8)):
        step(session, message)
    frame = session.frame
    chords, melody = session.own[:frame].copy(), session.heard.tokens(frame)[:frame].copy()
    session.change(Set(model="melody"), tiny_melody)
    np.testing.assert_array_equal(session.own, melody)
    np.testing.assert_array_equal(session.heard.tokens(frame)[:frame], chords)
    keys = [NoteEvent(True, pitch, 8.2) for pitch in (53, 57, 60)]
    planned = step(session, Notes(50, 8.3, keys))
    assert planned.committed == 0
    assert min(sounding(planned), default=99) >= frame
    assert all(note.struck for note in planned.notes[:1])
    np.testing.assert_array_equal(session.planner.tokens[1 : 2 * frame : 2], melody)
    np.testing.assert_array_equal(session.planner.tokens[2 : 2 * frame + 1 : 2], chords)
    assert planned.heard.chords[-1].symbol == "F"
    held = session.own[: session.frame].copy()
    session.change(Set(model="online"), online)
    np.testing.assert_array_equal(session.heard.tokens(session.frame)[: session.frame], held)
    planned = step(session, Notes(51, 9.3, [NoteEvent(True, 72, 9.2)]))
    assert planned.notes == []
    assert planned.frame + planned.frames == 38 + 16
    assert session.tally.figures().frames > 0


def test_parts_that_change_while_he_listens(tiny_bundles, tiny_melody):
    session = Session(start(listen=8.0), tiny_bundles["online"])
    for message in messages(random_notes(5), moments(4)):
        step(session, message, tiny_bundles["offline"])
    session.change(Set(model="melody"), tiny_melody)
    chords = [[NoteEvent(True, pitch, beat) for pitch in (48, 52, 55)] for beat in range(4, 12)]
    plans = [step(session, Notes(50 + beat, beat + 0.05, keys)) for beat, keys in enumerate(chords, 4)]
    frames = [frame for planned in plans for frame in sounding(planned)]
    assert min(frames) >= 32


def test_what_another_server_knew_can_be_taken_up(tiny_melody):
    history = History(
        notes=[PlayedNote(4.0, 1.5, pitch) for pitch in (53, 57, 60)],
        chords=[PlayedChord(0.0, 4.0, "C")],
        melody=[PlayedNote(0.0, 2.0, 72), PlayedNote(2.0, 3.5, 74)],
    )
    session = Session(start(listen=0.0, history=history), tiny_melody)
    planned = step(session, Notes(7, 5.55))
    assert [c.symbol for c in planned.heard.chords] == ["C", "F"]
    assert (session.own[:22] != SILENCE).all()
    assert {(int(t) - 4) % 128 for t in session.own[:22]} == {72, 74}


def test_a_chord_partner_goes_on_from_a_melody_that_was_not_the_players(tiny_bundles):
    history = History(melody=[PlayedNote(0.0, 4.0, 72)], notes=[PlayedNote(4.0, 0.9, 76)], chords=[])
    session = Session(start(listen=0.0, history=history), tiny_bundles["online"])
    step(session, Notes(1, 5.05))
    melody = session.planner.tokens[2::2][:20]
    assert {(int(t) - 4) % 128 for t in melody[:16]} == {72}
    assert {(int(t) - 4) % 128 for t in melody[16:20]} == {76}


def test_a_record_replays_and_recovers(tiny_bundles, tiny_melody):
    now = [0.0]
    seat = Seat.open("ann", start(), tiny_melody, tiny_bundles["offline"], lambda: now[0], lambda message: None)
    for message in messages(random_chords(16), moments(15)):
        now[0] = message.beat / 2
        seat.inbox.append((message, None, now[0]))
        if message.request == 9:
            seat.inbox.append((Set(model="online"), tiny_bundles["online"], now[0]))
        assert seat.read()
        finish(seat.plan())
        seat.answer()
    bundles = {bundle.file.checkpoint: bundle for bundle in (tiny_melody, tiny_bundles["online"])}
    entries = list(read_log(seat.log.text()))
    named = iter([bundles[entry.checkpoint] for entry in entries if isinstance(entry, Begun | Changed)])
    assert len(bundles) == 2
    found = replay(entries, lambda name, kind: next(named))
    assert (found.plans, found.differ) == (15, [])
    named = iter([bundles[entry.checkpoint] for entry in entries if isinstance(entry, Begun | Changed)])
    again, frame = recover(entries, lambda name, kind: next(named)), seat.session.frame
    assert (again.part, again.frame, again.joins) == ("chord", frame, seat.session.joins)
    np.testing.assert_array_equal(again.own[8:], seat.session.own[8:])
    np.testing.assert_array_equal(again.heard.tokens(frame)[8:], seat.session.heard.tokens(frame)[8:])


def test_the_take_holds_his_melody_and_the_players_chords(tiny_melody):
    sent, told = [], []
    session_start = start(listen=0.0)
    seat = Seat.open("ann", session_start, tiny_melody, None, lambda: 0.0, told.append)
    one = Round(session_start, Sounding(sent.append), "melody")
    for message in messages(random_chords(13, 2), moments(12, 0.5)):
        seat.inbox.append((message, None, 0.0))
        seat.read()
        finish(seat.plan())
        seat.answer()
        one.told(told[-1], message.beat)
        for tick in range(8):
            one.sounding.advance(message.beat + tick / 16)
        one.step(message.beat + 0.45, 120, message.beat / 2)
    song = one.song()
    onsets = [m for m in sent if m[0] & 0xF0 == 0x90 and m[2]]
    assert len(song.notes) == len(onsets) > 0
    assert [note.pitch for note in song.notes] == [m[1] for m in onsets]
    heard = seat.session.heard.tokens(seat.session.frame)[: seat.session.frame]
    spans = [token for token in heard.tolist() if token >= tiny_melody.vocabulary.chord_on]
    symbols = [tiny_melody.vocabulary.symbols[t - tiny_melody.vocabulary.chord_on] for t in spans]
    assert [span.chord for span in song.chords] == symbols


def test_what_is_told_anew_replaces_what_was_told():
    def chord(onset, duration, root, struck=True):
        return JamChord(onset, duration, "CDEFGAB"[root % 7], [48 + root], None, struck)

    before = [chord(0, 4, 0), chord(4, 1, 1)]
    anew = HeardChords(8, 16, [chord(2, 1, 0, False), chord(3, 3, 2)])
    told = retold(before, anew)
    assert [(c.onset, c.duration, c.symbol) for c in told] == [(0, 3, "C"), (3, 3, "E")]
    assert [(c.onset, c.duration) for c in retold(before, HeardChords(8, 16, []))] == [(0, 2)]
