"""The tokens of one jam, settled from left to right, with the least work that leaves no trace of how.

Every token that is not given is drawn with the noise of its place (choose.py), so the settled sequence is
a function of what is given. A new question differs from the last one somewhere; what comes before that
place stays settled (the whole old plan, if the player did what was imagined), and from there the old
plan is the draft that passes of the network confirm or correct, several frames at a time.
"""

from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle
from sideman.engine.sampling import Floats
from sideman.jam.choose import choose, improvised, prolong, scores_at, token_of
from sideman.jam.parts import own_part, part_at
from sideman.jam.rows import Pass, Row, Windows
from sideman.music.vocabulary import BOS, PartName

Ints = NDArray[np.int64]
Work = Generator[Pass, Floats, None]
FREE = -1
# Unlikely tokens are left out, by the part of the partner: one of them in public is one too many. The onsets of a
# melody are many and each is unlikely.
MIN_P: dict[PartName, float] = {"chord": 0.01, "melody": 0.002}
# Frames a pass drafts at first and after a draft has failed; how much more of the old plan it takes each time it holds;
# frames a pass drafts beyond the old plan.
NARROW_FRAMES, WIDENING, DRAFT_FRAMES = 4, 3, 6
# Slots a row has room for beyond those in use: a cache that grows while the player waits costs him milliseconds.
SPARE_SLOTS = 64
# Tokens a pass feeds at most, so that nobody waits long for his turn.
MAX_TOKENS = 128


@dataclass(frozen=True)
class Question:
    """What to settle: `given` int64 [2 * frames] by place (see rows.py; BOS first, FREE where it is asked for), `form`
    uint8 [at least frames, 3], and how to choose. Both begin with frame `first`: nothing before it is heard by whom
    predicts what is asked for."""

    given: Ints
    form: NDArray[np.uint8]
    seed: int
    temperature: float
    min_p: float = MIN_P["chord"]
    first: int = 0

    @property
    def taste(self) -> tuple[float, ...]:
        """What a choice depends on beside the network."""
        return self.seed, self.temperature, self.min_p


