"""How many players one server carries: simulated players over real WebSockets on loopback.

Starts `sideman jam` and lets N players at a time play test melodies with human timing, slips, a turn of
+6 semitones at beat 17, a pause and a tempo change; each asks for a new plan every beat (or 16th).

    python benchmarks/jam_load.py [--players 1,8,24,64] [--tempo 120] [--every 1.0] [--beats 48] [--url ws://...]
    python benchmarks/jam_load.py --players 1 --tempo 200 --every 0.25        # the fastest single player
    python benchmarks/jam_load.py --soak 10 --players 16                      # ten minutes, connections dropped
    python benchmarks/jam_load.py --players 2 --beats 12                      # does it work? half a minute

Measured where the players are: the time from sending `notes` to holding the plan, and ISR, the share of frames
after listening for which a plan was there before the frame began (StreamMUSE's inference success rate). Memory is the
server's resident set: its peak while they play, over what it was after one player, shared out among them.
"""

import argparse
import asyncio
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import websockets

from sideman.evaluate.pieces import load_packs, select
from sideman.evaluate.players import Manner, Stroke, perform
from sideman.home import home
from sideman.music.frames import decode
from sideman.music.song import Note

LISTEN = 4.0
MANNERS = (Manner(), Manner(turn=6), Manner(pause=4.0), Manner(jitter=0.03, slips=0.08))


@dataclass
class Measured:
    """What players met. `waits` seconds from question to plan; frames that had a plan in time or had none."""

    waits: list[float] = field(default_factory=list)
    hits: int = 0
    misses: int = 0
    late: int = 0
    errors: list[str] = field(default_factory=list)
    resumed: int = 0
    lost: int = 0


class Player:
    """One player. The clock of the jam starts when the server has answered `start`."""

    def __init__(self, url: str, strokes: list[Stroke], options: argparse.Namespace, measured: Measured, number: int):
        self.url, self.strokes, self.options, self.measured = url, strokes, options, measured
        self.number, self.tempo = number, float(options.tempo)
        self.session: str | None = None
        self.covered = int(4 * LISTEN)
        self.asked: dict[int, float] = {}
        self.dice = random.Random(number)

    def beat(self) -> float:
        return (time.perf_counter() - self.zero) * self.tempo / 60

    async def play(self, until: float) -> None:
        """Play to beat `until`, over as many connections as it takes; people do not start all at once."""
        await asyncio.sleep(self.dice.uniform(0, 4 * 60 / self.tempo))
        self.zero = time.perf_counter()
        self.next_frame, self.request, self.at = int(4 * LISTEN), 0, 0
        while self.beat() < until:
            drop = self.beat() + self.dice.uniform(20, 60) if self.options.soak else float("inf")
            await self._connected(min(until, drop), first=self.session is None, last=drop >= until)

    async def _connected(self, until: float, first: bool, last: bool) -> None:
        settings = {"tempo": self.tempo, "lookahead": 4.0, "commit": 2.0, "listen": LISTEN, "seed": self.number}
        async with websockets.connect(self.url, max_queue=None) as socket:
            start = {"type": "start", "version": 1, "session": self.session, **settings}
            await socket.send(msgspec.json.encode(start).decode())
            started = msgspec.json.decode(await socket.recv())
            if started["type"] != "started":
                self.measured.errors.append(str(started))
                return
            self.measured.resumed += started["resumed"]
            self.measured.lost += not first and not started["resumed"]
            self.session = started["session"]
            if first:
                self.zero = time.perf_counter()
            hearing = asyncio.create_task(self._hear(socket))
            try:
                await self._ask(socket, until)
                if last:
                    await socket.send('{"type": "stop"}')
                    await asyncio.wait({hearing}, timeout=10)
            finally:
                hearing.cancel()

    async def _ask(self, socket: websockets.ClientConnection, until: float) -> None:
        every, phase = float(self.options.every), self.dice.random() * float(self.options.every)
        turn = int((self.beat() - phase) / every) + 1
        changed = self.options.soak
        while (due := phase + turn * every) < until:
            await asyncio.sleep(max(0.0, self.zero + due * 60 / self.tempo - time.perf_counter()))
            now = self.beat()
            self._count(now)
            notes = []
            while self.at < len(self.strokes) and self.strokes[self.at].beat < now:
                stroke = self.strokes[self.at]
                notes.append({"on": stroke.on, "pitch": stroke.pitch, "beat": stroke.beat, "velocity": stroke.velocity})
                self.at += 1
            self.request += 1
            self.asked[self.request] = time.perf_counter()
            await socket.send(
                msgspec.json.encode({"type": "notes", "request": self.request, "beat": now, "notes": notes}).decode()
            )
            if not changed and now > 24 and self.number % 4 == 3:
                changed = True
                await self._change_tempo(socket, self.tempo * 1.05)
            turn += 1
        await asyncio.sleep(max(0.0, self.zero + until * 60 / self.tempo - time.perf_counter()))
        self._count(self.beat())

    async def _change_tempo(self, socket: websockets.ClientConnection, tempo: float) -> None:
        now = self.beat()
        self.tempo, self.zero = tempo, time.perf_counter() - now * 60 / tempo
        await socket.send(msgspec.json.encode({"type": "set", "tempo": tempo}).decode())

    def _count(self, now: float) -> None:
        """Frames that have begun: was there a plan for each?"""
        while self.next_frame <= 4 * now:
            held = self.next_frame < self.covered
            self.measured.hits += held
            self.measured.misses += not held
            self.next_frame += 1

    async def _hear(self, socket: websockets.ClientConnection) -> None:
        async for text in socket:
            message = msgspec.json.decode(text)
            if message["type"] == "plan":
                arrived = time.perf_counter()
                self._count(self.beat())
                self.covered = max(self.covered, message["frame"] + message["frames"])
                if message["request"] in self.asked:
                    self.measured.waits.append(arrived - self.asked.pop(message["request"]))
            elif message["type"] == "late":
                self.measured.late += 1
            elif message["type"] == "error":
                self.measured.errors.append(f"{message['code']}: {message['message']}")


