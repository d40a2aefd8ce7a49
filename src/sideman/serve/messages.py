"""What the HTTP interface says and hears: the message types, their bounds, and what they mean in our own types.

The types are the truth: decoding checks against them and the OpenAPI document is generated from them.
"""

from itertools import zip_longest
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from sideman.errors import UnknownChord, WrongValue
from sideman.formats.json_song import MAX_BEATS, MelodyJson, to_song
from sideman.jam.messages import Service
from sideman.music.cadence import Target
from sideman.music.chord import Chord
from sideman.music.song import ChordSpan, Song
from sideman.options.alternatives import Place
from sideman.options.likeness import MAX_CHORDS, Style, read_chart
from sideman.options.request import MAX_OPTIONS, Request
from sideman.wrong_fields import in_words

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


class ChordIn(Struct):
    """A chord as every option has it; its further fields are not looked at."""

    onset: Onset
    duration: Duration
    symbol: Symbol


Complexity = Annotated[
    Literal["triads", "sevenths", "extensions"],
    Meta(description="triads: three tones at most; sevenths: preferred, nothing richer; extensions: ninths and beyond "
         "preferred."),
]  # fmt: skip
Tonality = Annotated[
    Literal["lock", "free"],
    Meta(description="lock: only chords of the key; free: chords of other keys are welcome."),
]
ModelName = Annotated[str, Meta(min_length=1, max_length=100, description="A name of GET /v1/models.")]
Example = Annotated[
    Annotated[str, Meta(min_length=1, max_length=20_000, examples=["Dm9 | G13 | Cmaj9 . A7 . | %"])]
    | Annotated[list[ChordIn], Meta(min_length=1, max_length=MAX_CHORDS)],
    Meta(description="Style by example: a chart, or chords."),
]


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
    complexity: Complexity | None = None
    bass: (
        Annotated[float, Meta(ge=0, le=1, description="0 stands chords on their roots, 1 makes the bass step.")] | None
    ) = None
    key: Tonality | None = None
    cadence: Annotated[Target, Meta(description="How it ends.")] | None = None
    like: Example | None = None
    surprise: Annotated[float, Meta(ge=0, le=1, description="0 the chords one expects, 1 others.")] | None = None
    model: ModelName | None = None


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


class AlternativesBody(Struct, forbid_unknown_fields=True, kw_only=True):
    """A melody, its chords, and the place of one of them."""

    melody: Annotated[MelodyJson, Meta(extra_json_schema=ONE_MELODY)]
    chords: Annotated[list[ChordIn], Meta(min_length=1, max_length=MAX_CHORDS)]
    onset: Annotated[float, Meta(ge=0, le=MAX_BEATS, description="Any beat within the chord to replace.")]
    n: Annotated[int, Meta(ge=1, le=MAX_OPTIONS, description="How many others.")] = 8
    complexity: Complexity | None = None
    key: Tonality | None = None
    model: ModelName | None = None


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
        raise wrong_field(error, kind) from error
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
        raise wrong_field(error, kind, hint) from error


def wrong_field(error: msgspec.ValidationError, kind: Any, hint: str = SEE_DOCS) -> WrongValue:
    """What is wrong with a message of a kind, and where."""
    field, what = in_words(error, kind)
    return WrongValue(f"{field or 'The body'}: {what}.", hint)


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
        complexity=choices.complexity,
        bass=choices.bass,
        key=choices.key,
        cadence=choices.cadence,
        like=None if choices.like is None else style_of(choices.like, melody),
        surprise=choices.surprise,
        model=choices.model,
    )


def place_of(body: AlternativesBody) -> Place:
    """The place in our own types, unchecked but for its chord symbols. Raises SidemanError."""
    return Place(
        melody=to_song(body.melody),
        chords=chords_of(body.chords, "chords"),
        onset=body.onset,
        n=body.n,
        complexity=body.complexity,
        key=body.key,
        model=body.model,
    )


def style_of(example: str | list[ChordIn], melody: Song) -> Style:
    """The style of an example, whose bars are those of the melody. Raises UnknownChord, WrongValue."""
    if isinstance(example, str):
        return read_chart(example)
    return Style.of_spans(chords_of(example, "like"), melody.meters[0].bar_beats)


def chords_of(chords: list[ChordIn], field: str) -> tuple[ChordSpan, ...]:
    """Chords in order, each cut where the next one begins; `N.C.` is silence. Raises UnknownChord, WrongValue."""
    rows = sorted(chords, key=lambda chord: chord.onset)
    found = []
    for row, following in zip_longest(rows, rows[1:]):
        room = row.duration if following is None else min(row.duration, following.onset - row.onset)
        if room <= 0:
            raise WrongValue(f"{field}: two chords begin at beat {row.onset:g}.", "Give one chord at a time.")
        chord = Chord.parse(row.symbol)
        if chord is not None:
            found.append(ChordSpan(row.onset, room, chord))
    return tuple(found)


def kept(onset: float, duration: float, symbol: str) -> ChordSpan:
    """A chord to keep, from its parts. Raises UnknownChord."""
    chord = Chord.parse(symbol)
    if chord is None:
        raise UnknownChord(f"'{symbol}' is no chord to keep.", "Name a chord such as C or Am7, or leave this keep out.")
    return ChordSpan(onset, duration, chord)
