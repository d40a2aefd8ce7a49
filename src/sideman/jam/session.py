"""One player's jam: what was heard, what sounded, what is promised, and how it goes on.

A session knows no clock and no thread: its owner calls `hear`, `change`, `plan`, `adopt` and
`introduce`, one after the other. What it plans depends on these calls alone, so a log of them makes
the same jam again (replay.py).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle
from sideman.errors import WrongValue
from sideman.jam.bars import Bars, checked_meter
from sideman.jam.intro import harmonise
from sideman.jam.melody_key import MelodyKey
from sideman.jam.messages import (
    HeardChords,
    History,
    JamChord,
    JamNote,
    NoteEvent,
    Notes,
    PedalEvent,
    Set,
    Settings,
    Start,
)
from sideman.jam.parts import ear, own_part, part_at
from sideman.jam.planner import FREE, MIN_P, Planner, Question, Work
from sideman.jam.promised import NO_PLAN, Promised
from sideman.jam.service import Tally
from sideman.jam.spans import chord_tokens, jam_chords, jam_notes, melody_tokens
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.turns import Turns
from sideman.music.vocabulary import BOS, PartName, pitches, translate

Ints = NDArray[np.int64]
# How far off a note may be: beats before the last message, and after the moment the message names.
PAST_BEATS, FUTURE_BEATS = 1.0, 0.25
# How far the clock may jump between two messages, in beats.
MAX_JUMP = 1024.0
# How much of what was heard is told again with each plan.
HEARD_FRAMES = 32
Event = NoteEvent | PedalEvent
# Events remembered, so that they can be sent again.
KNOWN_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Planned:
    """What the player is told: `chords` or `notes` for `frames` frames from `frame` on, the first `committed` of them
    promised before, and the chords `heard` by one who plays notes."""

    frame: int
    frames: int
    committed: int
    chords: list[JamChord]
    notes: list[JamNote] = field(default_factory=list)
    heard: HeardChords | None = None


class Session:
    """A jam over one online bundle at a time. `joins`: the first frame in which the partner may sound."""

    def __init__(self, start: Start, bundle: Bundle) -> None:
        meter = checked_meter(start.meter)
        self.settings = Settings(
            tempo=start.tempo,
            meter=str(meter),
            lookahead=start.lookahead,
            commit=min(start.commit, start.lookahead),
            listen=start.listen,
            temperature=start.temperature,
            seed=start.seed,
        )
        self.planner = Planner(bundle)
        self.heard = ear(self.part, bundle.vocabulary)
        self.bars = Bars(meter)
        self.tally = Tally()
        self._promised = Promised(bundle.vocabulary)
        self._key = MelodyKey()
        self._turns = Turns()
        self.frame: int | None = None
        self.beat = -np.inf
        self.joins = frames_of(start.listen)
        self._fixed = 0
        self._introduced = 0
        self._sounds_from: int | None = None
        self._known: deque[int] = deque(maxlen=KNOWN_EVENTS)  # their hashes
        if start.history is not None:
            self._remember(start.history)

    @property
    def bundle(self) -> Bundle:
        return self.planner.bundle

    @property
    def part(self) -> PartName:
        """The part that the partner plays."""
        return own_part(self.bundle)

    @property
    def own(self) -> NDArray[np.integer]:
        """The partner's tokens, one a frame, sounded and promised."""
        return self._promised.tokens

    @property
    def due_beat(self) -> float:
        """When the answer to the last request must be there: when the first frame that was not promised begins."""
        assert self.frame is not None
        return max(self.frame, min(self._fixed, len(self.own)), self.joins) / FRAMES_PER_BEAT

    def hear(self, message: Notes) -> int:
        """Take in what was played; returns the first frame to plan. What is heard twice, as after a broken line, counts
        once. Raises WrongValue and takes in nothing."""
        sent: list[Event] = [*message.notes, *message.pedal]
        events = [event for event in sent if _hash(event) not in self._known]
        self._check(message.beat, events)
        for event in sorted(events, key=lambda event: event.beat):
            self._known.append(_hash(event))
            if isinstance(event, PedalEvent):
                self.heard.pedal(event.down, event.beat)
            elif event.on and event.velocity:
                self.heard.note_on(event.pitch, event.beat)
            else:
                self.heard.note_off(event.pitch, event.beat)
        self.beat = max(self.beat, message.beat)
        frame = max(0, int(np.floor(self.beat * FRAMES_PER_BEAT)) + 1)
        missed = self._advance(frame)
        self.tally.report_missed(message.missed - missed)
        return frame

    def change(self, message: Set, bundle: Bundle | None = None) -> None:
        """New settings, and another model if there is one. Raises WrongValue and changes nothing."""
        meter = None if message.meter is None else checked_meter(message.meter)
        if bundle is not None and bundle is not self.bundle:
            self._hand_over(bundle)
        given = {name: value for name, value in msgspec.structs.asdict(message).items() if value is not None}
        given.pop("model", None)
        settings = msgspec.structs.replace(self.settings, **given)
        self.settings = msgspec.structs.replace(settings, commit=min(settings.commit, settings.lookahead))
        if meter is not None:
            self.settings = msgspec.structs.replace(self.settings, meter=str(meter))
            self.bars.change(meter, self.frame or 0)

    def plan(self) -> Work:
        """Settle what the partner plays from the frame of the last request to the end of what is looked ahead."""
        assert self.frame is not None
        if self._silent():
            return
        self._sounds_from = max(self.frame, self.joins) if self._sounds_from is None else self._sounds_from
        stop = self._horizon()
        known = min(self.frame, self._introduced) if self.frame <= self.joins else self.frame
        first = self._heard_from(known)
        given = np.full((stop - first, 2), FREE, np.int64)  # in each frame, what the player did before it comes first
        given[: known - first, 1] = self.own[first:known]
        fixed = min(self._fixed, len(self.own))
        if fixed > self.frame:
            given[self.frame - first : fixed - first, 1] = self.own[self.frame : fixed]
        heard = self.heard.tokens(self.frame, first)[: stop - first - 1]
        given[1 : 1 + len(heard), 0] = heard
        given[0, 0] = BOS
        form, settings = self.bars.form(stop)[first:stop], self.settings
        question = Question(given.ravel(), form, settings.seed, settings.temperature, MIN_P[self.part], first)
        yield from self.planner.settle(question)

    def adopt(self, frame: int) -> Planned | None:
        """Promise the finished plan from `frame` on, that of the request or a later one if the answer is late; None if
        nothing of it is left. Frames that were not promised in time have what sounded before going on."""
        assert self.frame is not None
        silent = self._silent()
        stop = self._horizon()
        if frame >= stop:
            return None
        committed = max(0, min(self._fixed, len(self.own)) - frame)
        if silent:
            return self._planned(frame, stop, 0)
        first, planned = self.planner.first, self.planner.tokens[1::2]
        if self.frame <= self.joins:  # nothing of it has sounded
            self._write(0, np.concatenate([self.own[:first], planned[: self.frame - first]]), NO_PLAN)
        self._put(frame, planned[frame - first : stop - first], committed)
        return self._planned(frame, stop, min(committed, stop - frame))

    def promise(self, frame: int, tokens: Ints) -> None:
        """Promise from `frame` on what was promised before, by the session that this one recovers; no tokens: there was
        only silence ahead."""
        assert self.frame is not None
        if len(tokens):
            self._sounds_from = max(self.frame, self.joins) if self._sounds_from is None else self._sounds_from
            self._put(frame, tokens, max(0, min(self._fixed, len(self.own)) - frame))

    def wants_introduction(self) -> bool:
        """Whether there is a melody to harmonise that was listened to and not yet accompanied."""
        if self.part == "melody" or self.frame is None or self.heard.first is None or self.heard.first >= self.frame:
            return False
        return self._introduced < self.frame <= self.joins

    def introduce(self, offline: Bundle) -> list[JamChord]:
        """Harmonise what was listened to so far; it becomes the history of what will sound."""
        assert self.frame is not None
        melody = self.heard.tokens(self.frame)[: self.frame]
        form = self.bars.form(self.frame)[: self.frame]
        chords = harmonise(offline, self.bundle.vocabulary, melody, form, self.settings.seed)
        self.take_introduction(chords)
        return jam_chords(self.bundle.vocabulary, chords, self._promised.keys, 0, False)

    def take_introduction(self, chords: Ints) -> None:
        """What was listened to has been harmonised like this."""
        self._write(0, chords, NO_PLAN)
        self._introduced = len(chords)

    def prepare(self) -> Work:
        """Work ahead for the time when the network's window is full."""
        if self.frame is not None and not self._silent():
            yield from self.planner.prepare(self.frame)

    def _check(self, beat: float, events: Sequence[Event]) -> None:
        if beat > max(self.beat, 0.0) + MAX_JUMP:
            raise WrongValue(
                f"Beat {beat:g} is more than {MAX_JUMP:g} beats after the last message.", "Start a new jam."
            )
        for event in events:
            if event.beat > beat + FUTURE_BEATS:
                raise WrongValue(
                    f"A note at beat {event.beat:g} lies in the future: it is beat {beat:g}.",
                    "Send notes after they were played; the message was left out.",
                )
            if event.beat < self.beat - PAST_BEATS:
                raise WrongValue(
                    f"A note at beat {event.beat:g} lies in the past: beat {self.beat:g} was reached before.",
                    "Send notes when they are played; the message was left out.",
                )

    def _heard_from(self, frame: int) -> int:
        """The first frame to be heard for the choice of `frame`: that of the window, or where the melody last turned to
        another key."""
        assert self.frame is not None
        first = self.planner.windows.heard_from(frame)
        if not self.bundle.file.follows_turns:
            return first
        known = self._turns.frames
        melody = pitches(self.heard.tokens(self.frame, known))[: self.frame - known].tolist()
        fixed = max(0, self.heard.settled - known)
        if self._turns.hear(melody[:fixed]):
            self._key = MelodyKey(self._turns.since)  # new chords are spelled as in the new key
        turns = self._turns.copy()
        turns.hear(melody[fixed:])
        return max(first, turns.since) if turns.since <= frame else first

    def _silent(self) -> bool:
        """Whether nothing is to be planned: nobody has played yet, or only listening lies ahead."""
        assert self.frame is not None
        return self.heard.first is None or self.frame + frames_of(self.settings.lookahead) <= self.joins

    def _horizon(self) -> int:
        """One past the last frame to plan; what is promised stays promised when the player wants to look less far."""
        assert self.frame is not None
        return max(self.frame + frames_of(self.settings.lookahead), min(self._fixed, len(self.own)))

    def _advance(self, frame: int) -> int:
        """Time goes on to `frame`: what was promised has sounded. Returns how many frames had no plan."""
        before = self.frame
        self.frame = frame if before is None else max(before, frame)
        self._prolong(self.frame)
        if before is None or self._sounds_from is None:
            return 0
        ages: list[int] = self._promised.ages[max(before, self._sounds_from) : self.frame].tolist()
        for age in ages:
            if age == NO_PLAN:
                self.tally.miss()
            else:
                self.tally.hit(age)
        return ages.count(NO_PLAN)

    def _prolong(self, frame: int) -> None:
        """Where no plan reached, what sounded last goes on."""
        if frame > len(self.own):
            self._promised.prolong(frame, self._key_now(), self.joins)

    def _put(self, frame: int, tokens: Ints, committed: int) -> None:
        """Promise tokens from `frame` on, the first `committed` of them once more."""
        assert self.frame is not None
        self._prolong(frame)
        self._write(frame, tokens, frame - self.frame, spelled=committed)
        stop = frame + len(tokens)
        self._fixed = max(self._fixed, min(frame + frames_of(self.settings.commit), stop))

    def _write(self, frame: int, tokens: Ints, age: int, spelled: int = 0) -> None:
        """Put the partner's tokens in from `frame` on, the first of which is of this age."""
        self._promised.write(frame, tokens, age, self._key_now(), self.joins, spelled)

    def _planned(self, frame: int, stop: int, committed: int) -> Planned:
        """What is promised from `frame` on, as far as it may sound."""
        assert self.frame is not None
        first, vocabulary = max(frame, self.joins), self.bundle.vocabulary
        tokens, keys, goes_on = self.own[first:], self._promised.keys[first:], first > self.joins
        if self.part == "chord":
            return Planned(frame, stop - frame, committed, jam_chords(vocabulary, tokens, keys, first, goes_on))
        notes = jam_notes(vocabulary, tokens, first, goes_on)
        begin = max(0, self.frame - HEARD_FRAMES)
        heard, keys = self.heard.tokens(self.frame, begin)[: self.frame - begin], self._promised.keys[begin:]
        chords = jam_chords(vocabulary, heard, keys, begin, goes_on=begin > 0)
        return Planned(frame, stop - frame, committed, [], notes, HeardChords(begin, self.frame - begin, chords))

    def _key_now(self) -> int:
        """The key that new chords are spelled in, as a number."""
        if self.frame is None:
            return 0
        if self.part == "chord":
            return self._key.estimate(self.heard.tokens(self.frame, self._key.counted), self.heard.settled)
        settled = self.frame if self.frame > self.joins else 0  # until he joins his own past is imagined anew
        return self._key.estimate(self.own[self._key.counted : self.frame], settled)

    def _hand_over(self, bundle: Bundle) -> None:
        """Another model takes over. If it plays the other part, the player takes up its predecessor's: what either
        played becomes the past of the other, and nothing is promised."""
        known, wanted = self.bundle.vocabulary, bundle.vocabulary
        if own_part(bundle) == self.part:
            self._promised.read_by(wanted)
            self.heard.read_by(wanted)
        else:
            frame = self.frame or 0
            left, taken = self.own[:frame].astype(np.int64), self.heard.tokens(frame)[:frame]
            self.heard = ear(own_part(bundle), wanted, translate(known, wanted, left))
            keys = self._promised.keys[:frame]
            self._promised, self._key = Promised(wanted, translate(known, wanted, taken), keys), MelodyKey()
            self._fixed = self._introduced = frame
            self.joins, self._sounds_from = max(self.joins, frame), None
        self.planner, self._turns = Planner(bundle), Turns()

    def _remember(self, history: History) -> None:
        """Take up a jam that another server knew."""
        vocabulary, parts = self.bundle.vocabulary, {"melody": melody_tokens(history.melody)}
        parts["chord"] = chord_tokens(vocabulary, history.chords)
        self.heard = ear(self.part, vocabulary, parts[part_at(self.part, 0)])
        self._write(0, parts[self.part], NO_PLAN)
        self._introduced = len(self.own)
        for note in sorted(history.notes, key=lambda note: note.onset):
            self.heard.note_on(note.pitch, note.onset)
            self.heard.note_off(note.pitch, note.onset + note.duration)


def _hash(event: Event) -> int:
    return hash(msgspec.structs.astuple(event))


def frames_of(beats: float) -> int:
    """The frames nearest to a length in beats."""
    return round(beats * FRAMES_PER_BEAT)
