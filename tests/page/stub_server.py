"""A server that speaks the page's protocol with four chords of its own, so that the page can be tested without a model.

`python stub_server.py PORT` serves until it is killed; it prints one line of JSON for each message it hears.
"""

import json
import sys
from pathlib import Path
from typing import Any

import stub_compose
import stub_options
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect
from stub_options import chords_between

import sideman.serve

STATIC = Path(sideman.serve.__file__).parent / "static"
Message = dict[str, Any]

SESSIONS: set[str] = set()  # forgotten when the process ends


class Player:
    """One connection: its settings, and how many frames it was served."""

    def __init__(self, start: Message) -> None:
        names = ("tempo", "meter", "lookahead", "commit", "listen", "temperature", "seed")
        self.settings = {name: start[name] for name in names}
        self.model = start["model"] or "stub"
        self.told_intro = False

    def answer(self, message: Message) -> list[Message]:
        if message["type"] == "set":
            changes = {name: value for name, value in message.items() if name != "type"}
            self.model = changes.pop("model", self.model)
            self.settings.update(changes)
            return [{"type": "settings", "settings": self.settings, "model": self.model}]
        return self._plan(message)

    def _plan(self, message: Message) -> list[Message]:
        listen, look = self.settings["listen"], self.settings["lookahead"]
        frame = int(message["beat"] * 4) + 1
        start, end = max(frame / 4, listen), frame / 4 + look
        answers: list[Message] = []
        if not self.told_intro and frame / 4 > listen - 2:
            self.told_intro = True
            answers.append({"type": "intro", "chords": chords_between(0, listen)})
        service = {"frames": frame, "hits": frame, "misses": 0, "isr": 1.0, "isrw": 1.0, "age": 0.8}
        plan = {
            "type": "plan",
            "request": message["request"],
            "frame": frame,
            "frames": int(look * 4),
            "committed": int(self.settings["commit"] * 4),
            "chords": chords_between(start, end) if end > start else [],
            "timings": {"arrived": 0.0, "queued": 0.1, "computed": 6.3, "sent": 7.0},
            "service": service,
        }
        return [*answers, plan]


async def jam(socket: WebSocket) -> None:
    await socket.accept()
    try:
        start = json.loads(await socket.receive_text())
        print(json.dumps(start), flush=True)
        player = Player(start)
        resumed = start["session"] in SESSIONS
        session = start["session"] or f"s{len(SESSIONS) + 1}"
        SESSIONS.add(session)
        started = {"type": "started", "version": 1, "session": session, "resumed": resumed, "model": player.model}
        await socket.send_json({**started, "settings": player.settings})
        while True:
            message = json.loads(await socket.receive_text())
            print(json.dumps(message), flush=True)
            if message["type"] == "stop":
                await socket.send_json({"type": "bye", "reason": "stopped", "service": {}})
                await socket.close()
                return
            for answer in player.answer(message):
                await socket.send_json(answer)
    except WebSocketDisconnect:
        return


async def models(request: Request) -> Response:
    names = ("stub", "chord"), ("partner", "melody"), ("other", "chord")
    return JSONResponse({"models": [{"name": name, "kind": "online", "part": part} for name, part in names]})


async def takes(request: Request) -> Response:
    body = await request.json()
    print(json.dumps({"type": "take", "accept": request.headers["accept"], **body}), flush=True)
    if not body["notes"]:
        error = {"code": "empty_melody", "message": "The take has no notes.", "hint": "Play some."}
        return JSONResponse({"error": error}, 422)
    return Response(b"MThd stub", media_type=request.headers["accept"])


def make_app() -> Starlette:
    return Starlette(
        routes=[
            Route("/", lambda request: FileResponse(STATIC / "index.html")),
            Route("/compose", lambda request: FileResponse(STATIC / "compose.html")),
            Mount("/static", StaticFiles(directory=STATIC)),
            Route("/v1/models", models),
            Route("/v1/takes", takes, methods=["POST"]),
            Route("/options", lambda request: FileResponse(STATIC / "options.html")),
            Route("/v1/options", stub_options.options, methods=["POST"]),
            Route("/v1/alternatives", stub_options.alternatives, methods=["POST"]),
            Route("/v1/songs", stub_options.songs, methods=["POST"]),
            Route("/v1/compose/models", stub_compose.models),
            Route("/v1/compose", stub_compose.compose, methods=["POST"]),
            Route("/v1/score", stub_compose.score, methods=["POST"]),
            WebSocketRoute("/v1/jam", jam),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(make_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
