"""Chords for a known melody, many rows at once, several frames a pass, without changing the distribution.

Most frames prolong the chord that sounds. So each pass feeds the next frames with the draft
"everything holds", gets the true distribution at every one of them, and draws tokens from left to
right for as long as the draw equals the draft; the first token that differs is kept and what was fed
after it is rolled back. Every token is thus drawn from the network's own distribution given what
really precedes it: with the same uniform draws the result is the plain frame-by-frame one
(Leviathan et al., 2023, with a deterministic draft). Int8 graphs round activations by what is fed
together, so there a token's probability itself moves a little (by about 0.003 nats) with the draft.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle, Floats, Memory, windows
from sideman.engine.leaning import Leaning
from sideman.engine.sampling import Sampling, candidates, column_of, log_probability, pick, tokens_of
from sideman.engine.stream import Ints, Stream
from sideman.music.grammar import hold_of
from sideman.music.turns import turns_in
from sideman.music.vocabulary import BOS, SILENCE, Vocabulary, pitches

DRAFT_FRAMES = 8
SCORE_FRAMES = 64
# A pass costs more the larger the cache is, and so does making it larger: it grows once.
FIRST_SLOTS = 128
UNFORCED = -1


@dataclass(frozen=True)
class Melody:
    """A melody ready for one network: frame tokens [T], form [T, 3]; for offline bundles `condition` [T+1, D].

    `stretches`: (start, first, memory) of the parts that are heard one after the other: while frames from `first` up to
    that of the next part are chosen nothing before `start` is heard. They are the windows of a network with
    cross-attention (see `bundle.windows`), or begin where a melody turns (music.turns); none: all of it is one."""

    tokens: Ints
    form: NDArray[np.uint8]
    condition: Floats | None
    stretches: tuple[tuple[int, int, Memory | None], ...] = ()

    @classmethod
    def prepare(cls, bundle: Bundle, tokens: Ints, form: NDArray[np.uint8]) -> "Melody":
        if bundle.file.kind == "online":
            return cls(tokens, form, None, _between_turns(tokens) if bundle.file.follows_turns else ())
        if not bundle.file.cross:
            return cls(tokens, form, bundle.encode(tokens, form))
        window = bundle.file.window
        parts = windows(len(tokens), window)
        return cls(tokens, form, None, tuple(
            (start, first, bundle.remember(tokens[start : start + window], form[start : start + window]))
            for start, first in parts
        ))  # fmt: skip

    def __len__(self) -> int:
        return len(self.tokens)

    def beginning(self, count: int) -> "Melody":
        """The first `count` frames of a melody of one stretch at most; all of it was heard."""
        condition = None if self.condition is None else self.condition[: count + 1]
        return replace(self, tokens=self.tokens[:count], form=self.form[:count], condition=condition)


@dataclass(frozen=True)
class Decoded:
    """`chords` int64 [B, T] tokens; `log_p` [B, T]: log-probability of each at temperature 1; `passes` of the graph."""

    chords: Ints
    log_p: NDArray[np.float64]
    passes: int


def decode(
    bundle: Bundle,
    melody: Melody,
    draws: NDArray[np.float64],
    sampling: Sampling,
    forced: Ints | None = None,
    onset_bias: NDArray[np.float64] | None = None,
    temperature: NDArray[np.float64] | None = None,
    fresh: NDArray[np.bool_] | None = None,
    leaning: Leaning | None = None,
    draft: int = DRAFT_FRAMES,
) -> Decoded:
    """Chords for `melody`, one row of `draws` [B, T] each.

    `forced` int64 [T] or [B, T]: tokens that are given (UNFORCED elsewhere). `onset_bias` [B]: added to the
    logits of chord onsets, to steer density. `temperature` [B]: one a row, times that of `sampling`.
    `fresh` bool [T]: frames in which nothing may be held. `leaning`: which chords are wished for. `draft` frames are
    tried a pass; 1 decodes plainly.
    """
    rows, frames = draws.shape
    forced = np.broadcast_to(np.int64(UNFORCED) if forced is None else forced, (rows, frames))
    steering = _Steering(
        bias=np.zeros(rows) if onset_bias is None else onset_bias,
        temperature=np.ones(rows) if temperature is None else temperature,
        fresh=np.zeros(frames, np.bool_) if fresh is None else fresh,
        sampling=sampling,
        leaning=leaning,
    )
    if len(melody.stretches) > 1:
        return _decode_stretches(bundle, melody, draws, forced, steering, draft)
    return _decode(bundle, melody, draws, forced, steering, draft)


def _decode(bundle: Bundle, melody: Melody, draws: NDArray[np.float64], forced: Ints, steering: "_Steering",
            draft: int) -> Decoded:  # fmt: skip
    rows, frames = draws.shape
    feeder = _Feeder(bundle, melody)
    most = feeder.slots(min(frames, bundle.file.window) + draft)
    stream = Stream.open(bundle, rows, min(most, FIRST_SLOTS))
    full, keep = feeder.slots(bundle.file.window), feeder.slots(bundle.file.window - bundle.hop)
    chords, log_p = np.full((rows, frames), SILENCE, np.int64), np.zeros((rows, frames))
    done, passes, reach = np.zeros(rows, np.int64), 0, draft
    while (done < frames).any():
        width = min(reach, int(frames - done.min()))
        fed, drafts = feeder.group(chords, done, width, forced, bundle)
        stream.slide(full - 1, keep)
        before = stream.lengths
        if before.max() + fed[0].shape[1] > FIRST_SLOTS:
            stream.reserve(most)
        # No pass goes beyond the frame at which its row forgets: what a frame sees must not depend on `draft`.
        room = np.minimum(frames - done, -(-(full - before) // feeder.per_frame))
        logits = stream.feed(*fed, read=feeder.read(fed[0].shape[1]))
        passes += 1
        known = _accept(bundle, logits, drafts, done, room, chords, log_p, draws, forced, steering)
        stream.rollback(before + feeder.fed_slots(done, known))
        # Where chords change often, long drafts are mostly work for nothing.
        reach = min(draft, 2 + 2 * int(known[done < frames].mean()))
        done = done + known
    return Decoded(chords, log_p, passes)


def _between_turns(melody: Ints) -> tuple[tuple[int, int, None], ...]:
    turns = turns_in(pitches(melody).tolist())
    return ((0, 0, None), *((since, known, None) for since, known in turns if known < len(melody)))


def _decode_stretches(bundle: Bundle, melody: Melody, draws: NDArray[np.float64], forced: Ints, steering: "_Steering",
                      draft: int) -> Decoded:  # fmt: skip
    """Each stretch is decoded as a piece of its own, whose chords up to its `first` frame are given by those before."""
    rows, frames = draws.shape
    chords, log_p, passes = np.full((rows, frames), SILENCE, np.int64), np.zeros((rows, frames)), 0
    ends = [*(first for _, first, _ in melody.stretches[1:]), frames]
    for (start, first, memory), stop in zip(melody.stretches, ends, strict=True):
        known = np.concatenate([chords[:, start:first], forced[:, first:stop]], 1)
        part = Melody(melody.tokens[start:stop], melody.form[start:stop], None, ((0, 0, memory),))
        made = _decode(bundle, part, draws[:, start:stop], known, steering.crop(start, stop), draft)
        chords[:, first:stop], log_p[:, first:stop] = made.chords[:, first - start :], made.log_p[:, first - start :]
        passes += made.passes
    return Decoded(chords, log_p, passes)


def score(bundle: Bundle, melody: Melody, chords: Ints) -> NDArray[np.float64]:
    """Log-probability [B, T] of given chord tokens [B, T] under the network, at temperature 1."""
    return decode(bundle, melody, np.zeros(chords.shape), Sampling(), forced=chords, draft=SCORE_FRAMES).log_p


def _accept(
    bundle: Bundle,
    logits: Floats,
    drafts: Ints,
    done: Ints,
    room: Ints,
    chords: Ints,
    log_p: NDArray[np.float64],
    draws: NDArray[np.float64],
    forced: Ints,
    steering: "_Steering",
) -> Ints:
    """Draw tokens of every drafted frame and keep those up to the first that differs, at most `room` [B]; returns
    how many, [B]."""
    vocabulary = bundle.vocabulary
    rows, width, _ = logits.shape
    frames = draws.shape[1]
    at = np.minimum(done[:, None] + np.arange(width), frames - 1)
    start = np.where(done > 0, chords[np.arange(rows), np.maximum(done, 1) - 1], BOS)
    previous = np.concatenate([start[:, None], drafts[:, :-1]], 1).ravel()
    loose = steering.sampling.reference_grammar
    if loose and bundle.file.kind == "online":
        previous = np.where(at.ravel() == 1, BOS, previous)
    plain = candidates(vocabulary, logits.reshape(rows * width, -1), previous, loose)
    steered = steering.apply(plain, at, previous, vocabulary)
    columns = pick(steered, draws[np.arange(rows)[:, None], at].ravel(), steering.sampling)
    given = np.take_along_axis(forced, at, 1).ravel()
    columns = np.where(given == UNFORCED, columns, column_of(vocabulary, given, previous, loose))
    tokens = np.where(given == UNFORCED, tokens_of(vocabulary, columns, previous), given).reshape(rows, width)
    quality = log_probability(plain, columns).reshape(rows, width)
    differs = tokens != drafts
    known: Ints = np.minimum(np.where(differs.any(1), differs.argmax(1) + 1, width), room)
    for row, (first, count) in enumerate(zip(done.tolist(), known.tolist(), strict=True)):
        chords[row, first : first + count] = tokens[row, :count]
        log_p[row, first : first + count] = quality[row, :count]
    return known


@dataclass(frozen=True)
class _Steering:
    """What turns the network's logits into what is sampled; see `decode`."""

    bias: NDArray[np.float64]
    temperature: NDArray[np.float64]
    fresh: NDArray[np.bool_]
    sampling: Sampling
    leaning: Leaning | None = None

    def crop(self, start: int, stop: int) -> "_Steering":
        """The same for some of the frames."""
        leaning = None if self.leaning is None else self.leaning.crop(start, stop)
        return replace(self, fresh=self.fresh[start:stop], leaning=leaning)

    def apply(self, scores: Floats, at: Ints, previous: Ints, vocabulary: Vocabulary) -> Floats:
        """Candidate logits [B * W, K] of frames `at` [B, W] after tokens `previous` [B * W], steered."""
        width, chords = at.shape[1], vocabulary.chords
        heat = np.repeat(np.maximum(self.temperature, 1e-3), width)[:, None]
        steered: Floats = np.divide(scores, heat, dtype=np.float32)
        steered[:, 0] += self.sampling.silence_bias
        if self.leaning is not None:
            self.leaning.apply(steered, at.ravel(), previous, vocabulary)
        steered[:, 2 : 2 + chords] += np.repeat(self.bias, width)[:, None].astype(np.float32)
        fresh = self.fresh[at].ravel()
        steered[fresh, 1] = -np.inf
        steered[fresh, 2 + chords :] = -np.inf
        return steered


