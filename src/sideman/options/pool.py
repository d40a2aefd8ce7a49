"""Candidates: many progressions for one plan, sampled from the models that ship."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle
from sideman.engine.sampling import Sampling
from sideman.engine.speculate import Decoded, Melody, decode, score
from sideman.music.frames import Frames
from sideman.music.measures import chord_density
from sideman.music.vocabulary import translate
from sideman.options.plan import Plan

# Rows of a pool are spread around the asked-for temperature, so that some are safe and some are daring.
SPREAD = (0.75, 1.25)
# The coldest row beside the first: colder ones would all be the same progression.
COLDEST = 0.3
# Unlikely tokens are left out, and silence costs something: who asks for chords wants to hear them.
SAMPLING = Sampling(min_p=0.01, silence_bias=-2.0)


@dataclass(frozen=True)
class Candidate:
    """One progression with the offline model's log-probability of its free frames, and which model made it."""

    frames: Frames
    log_p: float
    source: str


def sample_pool(
    judge: Bundle,
    makers: list[tuple[Bundle, int]],
    plan: Plan,
    seed: int,
    temperature: float,
    density: float | None,
) -> list[Candidate]:
    """`rows` candidates from each (bundle, rows) of `makers`, judged by the offline bundle `judge`."""
    tokens, _ = judge.vocabulary.encode(plan.frames)
    melody = Melody.prepare(judge, tokens.astype(np.int64), plan.frames.form)
    out: list[Candidate] = []
    for number, (bundle, rows) in enumerate(makers):
        if not rows:
            continue
        prepared = melody if bundle is judge else Melody.prepare(bundle, melody.tokens, melody.form)
        draws = np.random.default_rng([seed, number]).random((rows, len(plan.frames)))
        heat = _temperatures(temperature, rows, first=not out)
        bias = np.zeros(rows)
        if density is not None:
            bias = _density_bias(bundle, prepared, plan, density, temperature, seed) + np.linspace(-0.4, 0.4, rows)
        made = decode(bundle, prepared, draws, SAMPLING, plan.forced(bundle.vocabulary), bias, heat, plan.fresh)
        complete = [plan.complete(bundle.vocabulary, chords) for chords in made.chords]
        log_p = made.log_p if bundle is judge else score(judge, melody, _tokens_for(judge, bundle, made, complete))
        for frames, quality in zip(complete, log_p, strict=True):
            out.append(Candidate(frames, float(quality[plan.free].sum()), bundle.file.name))
    return out


def _tokens_for(judge: Bundle, maker: Bundle, made: Decoded, complete: list[Frames]) -> NDArray[np.int64]:
    """What `maker` made, [B, T], in the tokens of `judge`, whose chord list may be another."""
    if judge.vocabulary.names == maker.vocabulary.names:
        return made.chords
    tokens = np.stack([maker.vocabulary.encode(frames)[1] for frames in complete]).astype(np.int64)
    return translate(maker.vocabulary, judge.vocabulary, tokens)


def _temperatures(temperature: float, rows: int, first: bool) -> NDArray[np.float64]:
    """One a row: spread around `temperature`; the first row of the first maker is a little safer than asked."""
    heat = np.maximum(temperature * np.linspace(*SPREAD, rows), COLDEST)
    if first:
        heat[0] = min(temperature, heat[0])
    return heat


def _density_bias(bundle: Bundle, melody: Melody, plan: Plan, density: float, temperature: float, seed: int) -> float:
    """The onset bias whose samples come closest to `density` chords a bar: measured on a ladder of biases,
    interpolated between its rungs."""
    ladder = np.linspace(-3.0, 4.0, 8)
    draws = np.random.default_rng([seed, 99]).random((len(ladder), len(melody)))
    forced, heat = plan.forced(bundle.vocabulary), np.full(len(ladder), max(temperature, COLDEST))
    made = decode(bundle, melody, draws, SAMPLING, forced, ladder, heat, plan.fresh)
    dense = [chord_density(plan.complete(bundle.vocabulary, chords)) for chords in made.chords]
    # Densities rise with the bias up to noise; interpolation needs them to rise strictly.
    rising = np.maximum.accumulate(dense) + np.arange(len(ladder)) * 1e-6
    return float(np.interp(density, rising, ladder))