def melodies(count: int) -> list[tuple[Note, ...]]:
    """Melodies of the test split, or a scale where no collection is converted."""
    try:
        truth = select(load_packs(("nottingham", "pop909"), home()), "test", limit=(count + 1) // 2).truth
        return [decode(frames).notes for frames in truth][:count]
    except Exception as error:
        print(f"(a scale: {error})")
        return [tuple(Note(i / 2, i / 2 + 0.5, 60 + i % 12) for i in range(120))]


def start_server(port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sideman", "jam", "--port", str(port), "--no-open"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)


def memory(process: subprocess.Popen[str] | None) -> float:
    """Resident megabytes of the server, 0 where it is not ours."""
    if process is None:
        return 0.0
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


async def round_of(players: int, url: str, songs: list[tuple[Note, ...]], options: argparse.Namespace) -> Measured:
    measured, until = Measured(), float(options.beats)
    if options.soak:
        until = options.soak * options.tempo
    crowd = []
    for number in range(players):
        notes = songs[number % len(songs)]
        loops = int(until / max(1.0, float(notes[-1].offset))) + 1
        length = float(np.ceil(notes[-1].offset / 4) * 4)
        whole = tuple(Note(n.onset + k * length, n.offset + k * length, n.pitch) for k in range(loops) for n in notes)
        strokes = perform(whole, MANNERS[number % len(MANNERS)], float(options.tempo), number)
        crowd.append(Player(url, strokes, options, measured, number).play(until))
    await asyncio.gather(*crowd)
    return measured


@asynccontextmanager
async def weighing(server: subprocess.Popen[str] | None) -> AsyncIterator[list[float]]:
    """The server's memory each second."""
    weights: list[float] = [memory(server)]

    async def weigh() -> None:
        while True:
            await asyncio.sleep(1)
            weights.append(memory(server))

    task = asyncio.create_task(weigh())
    try:
        yield weights
    finally:
        task.cancel()


def growth(weights: list[float]) -> str:
    """From the second tenth of a soak, when everybody's window is full, to the last."""
    tenth = max(1, len(weights) // 10)
    first, last = np.mean(weights[tenth : 2 * tenth + 1]), np.mean(weights[-tenth:])
    return f"memory from the second tenth to the last: {first:.0f} -> {last:.0f} MB ({100 * (last / first - 1):+.1f} %)"


async def connected(url: str) -> None:
    for _ in range(200):
        try:
            async with websockets.connect(url):
                return
        except OSError:
            await asyncio.sleep(0.1)
    raise SystemExit("The server did not come up.")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--players", default="1,8,24,64")
    parser.add_argument("--tempo", type=float, default=120)
    parser.add_argument("--every", type=float, default=1.0, help="beats between questions")
    parser.add_argument("--beats", type=float, default=48)
    parser.add_argument("--soak", type=float, default=0, help="minutes; connections are dropped at random")
    parser.add_argument("--url", help="a server that runs already")
    options = parser.parse_args()
    port = 18000 + os.getpid() % 2000
    server = None if options.url else start_server(port)
    url = options.url or f"ws://127.0.0.1:{port}/v1/jam"
    try:
        await connected(url)
        songs = melodies(64)
        warm = argparse.Namespace(**vars(options) | {"soak": 0, "beats": 8.0})
        await round_of(1, url, songs, warm)
        alone = memory(server)
        print("| players | plans | wait p50 ms | p99 ms | ISR | late | errors | resumed / lost | MB | MB a player |")
        print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
        for players in map(int, options.players.split(",")):
            async with weighing(server) as weights:
                got = await round_of(players, url, songs, options)
            p50, p99 = 1e3 * np.percentile(got.waits or [0.0], (50, 99))
            isr, peak = got.hits / max(1, got.hits + got.misses), max(weights)
            print(
                f"| {players} | {len(got.waits)} | {p50:.1f} | {p99:.1f} | {isr:.4f} | {got.late} | {len(got.errors)} "
                f"| {got.resumed} / {got.lost} | {peak:.0f} | {(peak - alone) / players:.1f} |"
            )
            if options.soak:
                print(growth(weights))
            for error in got.errors[:3]:
                print(f"    {error}", file=sys.stderr)
    finally:
        if server is not None:
            server.terminate()


if __name__ == "__main__":
    asyncio.run(main())
