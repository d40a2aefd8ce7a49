"""Candidates: many progressions for one plan, sampled from the models that ship."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle
from sideman.engine.leaning import Leaning
from sideman.engine.sampling import Sampling
from sideman.engine.speculate import Decoded, Melody, decode, score
from sideman.music.frames import Frames
from sideman.music.measures import chord_density
from sideman.music.pitch import Key
from sideman.music.vocabulary import translate
from sideman.options.bass_line import lead_bass
from sideman.options.colour import colour, palette_of
from sideman.options.dials import keys_of_frames, lean
from sideman.options.plan import Plan
from sideman.options.request import Request

# Rows of a pool are spread around the asked-for temperature, so that some are safe and some are daring.
SPREAD = (0.75, 1.25)
# The coldest row beside the first: colder ones would all be the same progression.
COLDEST = 0.3
# Unlikely tokens are left out, and silence costs something: who asks for chords wants to hear them.
SAMPLING = Sampling(min_p=0.01, silence_bias=-2.0)

# So much of a melody tells how dense it becomes.
LADDER_FRAMES = 128


@dataclass(frozen=True)
class Candidate:
    """One progression with the offline model's log-probability of its free frames, and which model made it."""

    frames: Frames
    log_p: float
    source: str


def sample_pool(
    judge: Bundle, makers: list[tuple[Bundle, int]], plan: Plan, request: Request, key: Key, turn: int, heat: float
) -> list[Candidate]:
    """`rows` candidates from each (bundle, rows) of `makers`, judged by the offline bundle `judge`; each `turn` gives
    others. `heat`: the temperature they are spread around."""
    tokens, _ = judge.vocabulary.encode(plan.frames)
    melody = prepare(judge, tokens.astype(np.int64), plan.frames.form)
    seed = request.seed + 7919 * turn
    out: list[Candidate] = []
    for number, (bundle, rows) in enumerate(makers):
        if not rows:
            continue
        prepared = melody if bundle is judge else prepare(bundle, melody.tokens, melody.form)
        draws = np.random.default_rng([seed, number]).random((rows, len(plan.frames)))
        leaning = lean(request, plan, key, bundle.vocabulary)
        temperatures = _temperatures(heat, rows, first=not out)
        bias = np.zeros(rows)
        density = request.wanted_density
        if density is not None:
            bias = _density_bias(bundle, prepared, plan, density, heat, seed, leaning) + np.linspace(-0.4, 0.4, rows)
        forced = plan.forced(bundle.vocabulary)
        made = decode(bundle, prepared, draws, SAMPLING, forced, bias, temperatures, plan.fresh, leaning)
        complete = [plan.complete(bundle.vocabulary, chords) for chords in made.chords]
        log_p = made.log_p if bundle is judge else score(judge, melody, _tokens_for(judge, bundle, made, complete))
        for frames, quality in zip(complete, log_p, strict=True):
            out.append(
                Candidate(_arranged(frames, plan, request, key), float(quality[plan.free].sum()), bundle.file.name)
            )
    return out


def _arranged(frames: Frames, plan: Plan, request: Request, key: Key) -> Frames:
    """What was sampled, in the colours and over the bass that were asked for."""
    palette = palette_of(request)
    if palette:
        keys, kind = keys_of_frames(request, plan, key)
        frames = colour(frames, plan, [keys[i] for i in kind], palette, locked=request.key == "lock")
    return frames if request.bass is None else lead_bass(frames, plan, request.bass)


def prepare(bundle: Bundle, tokens: NDArray[np.int64], form: NDArray[np.uint8]) -> Melody:
    """`Melody.prepare`, once for a melody that is asked about again and again."""
    return _prepared(bundle, tokens.tobytes(), form.tobytes())


@lru_cache(maxsize=8)
def _prepared(bundle: Bundle, tokens: bytes, form: bytes) -> Melody:
    rows = np.frombuffer(form, np.uint8).reshape(-1, 3)
    return Melody.prepare(bundle, np.frombuffer(tokens, np.int64), rows)


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


def _density_bias(
    bundle: Bundle, melody: Melody, plan: Plan, density: float, heat: float, seed: int, leaning: Leaning | None
) -> float:
    """The onset bias whose samples come closest to `density` chords a bar: measured on a ladder of biases,
    interpolated between its rungs."""
    count = min(len(melody), LADDER_FRAMES)
    if len(melody.stretches) <= 1 and plan.free[:count].mean() > 0.5:
        melody, plan, leaning = melody.beginning(count), plan.beginning(count), leaning and leaning.crop(0, count)
    ladder = np.linspace(-3.0, 4.0, 8)
    draws = np.random.default_rng([seed, 99]).random((len(ladder), len(melody)))
    forced, temperature = plan.forced(bundle.vocabulary), np.full(len(ladder), max(heat, COLDEST))
    made = decode(bundle, melody, draws, SAMPLING, forced, ladder, temperature, plan.fresh, leaning)
    dense = [chord_density(plan.complete(bundle.vocabulary, chords)) for chords in made.chords]
    # Densities rise with the bias up to noise; interpolation needs them to rise strictly.
    rising = np.maximum.accumulate(dense) + np.arange(len(ladder)) * 1e-6
    return float(np.interp(density, rising, ladder))