@dataclass
class Planner:
    """Settled places of one jam from frame `first` on and the rows that hold them. Belongs to the thread that owns the
    model."""

    bundle: Bundle
    tokens: Ints = field(default_factory=lambda: np.array([BOS], np.int64))
    first: int = 0
    rows: dict[int, Row] = field(default_factory=dict)
    passes: int = 0

    def __post_init__(self) -> None:
        self.windows = Windows(self.bundle.file.window, self.bundle.hop)
        self._last: Question | None = None

    def settle(self, question: Question) -> Work:
        """Settle all places of a question; afterwards they are `tokens`."""
        given, base = question.given, 2 * question.first
        done, draft = self.agreed(question), self._since(question.first)
        # Here too, and not only in `prepare`: a server too busy to work ahead must not fill its memory with the past.
        self._forget(self._number(done) - 1, question.first)
        for row in self.rows.values():
            row.rollback(done - 1)
        self.first, self.tokens = question.first, np.concatenate([draft[: done - base], given[done - base :]])
        self._last = replace(question, given=given[: done - base])  # all that holds if this is not finished
        width = NARROW_FRAMES
        while (done := base + _next_free(given, done - base)) < base + len(given):
            row = self._row(done)
            while done - 1 - row.end > MAX_TOKENS // 2:  # history that this row has not heard
                yield self._pass(row, min(done - 1, row.end + MAX_TOKENS), question.form)
            row.rollback(done - 1)
            stop = min(done + 2 * width, row.end + MAX_TOKENS, self._last_place(done) + 1)
            stop = min(stop, base + len(given))
            self._guess(given, draft, done - base, stop - base)
            places = np.flatnonzero(given[done - base : stop - base] == FREE) + done
            logits = yield self._pass(row, stop - 1, question.form, places - 1 - row.end)
            wrong = self._correct(question, places, logits)
            if wrong is not None:
                done, width = wrong + 1, NARROW_FRAMES
            else:
                done, width = stop, WIDENING * width if stop < base + len(draft) else DRAFT_FRAMES
            row.rollback(done - 1)
        self._last = question

    def prepare(self, frame: int) -> Work:
        """Fill the row whose turn comes next with what is settled before `frame`, a share of it at each call."""
        if self._last is None:
            return
        number = self.windows.row_of(frame) + 1
        if number - 1 in self.rows:
            self.rows[number - 1].reserve(SPARE_SLOTS, 2 * self.windows.window)
        self._forget(number - 1, self.first)
        elapsed = frame - (self.windows.turn(number) - self.windows.hop)
        if elapsed < 0:
            return
        row = self._opened(number)
        start = row.start
        # All of it is there when half of the time has passed: plans look ahead.
        share = min(1.0, 2 * (elapsed + 4) / self.windows.hop)
        goal = min(1 + 2 * (start + int(share * (frame - start))), 2 * self.first + len(self._last.given))
        while row.end < goal:
            yield self._pass(row, min(goal, row.end + MAX_TOKENS // 2), self._last.form)

    def agreed(self, question: Question) -> int:
        """Places that stay settled: up to the first that is given otherwise or would be sampled otherwise."""
        last, base = self._last, 2 * question.first
        if last is None or question.first < last.first:
            return base + 1
        later = question.first - last.first
        known = last.given[2 * later :]
        count = min(len(known), len(question.given))
        given, before, settled = question.given[:count], known[:count], self._since(question.first)[:count]
        same = last.taste == question.taste and self._hears_as(question, last.first)
        drawn = (before == FREE) if same else np.zeros(count, np.bool_)
        stale = np.where(given == FREE, ~drawn, given != settled)
        if stale.any():
            count = int(stale.argmax())
        form = last.form[later:]
        frames = min(len(form), len(question.form))
        moved = (form[:frames] != question.form[:frames]).any(1)
        return base + (max(1, min(count, 1 + 2 * int(moved.argmax()))) if moved.any() else max(1, count))

    def _since(self, first: int) -> Ints:
        """The settled places from frame `first` on, after BOS; that alone if they do not reach so far."""
        places = self.tokens[2 * (first - self.first) :] if first >= self.first else self.tokens[:0]
        return np.concatenate([[BOS], places[1:]])

    def _hears_as(self, question: Question, first: int) -> bool:
        """Whether the row that predicts what is asked for first hears as much as if the question began at `first`."""
        number = self._number(2 * question.first + _next_free(question.given, 0))
        return self._start(number, question.first) == self._start(number, first)

    def _number(self, place: int) -> int:
        """Of the row that predicts a place."""
        return self.windows.row_of((place - 1) // 2)

    def _start(self, number: int, first: int) -> int:
        """The first frame that this row hears where nothing before `first` is heard."""
        return max(first, self.windows.start(number))

    def _forget(self, number: int, first: int) -> None:
        """Rows before this one, and those that hear more or less than what there is from frame `first` on."""
        for old in [n for n, row in self.rows.items() if n < number or row.start != self._start(n, first)]:
            del self.rows[old]

    def _row(self, place: int) -> Row:
        """The row that predicts a place."""
        return self._opened(self._number(place))

    def _opened(self, number: int) -> Row:
        """The row of this number, an empty one if there is none."""
        if number not in self.rows:
            self.rows[number] = Row.open(self.bundle, self._start(number, self.first))
        return self.rows[number]

    def _last_place(self, place: int) -> int:
        """The last place that the row of `place` predicts."""
        return 2 * self.windows.turn(self._number(place) + 1)

    def _pass(self, row: Row, stop: int, form: NDArray[np.uint8], read: Ints | None = None) -> Pass:
        """Feed a row up to place `stop`."""
        places = np.arange(row.end, stop)
        tokens = self.tokens[places - 2 * self.first]
        tokens[places == 2 * row.start] = BOS
        self.passes += 1
        return Pass(row, tokens, form[places // 2 - self.first], np.zeros(1, np.int64) if read is None else read)

    def _guess(self, given: Ints, draft: Ints, done: int, stop: int) -> None:
        """Fill the free places from `done` to `stop`, counted from the first of `given`, with what they will probably
        be."""
        tokens, wanted = self.tokens[:stop].tolist(), draft[:stop].tolist()
        for place in range(done, stop):
            if given[place] == FREE:
                before = tokens[place - 2] if place > 2 else BOS
                tokens[place] = prolong(self.bundle.vocabulary, before, wanted[place] if place < len(wanted) else None)
        self.tokens[done:stop] = tokens[done:]

    def _correct(self, question: Question, places: Ints, logits: Floats) -> int | None:
        """Draw the free `places` up to the first that was guessed wrong, and put that right; returns it, None if all
        were right."""
        vocabulary, own, base = self.bundle.vocabulary, own_part(self.bundle), 2 * self.first
        for place, row in zip(places.tolist(), logits, strict=True):
            previous = int(self.tokens[place - base - 2]) if place - base > 2 else BOS
            part = part_at(own, place)
            scores = scores_at(vocabulary, part, row, previous)
            if part == own == "melody":
                scores = improvised(scores, question.temperature)
            column = choose(scores, place, question.seed, question.temperature, question.min_p)
            token = token_of(vocabulary, part, column, previous)
            if token != self.tokens[place - base]:
                self.tokens[place - base] = token
                return int(place)
        return None


def _next_free(given: Ints, place: int) -> int:
    """The first free place from `place` on, or the end."""
    free = given[place:] == FREE
    return place + int(free.argmax()) if free.any() else len(given)
