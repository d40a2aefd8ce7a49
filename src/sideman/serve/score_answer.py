"""A score in the form the caller asks for: engraved, sounded, notated, or what to play when."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from sideman.compose.beginning import interleaved
from sideman.formats import score_engrave, score_files
from sideman.formats.score_engrave import CannotEngrave
from sideman.formats.score_engraver import Moment
from sideman.formats.score_performance import Performance, perform
from sideman.music.score import Score
from sideman.serve.compose_messages import (
    ScoreChoices,
    ScorePlayAnswer,
    SoundingMoment,
    SoundingNote,
    SoundingPart,
)

MEDIA_TYPES = {
    **score_files.MEDIA_TYPES,
    "abc": "text/vnd.abc",
    "play": "application/json",
}


@dataclass(frozen=True, slots=True)
class Made:
    """A file. `pages`: how many there are of an SVG."""

    content: bytes
    pages: int = 0


def score_answer(read: Callable[[], Score], choices: ScoreChoices) -> Made:
    """The answer. Raises SidemanError, as `read` does."""
    score = read()
    if choices.format == "svg":
        page, count = score_engrave.svg_page(score, choices.page, choices.width)
        return Made(page.encode(), count)
    if choices.format == "abc":
        return Made(interleaved(score).encode())
    if choices.format == "play":
        return Made(msgspec.json.encode(_play(score, choices.width)))
    return Made(score_files.write_score(score, choices.format)[0])


def _play(score: Score, width: int | None) -> ScorePlayAnswer:
    played = perform(score)
    moments, pages = _moments(score, width)
    return ScorePlayAnswer(
        title=score.title,
        seconds=_round(played.seconds(played.beats)),
        pages=pages,
        parts=[SoundingPart(name, program) for name, program in zip(played.names, played.programs, strict=True)],
        notes=[
            SoundingNote(_round(start), _round(played.seconds(n.onset + n.beats) - start), n.pitch, n.velocity, n.part)
            for n in played.notes
            for start in (played.seconds(n.onset),)
        ],
        cursor=_cursor(played, moments),
    )


def _moments(score: Score, width: int | None) -> tuple[tuple[Moment, ...], int]:
    """What begins where on the pages; nothing where none can be drawn: a score can be heard nevertheless."""
    if not score_engrave.can_engrave():
        return (), 0
    try:
        return score_engrave.timeline(score, width)
    except CannotEngrave:
        return (), 0


def _cursor(played: Performance, moments: tuple[Moment, ...]) -> list[SoundingMoment]:
    """The moments of each bar as often as it is played; without any, the bars."""
    written = sorted(moments, key=lambda moment: (moment.bar, moment.beats))
    found = []
    for number, bar in enumerate(played.bars):
        end = played.bars[number + 1].onset if number + 1 < len(played.bars) else played.beats
        first = bisect_left(written, bar.bar, key=lambda moment: moment.bar)
        after = bisect_left(written, bar.bar + 1, key=lambda moment: moment.bar)
        inside = [m for m in written[first:after] if bar.onset + m.beats < end] or [Moment(bar.bar, 0.0, 0, ())]
        found += [SoundingMoment(_round(played.seconds(bar.onset + m.beats)), m.bar, m.page, m.ids) for m in inside]
    return found


def _round(seconds: float) -> float:
    return round(seconds, 4)
