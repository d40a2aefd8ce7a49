"""What the HTTP interface says and hears: the message types, their bounds, and what they mean in our own types.

The types are the truth: decoding checks against them and the OpenAPI document is generated from them.
"""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from sideman.errors import UnknownChord, WrongValue
from sideman.formats.json_song import MAX_BEATS, MelodyJson
from sideman.jam.messages import Service
from sideman.music.chord import Chord
from sideman.music.song import ChordSpan, Song
from sideman.options.request import MAX_OPTIONS, Request

MAX_JSON_BYTES = 1_000_000
MAX_UPLOAD_BYTES = 5_000_000
SEE_DOCS = "The page at /docs names every field and its bounds."

Body = TypeVar("Body")

Onset = Annotated[float, Meta(ge=0, le=MAX_BEATS, description="Quarter-note beats from the start of the melody.")]
Duration = Annotated[float, Meta(gt=0, le=MAX_BEATS, description="Quarter-note beats.")]
Symbol = Annotated[str, Meta(min_length=1, max_length=32, description="A chord symbol.", examples=["C", "Am7", "Bb/D"])]


class KeepIn(Struct, forbid_unknown_fields=True):
    """A chord that every option must have exactly as given."""

    onset: Onset
    duration: Duration
    symbol: Symbol


class Choices(Struct, forbid_unknown_fields=True):
    """What to make of a melody; the same in JSON and in a form."""

    n: Annotated[int, Meta(ge=1, le=MAX_OPTIONS, description="How many progressions.")] = 5
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Same seed, same answer.")] = 0
    temperature: Annotated[float, Meta(ge=0, le=3, description="0 plays safe; above 1 takes chances.")] = 1.0
    keep: Annotated[list[KeepIn], Meta(max_length=256, description="Chords to keep.")] = []
    density: Annotated[float, Meta(ge=0.05, le=16, description="Chords a bar, about.")] | None = None
    between: (
        Annotated[
            list[Onset],
            Meta(min_length=2, max_length=2, description="Only chords from the first to the second beat are offered."),
        ]
        | None
    ) = None
    model: Annotated[str, Meta(min_length=1, max_length=100, description="A name of GET /v1/models.")] | None = None


_NOTHING, _LIST = {"type": "null"}, {"type": "array"}
ONE_MELODY = {
    "oneOf": [
        {"required": ["notes"], "properties": {"notes": _LIST, "frames": _NOTHING}},
        {"required": ["frames"], "properties": {"frames": _LIST, "notes": _NOTHING}},
    ]
}


class OptionsBody(Choices, forbid_unknown_fields=True, kw_only=True):
    """A melody and what to make of it."""

    melody: Annotated[MelodyJson, Meta(extra_json_schema=ONE_MELODY)]


class ErrorBody(Struct):
    """What is wrong and what to do."""

    code: Annotated[str, Meta(description="For programs; stable.")]
    message: Annotated[str, Meta(description="For people: what is wrong.")]
    hint: Annotated[str, Meta(description="For people: what to do next; may be empty.")]


class ErrorAnswer(Struct):
    """Every error has this shape."""

    error: ErrorBody


class ModelOut(Struct):
    """A model that can be asked for by name."""

    name: str
    kind: str
    part: Annotated[str, Meta(description="What it plays: chord or melody.")]
    parameters: int
    size_bytes: int
    card: Annotated[str, Meta(description="Markdown: what it learned from, what it does well and badly.")]


class ModelsAnswer(Struct):
    """The models of this server."""

    models: list[ModelOut]


class JamHealth(Struct):
    """How the players are served, over all jams since the server started."""

    players: Annotated[int, Meta(ge=0, description="Players who are connected.")]
    service: Service


class HealthAnswer(Struct):
    """That the server is up, and how busy it is."""

    status: str
    version: str
    waiting: Annotated[int, Meta(ge=0, description="Melodies in line, the one being worked on included.")]
    jam: JamHealth


def decode_body(body: bytes, kind: type[Body]) -> Body:
    """A JSON body. Raises WrongValue naming the field."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise wrong_field(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WrongValue(
            f"The body is not JSON: {error}.", "Mind that JSON has no NaN, Infinity or comments.", code="not_json"
        ) from error


def choices_of(fields: dict[str, Any], hint: str = SEE_DOCS) -> Choices:
    """Choices from texts or plain values. Raises WrongValue naming the field."""
    return convert_fields(fields, Choices, hint)


def convert_fields(fields: dict[str, Any], kind: type[Body], hint: str = SEE_DOCS) -> Body:
    """A message from texts or plain values. Raises WrongValue naming the field."""
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise wrong_field(error, hint) from error


def wrong_field(error: msgspec.ValidationError, hint: str = SEE_DOCS) -> WrongValue:
    """``Expected `int` <= 16 - at `$.n` `` in words."""
    what, _, where = str(error).replace("`", "").partition(" - at $")
    field = where.lstrip(".") or "The body"
    return WrongValue(f"{field}: {what[:1].lower()}{what[1:]}.", hint)


def request_of(choices: Choices, melody: Song) -> Request:
    """The question in our own types, unchecked but for its chord symbols. Raises UnknownChord."""
    return Request(
        melody=melody,
        n=choices.n,
        seed=choices.seed,
        temperature=choices.temperature,
        keep=tuple(kept(k.onset, k.duration, k.symbol) for k in choices.keep),
        density=choices.density,
        between=(choices.between[0], choices.between[1]) if choices.between else None,
        model=choices.model,
    )


def kept(onset: float, duration: float, symbol: str) -> ChordSpan:
    """A chord to keep, from its parts. Raises UnknownChord."""
    chord = Chord.parse(symbol)
    if chord is None:
        raise UnknownChord(f"'{symbol}' is no chord to keep.", "Name a chord such as C or Am7, or leave this keep out.")
    return ChordSpan(onset, duration, chord)
