"""The planner does as little as it can, stays within the network's window, and keeps the grammar."""

import numpy as np
import pytest
from jamming import with_window

from sideman.jam.drive import finish
from sideman.jam.planner import FREE, Planner, Question
from sideman.music.grammar import chord_mask, melody_mask
from sideman.music.metre import form
from sideman.music.song import Meter
from sideman.music.vocabulary import BOS, SILENCE

FORM = form((Meter(0.0, 4, 4),), 400)


def question(bundle, known, frames, seed=1, temperature=1.0, melody_seed=0):
    """`known` frames of a random melody and of silence for chords, then free ones."""
    rng = np.random.default_rng(melody_seed)
    given = np.full(2 * frames, FREE)
    given[0] = BOS
    given[1 : 1 + 2 * known : 2] = SILENCE
    given[2 : 2 + 2 * known : 2] = rng.integers(132, 260, frames)[:known]
    return Question(given, FORM, seed, temperature)


@pytest.fixture
def online(tiny_bundles):
    return tiny_bundles["online"]


def test_what_was_foreseen_costs_nothing(online):
    planner = Planner(online)
    asked = question(online, 20, 40)
    finish(planner.settle(asked))
    before = planner.passes
    truth = asked.given.copy()
    truth[: 2 * 28] = planner.tokens[: 2 * 28]  # the player did what was imagined, and it sounded as planned
    finish(planner.settle(Question(truth, FORM, asked.seed, asked.temperature)))
    assert planner.passes == before
    finish(planner.settle(Question(truth[: 2 * 36], FORM, asked.seed, asked.temperature)))
    assert planner.passes == before, "looking less far needs no work either"


def test_only_the_far_end_is_decoded(online):
    planner = Planner(online)
    asked = question(online, 20, 36)
    finish(planner.settle(asked))
    truth = np.concatenate([planner.tokens[: 2 * 24], np.full(2 * 16, FREE)])
    work = planner.settle(Question(truth, FORM, asked.seed, asked.temperature))
    fed = []
    try:
        wanted = next(work)
        while True:
            fed.append(wanted)
            logits = wanted.row.stream.feed(wanted.tokens[None], wanted.form[None], wanted.read)[0]
            wanted = work.send(logits)
    except StopIteration:
        pass
    # The old plan ends with the chord of frame 35: nothing before it is fed again.
    assert fed
    assert all(one.read.size for one in fed)
    assert len(fed[0].tokens) < 16
    assert len(planner.tokens) == 2 * 40


def test_a_surprise_keeps_what_does_not_depend_on_it(online):
    planner = Planner(online)
    asked = question(online, 20, 40)
    finish(planner.settle(asked))
    old, row = planner.tokens.copy(), planner.rows[0]
    surprised = asked.given.copy()
    surprised[2 + 2 * 20] = 132 + (old[2 + 2 * 20] - 132 + 7) % 128
    first = next(planner.settle(Question(surprised, FORM, asked.seed, asked.temperature)))
    assert row.end == 1 + 2 * 20, "only what follows the surprise is forgotten"
    assert len(first.tokens) > 2, "and the old plan is tried"
    np.testing.assert_array_equal(planner.tokens[: 2 + 2 * 20], old[: 2 + 2 * 20])


@pytest.mark.parametrize("temperature", [0.0, 0.7, 2.0])
def test_the_grammar_is_kept(online, temperature):
    planner = Planner(online)
    finish(planner.settle(question(online, 10, 90, temperature=temperature)))
    chords, melody = planner.tokens[1::2], planner.tokens[2::2]
    for part, mask, known in ((chords, chord_mask, 10), (melody, melody_mask, 10)):
        allowed = mask(online.vocabulary, np.concatenate([[BOS], part[:-1]]))
        assert allowed[np.arange(len(part)), part][known:].all()


def test_no_row_is_longer_than_the_window(online):
    short = with_window(online, 32)
    planner = Planner(short)
    for frame in range(4, 150, 4):
        asked = question(short, frame, frame + 12)
        finish(planner.settle(asked))
        finish(planner.prepare(frame))
        for row in planner.rows.values():
            assert row.stream.lengths[0] <= 2 * 32
        assert len(planner.rows) <= 3
    assert len(planner.rows) >= 1
    assert 0 not in planner.rows, "what has been used up is let go"


def test_work_ahead_spares_the_request_and_changes_nothing(online):
    short = with_window(online, 64)
    diligent, lazy = Planner(short), Planner(short)
    most = {"diligent": 0, "lazy": 0}
    for frame in range(4, 200, 4):
        asked = question(short, frame, frame + 8)
        for name, planner in (("diligent", diligent), ("lazy", lazy)):
            before = sum(row.end - 2 * row.start for row in planner.rows.values())
            finish(planner.settle(asked))
            if frame > 8:
                fed = sum(row.end - 2 * row.start for row in planner.rows.values()) - before
                most[name] = max(most[name], fed)
        finish(diligent.prepare(frame))
        np.testing.assert_array_equal(diligent.tokens, lazy.tokens)
    assert most["lazy"] > 60, "the lazy one fills a row while the player waits"
    assert most["diligent"] < 40


def test_an_abandoned_planning_does_no_harm(online):
    planner, asked = Planner(online), question(online, 30, 60)
    work = planner.settle(asked)
    wanted = next(work)
    for _ in range(3):
        wanted = work.send(wanted.row.stream.feed(wanted.tokens[None], wanted.form[None], wanted.read)[0])
    work.close()
    other = question(online, 32, 60, melody_seed=5)
    finish(planner.settle(other))
    fresh = Planner(online)
    finish(fresh.settle(other))
    np.testing.assert_array_equal(planner.tokens, fresh.tokens)


def test_the_past_is_forgotten_without_work_ahead(online):
    """As on a server that is never idle."""
    planner = Planner(with_window(online, 16))
    for known in range(4, 160, 4):
        finish(planner.settle(question(online, known, known + 8)))
        assert len(planner.rows) <= 4