class _Feeder:
    """What a network eats a frame: an offline decoder its own last chord, an online one chord and melody."""

    def __init__(self, bundle: Bundle, melody: Melody) -> None:
        self.melody, self.online = melody, bundle.file.kind == "online"
        self.memory = melody.stretches[0][2] if melody.stretches else None
        self.per_frame = 2 if self.online else 1

    def slots(self, frames: int) -> int:
        """Slots filled when so many frames are settled: the chord of the last is not fed yet, BOS always."""
        return self.per_frame * frames - (self.per_frame - 1)

    def read(self, count: int) -> Ints:
        """Positions whose logits predict a chord: the last of each frame's group (BOS alone is the first group)."""
        first = 0 if count % self.per_frame else self.per_frame - 1
        return np.arange(first, count, self.per_frame)

    def fed_slots(self, done: Ints, known: Ints) -> Ints:
        """Slots that stay after `known` frames were settled: the group of the last one is not fed yet."""
        if not self.online:
            return known
        return np.where(done == 0, 2 * known - 1, 2 * known)

    def group(
        self, chords: Ints, done: Ints, width: int, forced: Ints, bundle: Bundle
    ) -> tuple[tuple[Ints, NDArray[np.generic] | Memory], Ints]:
        """((tokens, form, condition or memory) to feed, drafts [B, width] of the frames they predict)."""
        rows, frames = chords.shape
        at = done[:, None] + np.arange(width)
        inside = np.minimum(at, frames - 1)
        last = np.where(done > 0, chords[np.arange(rows), np.maximum(done, 1) - 1], BOS)
        given = np.take_along_axis(forced, inside, 1)
        # What sounds at each frame is the last given chord, or the one before the draft.
        latest = np.maximum.accumulate(np.where(given == UNFORCED, -1, np.arange(width)), 1)
        sounding = np.where(latest < 0, last[:, None], np.take_along_axis(given, np.maximum(latest, 0), 1))
        drafts = np.where(given == UNFORCED, hold_of(bundle.vocabulary, sounding), given)
        fed = np.concatenate([last[:, None], drafts[:, :-1]], 1)
        if self.memory is not None:
            return (fed, self.memory), drafts
        if not self.online:
            assert self.melody.condition is not None
            return (fed, self.melody.condition[inside]), drafts
        # A group is (c, m) of the frame before the one it predicts; before frame 0 there is only BOS.
        before = np.maximum(inside - 1, 0)
        tokens = np.stack([fed, self.melody.tokens[before]], 2).reshape(rows, -1)
        form = self.melody.form
        places = np.stack([form[before], form[inside]], 2).reshape(rows, -1, 3)
        if done[0] == 0:  # every row settles at least one frame a pass, so all start together
            tokens, places = np.delete(tokens, 1, 1), np.delete(places, 1, 1)
        return (tokens, places), drafts
