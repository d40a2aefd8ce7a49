"""From `sideman jam` to the first plan: a fresh process, a player who connects as soon as he can and plays one note.

python benchmarks/jam_start.py [--rounds 5]
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect


def first_answer(port: int) -> tuple[float, float]:
    """Seconds from the start of the process to the first connection, and to the first plan."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "sideman", "jam", "--no-open", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                line = connect(f"ws://127.0.0.1:{port}/v1/jam")
                break
            except (OSError, WebSocketException):
                time.sleep(0.01)
        connected = time.perf_counter() - began
        with line:
            line.send(json.dumps({"type": "start", "version": 1, "listen": 0}))
            key = {"on": True, "pitch": 64, "beat": 0.0}
            line.send(json.dumps({"type": "notes", "request": 1, "beat": 0.25, "notes": [key]}))
            while json.loads(line.recv(timeout=30))["type"] != "plan":
                pass
        return connected, time.perf_counter() - began
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    times = [first_answer(18700 + number) for number in range(rounds)]
    up, answered = (sorted(column) for column in zip(*times, strict=True))
    print(
        f"connected after {statistics.median(up):.2f} s, first plan after {statistics.median(answered):.2f} s (median)"
    )
    print(f"best {answered[0]:.2f} s, worst {answered[-1]:.2f} s of {rounds}")


if __name__ == "__main__":
    main()
