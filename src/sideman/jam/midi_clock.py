"""Where a MIDI clock master is: beats from its ticks, start, stop, continue and song position.

A quarter-note beat has 24 ticks. A start, a continue or a song position says what the *next* tick is; until it
comes the position rests. Ticks arrive with jitter, so their times run through an alpha-beta filter whose memory
grows from nothing to a beat: at once a usable tempo, soon a calm one.

Pure state: every call is given its time in seconds.
"""

from enum import Enum, IntEnum

TICKS_PER_BEAT = 24
_TICKS_PER_SIXTEENTH = 6
# Ticks the filter remembers, and those it keeps when the tempo turns out to be another one.
_MEMORY, _FRESH = 24, 2
# Seconds between ticks at 400 and at 10 beats a minute.
_SHORTEST, _LONGEST = 60 / 400 / TICKS_PER_BEAT, 60 / 10 / TICKS_PER_BEAT
# A gap of more periods than this holds lost ticks, unless the next gap is as long: then the master slowed down.
_GAP = 1.6
# Two ticks in a row that are off by more than this share of a period, to the same side, are another tempo.
_OFF = 0.2
# Ticks the position runs on without hearing any; then the master is gone.
_PATIENCE = 12


class Status(IntEnum):
    """First bytes of the messages that make up a MIDI clock."""

    SONG_POSITION = 0xF2
    TICK = 0xF8
    START = 0xFA
    CONTINUE = 0xFB
    STOP = 0xFC


class Change(Enum):
    """What a message did to the master's position."""

    STARTED = "started"  # from the beginning of the song
    CONTINUED = "continued"  # from where it stands
    STOPPED = "stopped"
    MOVED = "moved"  # to another place, playing or not


class ClockFollower:
    """The position of a master in beats of its song."""

    def __init__(self) -> None:
        self.running = False
        self._next = 0  # the number, in the song, of the tick that comes next
        self._moving = False  # a tick has been heard since the position was set
        self._ticks = TickFilter()

    def hear(self, message: bytes, now: float) -> Change | None:
        """Take in a message; None if it did not change the position, or says nothing about it."""
        match message[0]:
            case Status.TICK:
                self._tick(now)
            case Status.START:
                self.running, self._next, self._moving = True, 0, False
                return Change.STARTED
            case Status.CONTINUE if not self.running:
                self.running, self._moving = True, False
                return Change.CONTINUED
            case Status.STOP if self.running:
                self.running = self._moving = False
                return Change.STOPPED
            case Status.SONG_POSITION if len(message) == 3:
                self._next = _TICKS_PER_SIXTEENTH * (message[1] & 0x7F | (message[2] & 0x7F) << 7)
                self._moving = False
                return Change.MOVED
        return None

    @property
    def bpm(self) -> float | None:
        """Quarter notes a minute; None before two ticks were heard."""
        return None if self._ticks.period is None else 60 / (TICKS_PER_BEAT * self._ticks.period)

    def beat(self, now: float) -> float:
        """The position; it rests while the master does, and soon after its ticks fail to come."""
        return (self._next + self._since(now)) / TICKS_PER_BEAT

    def time(self, beat: float) -> float | None:
        """When the master will be (or was) at `beat` if it goes on like this; None while it rests, and for a beat that
        it does not reach without more ticks."""
        ahead = beat * TICKS_PER_BEAT - self._next + 1
        if not self._moving or self._ticks.period is None or ahead > _PATIENCE:
            return None
        return self._ticks.at + ahead * self._ticks.period

    def lost(self, now: float) -> bool:
        """Whether the master plays, but its ticks do not come any more."""
        return self._moving and now - self._ticks.heard > _PATIENCE * (self._ticks.period or _LONGEST)

    def _tick(self, now: float) -> None:
        passed = self._ticks.hear(now)
        if self.running:
            # The first tick after a start is where the start said, whatever was lost before.
            self._next += passed if self._moving else 1
            self._moving = True

    def _since(self, now: float) -> float:
        """Ticks from the next tick to now: -1 when the last one has just been heard."""
        if not self._moving:
            return 0.0
        if self._ticks.period is None:
            return -1.0
        return min(max(0.0, (now - self._ticks.at) / self._ticks.period), _PATIENCE) - 1


class TickFilter:
    """Times of ticks, smoothed. `at`: when the last one should have come, `heard`: when it did, `period`: seconds
    between two, None before there were two."""

    def __init__(self) -> None:
        self.at = self.heard = 0.0
        self.period: float | None = None
        self._count = 0  # ticks in memory
        self._lost = 0  # taken for lost in the last gap
        self._side = 0  # how the last tick was off: -1 early, 1 late, 0 hardly

    def hear(self, now: float) -> int:
        """A tick; returns how many have passed since the last one, those that were lost among them (or taken back)."""
        gap, self.heard = now - self.heard, now
        if self._count == 0 or gap > _PATIENCE * _LONGEST:
            self.at, self._count, self._lost = now, 1, 0
            return 1
        if self.period is None or self._count == 1:
            self._restart(gap, now)
            return 1
        periods = gap / self.period
        lost, self._lost = self._lost, 0
        if periods <= _GAP:
            self._correct(now)
            return 1
        if lost:  # two long gaps in a row: nothing was lost, the master is slower
            self._restart(gap, now)
            return 1 - lost
        self._lost = round(periods) - 1
        self.at += self._lost * self.period
        self._correct(now)
        return 1 + self._lost

    def _restart(self, gap: float, now: float) -> None:
        self.period = min(max(gap, _SHORTEST), _LONGEST)
        self.at, self._count, self._side = now, _FRESH, 0

    def _correct(self, now: float) -> None:
        """One step of the filter: the gains are those of a least-squares line through the ticks in memory."""
        assert self.period is not None
        error = now - (self.at + self.period)
        side = 0 if abs(error) < _OFF * self.period else (1 if error > 0 else -1)
        if side and side == self._side:
            self._count = _FRESH
        self._side = side
        n = self._count
        self._count = min(n + 1, _MEMORY)
        self.at += self.period + error * 2 * (2 * n + 1) / ((n + 1) * (n + 2))
        self.period = min(max(self.period + error * 6 / ((n + 1) * (n + 2)), _SHORTEST), _LONGEST)
