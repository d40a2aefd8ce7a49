"""Eight clients of one server at once: jams, five options after five options, and pieces of sheet music.

    python benchmarks/mixed_load.py [--minutes 5] [--workers 1]
    python benchmarks/mixed_load.py --minutes 0.5            # does it work?

Four play test melodies at 120 BPM and ask for a plan each beat, as in jam_load.py; two ask for five progressions under
64 beats, two for eight bars of sheet music, each as soon as the last answer is there. Counted as an error is whatever
is no answer: a refusal, a piece or an answer that breaks off, a jam that has to begin anew.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field

import httpx2
import jam_load
import numpy as np
from options_cli import melody


@dataclass
class Answers:
    """Seconds that each answer took, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


async def options_client(url: str, until: float, answers: Answers, number: int) -> None:
    song = {"notes": [{"onset": n.onset, "duration": n.duration, "pitch": n.pitch} for n in melody().notes]}
    async with httpx2.AsyncClient(base_url=url, timeout=60) as client:
        seed = 1000 * number
        while (start := time.monotonic()) < until:
            seed += 1
            got = await client.post("/v1/options", json={"melody": song, "seed": seed})
            if got.status_code == 200 and len(got.json()["options"]) == 5:
                answers.seconds.append(time.monotonic() - start)
            else:
                answers.errors.append(got.text[:200])


async def compose_client(url: str, until: float, answers: Answers, number: int) -> None:
    async with httpx2.AsyncClient(base_url=url, timeout=320) as client:
        seed = 1000 * number
        while (start := time.monotonic()) < until:
            seed += 1
            last = ""
            async with client.stream("POST", "/v1/compose", json={"bars": 8, "seed": seed}) as got:
                async for line in got.aiter_lines():
                    last = line or last
            if got.status_code == 200 and json.loads(last)["type"] == "finished":
                answers.seconds.append(time.monotonic() - start)
            else:
                answers.errors.append(last[:200])


async def jams(url: str, minutes: float) -> jam_load.Measured:
    how = argparse.Namespace(tempo=120.0, every=1.0, soak=0, beats=120 * minutes)
    return await jam_load.round_of(4, url, jam_load.melodies(4), how)


def told(name: str, answers: Answers) -> str:
    p50, p95 = np.percentile(answers.seconds or [0.0], (50, 95))
    return f"| {name} | {len(answers.seconds)} | {len(answers.errors)} | {1e3 * p50:.0f} | {1e3 * p95:.0f} |"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    port = 18000 + os.getpid() % 2000
    command = [sys.executable, "-m", "sideman", "serve", "--port", str(port), "--workers", str(arguments.workers)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
    web, socket = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/v1/jam"
    offered, composed = Answers(), Answers()
    try:
        await jam_load.connected(socket)
        before, until = jam_load.memory(server), time.monotonic() + 60 * arguments.minutes
        async with jam_load.weighing(server) as weights:
            played, *_ = await asyncio.gather(
                jams(socket, arguments.minutes),
                *(options_client(web, until, offered, number) for number in (1, 2)),
                *(compose_client(web, until, composed, number) for number in (1, 2)),
            )
    finally:
        server.terminate()
    jammed = Answers(played.waits, [*played.errors, *["a jam was lost"] * played.lost])
    print("| who | answers | errors | p50 ms | p95 ms |\n|---|--:|--:|--:|--:|")
    print(told("jam: a plan", jammed), told("five options", offered), told("eight bars", composed), sep="\n")
    print(f"jam ISR {played.hits / max(1, played.hits + played.misses):.4f}, late plans {played.late}; ", end="")
    print(f"memory {before:.0f} -> {max(weights):.0f} MB at most, {weights[-1]:.0f} at the end")
    for error in (jammed.errors + offered.errors + composed.errors)[:5]:
        print(f"    {error}", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main())
