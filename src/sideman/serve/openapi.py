"""The OpenAPI 3.1 document, generated from the message types; the same table feeds the page at /docs."""

import msgspec

from sideman import __version__
from sideman.formats.json_song import MAX_FRAMES
from sideman.jam.messages import Down, Up
from sideman.options.answer import AlternativesAnswer, Answer
from sideman.serve import openapi_operations as operations
from sideman.serve.compose_messages import ComposeBody, ScoreBody, ScoreChoices, ScorePlayAnswer, SheetModelsAnswer
from sideman.serve.messages import (
    MAX_JSON_BYTES,
    MAX_UPLOAD_BYTES,
    AlternativesBody,
    Choices,
    ErrorAnswer,
    HealthAnswer,
    ModelsAnswer,
    OptionsBody,
)
from sideman.serve.openapi_parts import Schema, form_schema
from sideman.serve.realjam import PlayAnswer, PlayBody
from sideman.serve.songs import SongAnswer, SongBody, SongChoices
from sideman.serve.takes import TakeBody

ABOUT = f"""\
Chord progressions for a melody, and chords played along with one while it is played. All times are quarter-note beats \
from the start of the melody.

Limits: {MAX_JSON_BYTES // 10**6} MB of JSON, {MAX_UPLOAD_BYTES // 10**6} MB of file (20 MB once unpacked), \
{MAX_FRAMES} sixteenths of melody, one melody a request. One melody is worked on at a time; a full line answers 503 \
with Retry-After. Every error is {{"error": {{"code", "message", "hint"}}}}."""

_SONG_FILE = "A melody: .mid, .musicxml, .mxl or .abc."


def openapi_document(with_token: bool = False) -> Schema:
    """The whole document."""
    jam = (OptionsBody, Choices, Answer, ErrorAnswer, ModelsAnswer, HealthAnswer, TakeBody, PlayBody, PlayAnswer)
    types = (
        *jam,
        AlternativesBody,
        AlternativesAnswer,
        SongBody,
        SongChoices,
        SongAnswer,
        ComposeBody,
        SheetModelsAnswer,
        ScoreBody,
        ScoreChoices,
        ScorePlayAnswer,
    )
    found, schemas = msgspec.json.schema_components((*types, Up, Down), ref_template="#/components/schemas/{name}")
    for name, union in zip(("JamUp", "JamDown"), found[-2:], strict=True):
        schemas[name] = union | {"description": "A message of the jam, told apart by `type`."}
    # The jam has messages of the same names.
    _, lines = msgspec.json.schema_components(operations.LINES, ref_template="#/components/schemas/Compose{name}")
    schemas |= {f"Compose{name}": line for name, line in lines.items()}
    schemas["OptionsForm"] = form_schema("OptionsForm", schemas.pop("Choices"), _SONG_FILE)
    schemas["SongForm"] = form_schema("SongForm", schemas.pop("SongChoices"), _SONG_FILE)
    schemas["ScoreForm"] = form_schema(
        "ScoreForm", schemas.pop("ScoreChoices"), "A score: .abc, .musicxml, .mxl or .mid (its melody)."
    )
    document: Schema = {
        "openapi": "3.1.0",
        "info": {"title": "Sideman", "version": __version__, "description": ABOUT, "license": {"name": "MIT"}},
        "paths": {
            "/v1/options": {"post": operations.options(with_token)},
            "/v1/songs": {"post": operations.songs(with_token)},
            "/v1/alternatives": {"post": operations.alternatives(with_token)},
            "/v1/compose": {"post": operations.compose(with_token)},
            "/v1/compose/models": {
                "get": operations.get(
                    "listSheetModels", "The models that write, and their prompts.", "SheetModelsAnswer", with_token
                )
            },
            "/v1/score": {"post": operations.score(with_token)},
            "/v1/jam": {"get": operations.jam(with_token)},
            "/v1/jam/{session}/log": {"get": operations.log(with_token)},
            "/v1/takes": {"post": operations.takes(with_token)},
            "/v1/models": {
                "get": operations.get("listModels", "The models that can be asked.", "ModelsAnswer", with_token)
            },
            "/v1/health": {
                "get": operations.get("health", "Whether the server is up, and how busy.", "HealthAnswer", False)
            },
            "/models": {"get": operations.playable(with_token)},
            "/play": {"post": operations.play(with_token)},
            "/": {"get": operations.page("page", "The page to jam with.")},
            "/options": {"get": operations.page("optionsPage", "The page that offers progressions for a melody.")},
            "/compose": {"get": operations.page("composePage", "The page to compose with.")},
        },
        "components": {"schemas": dict(sorted(schemas.items()))},
    }
    if with_token:
        document["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "query": {"type": "apiKey", "in": "query", "name": "token"},
        }
    return document
