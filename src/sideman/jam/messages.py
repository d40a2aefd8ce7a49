"""What a player's page and the jam say to each other, version 1: JSON objects told apart by `type`.

Times are quarter-note beats from the jam's beat 0 on the player's clock; a frame is a 16th.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from sideman.errors import SidemanError, WrongValue
from sideman.music.vocabulary import PartName
from sideman.wrong_fields import in_words

VERSION = 1
MAX_BEATS = 65536
MAX_SEED = 2**53 - 1  # what JSON numbers hold exactly

# A little before beat 0 people play upbeats and settle in.
Beat = Annotated[float, Meta(ge=-64, le=MAX_BEATS)]
Length = Annotated[float, Meta(gt=0, le=MAX_BEATS)]
Pitch = Annotated[int, Meta(ge=0, le=127)]
Velocity = Annotated[int, Meta(ge=0, le=127)]
Bpm = Annotated[float, Meta(ge=1, le=400)]
MeterText = Annotated[str, Meta(max_length=8)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Lookahead = Annotated[float, Meta(ge=0.25, le=8)]
Commit = Annotated[float, Meta(ge=0, le=8)]
Temperature = Annotated[float, Meta(ge=0, le=3)]


class NoteEvent(Struct, forbid_unknown_fields=True):
    """A key went down or up."""

    on: bool
    pitch: Pitch
    beat: Beat
    velocity: Velocity = 80


class PedalEvent(Struct, forbid_unknown_fields=True):
    """The sustain pedal went down or up."""

    down: bool
    beat: Beat


class PlayedNote(Struct, forbid_unknown_fields=True):
    """A note of what was played or sounded before a reconnect."""

    onset: Beat
    duration: Length
    pitch: Pitch
    velocity: Velocity = 80


class PlayedChord(Struct, forbid_unknown_fields=True):
    """A chord that sounded before a reconnect."""

    onset: Beat
    duration: Length
    symbol: Annotated[str, Meta(min_length=1, max_length=60)]


class History(Struct, forbid_unknown_fields=True):
    """What was played and heard so far, for a server that does not know it: the keys that the player pressed, and both
    parts as they were before. Of the player's part that is only what `notes` do not say: what somebody else played
    before a change of parts, or chords that were heard from him."""

    notes: Annotated[list[PlayedNote], Meta(max_length=100_000)] = []
    chords: Annotated[list[PlayedChord], Meta(max_length=100_000)] = []
    melody: Annotated[list[PlayedNote], Meta(max_length=100_000)] = []


class Start(Struct, forbid_unknown_fields=True, tag="start"):
    """The first message. `session` takes up an earlier jam again; `history` lets it be rebuilt."""

    version: int
    tempo: Bpm = 100.0
    meter: MeterText = "4/4"
    model: Name | None = None
    lookahead: Lookahead = 4.0
    commit: Commit = 2.0
    listen: Annotated[float, Meta(ge=0, le=64)] = 8.0
    temperature: Temperature = 0.8
    seed: Annotated[int, Meta(ge=0, le=MAX_SEED)] = 0
    session: Annotated[str, Meta(max_length=64)] | None = None
    history: History | None = None


class Notes(Struct, forbid_unknown_fields=True, tag="notes"):
    """What was played since the last `notes`; everything before `beat` is known. Asks for a plan from the first frame
    after `beat`. `missed`: frames for which the player had nothing planned to sound."""

    request: Annotated[int, Meta(ge=0, le=MAX_SEED)]
    beat: Beat
    notes: Annotated[list[NoteEvent], Meta(max_length=1000)] = []
    pedal: Annotated[list[PedalEvent], Meta(max_length=1000)] = []
    missed: Annotated[int, Meta(ge=0, le=4 * MAX_BEATS)] = 0


class Set(Struct, forbid_unknown_fields=True, tag="set"):
    """New settings from the next plan on; a new metre from the next bar line on."""

    tempo: Bpm | None = None
    meter: MeterText | None = None
    model: Name | None = None
    lookahead: Lookahead | None = None
    commit: Commit | None = None
    temperature: Temperature | None = None


class Stop(Struct, forbid_unknown_fields=True, tag="stop"):
    """The jam is over."""


Up = Start | Notes | Set | Stop


class Settings(Struct, frozen=True):
    """How a jam is played; beats, and quarter notes a minute."""

    tempo: float
    meter: str
    lookahead: float
    commit: float
    listen: float
    temperature: float
    seed: int


class JamChord(Struct, frozen=True):
    """A chord to sound. `struck` false: it goes on from before the first frame of the plan."""

    onset: float
    duration: float
    symbol: str
    pitches: list[int]
    bass: int | None
    struck: bool


class JamNote(Struct, frozen=True):
    """A note to sound; `struck` as in a chord."""

    onset: float
    duration: float
    pitch: int
    struck: bool


class HeardChords(Struct, frozen=True):
    """The chords that were heard from the player in `frames` frames from `frame` on."""

    frame: int
    frames: int
    chords: list[JamChord]


class Service(Struct, frozen=True):
    """How well the player is served: frames that had a plan (hits) or not; isr = hits / frames; isrw weighs each hit
    by the age of its plan, from 1 when just asked for to 0 at 8 beats; `age`: the mean of these ages in beats."""

    frames: int
    hits: int
    misses: int
    isr: float
    isrw: float
    age: float


class Timings(Struct, frozen=True):
    """Milliseconds: `arrived` and `sent` on the server's clock, `queued` and `computed` durations."""

    arrived: float
    queued: float
    computed: float
    sent: float


