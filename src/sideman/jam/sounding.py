"""What the partner plays as it sounds, chord after chord or note after note: each is released before the next.

Time is given in beats and whoever calls keeps it: `next_beat` says when there is something to do, `advance` does
it. What sounds at any moment is one chord or note of the plan or nothing, and every change goes through `_release`, so
no key can be left hanging. Threads: none; the owner locks.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from sideman.jam.messages import JamChord, JamNote, Plan
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.pitch import pitch_name

NOTE_OFF, NOTE_ON, CONTROL = 0x80, 0x90, 0xB0
SUSTAIN, ALL_NOTES_OFF = 64, 123
VELOCITY = 80
_EPSILON = 1e-6
# A chord struck later than this, in beats, was taken up in its midst.
_PROMPT = 1 / 16


@dataclass(slots=True)
class Block:
    """A chord or note of the plan, in beats; `symbol`: of a note its name; `keys` are MIDI pitches, ascending."""

    onset: float
    end: float
    symbol: str
    keys: tuple[int, ...]


@dataclass(slots=True)
class Sounded:
    """A chord or note that sounded, in beats; `end` None while it does; `keys` as they were sent."""

    onset: float
    end: float | None
    symbol: str
    keys: tuple[int, ...] = ()


class Sounding:
    """The partner's part of a jam on one channel (0..15), moved by `octave` (-3..3).

    `send` takes MIDI messages and never raises. `history` is what sounded, for the take; `planned_until` the beat
    where the plan ends."""

    def __init__(self, send: Callable[[bytes], None], channel: int = 0, octave: int = 0) -> None:
        self.history: list[Sounded] = []
        self.planned_until = 0.0
        self._send = send
        self._channel = channel
        self._octave = octave
        self._blocks: list[Block] = []
        self._struck: Block | None = None
        self._on: tuple[int, ...] = ()

    @property
    def now(self) -> str:
        """The symbol that sounds, or nothing."""
        return "" if self._struck is None else self._struck.symbol

    def following(self, beat: float) -> Block | None:
        """The next chord that begins after a beat."""
        return next((block for block in self._blocks if block.onset > beat), None)

    def plan(self, plan: Plan, beat: float) -> None:
        """Replace what was planned from the plan's first frame on, but nothing that has begun by `beat`."""
        begun = math.ceil(beat * FRAMES_PER_BEAT - _EPSILON)
        if self._struck is not None:
            begun = max(begun, math.floor(self._struck.onset * FRAMES_PER_BEAT + _EPSILON) + 1)
        start = max(plan.frame, begun) / FRAMES_PER_BEAT
        self._cut(start)
        sounds: list[JamChord | JamNote] = [*plan.chords, *plan.notes]
        for sound in sounds:
            self._add(sound, start)
        self.planned_until = max(start, (plan.frame + plan.frames) / FRAMES_PER_BEAT)

    def next_beat(self) -> float | None:
        """When the next chord begins or this one ends; None if that is not known yet."""
        if self._struck is not None:
            end = self._end(self._struck)
            return None if end == math.inf else end
        return self._blocks[0].onset if self._blocks else None

    def advance(self, beat: float) -> None:
        """Let sound what is to sound at `beat`."""
        block = self._at(beat)
        if block is not self._struck:
            self._release(beat)
            if block is not None:
                self._strike(block, beat)
        self._blocks = [block for block in self._blocks if self._end(block) > beat or block is self._struck]

    def rest(self, beat: float) -> None:
        """Nothing sounds; the plan stays, and `advance` takes up again what is to sound."""
        self._release(beat)
        self._send(bytes((CONTROL | self._channel, SUSTAIN, 0)))
        self._send(bytes((CONTROL | self._channel, ALL_NOTES_OFF, 0)))

    def _end(self, block: Block) -> float:
        """A chord at the very end of the plan goes on until there is another plan."""
        open_ended = block is self._blocks[-1] and block.end > self.planned_until - _EPSILON
        return math.inf if open_ended else block.end

    def _at(self, beat: float) -> Block | None:
        return next((block for block in self._blocks if block.onset <= beat < self._end(block)), None)

    def _cut(self, start: float) -> None:
        """Forget the plan from `start` on; a chord that went on for want of a plan did so until there."""
        for block in self._blocks:
            block.end = min(self._end(block), start)
        self._blocks = [block for block in self._blocks if block.onset < start - _EPSILON]

    def _add(self, sound: JamChord | JamNote, start: float) -> None:
        end = sound.onset + sound.duration
        if end <= start + _EPSILON:
            return
        last = self._blocks[-1] if self._blocks else None
        touches = last is not None and last.end > max(sound.onset, start) - _EPSILON
        keys = self._keys(sound)
        # Symbols may be spelled anew when the key becomes clear; keys are what goes on.
        if last is not None and touches and last.keys == keys and (not sound.struck or sound.onset < start - _EPSILON):
            last.end = end
        else:
            symbol = sound.symbol if isinstance(sound, JamChord) else pitch_name(sound.pitch)
            self._blocks.append(Block(max(sound.onset, start), end, symbol, keys))

    def _keys(self, sound: JamChord | JamNote) -> tuple[int, ...]:
        """What is sent for it; a note that leaves the keyboard stays in its octave."""
        if isinstance(sound, JamNote):
            moved = sound.pitch + 12 * self._octave
            return (moved if 0 <= moved <= 127 else sound.pitch,)
        return tuple(sorted({key + 12 * self._octave for key in (*sound.pitches, sound.bass) if key is not None}))

    def _strike(self, block: Block, beat: float) -> None:
        self._struck, self._on = block, block.keys
        for key in self._on:
            self._send(bytes((NOTE_ON | self._channel, key, VELOCITY)))
        onset = block.onset if beat < block.onset + _PROMPT else beat
        if self.history and (ended := self.history[-1].end) is not None:
            onset = max(onset, ended)  # taken up again right after a rest
        self.history.append(Sounded(onset, None, block.symbol, block.keys))

    def _release(self, beat: float) -> None:
        for key in self._on:
            self._send(bytes((NOTE_OFF | self._channel, key, 0)))
        if self._struck is not None:
            self.history[-1].end = max(self.history[-1].onset, min(self._end(self._struck), beat))
        self._struck, self._on = None, ()
