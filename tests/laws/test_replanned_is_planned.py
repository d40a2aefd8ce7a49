"""A plan that grew out of earlier ones, through any surprise, is the plan made from nothing."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jamming import with_window

from sideman.jam.drive import finish
from sideman.jam.parts import own_part, part_at
from sideman.jam.planner import FREE, Planner, Question
from sideman.music.metre import form
from sideman.music.song import Meter
from sideman.music.vocabulary import BOS, CHORD_HOLD, NOTE_ON

FRAMES = 160
FORMS = [form((Meter(0.0, 4, 4),), FRAMES), form((Meter(0.0, 4, 4), Meter(12.0, 3, 4)), FRAMES)]
# (frames that go by, frames looked ahead, how far back the player is understood anew, what changes)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 9), st.integers(1, 24), st.integers(0, 6),
        st.sampled_from(["nothing", "player", "partner", "both", "temperature", "seed", "metre", "turn"]),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@pytest.fixture(params=["chord", "melody"])
def partner(request, tiny_bundles, tiny_melody):
    """One who plays chords, and one who plays a melody."""
    return tiny_bundles["online"] if request.param == "chord" else tiny_melody


def struck(bundle, place, rng, count):
    """Onsets of whoever plays at a place."""
    if part_at(own_part(bundle), place) == "chord":
        return rng.integers(bundle.vocabulary.chord_on, bundle.vocabulary.size, count)
    return rng.integers(NOTE_ON, CHORD_HOLD, count)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, window=st.sampled_from([16, 40, 256]), start=st.integers(0, 60))
def test_replanned_is_planned(partner, steps, window, start):
    bundle = partner
    bundle = with_window(bundle, window)
    rng = np.random.default_rng(len(steps) + start)
    truth = np.full(2 * FRAMES + 1, BOS)
    truth[1::2], truth[2::2] = struck(bundle, 1, rng, 1), struck(bundle, 2, rng, FRAMES)
    planner, now, how, first = Planner(bundle), start, {"temperature": 1.0, "seed": 0, "form": 0}, 0
    for ahead, look, back, change in steps:
        now += ahead
        places = np.arange(1 + 2 * max(0, now - back), 2 * FRAMES)
        if change in ("player", "both"):
            truth[places[places % 2 == 0]] = struck(bundle, 2, rng, (places % 2 == 0).sum())
        if change in ("partner", "both"):
            truth[places[places % 2 == 1]] = struck(bundle, 1, rng, (places % 2 == 1).sum())
        how["temperature"] = 0.8 if change == "temperature" else how["temperature"]
        how["seed"] += change == "seed"
        how["form"] = 1 if change == "metre" else how["form"]
        first = max(0, now - back) if change == "turn" else min(first, now)
        given = np.full(2 * (now + look), FREE)
        given[: 2 * now + 1] = truth[: 2 * now + 1]
        given = np.concatenate([[BOS], given[2 * first + 1 :]])
        question = Question(given, FORMS[how["form"]][first:], how["seed"], how["temperature"], first=first)
        finish(planner.settle(question))
        finish(planner.prepare(now))
    fresh = Planner(bundle)
    finish(fresh.settle(question))
    np.testing.assert_array_equal(planner.tokens, fresh.tokens)
    assert (planner.tokens[1 : 2 * (now - first) + 1] == truth[2 * first + 1 : 2 * now + 1]).all()
    assert all(row.start >= first for row in planner.rows.values())


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)), min_size=1, max_size=8))
def test_what_no_row_hears_need_not_be_told(partner, steps):
    """A planner that is only told the window plans as one that is told the whole jam, with the same work."""
    bundle = with_window(partner, 24)
    rng, form_, now = np.random.default_rng(len(steps)), form((Meter(0.0, 4, 4),), 340), 4
    truth = np.full(2 * 340, BOS)
    truth[1::2], truth[2::2] = struck(bundle, 1, rng, 340), struck(bundle, 2, rng, 339)
    brief, full = Planner(bundle), Planner(bundle)
    for ahead, back in steps:
        now += ahead
        truth[2 * max(1, now - back) :: 2] = struck(bundle, 2, rng, len(truth[2 * max(1, now - back) :: 2]))
        given = np.full(2 * (now + 8), FREE)
        given[: 2 * now + 1] = truth[: 2 * now + 1]
        first = brief.windows.heard_from(now)
        window = np.concatenate([[BOS], given[2 * first + 1 :]])
        finish(full.settle(Question(given, form_, 5, 1.0)))
        finish(brief.settle(Question(window, form_[first:], 5, 1.0, first=first)))
        np.testing.assert_array_equal(brief.tokens[1:], full.tokens[2 * first + 1 :])
        for planner in (brief, full):
            finish(planner.prepare(now))
        assert brief.passes == full.passes
        assert len(brief.tokens) <= 2 * (24 + bundle.hop + 8)


@pytest.mark.parametrize("draft", [1, 2, 30])
def test_how_far_a_pass_drafts_changes_nothing(partner, monkeypatch, draft):
    bundle = partner
    given = np.full(160, FREE)
    given[0] = BOS
    question = Question(given, FORMS[0], 4, 1.0)
    usual, other = Planner(bundle), Planner(bundle)
    finish(usual.settle(question))
    monkeypatch.setattr("sideman.jam.planner.DRAFT_FRAMES", draft)
    monkeypatch.setattr("sideman.jam.planner.NARROW_FRAMES", draft)
    finish(other.settle(question))
    np.testing.assert_array_equal(usual.tokens, other.tokens)
    assert usual.passes <= other.passes or draft == 30
