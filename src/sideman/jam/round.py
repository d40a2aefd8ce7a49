"""One take on MIDI ports, from the first beat to the end: what is heard, asked, told and sounded.

Threads: none; the owner locks, and gives beats of the jam and seconds.
"""

import math

from sideman.jam.messages import Down, Error, JamChord, Notes, Plan, Service, Set, Start
from sideman.jam.pacing import Pacing
from sideman.jam.performance import Performance, Played
from sideman.jam.service import Tally
from sideman.jam.sounding import (
    ALL_NOTES_OFF,
    CONTROL,
    NOTE_OFF,
    NOTE_ON,
    SUSTAIN,
    VELOCITY,
    Sounded,
    Sounding,
)
from sideman.jam.spans import retold
from sideman.jam.take import take
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.song import Meter, Song, Tempo
from sideman.music.vocabulary import PartName

# A tempo that differs by less than this share is the same.
_SAME_TEMPO = 0.01
_ALL_SOUND_OFF = 120


class Round:
    """`part`: what the partner plays; `service`: how the player is served so far; `complaint`: what the jam had to say
    last."""

    def __init__(self, start: Start, sounding: Sounding, part: PartName = "chord") -> None:
        self.sounding = sounding
        self.part = part
        self.service: Service = Tally().figures()
        self.complaint: Error | None = None
        self.beat = -math.inf
        self._meter = Meter.parse(start.meter)
        self._listen = start.listen
        self._performance = Performance()
        self._heard: list[JamChord] = []
        self._pacing = Pacing()
        self._tempos = [Tempo(0.0, start.tempo)]
        self._missed = 0

    def play(self, message: bytes, beat: float) -> None:
        """A message of any channel from the player's instrument."""
        kind, data = message[0] & 0xF0, message[1:]
        if len(data) != 2 or max(data) > 127:
            return
        if kind == NOTE_ON and data[1]:
            self._performance.note_on(data[0], data[1], beat)
        elif kind in (NOTE_ON, NOTE_OFF):
            self._performance.note_off(data[0], beat)
        elif kind == CONTROL and data[0] == SUSTAIN:
            self._performance.pedal(data[1] >= 64, beat)
        elif kind == CONTROL and data[0] in (ALL_NOTES_OFF, _ALL_SOUND_OFF):
            self._performance.finish(beat)

    def told(self, message: Down, beat: float) -> None:
        """What the jam answers, at `beat`."""
        if isinstance(message, Plan):
            self._pacing.answered(message.request)
            self.service = message.service
            self.sounding.plan(message, max(beat, self._listen))
            if message.heard is not None:
                self._heard = retold(self._heard, message.heard)
        elif isinstance(message, Error):
            self.complaint = message

    def step(self, beat: float, bpm: float, now: float) -> list[Notes | Set]:
        """Time goes on; what is to be sent to the jam."""
        messages: list[Notes | Set] = []
        if self.beat < math.floor(beat) > 0 and abs(bpm / self._tempos[-1].bpm - 1) > _SAME_TEMPO:
            self._note_tempo(math.floor(beat) - 1.0, bpm)
            messages.append(Set(tempo=bpm))
        self._count_missed(beat)
        self.beat = max(self.beat, beat)
        if self._pacing.due(beat, self._performance.news, now):
            messages.append(self._performance.tell(self._pacing.ask(beat, now), beat, self._missed))
            self._missed = 0
        return messages

    def pause(self, beat: float) -> None:
        """Nobody plays for now."""
        self._performance.finish(beat)
        self.sounding.rest(beat)

    def song(self) -> Song:
        """The take so far: melody and chords, whoever played them."""
        notes, chords = self._performance.notes, self.sounding.history
        if self.part == "melody":
            notes = [Played(each.onset, each.end, each.keys[0], VELOCITY) for each in self.sounding.history]
            chords = [Sounded(each.onset, each.onset + each.duration, each.symbol) for each in self._heard]
        return take(notes, chords, self._tempos, self._meter, max(0.0, self.beat))

    def _note_tempo(self, onset: float, bpm: float) -> None:
        """The tempo of the beat that has just passed, and so of those to come."""
        self._tempos = [tempo for tempo in self._tempos if tempo.onset < onset] + [Tempo(onset, bpm)]

    def _count_missed(self, beat: float) -> None:
        """Count the frames that began since the last step with nothing planned for them."""
        first = max(math.floor(max(self.beat, -1.0) * FRAMES_PER_BEAT) + 1, round(self._listen * FRAMES_PER_BEAT))
        planned = math.ceil(self.sounding.planned_until * FRAMES_PER_BEAT)
        self._missed += max(0, math.floor(beat * FRAMES_PER_BEAT) - max(first, planned) + 1)