class Started(Struct, tag="started"):
    """The jam has begun, or goes on where it was (`resumed`)."""

    version: int
    session: str
    resumed: bool
    model: str
    settings: Settings
    part: PartName


class SettingsOut(Struct, tag="settings"):
    """The settings that hold from now on."""

    settings: Settings
    model: str
    part: PartName


class Intro(Struct, tag="intro"):
    """What could have accompanied the player while he was listened to; never sounds."""

    chords: list[JamChord]


class Plan(Struct, tag="plan", omit_defaults=True):
    """Replaces everything planned from `frame` on. The first `committed` of its `frames` are as promised before. A
    partner who plays the melody plans `notes` instead of chords and tells which chords he heard."""

    request: int
    frame: int
    frames: int
    committed: int
    chords: list[JamChord]
    timings: Timings
    service: Service
    notes: list[JamNote] = []
    heard: HeardChords | None = None


class Late(Struct, tag="late"):
    """The answer to `request` came after its deadline; what was promised goes on. `misses`: frames without a plan."""

    request: int
    frame: int
    misses: int


class Error(Struct, tag="error"):
    """What is wrong and what to do; after a `fatal` one the connection ends."""

    code: str
    message: str
    hint: str = ""
    fatal: bool = False
    expected: list[str] = []


class Bye(Struct, tag="bye"):
    """The last message: why the jam is over, and how it was served."""

    reason: Literal["stopped", "shutdown", "idle", "replaced"]
    service: Service


Down = Started | SettingsOut | Intro | Plan | Late | Error | Bye

_DECODER: msgspec.json.Decoder[Up] = msgspec.json.Decoder(Up)


class WrongMessage(SidemanError):
    """A message that is no message of this protocol."""

    code = "wrong_message"


def read_message(text: str | bytes) -> Start | Notes | Set | Stop:
    """A message of a player. Raises WrongMessage, or WrongValue naming the field."""
    try:
        return _DECODER.decode(text)
    except msgspec.ValidationError as error:
        place, what = in_words(error, Up)
        if place in ("", "type"):
            raise WrongMessage(
                f"This is no message of the jam: {what}.", "Its type is start, notes, set or stop."
            ) from None
        raise WrongValue(f"{place}: {what}.", "The message was left out; the jam goes on.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WrongMessage(f"This is not JSON: {error}.", "Send one JSON object a message.") from None
