"""One JSON question a line in, one JSON answer a line out, in order: for hosts that do not want HTTP.

A question is a body of POST /v1/options, or of another route that it names in `route`. What is wrong with one is its
answer, in the shape of every error; only the end of the input, or of the reader, ends the loop.
"""

import sys
import traceback
from typing import BinaryIO

import msgspec

from sideman.errors import SidemanError, TooLarge, WrongValue
from sideman.formats.json_song import to_song
from sideman.options import offer as offering
from sideman.options.alternatives import alternatives
from sideman.serve.messages import (
    MAX_JSON_BYTES,
    AlternativesBody,
    ErrorAnswer,
    ErrorBody,
    OptionsBody,
    decode_body,
    place_of,
    request_of,
)


class _Routed(msgspec.Struct):
    route: str = "/v1/options"


class _RoutedOptions(OptionsBody, forbid_unknown_fields=True, kw_only=True):
    route: str = ""


class _RoutedAlternatives(AlternativesBody, forbid_unknown_fields=True, kw_only=True):
    route: str = ""


def serve_lines(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the questions end or nobody reads the answers. Empty lines are passed over."""
    while line := questions.readline(MAX_JSON_BYTES + 1):
        whole = len(line) <= MAX_JSON_BYTES
        while not whole and line and not line.endswith(b"\n"):  # the rest of a line that is too long is not kept
            line = questions.readline(MAX_JSON_BYTES)
        if whole and not line.strip():
            continue
        try:
            answers.write(_answer(line if whole else None) + b"\n")
            answers.flush()
        except BrokenPipeError:
            return


def _answer(line: bytes | None) -> bytes:
    """The answer to a line; None stands for one that is too long."""
    try:
        if line is None:
            raise TooLarge(f"The line is longer than {MAX_JSON_BYTES // 10**6} MB.", "Send a shorter melody.")
        return msgspec.json.encode(_think(line))
    except SidemanError as error:
        return _error(error.code, error.message, error.hint)
    except Exception:  # a bug of ours must not end the host's accompanist
        traceback.print_exc(file=sys.stderr)
        return _error("internal", "Sideman made a mistake; its stderr says more.", "Please report it.")


def _think(line: bytes) -> msgspec.Struct:
    route = decode_body(line, _Routed).route
    if route == "/v1/options":
        body = decode_body(line, _RoutedOptions)
        return offering.offer(request_of(body, to_song(body.melody)))
    if route == "/v1/alternatives":
        return alternatives(place_of(decode_body(line, _RoutedAlternatives)))
    raise WrongValue(f"route is '{route}'.", "It is /v1/options or /v1/alternatives.")


def _error(code: str, message: str, hint: str) -> bytes:
    return msgspec.json.encode(ErrorAnswer(ErrorBody(code, message, hint)))
