"""The stub's four chords over and over, and its routes for options: turns of them, what is kept in its place."""

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Message = dict[str, Any]

# A chord a bar, over and over.
SONG = [
    ("C", [48, 52, 55], 36),
    ("Am7", [57, 48, 52, 55], 45),
    ("Dm7", [50, 53, 57, 48], 38),
    ("G7", [55, 59, 50, 53], 43),
]
NUMERALS = {"C": "I", "Am7": "vi7", "Dm7": "ii7", "G7": "V7"}
BAR = 4.0


def chords_between(start: float, end: float) -> list[Message]:
    """The song's chords from `start` to `end`, the first one cut there."""
    found = []
    bar = int(start // BAR)
    while bar * BAR < end:
        onset = max(bar * BAR, start)
        length = min((bar + 1) * BAR, end) - onset
        found.append({"onset": onset, "duration": length, **sound(bar), "struck": onset == bar * BAR})
        bar += 1
    return found


def sound(turn: int) -> Message:
    symbol, pitches, bass = SONG[turn % len(SONG)]
    return {"symbol": symbol, "pitches": pitches, "bass": bass}


async def options(request: Request) -> Response:
    """Option n begins with chord n + seed; what is kept stands where it was."""
    body = await request.json()
    print(json.dumps({"type": "options", **body}), flush=True)
    kept, seed = body.get("keep", []), body.get("seed", 0)
    if unknown := [chord["symbol"] for chord in kept if chord["symbol"][0] not in "ABCDEFG"]:
        message, hint = f"'{unknown[0]}' is not a chord symbol.", "Write one like C, Am7 or Bb/D."
        return JSONResponse({"error": {"code": "unknown_chord", "message": message, "hint": hint}}, 400)
    end = max(note["onset"] + note["duration"] for note in body["melody"]["notes"])
    await asyncio.sleep(0.05)
    offers = []
    for rank in range(1, body["n"] + 1):
        turned = [chord | sound(i + rank + seed) for i, chord in enumerate(chords_between(0, end))]
        free = [chord for chord in turned if not any(overlap(chord, each) for each in kept)]
        chords = sorted([*free, *map(dressed, kept)], key=lambda chord: chord["onset"])
        offers.append(option(rank, [dressed(chord) for chord in chords]))
    answer = {"model": "stub", "seed": seed, "elapsed_ms": 50.0, "options": offers, "remarks": []}
    return JSONResponse(answer)


async def alternatives(request: Request) -> Response:
    body = await request.json()
    print(json.dumps({"type": "alternatives", **body}), flush=True)
    place = next(c for c in body["chords"] if c["onset"] <= body["onset"] < c["onset"] + c["duration"])
    others = [place | sound(turn) for turn in range(4) if SONG[turn][0] != place["symbol"]]
    ranked = [dressed(chord) | {"rank": i + 1, "reason": "It shares two tones."} for i, chord in enumerate(others)]
    return JSONResponse({"model": "stub", "alternatives": ranked})


async def songs(request: Request) -> Response:
    """A file that begins with "MThd" is a melody of two notes and one chord; anything else is refused."""
    if request.headers["content-type"].startswith("multipart/form-data"):
        async with request.form() as form:
            content = await form["file"].read()
        if not content.startswith(b"MThd"):
            error = {"code": "unreadable_file", "message": "This kind of file is not read.", "hint": "Give a .mid."}
            return JSONResponse({"error": error}, 400)
        notes = [{"onset": 1.0, "duration": 1.0, "pitch": 64}, {"onset": 2.0, "duration": 6.0, "pitch": 67}]
        song = {"notes": notes, "meter": "3/4", "tempo": 90.0, "pickup": 2.0, "title": "Dropped"}
        return JSONResponse(
            {"song": song | {"chords": [{"onset": 2.0, "duration": 6.0, "symbol": "C"}]}, "remarks": []}
        )
    body = await request.json()
    print(json.dumps({"type": "song", **body}), flush=True)
    return Response(b"MThd stub", media_type="application/octet-stream")


def option(rank: int, chords: list[Message]) -> Message:
    explanation = {
        "keys": [{"onset": 0.0, "key": "C major"}],
        "cadence": "half",
        "summary": f"Turn {rank}.",
        "tensions": [],
    }
    scores = {"harmony": 0.9, "fit": 0.5}
    weighed = {"score": 1 / rank, "scores": scores, "note_in_chord": 0.8, "explanation": explanation}
    return {"rank": rank, **weighed, "chords": chords}


def dressed(chord: Message) -> Message:
    known = {symbol: {"pitches": pitches, "bass": bass} for symbol, pitches, bass in SONG}
    sounding = known.get(chord["symbol"], {"pitches": [50, 54, 57], "bass": 38})
    voicing = [sounding["bass"], *sorted(sounding["pitches"])]
    return {**chord, **sounding, "numeral": NUMERALS.get(chord["symbol"], "?"), "voicing": voicing}


def overlap(a: Message, b: Message) -> bool:
    return a["onset"] < b["onset"] + b["duration"] and b["onset"] < a["onset"] + a["duration"]
