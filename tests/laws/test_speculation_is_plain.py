"""Drafting frames changes how long decoding takes and nothing else: same draws, same chords; same distribution."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from sideman.engine.sampling import Sampling, candidates, column_of, probabilities, reference_sampling
from sideman.engine.speculate import UNFORCED, Melody, decode, score
from sideman.engine.stream import Stream
from sideman.music.grammar import chord_mask
from sideman.music.metre import form
from sideman.music.song import Meter
from sideman.music.vocabulary import BOS, CHORD_HOLD, SILENCE, own_vocabulary

FRAMES = 48
ROWS = 4
DRAFTS = (5, 100)


def some_melody(bundle, frames=FRAMES, seed=0):
    tokens = np.random.default_rng(seed).integers(4, CHORD_HOLD, frames)
    return Melody.prepare(bundle, tokens, form((Meter(1.0, 3, 4),), frames))


def steerings(vocabulary):
    """Everything that can be asked of a decoding, by name."""
    rng = np.random.default_rng(5)
    forced = np.full(FRAMES, UNFORCED)
    forced[8:16] = CHORD_HOLD + 24  # a chord held ...
    forced[8] += vocabulary.chords  # ... from its onset on
    forced[20] = SILENCE
    fresh = np.zeros(FRAMES, np.bool_)
    fresh[[16, 21, 40, 47]] = True
    by_row = np.where(rng.random((ROWS, FRAMES)) < 0.2, vocabulary.chord_on + 7, UNFORCED)
    return {
        "plain": {},
        "forced": {"forced": forced},
        "forced and fresh": {"forced": forced, "fresh": fresh},
        "forced row by row": {"forced": by_row},
        "onset bias": {"onset_bias": np.array([-3.0, -1.0, 0.0, 1.0])},
        "temperature": {"temperature": np.array([0.0, 0.5, 1.0, 2.0])},
        "fresh": {"fresh": fresh},
    }


SAMPLINGS = {
    "": Sampling(),
    "top": Sampling(temperature=0.8, top_k=20, top_p=0.9, min_p=0.01),
    "greedy": Sampling(temperature=0),
    "reference": reference_sampling(own_vocabulary()),
}
# Filters look at steered scores and do not know why they are what they are; a grammar says what steering may ask.
ASKED = [
    (asked, name)
    for asked in steerings(own_vocabulary())
    for name in SAMPLINGS
    if name in ("", "reference") or asked in ("plain", "forced row by row", "temperature")
]


@pytest.mark.parametrize(("asked", "named"), ASKED)
def test_same_draws_same_chords(tiny, asked, named):
    melody, draws = some_melody(tiny), np.random.default_rng(3).random((ROWS, FRAMES))
    how, sampling = steerings(tiny.vocabulary)[asked], SAMPLINGS[named]
    plain = decode(tiny, melody, draws, sampling, **how, draft=1)
    assert plain.passes == FRAMES
    for draft in DRAFTS[-1:] if named else DRAFTS:
        fast = decode(tiny, melody, draws, sampling, **how, draft=draft)
        same = rows_alike(fast.chords, plain.chords)
        np.testing.assert_allclose(fast.log_p[same], plain.log_p[same], atol=1e-4)
        assert fast.passes < FRAMES


def rows_alike(fast, plain):
    """Which rows are equal. A draw within rounding of the border between two chords may fall on either side of it, and
    all that follows is then another story: that may befall one row."""
    same = (fast == plain).all(1)
    assert same.sum() >= len(same) - 1
    return same


def test_beyond_the_window_too(tiny):
    """What a stream has forgotten at a frame must not depend on how it got there."""
    short = replace(tiny, file=msgspec.structs.replace(tiny.file, window=16))
    melody, draws = some_melody(short, 100), np.random.default_rng(2).random((ROWS, 100))
    plain = decode(short, melody, draws, Sampling(), draft=1)
    for draft in DRAFTS:
        rows_alike(decode(short, melody, draws, Sampling(), draft=draft).chords, plain.chords)
    np.testing.assert_allclose(score(short, melody, plain.chords), plain.log_p, atol=1e-4)
    whole = replace(tiny, file=msgspec.structs.replace(tiny.file, window=128))
    assert np.abs(score(whole, some_melody(whole, 100), plain.chords) - plain.log_p)[:, 20:].max() > 0.01, (
        "something was forgotten"
    )


def test_who_follows_turns_begins_anew(tiny_bundles):
    """After a turn of the melody chords are those of a piece that began there, and before it they are as ever."""
    tiny = tiny_bundles["online"]
    follower = replace(tiny, file=msgspec.structs.replace(tiny.file, follows_turns=True))
    notes = np.random.default_rng(0).choice([0, 2, 4, 5, 7, 9, 11], 96) + np.repeat([60, 66], 48)
    tokens, places, draws = 132 + notes, form((Meter(0.0, 4, 4),), 96), np.random.default_rng(1).random((ROWS, 96))
    melody = Melody.prepare(follower, tokens, places)
    ((_, _, _), (since, known, _)) = melody.stretches
    assert 40 <= since < known < 64
    made = decode(follower, melody, draws, Sampling(), draft=1)
    plain = decode(tiny, Melody.prepare(tiny, tokens, places), draws, Sampling(), draft=1)
    np.testing.assert_array_equal(made.chords[:, :known], plain.chords[:, :known])
    forced = np.full((ROWS, 96 - since), UNFORCED)
    forced[:, : known - since] = made.chords[:, since:known]
    anew = Melody.prepare(tiny, tokens[since:], places[since:])
    after = decode(tiny, anew, draws[:, since:], Sampling(), forced=forced, draft=1)
    np.testing.assert_array_equal(made.chords[:, known:], after.chords[:, known - since :])
    assert (made.chords != plain.chords).any()
    for draft in DRAFTS:
        rows_alike(decode(follower, melody, draws, Sampling(), draft=draft).chords, made.chords)
    np.testing.assert_allclose(score(follower, melody, made.chords), made.log_p, atol=1e-4)


def test_the_grammar_and_the_given_frames_are_kept(tiny):
    vocabulary = tiny.vocabulary
    how = steerings(vocabulary)["forced and fresh"]
    made = decode(tiny, some_melody(tiny), np.random.default_rng(3).random((ROWS, FRAMES)), Sampling(), **how).chords
    given = how["forced"] != UNFORCED
    np.testing.assert_array_equal(made[:, given], np.broadcast_to(how["forced"][given], (ROWS, given.sum())))
    for row in made:
        allowed = chord_mask(vocabulary, np.concatenate([[BOS], row[:-1]]))
        assert allowed[np.arange(FRAMES), row].all()
    held = (made >= CHORD_HOLD) & (made < vocabulary.chord_on)
    assert not held[:, how["fresh"]].any()
    assert held.any()


def test_log_p_is_that_of_the_network_alone(tiny):
    """Whatever steers the sampling, `log_p` is the plain network's, and `score` finds the same."""
    draws = np.random.default_rng(4).random((ROWS, FRAMES))
    melody = some_melody(tiny)
    made = decode(tiny, melody, draws, Sampling(top_k=5), onset_bias=np.full(ROWS, 2.0))
    np.testing.assert_allclose(score(tiny, melody, made.chords), made.log_p, atol=1e-4)
    np.testing.assert_allclose(by_hand(tiny, melody, made.chords[0])[0], made.log_p[0], atol=1e-4)


