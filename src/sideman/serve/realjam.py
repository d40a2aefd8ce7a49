"""GET /models and POST /play, as a ReaLJam page asks them (Scarlatos et al., 2025): each carries the jam so far.

Nothing is kept for correctness, and still nothing is computed twice: plannings are kept, and one that has
settled most of what is asked goes on from there.
"""

import zlib
from collections.abc import Generator
from threading import Lock
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle
from sideman.engine.models import list_models
from sideman.engine.sampling import Floats
from sideman.errors import UnknownModel, WrongValue
from sideman.jam.bars import Bars
from sideman.jam.choose import prolong
from sideman.jam.heard import Heard
from sideman.jam.intro import harmonise
from sideman.jam.parts import own_part
from sideman.jam.planner import FREE, Planner, Question
from sideman.jam.rows import Pass
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.song import Meter
from sideman.music.turns import turns_in
from sideman.music.vocabulary import BOS, CHORD_HOLD, SILENCE, Vocabulary, pitches

Ints = NDArray[np.int64]
MAX_FRAMES = 65536
KEPT = 8

Frame = Annotated[int, Meta(ge=0, le=MAX_FRAMES)]
Span = Annotated[int, Meta(ge=0, le=64)]


class PlayNote(Struct):
    """A key that went down or up at the beginning of a frame."""

    on: bool
    pitch: Annotated[int, Meta(ge=0, le=127)]
    frame: Frame


class PlayBody(Struct, rename="camel"):
    """The jam so far, and from which frame on chords are wanted; counts are 16ths."""

    model: Annotated[str, Meta(min_length=1, max_length=100)]
    notes: Annotated[list[PlayNote], Meta(max_length=50_000)]
    chord_tokens: Annotated[list[int], Meta(max_length=MAX_FRAMES)]
    frame: Frame
    lookahead: Annotated[int, Meta(ge=1, le=64)]
    commitahead: Span
    silence_till: Frame
    temperature: Annotated[float, Meta(ge=0, le=3)]
    intro_set: bool


class PlayAnswer(Struct, rename="camel"):
    """Chords from `frame` on, one entry a 16th: [symbol, MIDI pitches with the bass last, whether it is struck]."""

    new_chords: list[tuple[str, list[int], bool]]
    new_chord_tokens: list[int]
    intro_chord_tokens: list[int] | None
    frame: int


def playable() -> list[str]:
    """Names of the models that can play chords along."""
    return [info.name for info in list_models() if info.accompanies]


class Plannings:
    """Plannings of earlier questions. Threads: taken and given back from any."""

    def __init__(self) -> None:
        self._kept: list[Planner] = []
        self._lock = Lock()

    def take(self, bundle: Bundle, question: Question) -> Planner:
        """The planning that has settled most of the question, or a fresh one."""
        with self._lock:
            known = [
                (planner.agreed(question) - 2 * question.first, number)
                for number, planner in enumerate(self._kept)
                if planner.bundle is bundle
            ]
            best, number = max(known, default=(0, 0))
            return self._kept.pop(number) if best > len(question.given) // 2 else Planner(bundle)

    def give_back(self, planner: Planner) -> None:
        with self._lock:
            self._kept = [*self._kept, planner][-KEPT:]


class Play:
    """One question at work. `answer` is there when `work` has ended. Raises WrongValue and UnknownModel for what cannot
    be asked."""

    def __init__(self, body: PlayBody, bundle: Bundle, offline: Bundle | None, plannings: Plannings) -> None:
        self.body, self.bundle, self.offline, self.plannings = body, bundle, offline, plannings
        self.answer = PlayAnswer([], [], None, body.frame)
        if own_part(bundle) != "chord":
            raise UnknownModel(f"The model '{body.model}' plays no chords.", "GET /models names those that do.")
        _check_tokens(bundle.vocabulary, body.chord_tokens)

    def work(self) -> Generator[Pass, Floats, None]:
        body, vocabulary = self.body, self.bundle.vocabulary
        if body.frame == 0 or body.frame < body.silence_till - min(body.lookahead, 4):
            return
        melody = _melody(body)
        stop = body.frame + body.lookahead
        form = Bars(Meter(0.0, 4, 4)).form(stop)
        seed = zlib.crc32(repr([(n.pitch, n.frame) for n in body.notes if n.on][:1]).encode())
        stored = np.array(body.chord_tokens, np.int64)
        promised = min(max(0, len(stored) - body.lookahead + body.commitahead - body.frame), body.lookahead)
        chords = _sounded(vocabulary, stored, body.frame + promised)
        if not body.intro_set and self.offline is not None:
            intro = harmonise(self.offline, vocabulary, melody[: body.frame], form[: body.frame], seed)
            chords[: body.frame] = intro
            self.answer.intro_chord_tokens = intro.tolist()
        given = np.full(2 * stop, FREE, np.int64)
        given[1 : 1 + 2 * len(chords) : 2] = chords
        given[2 : 2 + 2 * body.frame : 2] = melody[: body.frame]
        first = _heard_from(self.bundle, melody[: body.frame])
        given = given[2 * first :]
        given[0] = BOS
        question = Question(given, form[first:], seed, body.temperature, first=first)
        planner = self.plannings.take(self.bundle, question)
        yield from planner.settle(question)
        tokens = planner.tokens[1::2][body.frame - first :]
        yield from planner.prepare(body.frame)
        self.plannings.give_back(planner)
        self.answer.new_chord_tokens = tokens.tolist()
        self.answer.new_chords = [_sound(vocabulary, token) for token in tokens.tolist()]


def _heard_from(bundle: Bundle, melody: Ints) -> int:
    """The frame in which the melody last turned to another key, of a bundle that follows it there."""
    turns = turns_in(pitches(melody).tolist()) if bundle.file.follows_turns else ()
    return turns[-1][0] if turns else 0


def _check_tokens(vocabulary: Vocabulary, tokens: list[int]) -> None:
    for place, token in enumerate(tokens):
        if token not in (-1, SILENCE) and not CHORD_HOLD <= token < vocabulary.size:
            raise WrongValue(
                f"chordTokens[{place}] is {token}, no chord of this model.", "Send back what /play answered."
            )


def _melody(body: PlayBody) -> Ints:
    heard = Heard()
    for note in sorted(body.notes, key=lambda note: note.frame):
        if note.frame < body.frame:
            (heard.note_on if note.on else heard.note_off)(note.pitch, note.frame / FRAMES_PER_BEAT)
    return heard.tokens(body.frame)


def _sounded(vocabulary: Vocabulary, stored: Ints, frames: int) -> Ints:
    """The first `frames` chord tokens; where none is known (-1, or after the end) the last chord went on."""
    out = np.full(frames, -1, np.int64)
    out[: len(stored)] = stored[:frames]
    before = SILENCE
    for place in range(frames):
        if out[place] < 0:
            out[place] = prolong(vocabulary, before, None)
        before = int(out[place])
    return out


def _sound(vocabulary: Vocabulary, token: int) -> tuple[str, list[int], bool]:
    if token == SILENCE:
        return "", [], True
    chord = vocabulary.symbols[(token - CHORD_HOLD) % vocabulary.chords]
    return chord.name(), [*chord.voicing(), 36 + chord.bass], token >= vocabulary.chord_on
