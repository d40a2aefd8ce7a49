"""What each route of the OpenAPI document says of itself."""

from sideman.compose.compose import Finished, Grown, Started
from sideman.serve.compose_messages import Failed, Queued
from sideman.serve.openapi_examples import (
    ALTERNATIVES_EXAMPLE,
    COMPOSE_EXAMPLE,
    EXAMPLE,
    FORMS,
    PLAY_EXAMPLE,
    SCORE_EXAMPLE,
    SONG_EXAMPLE,
    TAKE_EXAMPLE,
)
from sideman.serve.openapi_parts import BINARY, ERRORS, Schema, errors, json_body, operation, ref
from sideman.serve.score_answer import MEDIA_TYPES as SCORE_TYPES
from sideman.serve.songs import MEDIA_TYPES as SONG_TYPES
from sideman.serve.takes import MEDIA_TYPES

LINES = (Queued, Started, Grown, Finished, Failed)
JAM = """\
One JSON object a message, told apart by `type`. The player sends `start`, then `notes` at least once a beat (each \
asks for a plan from the first frame after its `beat`), `set` at any time, and `stop`. The server sends `started`, \
`intro` while it listens, a `plan` for every `notes` (or `late`), `settings`, `error` and `bye`. A broken line may be \
taken up again within a minute: `start` with the `session` of `started`; with `history` also by a server that knows \
nothing of it."""


def options(with_token: bool) -> Schema:
    answers = {"application/json": {"schema": ref("Answer")}, "audio/midi": {"schema": BINARY}}
    return operation(
        "offerOptions",
        "Offer chord progressions for a melody.",
        "The options differ from one another in at least a fifth of the time. With Accept: audio/midi the answer is a "
        "MIDI file: the melody, and one track an option.",
        {"200": {"description": "Ranked options, best first.", "content": answers}} | errors(ERRORS),
        with_token,
    ) | {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": ref("OptionsBody"), "example": EXAMPLE},
                "multipart/form-data": {
                    "schema": ref("OptionsForm"),
                    "encoding": {"file": {"contentType": "application/octet-stream"}},
                    "x-curl": FORMS,
                },
            },
        },
    }


def alternatives(with_token: bool) -> Schema:
    content = {"application/json": {"schema": ref("AlternativesAnswer")}}
    return operation(
        "offerAlternatives",
        "Other chords for one place of a progression.",
        "Send the chords of an option as they came, and a beat within the chord to replace.",
        {"200": {"description": "Other chords, best first.", "content": content}}
        | errors({status: ERRORS[status] for status in (400, 403, 404, 408, 413, 415, 503)}),
        with_token,
    ) | {"requestBody": json_body("AlternativesBody", ALTERNATIVES_EXAMPLE)}


def compose(with_token: bool) -> Schema:
    lines = {"application/x-ndjson": {"schema": {"anyOf": [ref(f"Compose{line.__name__}") for line in LINES]}}}
    return operation(
        "compose",
        "Write sheet music, told as it grows.",
        "One JSON object a line, told apart by `type`: queued, started, grown, finished, error. One caller is written "
        "for at a time. To stop, close the connection.",
        {"200": {"description": "Lines of JSON, as they happen.", "content": lines}}
        | errors({status: ERRORS[status] for status in (400, 403, 404, 408, 413, 415, 503)}),
        with_token,
    ) | {"requestBody": json_body("ComposeBody", COMPOSE_EXAMPLE)}


def score(with_token: bool) -> Schema:
    kinds = {kind: {"schema": {"type": "string"} if "svg" in kind else BINARY} for kind in SCORE_TYPES.values()}
    answers: Schema = {"200": {"description": "The file that was asked for.", "content": kinds}}
    answers["200"]["content"]["application/json"] = {"schema": ref("ScorePlayAnswer")}
    answers["200"]["headers"] = {
        "X-Pages": {"description": "Pages there are of an SVG.", "schema": {"type": "integer"}}
    }
    body = json_body("ScoreBody", SCORE_EXAMPLE)
    body["content"]["multipart/form-data"] = {
        "schema": ref("ScoreForm"),
        "encoding": {"file": {"contentType": "application/octet-stream"}},
        "x-curl": ["-F file=@score.musicxml -F format=wav -o score.wav"],
    }
    missing = {501: "What draws scores is not installed here."}
    return operation(
        "score",
        "A score as SVG, PDF, MusicXML, MIDI, WAV, interleaved ABC, or what to play when.",
        "",
        answers | errors({status: ERRORS[status] for status in (400, 403, 408, 413, 415, 503)} | missing),
        with_token,
    ) | {"requestBody": body}