def by_hand(bundle, melody, chords):
    """(log-probability of each chord, scores [T, K] it was chosen from) in one uncached pass."""
    tokens = np.concatenate([[BOS], chords[:-1]])
    if bundle.file.cross:
        fed, extra, read = tokens, melody.stretches[0][2], np.arange(len(chords))
    elif bundle.file.kind == "offline":
        fed, extra, read = tokens, melody.condition[None, : len(chords)], np.arange(len(chords))
    else:
        fed = np.stack([chords, melody.tokens], 1).ravel()
        fed = np.concatenate([[BOS], fed[:-2]])
        extra = np.repeat(melody.form, 2, 0)[None, :-1]
        read = np.arange(0, len(fed), 2)
    logits = Stream.open(bundle, 1).feed(fed[None], extra, read=read)[0]
    scores = candidates(bundle.vocabulary, logits, tokens)
    share = probabilities(scores, Sampling())
    column = column_of(bundle.vocabulary, chords, tokens)
    return np.log(share[np.arange(len(chords)), column]), scores


def test_samples_follow_the_distribution(tiny):
    """Chi-square over 2,500 samples of three frames, drafted together: for each history that occurs often, the next
    chord is distributed as the logits after that history say."""
    rows, frames, sampling = 2500, 3, Sampling(top_k=6)
    melody = some_melody(tiny, frames)
    bias = np.full(rows, -1.0)
    made = decode(tiny, melody, np.random.default_rng(6).random((rows, frames)), sampling, onset_bias=bias, draft=3)
    assert made.passes <= frames
    statistic, freedom = 0.0, 0
    for at in range(frames):
        histories, group = np.unique(made.chords[:, :at], axis=0, return_inverse=True)
        for number, history in enumerate(histories):
            drawn = made.chords[group.ravel() == number, at]
            if len(drawn) < 150:
                continue
            padded = np.concatenate([history, np.full(frames - at, SILENCE)])
            scores = by_hand(tiny, melody, padded)[1][at : at + 1].copy()
            scores[:, 2:] += bias[0]
            share = probabilities(scores, sampling)[0]
            expected = len(drawn) * share / share.sum()
            column = column_of(tiny.vocabulary, drawn, np.full(len(drawn), history[-1] if at else BOS))
            seen = np.bincount(column, minlength=len(share))
            assert not seen[share == 0].any(), "what was filtered out is never drawn"
            often = expected > 5
            statistic += float(((seen - expected)[often] ** 2 / expected[often]).sum())
            freedom += int(often.sum()) - 1
    assert freedom >= 10, "enough was compared"
    # Mean `freedom`, variance 2 * freedom; five standard deviations is far beyond chance for a fixed seed.
    assert statistic < freedom + 5 * np.sqrt(2 * freedom)


def test_most_frames_are_drafted_right_when_chords_hold(tiny):
    draws = np.random.default_rng(7).random((1, 256))
    made = decode(tiny, some_melody(tiny, 256), draws, Sampling(), onset_bias=np.array([-5.0]))
    assert made.passes < 256 / 3
