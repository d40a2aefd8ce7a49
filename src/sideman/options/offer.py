"""A melody in, N ranked and clearly different chord progressions out."""

import time

import numpy as np

from sideman.engine.bundle import Bundle
from sideman.engine.models import DEFAULTS, find_model, list_models, open_model
from sideman.errors import UnknownModel
from sideman.music.frames import Frames, frame_count
from sideman.music.measures import bar_count, note_in_chord, silence
from sideman.music.metre import FRAMES_PER_BEAT
from sideman.music.pitch import Key
from sideman.music.tonality import estimate_key
from sideman.options.answer import Answer, Explanation, Option
from sideman.options.choose import choose, differences
from sideman.options.explain import Reading, summaries
from sideman.options.judge import judge, total
from sideman.options.plan import Plan, make_plan
from sideman.options.pool import Candidate, sample_pool
from sideman.options.request import SHORTEST_BEATS, Request

# Candidates for each option asked for, from the offline and from the online model. Who keeps chords rolls again and
# again, and waits: there are fewer then.
OFFLINE_ROWS, ONLINE_ROWS, ROLLING_ROWS = 3, 1, 2
# When too few differ: how often to sample again, and how much hotter each time.
ROUNDS, HEATING, HOTTEST = 4, 1.5, 1.8
# A density further off than this share of what was asked is worth a word.
DENSITY_TOLERANCE = 0.35
# A pool holds at most so many frames, but always a few more candidates than are asked for.
POOL_FRAMES, SPARE_ROWS = 16384, 3


def offer(request: Request) -> Answer:
    """Answer a request. Raises SidemanError subclasses for what is wrong with it."""
    started = time.perf_counter()
    request.check()
    makers = _makers(request)
    plan = make_plan(request)
    key = request.melody.key or estimate_key(plan.frames.melody)
    candidates, scores, chosen = _search(request, makers, plan, key)
    options = _options(candidates, scores, chosen, request, plan, key)
    return Answer(
        model=next(bundle.file.name for bundle, rows in makers if rows),
        seed=request.seed,
        tempo=request.melody.bpm,
        meter=str(request.melody.meters[0]),
        beats=max(note.offset for note in request.melody.notes),
        elapsed_ms=round(1000 * (time.perf_counter() - started), 1),
        options=options,
        remarks=[
            *request.melody.remarks,
            *_remarks(request, plan, len(chosen)),
            *_density_remark(request, plan, options),
            *_cadence_remark(request, options),
        ],
    )


def _remarks(request: Request, plan: Plan, found: int) -> list[str]:
    """What could not be done as asked."""
    end = len(plan.frames) / FRAMES_PER_BEAT
    remarks = [
        f"The kept {span.chord.name()} at beat {span.onset:g} ends with the melody, at beat {end:g}."
        for span in request.keep
        if span.offset > end + SHORTEST_BEATS
    ]
    if not plan.free.any():
        remarks.append("The given chords leave nothing to choose.")
    elif found < request.n:
        remarks.append(f"Only {found} of {request.n} progressions are good and differ by a fifth of their frames.")
    return remarks


def _density_remark(request: Request, plan: Plan, options: list[Option]) -> list[str]:
    """Whether there are as many chords a bar as were asked for."""
    if request.density is None or not plan.free.any():
        return []
    bars = plan.free.sum() / FRAMES_PER_BEAT / float(request.melody.meters[0].bar_beats)
    kept = len(request.keep)
    found = sum(len(option.chords) - kept for option in options) / len(options) / max(bars, 1.0)
    if abs(found - request.density) <= DENSITY_TOLERANCE * request.density:
        return []
    return [f"These have {found:.1f} chords a bar; the models found nothing good with {request.density:g}."]


def _cadence_remark(request: Request, options: list[Option]) -> list[str]:
    """Whether the cadence asked for was possible."""
    others = sum(option.explanation.cadence != request.cadence for option in options)
    if request.cadence is None or not others:
        return []
    return [
        f"{others} of {len(options)} end otherwise: what is given leaves no room for a cadence ({request.cadence})."
    ]


def _makers(request: Request) -> list[tuple[Bundle, int]]:
    """The models to sample from, the judge (an offline model) first, with rows for each (the second: `_search`)."""
    named = open_model(find_model(request.model))
    if named.file.part != "chord":
        able = ", ".join(info.name for info in list_models() if info.part == "chord")
        raise UnknownModel(f"The model '{named.file.name}' makes no chords.", f"These do: {able}.")
    rows = max(8, (ROLLING_ROWS if request.keep else OFFLINE_ROWS) * request.n)
    # Long melodies get fewer candidates, so that waiting grows slower than they do.
    rows = max(request.n + SPARE_ROWS, min(rows, POOL_FRAMES // frame_count(request.melody)))
    if named.file.kind == "online":  # it proposes everything; the offline model only judges
        return [(open_model(find_model(None)), 0), (named, rows)]
    others = [(named, rows)]
    if request.model is None and any(info.name in DEFAULTS["online"] for info in list_models()):
        others.append((open_model(find_model(None, "online")), max(2, ONLINE_ROWS * request.n)))
    return others


def _search(
    request: Request, makers: list[tuple[Bundle, int]], plan: Plan, key: Key
) -> tuple[list[Candidate], list[dict[str, float]], list[int]]:
    """Sample, judge and choose; sample again, hotter, while too few candidates differ.

    The first model answers alone as a rule; another one is asked where that leaves too few.
    """
    first = makers[:1] if makers[0][1] else makers
    candidates: list[Candidate] = []
    scores: list[dict[str, float]] = []
    chosen: list[int] = []
    for turn in range(ROUNDS):
        heat = request.temperature
        if turn:  # hotter, but where hotter still is only noise, not
            heat = max(heat, min(HOTTEST, max(heat, 0.5) * HEATING**turn))
        candidates += sample_pool(makers[0][0], makers if turn else first, plan, request, key, turn, heat)
        scores = judge(candidates, plan, key, request)
        difference = differences(candidates, plan)
        chosen = choose(np.array([total(s) for s in scores]), difference, request.n)
        for place in chosen:
            others = [i for i in chosen if i != place]
            scores[place]["novelty"] = float(difference[place, others].mean()) if others else 1.0
        if len(chosen) == request.n or not plan.free.any():
            break
    return candidates, scores, chosen


def _options(
    candidates: list[Candidate],
    scores: list[dict[str, float]],
    chosen: list[int],
    request: Request,
    plan: Plan,
    key: Key,
) -> list[Option]:
    readings = [Reading.of(plan.chords(candidates[i].frames), request.melody, key) for i in chosen]
    sentences = summaries(readings, request.melody, bar_count(plan.frames))
    return [
        _option(rank, candidates[i].frames, scores[i], reading, reading.explanation(request.melody, sentence))
        for rank, (i, reading, sentence) in enumerate(zip(chosen, readings, sentences, strict=True), 1)
    ]


def _option(rank: int, frames: Frames, scores: dict[str, float], reading: Reading, explanation: Explanation) -> Option:
    harmony = note_in_chord(frames)
    return Option(
        rank=rank,
        score=round(total(scores), 4),
        scores={name: round(value, 4) for name, value in scores.items()},
        note_in_chord=None if np.isnan(harmony) else round(harmony, 4),
        silence=round(silence(frames), 4),
        chords=reading.chords(),
        explanation=explanation,
    )
