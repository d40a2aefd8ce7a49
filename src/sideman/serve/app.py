"""The HTTP application: its routes and what each answers.

Threads: handlers run on the event loop and never compute; melodies are read and harmonised by one worker thread.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from sideman import __version__
from sideman.engine.models import list_models
from sideman.errors import SidemanError
from sideman.options import offer as offering
from sideman.serve.body import Question, read_question
from sideman.serve.failures import on_bug, on_gone, on_http_error, on_sideman_error
from sideman.serve.guard import Guard
from sideman.serve.messages import HealthAnswer, ModelOut, ModelsAnswer, request_of
from sideman.serve.openapi import openapi_document
from sideman.serve.page import docs_page
from sideman.serve.render import MEDIA_TYPES, choose_media_type, render
from sideman.serve.worker import Gone, Worker


def make_app(token: str | None = None) -> Starlette:
    """The application; with a token every route but health and the description asks for it."""
    document = openapi_document(with_token=token is not None)
    described = msgspec.json.encode(document)
    page = docs_page(document)
    routes = [
        Route("/v1/options", options, methods=["POST"]),
        Route("/v1/models", models),
        Route("/v1/health", health),
        Route("/openapi.json", lambda request: Response(described, media_type="application/json")),
        Route("/docs", lambda request: Response(page, media_type="text/html", headers=_PAGE_HEADERS)),
    ]
    return Starlette(
        routes=routes,
        lifespan=_worker,
        middleware=[Middleware(Guard, token=token)],
        exception_handlers={
            SidemanError: on_sideman_error,
            HTTPException: on_http_error,
            ClientDisconnect: on_gone,
            Gone: on_gone,
            Exception: on_bug,
        },
    )


async def options(request: Request) -> Response:
    """POST /v1/options: a melody in, ranked progressions out."""
    kind = choose_media_type(request.headers.get("accept", "*/*"))
    question = await read_question(request)
    worker: Worker = request.app.state.worker
    body = await worker.run(partial(_answer, question, kind), gone=request.is_disconnected)
    return Response(body, media_type=kind, headers={"Vary": "Accept", "Cache-Control": "no-store"})


async def models(request: Request) -> Response:
    """GET /v1/models."""
    found = [ModelOut(m.name, m.kind, m.parameters, m.size_bytes, m.card) for m in list_models()]
    return _json(ModelsAnswer(found))


async def health(request: Request) -> Response:
    """GET /v1/health."""
    return _json(HealthAnswer("ok", __version__, request.app.state.worker.waiting))


def _answer(question: Question, kind: str) -> bytes:
    choices, melody = question
    asked = request_of(choices, melody())
    return render(asked.melody, offering.offer(asked), kind)


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), media_type=MEDIA_TYPES[0])


@asynccontextmanager
async def _worker(app: Starlette) -> AsyncIterator[None]:
    app.state.worker = Worker()
    yield
    app.state.worker.close()


# The page brings its own style and nothing else; browsers are told to hold it to that.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
