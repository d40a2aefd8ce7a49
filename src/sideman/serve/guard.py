"""Who may ask: the token, and pages of other sites.

A pure ASGI middleware, so that nothing of a refused body is read.
"""

import hmac
from urllib.parse import parse_qs, urlsplit

import msgspec
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from sideman.errors import SidemanError
from sideman.jam.messages import Error
from sideman.serve.failures import error_response

# What anybody may see: it holds nothing of anybody. The page asks for the rest with the token of its address.
OPEN_PATHS = ("/", "/options", "/compose", "/favicon.ico", "/v1/health", "/openapi.json", "/docs", "/docs/python")
OPEN_FOLDERS = ("/static/", "/docs/python/")
POLICY_VIOLATION = 1008


class Unauthorized(SidemanError):
    """The token is missing or wrong."""

    code = "unauthorized"
    status = 401


class ForeignOrigin(SidemanError):
    """A page of another site asks through somebody's browser."""

    code = "foreign_origin"
    status = 403


class Guard:
    """Lets through callers with the token (if one is set) and pages of our own origin."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is not None and scope["type"] == "websocket":
            await _refuse_socket(WebSocket(scope, receive, send), refusal)
            return
        if refusal is not None:
            await error_response(refusal)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> SidemanError | None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            return ForeignOrigin("This server answers only pages of its own.", "Ask from a program, or from /docs.")
        if self.token is None or _is_open(scope["path"]) or self._knows(scope, headers):
            return None
        return Unauthorized("The token is missing or wrong.", "Send 'Authorization: Bearer TOKEN', or ?token=TOKEN.")

    def _knows(self, scope: Scope, headers: Headers) -> bool:
        assert self.token is not None
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        given = [bearer.strip()] if scheme.lower() == "bearer" else []
        given += parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        return any(hmac.compare_digest(text.encode(), self.token.encode()) for text in given)


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


async def _refuse_socket(socket: WebSocket, refusal: SidemanError) -> None:
    """Pages cannot read why a connection was not opened, so it is opened, told, and closed."""
    await socket.accept()
    error = Error(refusal.code, refusal.message, refusal.hint, fatal=True)
    await socket.send_text(msgspec.json.encode(error).decode())
    await socket.close(POLICY_VIOLATION)
