"""The routes of sheet music: which models write it, writing it, and a score in any form."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sideman.compose import compose as composing
from sideman.engine.bundle import BundleFile
from sideman.engine.models import ModelInfo, find_model, list_models
from sideman.errors import UnknownModel
from sideman.serve.body import read_json, read_score_question
from sideman.serve.compose_messages import ComposeBody, PromptOut, SheetModelOut, SheetModelsAnswer
from sideman.serve.compose_stream import Caller, Composing
from sideman.serve.score_answer import MEDIA_TYPES, score_answer
from sideman.serve.worker import Worker

NDJSON = "application/x-ndjson"


class _Told(StreamingResponse):
    """Lines for one caller, who gives up his place in the line when they end in whatever way."""

    def __init__(self, line: Composing, caller: Caller, lines: AsyncIterator[bytes]) -> None:
        super().__init__(lines, media_type=NDJSON, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._line, self._caller = line, caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._line.leave(self._caller)


async def compose(request: Request) -> Response:
    """POST /v1/compose: a prompt in, sheet music out while it grows."""
    body = await read_json(request, ComposeBody)
    line: Composing = request.app.state.composing
    caller = line.join()
    try:
        events = await asyncio.to_thread(composing.compose, body.request(), caller.left.is_set)
    except BaseException:
        line.leave(caller)
        raise
    return _Told(line, caller, line.stream(caller, events, request.is_disconnected))


async def sheet_models(request: Request) -> Response:
    """GET /v1/compose/models."""
    answer = await asyncio.to_thread(_sheet_models)
    return Response(msgspec.json.encode(answer), media_type="application/json")


async def score(request: Request) -> Response:
    """POST /v1/score: a score in, a file of it out."""
    choices, read = await read_score_question(request)
    worker: Worker = request.app.state.engraving
    made = await worker.run(partial(score_answer, read, choices), gone=request.is_disconnected)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if made.pages:
        headers["X-Pages"] = str(made.pages)
    return Response(made.content, media_type=MEDIA_TYPES[choices.format], headers=headers)


def _sheet_models() -> SheetModelsAnswer:
    try:
        default = find_model(None, "sheet")
    except UnknownModel:
        default = None
    return SheetModelsAnswer([_described(m, m.path == default) for m in list_models() if m.kind == "sheet"])


def _described(model: ModelInfo, default: bool) -> SheetModelOut:
    file = msgspec.json.decode((model.path / "bundle.json").read_bytes(), type=BundleFile)
    return SheetModelOut(model.name, default, model.parameters, model.card, [PromptOut(*p) for p in file.prompts])


ROUTES = (
    Route("/v1/compose", compose, methods=["POST"]),
    Route("/v1/compose/models", sheet_models),
    Route("/v1/score", score, methods=["POST"]),
)