def songs(with_token: bool) -> Schema:
    kinds = {kind: {"schema": BINARY if "midi" in kind else {"type": "string"}} for kind in SONG_TYPES.values()}
    kinds["application/json"] = {"schema": ref("SongAnswer")}
    body = json_body("SongBody", SONG_EXAMPLE)
    body["content"]["multipart/form-data"] = {
        "schema": ref("SongForm"),
        "encoding": {"file": {"contentType": "application/octet-stream"}},
        "x-curl": ["-F file=@melody.mid -F format=musicxml -o melody.musicxml"],
    }
    return operation(
        "song",
        "A melody, with chords or without, as JSON, MIDI, MusicXML, ABC, a chord chart or an iReal-style link.",
        "",
        {"200": {"description": "The file that was asked for.", "content": kinds}}
        | errors({status: ERRORS[status] for status in (400, 403, 408, 413, 415, 503)}),
        with_token,
    ) | {"requestBody": body}


def jam(with_token: bool) -> Schema:
    messages = {"application/json": {"schema": {"anyOf": [ref("JamUp"), ref("JamDown")]}}}
    answers = {"101": {"description": "A WebSocket; these are its messages, up and down.", "content": messages}}
    answers |= errors({403: ERRORS[403], 426: "This was no WebSocket."})
    return operation("jam", "Jam: play a melody, hear chords with it (WebSocket).", JAM, answers, with_token)


def log(with_token: bool) -> Schema:
    content = {"application/x-ndjson": {"schema": {"type": "string"}}}
    answers = {"200": {"description": "A line of JSON for everything that happened.", "content": content}}
    described = operation(
        "jamLog",
        "The record of a jam that goes on or was over not long ago.",
        "sideman jam --replay plays it again and compares every plan.",
        answers | errors({403: ERRORS[403], 404: "There is no such jam, or it is long over."}),
        with_token,
    )
    described["parameters"] = [{"name": "session", "in": "path", "required": True, "schema": {"type": "string"}}]
    return described


def takes(with_token: bool) -> Schema:
    text = {"type": "string"}
    content = dict(zip(MEDIA_TYPES, ({"schema": s} for s in (ref("TakeBody"), BINARY, text, text)), strict=True))
    answers = {"200": {"description": "The take, in the form that Accept names.", "content": content}}
    return operation(
        "saveTake",
        "A take as a file to keep: MIDI, MusicXML, a chord chart or JSON.",
        "",
        answers | errors({status: ERRORS[status] for status in (400, 403, 406, 408, 413, 415, 503)}),
        with_token,
    ) | {"requestBody": json_body("TakeBody", TAKE_EXAMPLE)}


def play(with_token: bool) -> Schema:
    answers = {"200": {"description": "Chords.", "content": {"application/json": {"schema": ref("PlayAnswer")}}}}
    return operation(
        "play",
        "The next chords of a jam, as ReaLJam's page asks for them.",
        "Every question carries the jam so far. New programs use /v1/jam.",
        answers | errors({status: ERRORS[status] for status in (400, 403, 404, 408, 413, 415)}),
        with_token,
    ) | {"requestBody": json_body("PlayBody", PLAY_EXAMPLE)}


def playable(with_token: bool) -> Schema:
    content = {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}
    answers = {"200": {"description": "Names for /play.", "content": content}} | errors({403: ERRORS[403]})
    return operation(
        "listPlayable", "The models that play along, as ReaLJam's page asks for them.", "", answers, with_token
    )


def page(name: str, summary: str) -> Schema:
    answers = {"200": {"description": "HTML.", "content": {"text/html": {"schema": {"type": "string"}}}}}
    return operation(name, summary, "", answers | errors({403: ERRORS[403]}), False)


def get(name: str, summary: str, answer: str, with_token: bool) -> Schema:
    content = {"application/json": {"schema": ref(answer)}}
    answers = {"200": {"description": summary, "content": content}} | errors({403: ERRORS[403]})
    return operation(name, summary, "", answers, with_token)
