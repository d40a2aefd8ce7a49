"""The pages, jam, options and compose: files that ship with the package, told to load nothing from anywhere else."""

import mimetypes
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; connect-src 'self' ws: wss:; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Asked about each time, answered with 304 while nothing changed.
    "Cache-Control": "no-cache",
}

# Some systems call these text/plain, which browsers refuse to run.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("text/css", ".css")
mimetypes.add_type("image/svg+xml", ".svg")
mimetypes.add_type("image/x-icon", ".ico")


class Site(StaticFiles):
    """The files under /static/."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC, check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response

    async def icon(self, request: Request) -> Response:
        """GET /favicon.ico: for what asks for it unasked, as browsers do on pages that name none."""
        return await self.get_response("favicon.ico", request.scope)

    async def page(self, request: Request) -> Response:
        """GET /: the jam."""
        return await self.get_response("index.html", request.scope)

    async def options(self, request: Request) -> Response:
        """GET /options: the page that offers progressions."""
        return await self.get_response("options.html", request.scope)

    async def compose(self, request: Request) -> Response:
        """GET /compose: the page that writes."""
        return await self.get_response("compose.html", request.scope)
