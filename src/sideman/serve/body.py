"""Reading what a caller sends, never more than the limits: JSON, or a form with a file."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import msgspec
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from sideman.errors import SidemanError, TooLarge, WrongValue
from sideman.formats.json_song import to_song
from sideman.formats.load import read_example, read_song
from sideman.formats.score_abc import from_abc
from sideman.formats.score_load import read_score
from sideman.music.score import Score
from sideman.music.song import Song
from sideman.options.likeness import Style
from sideman.options.request import Request as OptionsRequest
from sideman.serve.compose_messages import ScoreBody, ScoreChoices
from sideman.serve.messages import (
    MAX_JSON_BYTES,
    MAX_UPLOAD_BYTES,
    Body,
    Choices,
    OptionsBody,
    choices_of,
    convert_fields,
    decode_body,
    request_of,
)
from sideman.serve.songs import SongBody, SongChoices

# The choices, and how to get the score.
ScoreQuestion = tuple[ScoreChoices, Callable[[], Score]]
# What to make of a song, and how to get it.
SongQuestion = tuple[SongChoices, Callable[[], Song]]

READ_SECONDS = 30
FORM_EXTRA_BYTES = 100_000  # what fields and separators may add to the file
LISTS = ("keep", "between")


@dataclass(frozen=True)
class Question:
    """What is asked of a melody. Reading files takes time and belongs into the worker: `melody` and `example`, whose
    chords are the style, are called there."""

    choices: Choices
    melody: Callable[[], Song]
    example: Callable[[], Song] | None = None

    def request(self) -> OptionsRequest:
        """The question in our own types. Raises SidemanError."""
        request = request_of(self.choices, self.melody())
        if self.example is None:
            return request
        example = self.example()
        return replace(request, like=Style.of_spans(example.chords, example.meters[0].bar_beats))


class WrongType(SidemanError):
    """A content type we do not read."""

    code = "wrong_content_type"
    status = 415


class TooSlow(SidemanError):
    """The body did not arrive in time."""

    code = "too_slow"
    status = 408


async def read_json(request: Request, kind: type[Body]) -> Body:
    """A JSON body of a type. Raises SidemanError."""
    stated = _content_type(request)
    if stated != "application/json":
        raise WrongType(f"The body is {stated or 'of no stated type'}.", "Send application/json.")
    try:
        async with asyncio.timeout(READ_SECONDS):
            return decode_body(await _limited(request, MAX_JSON_BYTES).body(), kind)
    except TimeoutError as error:
        raise TooSlow(f"The body did not arrive within {READ_SECONDS} s.", "Send it again.") from error


async def read_question(request: Request) -> Question:
    """What a request asks of a melody. Raises SidemanError, and so does the function for the melody."""
    if _is_form(request):
        form = await _read_form(request, ("file", "like"))
        choices = _choices_of_form(form.fields)
        example = form.files.get("like")
        if example is not None and choices.like is not None:
            raise WrongValue("The field 'like' is there twice.", "Send it once, as a chart or as a file.")
        read = None if example is None else partial(read_example, *example)
        return Question(choices, partial(read_song, *form.files["file"]), read)
    question = await read_json(request, OptionsBody)
    return Question(question, partial(to_song, question.melody))


async def read_score_question(request: Request) -> ScoreQuestion:
    """What a request asks of a score. Raises SidemanError, and so does the function for the score."""
    if _is_form(request):
        form = await _read_form(request, ("file",))
        return convert_fields(dict(_once(form.fields)), ScoreChoices), partial(read_score, *form.files["file"])
    question = await read_json(request, ScoreBody)
    return question, partial(from_abc, question.abc)


async def read_song_question(request: Request) -> SongQuestion:
    """What a request asks of a song. Raises SidemanError, and so does the function for the song."""
    if _is_form(request):
        form = await _read_form(request, ("file",))
        return convert_fields(dict(_once(form.fields)), SongChoices), partial(read_song, *form.files["file"])
    question = await read_json(request, SongBody)
    return question, partial(to_song, question.song)


def _is_form(request: Request) -> bool:
    """Whether a file comes, or JSON. Raises WrongType for anything else."""
    kind = _content_type(request)
    if kind not in ("application/json", "multipart/form-data"):
        raise WrongType(
            f"The body is {kind or 'of no stated type'}.", "Send application/json, or multipart/form-data with a file."
        )
    return kind == "multipart/form-data"


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class _Form:
    """`files`: content and name of each."""

    fields: list[tuple[str, str]]
    files: dict[str, tuple[bytes, str]]


async def _read_form(request: Request, names: tuple[str, ...]) -> _Form:
    """A form with a file, and perhaps more under the other `names`. Raises SidemanError."""
    limit = len(names) * MAX_UPLOAD_BYTES + FORM_EXTRA_BYTES
    try:
        async with (
            asyncio.timeout(READ_SECONDS),
            _limited(request, limit).form(max_files=len(names), max_fields=300) as form,
        ):
            if not isinstance(form.get("file"), UploadFile):
                raise WrongValue("The form has no file.", "Add one: curl -F file=@melody.mid ...")
            fields = list(_fields(form, names))
            files = {
                name: (await upload.read(), upload.filename or "upload")
                for name, upload in form.multi_items()
                if isinstance(upload, UploadFile)
            }
    except TimeoutError as error:
        raise TooSlow(f"The body did not arrive within {READ_SECONDS} s.", "Send it again.") from error
    except HTTPException as error:  # Starlette's word for a broken form
        raise WrongValue(f"The form is broken: {error.detail}", "GET /docs has an example with curl.") from error
    if any(len(content) > MAX_UPLOAD_BYTES for content, _ in files.values()):
        raise _too_large(MAX_UPLOAD_BYTES)
    return _Form(fields, files)


def _fields(form: FormData, files: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The fields that are no files. Raises WrongValue for files under other names, or two under one."""
    seen = set()
    for name, value in form.multi_items():
        if isinstance(value, str):
            yield name, value
        elif name not in files:
            raise WrongValue(f"The field '{name}' is a file.", f"Only {' and '.join(files)} may be one.")
        elif name in seen:
            raise WrongValue(f"The file '{name}' is there twice.", "Send it once.")
        else:
            seen.add(name)


def _once(fields: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Fields that may come once. Raises WrongValue."""
    seen = set()
    for name, value in fields:
        if name in seen:
            raise WrongValue(f"The field '{name}' is there twice.", "Send it once.")
        seen.add(name)
        yield name, value


def _choices_of_form(fields: list[tuple[str, str]]) -> Choices:
    found: dict[str, Any] = dict(_once([row for row in fields if row[0] not in LISTS]))
    for name, value in fields:
        if name == "keep":
            chords = _json_field(name, value)
            found.setdefault(name, []).extend(chords if isinstance(chords, list) else [chords])
        elif name == "between":
            found.setdefault(name, []).append(value)
    return choices_of(found)


def _json_field(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        hint = f'Write it like {name}={{"onset": 0, "duration": 4, "symbol": "C"}}.'
        raise WrongValue(f"The field '{name}' is not JSON: {error}.", hint) from error


def _limited(request: Request, limit: int) -> Request:
    """The same request, which raises TooLarge as soon as more than `limit` bytes are known to come."""
    stated = request.headers.get("content-length", "0")
    if stated.isdecimal() and int(stated) > limit:
        raise _too_large(limit)
    return Request(request.scope, _counting(request.receive, limit))


def _counting(receive: Receive, limit: int) -> Receive:
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise _too_large(limit)
        return message

    return counted


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit / 1e6:g} MB.", "Send a shorter melody.")
