"""What the compose routes hear and say: the message types and their bounds."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from sideman.compose.request import MOST_CHARACTERS, ComposeRequest
from sideman.serve.messages import ErrorBody

MAX_BARS = 256
MAX_PIECES = 4
MAX_SECONDS = 300
MAX_ABC = 200_000

Words = Annotated[str, Meta(max_length=200)]
ScoreFormat = Literal["svg", "pdf", "musicxml", "midi", "wav", "mp3", "abc", "play"]


class ComposeBody(Struct, forbid_unknown_fields=True):
    """What to write. Everything may be left out; the prompt is all three of its fields or none."""

    model: Annotated[str, Meta(min_length=1, max_length=100, description="Of GET /v1/compose/models.")] | None = None
    period: Words = ""
    composer: Words = ""
    instrumentation: Words = ""
    bars: Annotated[int, Meta(ge=1, le=MAX_BARS, description="Lines of music, a beginning counted.")] | None = None
    key: Annotated[str, Meta(max_length=8, examples=["G", "Bbm"])] = ""
    meter: Annotated[str, Meta(max_length=8, examples=["3/4", "C"])] = ""
    tempo: Annotated[float, Meta(ge=10, le=400, description="Quarter notes a minute.")] | None = None
    begin: Annotated[str, Meta(max_length=MOST_CHARACTERS, description="A beginning in interleaved ABC; kept.")] = ""
    count: Annotated[int, Meta(ge=1, le=MAX_PIECES, description="Pieces; piece n has seed `seed + n`.")] = 1
    seed: Annotated[int, Meta(ge=0, le=2**53, description="Same seed, same piece.")] = 0
    temperature: Annotated[float, Meta(ge=0, le=5)] = 1.2
    top_k: Annotated[int, Meta(ge=0, le=128, description="0: all.")] = 9
    top_p: Annotated[float, Meta(ge=0, le=1)] = 0.9
    constrained: Annotated[bool, Meta(description="Bars fit, and what is asked for is so.")] = True
    seconds: Annotated[float, Meta(gt=0, le=MAX_SECONDS, description="What there is by then is the answer.")] = (
        MAX_SECONDS
    )

    def request(self) -> ComposeRequest:
        """The question in our own types, unchecked."""
        return ComposeRequest(**{name: getattr(self, name) for name in self.__struct_fields__})


class Queued(Struct, tag="queued"):
    """Others are before you."""

    ahead: Annotated[int, Meta(ge=1)]


class Failed(Struct, tag="error"):
    """Something went wrong on the way; nothing follows."""

    error: ErrorBody


class PromptOut(Struct):
    """A combination a model takes as its prompt."""

    period: str
    composer: str
    instrumentation: str


class SheetModelOut(Struct):
    """A model that writes sheet music. No prompts: it takes none."""

    name: str
    default: bool
    parameters: int
    card: Annotated[str, Meta(description="Markdown: what it learned from, what it does well and badly.")]
    prompts: list[PromptOut]


class SheetModelsAnswer(Struct):
    """The models of POST /v1/compose."""

    models: list[SheetModelOut]


class ScoreChoices(Struct, forbid_unknown_fields=True):
    """What to make of a score; the same in JSON and in a form."""

    format: ScoreFormat
    page: Annotated[int, Meta(ge=-1, le=10_000, description="Of SVG, from 1; -1 is the last.")] = 1
    width: Annotated[int, Meta(ge=300, le=4000, description="Of SVG, in CSS pixels; A4 without it.")] | None = None


class ScoreBody(ScoreChoices, forbid_unknown_fields=True, kw_only=True):
    """A score as ABC, and what to make of it."""

    abc: Annotated[str, Meta(min_length=1, max_length=MAX_ABC)]


class SoundingPart(Struct):
    """An instrument. `program`: General MIDI."""

    name: str
    program: int


class SoundingNote(Struct):
    """A note as it sounds, in seconds; `part` is an index."""

    start: float
    seconds: float
    pitch: int
    velocity: int
    part: int


class SoundingMoment(Struct):
    """Elements of the SVG pages that begin at `start`, in bar `bar` as written, from 0."""

    start: float
    bar: int
    page: int
    ids: tuple[str, ...]


class ScorePlayAnswer(Struct):
    """What sounds when, repeats played out."""

    title: str
    seconds: float
    pages: Annotated[int, Meta(ge=0, description="0: nothing is engraved here.")]
    parts: list[SoundingPart]
    notes: list[SoundingNote]
    cursor: list[SoundingMoment]
