"""Lock one bar and roll again, over HTTP: how long the answer takes on a warm server.

    python benchmarks/options_reroll.py [--rounds 40] [--url http://127.0.0.1:8080]

The melody is 64 beats of 4/4. The first answer is not counted. Then each round keeps the chords of one bar of the
option ranked first and asks with another seed. Without a URL a server is started, and ended again.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from options_cli import melody

BAR = 4.0


@contextmanager
def server(url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    command = [sys.executable, "-m", "sideman", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            yield process.stderr.readline().split()[2].rstrip(";")
        finally:
            process.terminate()


def ask(url: str, route: str, **question: Any) -> tuple[dict[str, Any], float]:
    """The answer and the milliseconds until it was read."""
    body = json.dumps(question).encode()
    start = time.perf_counter()
    request = urllib.request.Request(url + route, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        content = answer.read()
    return json.loads(content), 1000 * (time.perf_counter() - start)


def kept(chords: list[dict[str, Any]], bar: int) -> list[dict[str, Any]]:
    """The chords that begin in a bar, as `keep` takes them."""
    inside = [chord for chord in chords if bar * BAR <= chord["onset"] < (bar + 1) * BAR]
    return [{name: chord[name] for name in ("onset", "duration", "symbol")} for chord in inside]


def report(what: str, milliseconds: list[float]) -> None:
    p50, p95 = np.percentile(milliseconds, (50, 95))
    print(f"{what}: median {p50:.0f} ms, p95 {p95:.0f} ms, best {min(milliseconds):.0f} ms of {len(milliseconds)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--url", help="a server that runs")
    arguments = parser.parse_args()
    song = {"notes": [{"onset": n.onset, "duration": n.duration, "pitch": n.pitch} for n in melody().notes]}
    with server(arguments.url) as url:
        chords = ask(url, "/v1/options", melody=song)[0]["options"][0]["chords"]
        bars = [bar for bar in range(16) if kept(chords, bar)]
        plain, rolled, replaced = [], [], []
        for seed in range(1, arguments.rounds + 1):
            keep = kept(chords, bars[seed % len(bars)])
            plain.append(ask(url, "/v1/options", melody=song, seed=seed)[1])
            answer, took = ask(url, "/v1/options", melody=song, seed=seed, keep=keep)
            rolled.append(took)
            assert len(answer["options"]) == 5
            replaced.append(ask(url, "/v1/alternatives", melody=song, chords=chords, onset=keep[0]["onset"])[1])
    report("five options", plain)
    report("one bar locked, rolled again", rolled)
    report("alternatives for one chord", replaced)


if __name__ == "__main__":
    main()
