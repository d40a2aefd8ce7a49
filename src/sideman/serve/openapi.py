"""The OpenAPI 3.1 document, generated from the message types; the same table feeds the page at /docs."""

from typing import Any

import msgspec

from sideman import __version__
from sideman.compose.compose import Finished, Grown, Started
from sideman.formats.json_song import MAX_FRAMES
from sideman.jam.messages import Down, Up
from sideman.options.answer import AlternativesAnswer, Answer
from sideman.serve.compose_messages import (
    ComposeBody,
    Failed,
    Queued,
    ScoreBody,
    ScoreChoices,
    ScorePlayAnswer,
    SheetModelsAnswer,
)
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
from sideman.serve.realjam import PlayAnswer, PlayBody
from sideman.serve.score_answer import MEDIA_TYPES as SCORE_TYPES
from sideman.serve.songs import MEDIA_TYPES as SONG_TYPES
from sideman.serve.songs import SongAnswer, SongBody, SongChoices
from sideman.serve.takes import MEDIA_TYPES, TakeBody

ABOUT = f"""\
Chord progressions for a melody, and chords played along with one while it is played. All times are quarter-note beats \
from the start of the melody.

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
ALTERNATIVES_EXAMPLE = {
    "melody": EXAMPLE["melody"],
    "chords": [
        {"onset": onset, "duration": 4, "symbol": symbol}
        for onset, symbol in ((0, "C"), (4, "F"), (8, "G7"), (12, "C"))
    ],
    "onset": 4,
    "n": 4,
}
# What curl sends as a form.
FORMS = [
    "-F file=@melody.mid -F n=3",
    '-F file=@melody.musicxml -F \'keep={"onset": 0, "duration": 4, "symbol": "C"}\' '
    "-H 'Accept: audio/midi' -o options.mid",
]

TAKE_EXAMPLE = {
    "title": "First try",
    "tempo": 100,
    "meter": "4/4",
    "notes": [{"onset": 0.0, "duration": 0.9, "pitch": 64, "velocity": 90}],
    "chords": [{"onset": 0.0, "duration": 4.0, "symbol": "C"}],
}
COMPOSE_EXAMPLE = {"bars": 8, "key": "G", "meter": "3/4", "seed": 1}
SCORE_EXAMPLE = {"abc": "X:1\nL:1/4\nM:3/4\nK:G\nG A B|d3|]\n", "format": "svg", "page": 1}
SONG_EXAMPLE = {
    "song": {
        "notes": [{"onset": 0.0, "duration": 4.0, "pitch": 64}],
        "chords": [{"onset": 0.0, "duration": 4.0, "symbol": "Cmaj7"}],
    },
    "format": "musicxml",
}
LINES = (Queued, Started, Grown, Finished, Failed)
PLAY_EXAMPLE = {
    "model": "online",
    "notes": [{"on": True, "pitch": 60, "frame": 0}, {"on": False, "pitch": 60, "frame": 14}],
    "chordTokens": [],
    "frame": 16,
    "lookahead": 16,
    "commitahead": 16,
    "silenceTill": 0,
    "temperature": 0.8,
    "introSet": True,
}
JAM = """\
One JSON object a message, told apart by `type`. The player sends `start`, then `notes` at least once a beat (each \
asks for a plan from the first frame after its `beat`), `set` at any time, and `stop`. The server sends `started`, \
`intro` while it listens, a `plan` for every `notes` (or `late`), `settings`, `error` and `bye`. A broken line may be \
taken up again within a minute: `start` with the `session` of `started`; with `history` also by a server that knows \
nothing of it."""

Schema = dict[str, Any]


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
    _, lines = msgspec.json.schema_components(LINES, ref_template="#/components/schemas/Compose{name}")
    schemas |= {f"Compose{name}": line for name, line in lines.items()}
    schemas["OptionsForm"] = _form_schema("OptionsForm", schemas.pop("Choices"), _SONG_FILE)
    schemas["SongForm"] = _form_schema("SongForm", schemas.pop("SongChoices"), _SONG_FILE)
    schemas["ScoreForm"] = _form_schema(
        "ScoreForm", schemas.pop("ScoreChoices"), "A score: .abc, .musicxml, .mxl or .mid (its melody)."
    )
    document: Schema = {
        "openapi": "3.1.0",
        "info": {"title": "Sideman", "version": __version__, "description": ABOUT, "license": {"name": "MIT"}},
        "paths": {
            "/v1/options": {"post": _options_operation(with_token)},
            "/v1/songs": {"post": _songs_operation(with_token)},
            "/v1/alternatives": {"post": _alternatives_operation(with_token)},
            "/v1/compose": {"post": _compose_operation(with_token)},
            "/v1/compose/models": {
                "get": _get(
                    "listSheetModels", "The models that write, and their prompts.", "SheetModelsAnswer", with_token
                )
            },
            "/v1/score": {"post": _score_operation(with_token)},
            "/v1/jam": {"get": _jam_operation(with_token)},
            "/v1/jam/{session}/log": {"get": _log_operation(with_token)},
            "/v1/takes": {"post": _takes_operation(with_token)},
            "/v1/models": {"get": _get("listModels", "The models that can be asked.", "ModelsAnswer", with_token)},
            "/v1/health": {"get": _get("health", "Whether the server is up, and how busy.", "HealthAnswer", False)},
            "/models": {"get": _list_operation(with_token)},
            "/play": {"post": _play_operation(with_token)},
            "/": {"get": _page_operation("page", "The page to jam with.")},
            "/options": {"get": _page_operation("optionsPage", "The page that offers progressions for a melody.")},
            "/compose": {"get": _page_operation("composePage", "The page to compose with.")},
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
                    "x-curl": FORMS,
                },
            },
        },
    }


def _alternatives_operation(with_token: bool) -> Schema:
    content = {"application/json": {"schema": _ref("AlternativesAnswer")}}
    return _operation(
        "offerAlternatives",
        "Other chords for one place of a progression.",
        "Send the chords of an option as they came, and a beat within the chord to replace.",
        {"200": {"description": "Other chords, best first.", "content": content}}
        | _errors({status: ERRORS[status] for status in (400, 403, 404, 408, 413, 415, 503)}),
        with_token,
    ) | {"requestBody": _json_body("AlternativesBody", ALTERNATIVES_EXAMPLE)}


def _compose_operation(with_token: bool) -> Schema:
    lines = {"application/x-ndjson": {"schema": {"anyOf": [_ref(f"Compose{line.__name__}") for line in LINES]}}}
    return _operation(
        "compose",
        "Write sheet music, told as it grows.",
        "One JSON object a line, told apart by `type`: queued, started, grown, finished, error. One caller is written "
        "for at a time. To stop, close the connection.",
        {"200": {"description": "Lines of JSON, as they happen.", "content": lines}}
        | _errors({status: ERRORS[status] for status in (400, 403, 404, 408, 413, 415, 503)}),
        with_token,
    ) | {"requestBody": _json_body("ComposeBody", COMPOSE_EXAMPLE)}


def _score_operation(with_token: bool) -> Schema:
    kinds = {kind: {"schema": {"type": "string"} if "svg" in kind else _BINARY} for kind in SCORE_TYPES.values()}
    answers: Schema = {"200": {"description": "The file that was asked for.", "content": kinds}}
    answers["200"]["content"]["application/json"] = {"schema": _ref("ScorePlayAnswer")}
    answers["200"]["headers"] = {
        "X-Pages": {"description": "Pages there are of an SVG.", "schema": {"type": "integer"}}
    }
    body = _json_body("ScoreBody", SCORE_EXAMPLE)
    body["content"]["multipart/form-data"] = {
        "schema": _ref("ScoreForm"),
        "encoding": {"file": {"contentType": "application/octet-stream"}},
        "x-curl": ["-F file=@score.musicxml -F format=wav -o score.wav"],
    }
    missing = {501: "What draws scores is not installed here."}
    return _operation(
        "score",
        "A score as SVG, PDF, MusicXML, MIDI, WAV, interleaved ABC, or what to play when.",
        "",
        answers | _errors({status: ERRORS[status] for status in (400, 403, 408, 413, 415, 503)} | missing),
        with_token,
    ) | {"requestBody": body}


def _songs_operation(with_token: bool) -> Schema:
    kinds = {kind: {"schema": _BINARY if "midi" in kind else {"type": "string"}} for kind in SONG_TYPES.values()}
    kinds["application/json"] = {"schema": _ref("SongAnswer")}
    body = _json_body("SongBody", SONG_EXAMPLE)
    body["content"]["multipart/form-data"] = {
        "schema": _ref("SongForm"),
        "encoding": {"file": {"contentType": "application/octet-stream"}},
        "x-curl": ["-F file=@melody.mid -F format=musicxml -o melody.musicxml"],
    }
    return _operation(
        "song",
        "A melody, with chords or without, as JSON, MIDI, MusicXML, ABC, a chord chart or an iReal-style link.",
        "",
        {"200": {"description": "The file that was asked for.", "content": kinds}}
        | _errors({status: ERRORS[status] for status in (400, 403, 408, 413, 415, 503)}),
        with_token,
    ) | {"requestBody": body}


def _jam_operation(with_token: bool) -> Schema:
    messages = {"application/json": {"schema": {"anyOf": [_ref("JamUp"), _ref("JamDown")]}}}
    answers = {"101": {"description": "A WebSocket; these are its messages, up and down.", "content": messages}}
    answers |= _errors({403: ERRORS[403], 426: "This was no WebSocket."})
    return _operation("jam", "Jam: play a melody, hear chords with it (WebSocket).", JAM, answers, with_token)


def _log_operation(with_token: bool) -> Schema:
    content = {"application/x-ndjson": {"schema": {"type": "string"}}}
    answers = {"200": {"description": "A line of JSON for everything that happened.", "content": content}}
    operation = _operation(
        "jamLog",
        "The record of a jam that goes on or was over not long ago.",
        "sideman jam --replay plays it again and compares every plan.",
        answers | _errors({403: ERRORS[403], 404: "There is no such jam, or it is long over."}),
        with_token,
    )
    operation["parameters"] = [{"name": "session", "in": "path", "required": True, "schema": {"type": "string"}}]
    return operation


def _takes_operation(with_token: bool) -> Schema:
    text = {"type": "string"}
    content = dict(zip(MEDIA_TYPES, ({"schema": s} for s in (_ref("TakeBody"), _BINARY, text, text)), strict=True))
    answers = {"200": {"description": "The take, in the form that Accept names.", "content": content}}
    return _operation(
        "saveTake",
        "A take as a file to keep: MIDI, MusicXML, a chord chart or JSON.",
        "",
        answers | _errors({status: ERRORS[status] for status in (400, 403, 406, 408, 413, 415, 503)}),
        with_token,
    ) | {"requestBody": _json_body("TakeBody", TAKE_EXAMPLE)}


def _play_operation(with_token: bool) -> Schema:
    answers = {"200": {"description": "Chords.", "content": {"application/json": {"schema": _ref("PlayAnswer")}}}}
    return _operation(
        "play",
        "The next chords of a jam, as ReaLJam's page asks for them.",
        "Every question carries the jam so far. New programs use /v1/jam.",
        answers | _errors({status: ERRORS[status] for status in (400, 403, 404, 408, 413, 415)}),
        with_token,
    ) | {"requestBody": _json_body("PlayBody", PLAY_EXAMPLE)}


def _list_operation(with_token: bool) -> Schema:
    content = {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}
    answers = {"200": {"description": "Names for /play.", "content": content}} | _errors({403: ERRORS[403]})
    return _operation(
        "listPlayable", "The models that play along, as ReaLJam's page asks for them.", "", answers, with_token
    )


def _page_operation(name: str, summary: str) -> Schema:
    answers = {"200": {"description": "HTML.", "content": {"text/html": {"schema": {"type": "string"}}}}}
    return _operation(name, summary, "", answers | _errors({403: ERRORS[403]}), False)


def _json_body(name: str, example: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": _ref(name), "example": example}}}


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


def _form_schema(name: str, choices: Schema, what: str) -> Schema:
    """The form: the choices of the JSON body, each a field, and the file."""
    file = {**_BINARY, "description": what}
    fields = {name: _form_field(field) for name, field in choices["properties"].items()}
    return {
        "title": name,
        "description": "The same choices as form fields; lists: `between` comes twice, `keep` is JSON, one or a list. "
        "`like` is a chart or a second file.",
        "type": "object",
        "properties": {"file": file} | fields,
        "required": ["file", *choices.get("required", ())],
        "additionalProperties": False,
    }


def _form_field(field: Schema) -> Schema:
    """A form has no null: the field is there or it is not; and where text does, no list (`like`)."""
    for kind in field.get("anyOf", []):
        if kind != {"type": "null"}:
            texts = [inner for inner in kind.get("anyOf", []) if inner.get("type") == "string"]
            return {**kind, "anyOf": texts} if texts else kind
    return field


_SONG_FILE = "A melody: .mid, .musicxml, .mxl or .abc."
_BINARY: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
