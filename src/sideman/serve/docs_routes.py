"""What describes the server and the package: the OpenAPI document, a page of it, and pages of the Python interface."""

import asyncio
import re
from functools import lru_cache
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sideman.serve.page import docs_page
from sideman.serve.python_page import index_page, room_page

# The pages bring their own style and nothing else; browsers are told to hold them to that.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_HOST = re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII)


def docs_routes(document: dict[str, Any]) -> list[Route]:
    """/openapi.json, /docs and /docs/python for a description."""
    described = msgspec.json.encode(document)

    async def openapi(request: Request) -> Response:
        return Response(described, media_type="application/json")

    async def docs(request: Request) -> Response:
        return _page(docs_page(document, address(request)))

    return [
        Route("/openapi.json", openapi),
        Route("/docs", docs),
        Route("/docs/python", python),
        Route("/docs/python/{room}", python),
    ]


def address(request: Request) -> str:
    """Where the caller found the server, for commands to copy; his Host only where it can be one."""
    base = request.base_url
    return str(base).rstrip("/") if _HOST.fullmatch(base.netloc) else "http://127.0.0.1:8080"


async def python(request: Request) -> Response:
    """GET /docs/python and the page of a room below it."""
    try:
        return _page(await asyncio.to_thread(_python_page, request.path_params.get("room")))
    except KeyError:
        raise HTTPException(404) from None


@lru_cache
def _python_page(room: str | None) -> str:
    return index_page() if room is None else room_page(room)


def _page(html: str) -> Response:
    return Response(html, media_type="text/html", headers=_HEADERS)
