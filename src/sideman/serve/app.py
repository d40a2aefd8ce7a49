"""The HTTP application: its routes and what each answers.

Threads: handlers run on the event loop and never compute; melodies are read and harmonised by one worker thread, sheet
music is written by another and engraved by a third, jams are planned by a fourth, which all others give way to.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute

from sideman import __version__
from sideman.engine.models import list_models
from sideman.errors import SidemanError
from sideman.options import alternatives as replacing
from sideman.options import offer as offering
from sideman.serve.body import Question, read_json, read_question, read_song_question
from sideman.serve.compose_routes import ROUTES as COMPOSE_ROUTES
from sideman.serve.compose_stream import Composing
from sideman.serve.docs_routes import docs_routes
from sideman.serve.failures import on_bug, on_gone, on_http_error, on_sideman_error
from sideman.serve.guard import Guard
from sideman.serve.jam_room import JamRoom
from sideman.serve.jam_shelf import Shelf
from sideman.serve.jam_socket import jam_socket, jam_without_socket
from sideman.serve.messages import (
    AlternativesBody,
    HealthAnswer,
    JamHealth,
    ModelOut,
    ModelsAnswer,
    place_of,
)
from sideman.serve.openapi import openapi_document
from sideman.serve.realjam import Plannings, Play, PlayBody, playable
from sideman.serve.render import MEDIA_TYPES, choose_media_type, render
from sideman.serve.site import Site
from sideman.serve.songs import MEDIA_TYPES as SONG_TYPES
from sideman.serve.songs import render_song
from sideman.serve.takes import NAMES as TAKE_NAMES
from sideman.serve.takes import TakeBody, render_take
from sideman.serve.worker import Gone, Worker

# A ReaLJam page does not say how fast it plays; this is a 16th at 150 bpm.
PLAY_SECONDS = 0.1


def make_app(
    token: str | None = None, model: str | None = None, log: Path | None = None, shelf: Path | None = None
) -> Starlette:
    """The application; with a token every route but health, the page and the description asks for it.

    `model`: who plays along when a player names nobody. `log`: folder for the records of jams that are over. `shelf`:
    folder of those that go on, shared with the other processes that serve the same address.
    """
    site = Site()
    routes = [
        Route("/v1/options", options, methods=["POST"]),
        Route("/v1/songs", songs, methods=["POST"]),
        Route("/v1/alternatives", alternatives, methods=["POST"]),
        Route("/v1/takes", takes, methods=["POST"]),
        *COMPOSE_ROUTES,
        WebSocketRoute("/v1/jam", jam_socket),
        Route("/v1/jam", jam_without_socket),
        Route("/v1/jam/{session}/log", jam_log),
        Route("/v1/models", models),
        Route("/v1/health", health),
        *docs_routes(openapi_document(with_token=token is not None)),
        Route("/models", lambda request: JSONResponse(playable())),
        Route("/play", play, methods=["POST"]),
        Route("/", site.page),
        Route("/options", site.options),
        Route("/compose", site.compose),
        Route("/favicon.ico", site.icon),
        Mount("/static", site),
    ]
    return Starlette(
        routes=routes,
        lifespan=partial(_threads, model=model, log=log, shelf=None if shelf is None else Shelf(shelf)),
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


async def alternatives(request: Request) -> Response:
    """POST /v1/alternatives: other chords for one place."""
    body = await read_json(request, AlternativesBody)
    worker: Worker = request.app.state.worker
    answer = await worker.run(lambda: replacing.alternatives(place_of(body)), gone=request.is_disconnected)
    return _json(answer)


async def models(request: Request) -> Response:
    """GET /v1/models."""
    found = [ModelOut(m.name, m.kind, m.part, m.parameters, m.size_bytes, m.card) for m in list_models()]
    return _json(ModelsAnswer(found))


async def health(request: Request) -> Response:
    """GET /v1/health."""
    room: JamRoom = request.app.state.jam
    jam = JamHealth(room.players, room.service())
    return _json(HealthAnswer("ok", __version__, request.app.state.worker.waiting, jam))


async def takes(request: Request) -> Response:
    """POST /v1/takes: a take as a file."""
    kind = choose_media_type(request.headers.get("accept", "*/*"), TAKE_NAMES)
    body = await read_json(request, TakeBody)
    worker: Worker = request.app.state.worker
    content = await worker.run(partial(render_take, body, kind), gone=request.is_disconnected)
    return Response(content, media_type=kind, headers={"Vary": "Accept", "Cache-Control": "no-store"})


async def songs(request: Request) -> Response:
    """POST /v1/songs: a song in, a file of it out."""
    choices, read = await read_song_question(request)
    worker: Worker = request.app.state.worker
    content = await worker.run(partial(render_song, read, choices.format), gone=request.is_disconnected)
    return Response(content, media_type=SONG_TYPES[choices.format], headers=_FILE_HEADERS)


async def jam_log(request: Request) -> Response:
    """GET /v1/jam/{session}/log: the record of a jam that goes on or was over not long ago."""
    room: JamRoom = request.app.state.jam
    text = await asyncio.to_thread(room.log_of, request.path_params["session"])
    if text is None:
        raise HTTPException(404)
    return Response(text, media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})


async def play(request: Request) -> Response:
    """POST /play: the question of a ReaLJam page."""
    body = await read_json(request, PlayBody)
    room: JamRoom = request.app.state.jam
    bundle = await asyncio.to_thread(room.models.online, body.model)
    offline = await asyncio.to_thread(room.models.offline)
    question = Play(body, bundle, offline, request.app.state.plannings)
    scheduler = room.scheduler
    await asyncio.wrap_future(scheduler.run(question.work(), scheduler.clock() + PLAY_SECONDS))
    return _json(question.answer)


def _answer(question: Question, kind: str) -> bytes:
    asked = question.request()
    return render(asked.melody, offering.offer(asked), kind)


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), media_type=MEDIA_TYPES[0])


@asynccontextmanager
async def _threads(app: Starlette, model: str | None, log: Path | None, shelf: Shelf | None) -> AsyncIterator[None]:
    app.state.worker = Worker()
    app.state.composing = Composing()
    app.state.engraving = Worker("scores")
    app.state.jam = JamRoom(model, log, shelf)
    app.state.plannings = Plannings()
    sweeping = asyncio.create_task(app.state.jam.sweep())
    yield
    sweeping.cancel()
    app.state.composing.close()
    app.state.engraving.close()
    app.state.worker.close()
    await asyncio.to_thread(app.state.jam.close)


# No browser is to run what is meant to be kept.
_FILE_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}
