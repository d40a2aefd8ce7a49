"""The OpenAPI 3.1 document, generated from the message types; the same table feeds the page at /docs."""

from typing import Any

import msgspec

from sideman import __version__
from sideman.formats.json_song import MAX_FRAMES
from sideman.options.answer import Answer
from sideman.serve.messages import (
    MAX_JSON_BYTES,
    MAX_UPLOAD_BYTES,
    Choices,
    ErrorAnswer,
    HealthAnswer,
    ModelsAnswer,
    OptionsBody,
)

ABOUT = f"""\
Chord progressions for a melody. All times are quarter-note beats from the start of the melody.

Limits: {MAX_JSON_BYTES // 10**6} MB of JSON, {MAX_UPLOAD_BYTES // 10**6} MB of file (20 MB once unpacked), \
{MAX_FRAMES} sixteenths of melody, one melody a request. One melody is worked on at a time; a full line answers 503 \
with Retry-After. Every error is {{"error": {{"code", "message", "hint"}}}}."""

# Errors a POST of a melody may meet: status -> when.
ERRORS = {
    400: "The melody, a value or the file is wrong.",
    403: "A page of another site asked.",
    404: "There is no such model.",
    406: "None of our media types is accepted.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is neither JSON nor a form.",
    503: "Too many melodies are waiting, or the server stops; see Retry-After.",
}
EXAMPLE = {
    "melody": {
        "notes": [
            {"onset": onset, "duration": 1.0, "pitch": pitch}
            for onset, pitch in enumerate((60, 60, 67, 67, 69, 69, 67, 65, 65, 64, 64, 62, 62, 60))
        ],
        "meter": "4/4",
        "tempo": 120,
    },
    "n": 3,
    "keep": [{"onset": 0, "duration": 4, "symbol": "C"}],
}

Schema = dict[str, Any]


def openapi_document(with_token: bool = False) -> Schema:
    """The whole document."""
    types = (OptionsBody, Choices, Answer, ErrorAnswer, ModelsAnswer, HealthAnswer)
    _, schemas = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    schemas["OptionsForm"] = _form_schema(schemas.pop("Choices"))
    document: Schema = {
        "openapi": "3.1.0",
        "info": {"title": "Sideman", "version": __version__, "description": ABOUT, "license": {"name": "MIT"}},
        "paths": {
            "/v1/options": {"post": _options_operation(with_token)},
            "/v1/models": {"get": _get("listModels", "The models that can be asked.", "ModelsAnswer", with_token)},
            "/v1/health": {"get": _get("health", "Whether the server is up, and how busy.", "HealthAnswer", False)},
        },
        "components": {"schemas": dict(sorted(schemas.items()))},
    }
    if with_token:
        document["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "query": {"type": "apiKey", "in": "query", "name": "token"},
        }
    return document


def _options_operation(with_token: bool) -> Schema:
    answers = {"application/json": {"schema": _ref("Answer")}, "audio/midi": {"schema": _BINARY}}
    return _operation(
        "offerOptions",
        "Offer chord progressions for a melody.",
        "The options differ from one another in at least a fifth of the time. With Accept: audio/midi the answer is a "
        "MIDI file: the melody, and one track an option.",
        {"200": {"description": "Ranked options, best first.", "content": answers}} | _errors(ERRORS),
        with_token,
    ) | {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _ref("OptionsBody"), "example": EXAMPLE},
                "multipart/form-data": {
                    "schema": _ref("OptionsForm"),
                    "encoding": {"file": {"contentType": "application/octet-stream"}},
                },
            },
        },
    }


def _get(name: str, summary: str, answer: str, with_token: bool) -> Schema:
    content = {"application/json": {"schema": _ref(answer)}}
    answers = {"200": {"description": summary, "content": content}} | _errors({403: ERRORS[403]})
    return _operation(name, summary, "", answers, with_token)


def _operation(name: str, summary: str, description: str, answers: Schema, with_token: bool) -> Schema:
    operation: Schema = {"operationId": name, "summary": summary, "responses": answers}
    if description:
        operation["description"] = description
    if with_token:
        operation["responses"] = answers | _errors({401: "The token is missing or wrong."})
        operation["security"] = [{"bearer": []}, {"query": []}]
    return operation


def _errors(table: dict[int, str]) -> Schema:
    content = {"application/json": {"schema": _ref("ErrorAnswer")}}
    answers: Schema = {str(status): {"description": when, "content": content} for status, when in table.items()}
    if "503" in answers:
        answers["503"]["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return answers


def _form_schema(choices: Schema) -> Schema:
    """The form: the choices of the JSON body, each a field, and the file."""
    file = {**_BINARY, "description": "A melody: .mid, .musicxml, .mxl or .abc."}
    fields = {name: _without_null(field) for name, field in choices["properties"].items()}
    return {
        "title": "OptionsForm",
        "description": "The same choices as form fields; `between` comes twice, `keep` is JSON, one or a list.",
        "type": "object",
        "properties": {"file": file} | fields,
        "required": ["file"],
        "additionalProperties": False,
    }


def _without_null(field: Schema) -> Schema:
    """A form has no null: the field is there or it is not."""
    kinds = [kind for kind in field.get("anyOf", []) if kind != {"type": "null"}]
    return kinds[0] if kinds else field


_BINARY: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
