"""A request becomes pieces, told as they are written."""

import time
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from sideman.compose.actions import Piece
from sideman.compose.free import free
from sideman.compose.lockstep import play
from sideman.compose.request import ComposeRequest, check_prompt
from sideman.compose.strict import Strict
from sideman.engine.bundle import Bundle
from sideman.engine.models import find_model, open_model
from sideman.errors import BadSheet
from sideman.music.sheet.patches import split
from sideman.music.sheet.prompts import without_prompt
from sideman.music.sheet.rests import complete

Why = Literal["end", "long", "time", "cancelled"]


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The first event. `seeds`: one a piece."""

    model: str
    seeds: tuple[int, ...]


class Grown(msgspec.Struct, frozen=True, tag="grown"):
    """More text of piece `piece`, with tags and without all-rest bars, which is not taken back: whole lines when
    constrained."""

    piece: int
    text: str


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """A piece has come to its end, or was ended by its time or by cancelling, after its last whole line.

    `original`: as written; `abc`: interleaved ABC with every bar of every voice, empty where that cannot be made of
    it, with the reason in `problem`; `bars`: its lines; `seconds`: since the request began."""

    piece: int
    seed: int
    why: Why
    original: str
    abc: str
    problem: str
    bars: int
    seconds: float


Event = Started | Grown | Finished


def compose(request: ComposeRequest, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Write what is asked for. `cancelled` is asked before every character.

    Raises WrongValue, BadSheet or UnknownModel before the first event; an event that is not fetched stops the writing.
    """
    request.check()
    bundle = open_model(find_model(request.model, "sheet"))
    return compose_with(bundle, request, cancelled)


def compose_with(
    bundle: Bundle, request: ComposeRequest, cancelled: Callable[[], bool] = lambda: False
) -> Iterator[Event]:
    """The same with a bundle that is open."""
    request.check()
    check_prompt(request.prompt, bundle.file.prompts, bundle.file.name)
    return _events(bundle, request, cancelled)


def _events(bundle: Bundle, request: ComposeRequest, cancelled: Callable[[], bool]) -> Iterator[Event]:
    began = time.monotonic()
    until = None if request.seconds is None else began + request.seconds

    def stop() -> str:
        if cancelled():
            return "cancelled"
        return "time" if until is not None and time.monotonic() > until else ""

    seeds = tuple(request.seed + number for number in range(request.count))
    yield Started(bundle.file.name, seeds)
    pieces = [piece_of(request, bundle.file.window) for _ in seeds]
    texts = [""] * len(pieces)
    for said in play(bundle, pieces, seeds, request.sampling, stop):
        if said.text:
            texts[said.row] += said.text
            yield Grown(said.row, said.text)
        if said.why:
            yield finished(said.row, seeds[said.row], said.why, texts[said.row], time.monotonic() - began)  # type: ignore[arg-type]


def piece_of(request: ComposeRequest, length: int) -> Piece:
    """The writing of one piece in a context of `length` patches."""
    prompt = request.prompt.text() if request.prompt.complete else ""
    if not request.constrained:
        return free(prompt + without_prompt(request.begin), length)
    header, body = request.beginning()
    return Strict(length, prompt, request.wanted, header, body, request.bars).piece()


def finished(piece: int, seed: int, why: Why, text: str, seconds: float) -> Finished:
    """The last event of a piece, from all that it said."""
    whole = text[: text.rfind("\n") + 1]
    bars = len(split(whole)[1])
    try:
        abc, problem = f"X:1\n{complete(without_prompt(whole))}", "" if bars else "There is no music in it."
    except BadSheet as error:
        abc, problem = "", error.message
    return Finished(piece, seed, why, whole, abc if bars else "", problem, bars, round(seconds, 3))
