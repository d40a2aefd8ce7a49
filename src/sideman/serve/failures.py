"""How errors look over HTTP: always {"error": {code, message, hint}}."""

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sideman.errors import SidemanError
from sideman.serve.messages import ErrorAnswer, ErrorBody

RETRY_SECONDS = 2

# What the router itself refuses: status -> (code, message, hint).
_ROUTER = {
    404: ("unknown_route", "There is nothing at this address.", "GET /docs lists the routes."),
    405: ("wrong_method", "This address does not take this method.", "GET /docs lists the routes."),
}


def error_response(error: SidemanError) -> Response:
    """The answer to an error the caller can do something about."""
    headers = {"Retry-After": str(RETRY_SECONDS)} if error.status == 503 else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status == 426:
        headers["Upgrade"] = "websocket"
    return _response(error.status, error.code, error.message, error.hint, headers)


async def on_sideman_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, SidemanError)
    return error_response(error)


async def on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, message, hint = _ROUTER.get(
        error.status_code, ("bad_request", str(error.detail), "GET /docs shows examples.")
    )
    return _response(error.status_code, code, message, hint, dict(error.headers or {}))


async def on_gone(request: Request, error: Exception) -> Response:
    """Nobody hears this answer; it only ends the request."""
    return Response(status_code=408)


async def on_bug(request: Request, error: Exception) -> Response:
    """Anything else is ours: the caller learns that, the server's log learns why."""
    return _response(500, "internal", "The server made a mistake; its log says more.", "Please report it.", {})


def _response(status: int, code: str, message: str, hint: str, headers: dict[str, str]) -> Response:
    body = msgspec.json.encode(ErrorAnswer(ErrorBody(code, message, hint)))
    return Response(body, status, headers, media_type="application/json")
