"""The stub's compose routes: a canned piece streamed bar by bar, and scores drawn as boxes.

A seed says what happens: 13 breaks off with an error after three bars, 14 never goes on after three, 15
waits in a line. ABC with a line "K:H" is refused.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

Message = dict[str, Any]
BARS_A_PAGE = 8
SECONDS_A_BAR = 0.4
PROMPTS = [
    ("Classical", "Haydn, Joseph", "Chamber"),
    ("Romantic", "Schubert, Franz", "Art_Song"),
    ("Romantic", "Schubert, Franz", "Chamber"),
    ("Romantic", "Schumann, Clara", "Art_Song"),
]
HEADER = ["%%score 1 2", "L:1/8", "Q:1/4=120", "M:4/4", "K:G", "V:1 treble", "V:2 bass"]


async def models(request: Request) -> Response:
    prompts = [dict(zip(("period", "composer", "instrumentation"), prompt, strict=True)) for prompt in PROMPTS]
    plain = {"name": "plain", "default": False, "prompts": []}
    return JSONResponse({"models": [{"name": "sheet", "default": True, "prompts": prompts}, plain]})


async def compose(request: Request) -> Response:
    body = await request.json()
    tell({"type": "compose", **body})
    if body.get("bars", 0) > 200:
        return refusal("wrong_value", "bars is 250; it must be from 1 to 200.", "Ask for fewer.")
    return StreamingResponse(_events(body), media_type="application/x-ndjson")


async def _events(body: Message) -> AsyncIterator[str]:
    seed = body["seed"]
    if seed == 15:
        yield line({"type": "queued", "ahead": 2})
        await asyncio.sleep(0.4)
    yield line({"type": "started", "model": "sheet", "seeds": [seed]})
    begun = body["begin"].splitlines() if "begin" in body else HEADER
    header = [each for each in begun if not each.startswith("[")]
    bars = [each for each in begun if each.startswith("[")]
    wanted = body.get("bars", 12)
    text = ""
    for number, each in enumerate(header + bars + [music(n) for n in range(len(bars), wanted)]):
        await asyncio.sleep(0.02)
        text += each + "\n"
        yield line({"type": "grown", "piece": 0, "text": each + "\n"})
        if number - len(header) == 2 and seed == 13:
            error = {"code": "internal", "message": "The pen broke.", "hint": "Write again."}
            yield line({"type": "error", "error": error})
            return
        if number - len(header) == 2 and seed == 14:
            yield line({"type": "grown", "piece": 0, "text": "[V:1]half a b"})
            try:
                await asyncio.sleep(300)
            finally:
                tell({"type": "left"})
    end = {"why": "end", "original": text, "abc": "X:1\n" + text, "problem": "", "bars": wanted, "seconds": 0.5}
    yield line({"type": "finished", "piece": 0, "seed": seed, **end})


def music(number: int) -> str:
    return f"[V:1]{'CDEFGABc'[number % 8]}8|[V:2]C,8|"


async def score(request: Request) -> Response:
    body = await request.json()
    tell({"type": "score", **body})
    if "K:H" in body["abc"]:
        return refusal("bad_sheet", "Line 6: 'K:H' is no key.", "Write one like G, Bbm or F#m.")
    bars = sum(each.startswith("[") for each in body["abc"].splitlines())
    match body["format"]:
        case "svg":
            pages = max(1, -(-bars // BARS_A_PAGE))
            return Response(draw(body["page"], bars), media_type="image/svg+xml", headers={"X-Pages": str(pages)})
        case "play":
            return JSONResponse(play(bars))
        case "abc":
            return Response("X:1\n" + body["abc"].removeprefix("X:1\n"), media_type="text/vnd.abc")
    return Response(b"a file", media_type="application/octet-stream")


def draw(page: int, bars: int) -> str:
    """Four bars a line, a note a bar, and things that a page must not let in."""
    first = (page - 1) * BARS_A_PAGE
    drawn = "".join(_bar(number, number - first) for number in range(first, min(bars, first + BARS_A_PAGE)))
    trap = "<script>window.trapped = true</script><image href='https://example.org/x.png' onload='trapped = true'/>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 240" onload="trapped = true">{trap}{drawn}</svg>'


def _bar(number: int, place: int) -> str:
    x, y = 10 + 100 * (place % 4), 30 + 110 * (place // 4)
    staff = f'<path d="M{x} {y} h100 M{x} {y + 40} h100" stroke="currentColor"/>'
    head = f'<circle cx="{x + 30}" cy="{y + 20}" r="6"/>'
    note = f'<g class="note" id="n{number}"><g class="notehead">{head}</g></g>'
    return f'<g class="measure" data-bar="{number}"><g class="staff">{staff}{note}</g></g>'


def play(bars: int) -> Message:
    onsets = [round(SECONDS_A_BAR * number, 3) for number in range(bars)]
    notes = [{"start": onset, "seconds": 0.35, "pitch": 60, "velocity": 80, "part": 0} for onset in onsets]
    cursor = [
        {"start": onset, "bar": number, "page": number // BARS_A_PAGE + 1, "ids": [f"n{number}"]}
        for number, onset in enumerate(onsets)
    ]
    end = {"seconds": SECONDS_A_BAR * bars, "pages": 1, "parts": [{"name": "Violin", "program": 40}]}
    return {"title": "", "notes": notes, "cursor": cursor, **end}


def refusal(code: str, message: str, hint: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message, "hint": hint}}, 400)


def line(event: Message) -> str:
    return json.dumps(event) + "\n"


def tell(message: Message) -> None:
    print(json.dumps(message), flush=True)
