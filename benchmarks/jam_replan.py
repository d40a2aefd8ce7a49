"""How long a player waits for a new plan, with a long history behind him: sessions of the jam room, no network between.

    release    the model that ships, tunes of the test split (POP909 and Nottingham, converted), 200 to 240 frames of
               history, 4 beats looked ahead, 2 committed, a request each beat, and each 16th
    official   the published size (8 layers x 512, 5,902 tokens), random weights, against plain PyTorch decoding as
               ReaLJam does it: at each request a prefill of the history, the committed chords with imagined notes
               between them, another prefill, and the rest token by token.

Random weights foresee nothing, so the old plan survives a surprise only as far as the draws hold it up.

    python benchmarks/jam_replan.py [--only release|official]
"""

import argparse
import platform
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from official_size import network

from sideman.engine.bundle import Bundle
from sideman.evaluate.pieces import load_packs, select
from sideman.home import home
from sideman.jam.drive import finish
from sideman.jam.messages import NoteEvent, Notes, Start
from sideman.jam.session import Session
from sideman.models.decode import pick
from sideman.models.online import OnlineModel
from sideman.music.frames import Frames, decode
from sideman.music.grammar import chord_mask, melody_mask
from sideman.music.vocabulary import BOS
from sideman.serve.jam_room import Models

FIRST, LAST = 200, 240  # frames of history
LOOKAHEAD, COMMIT = 16, 8
COLLECTIONS = ("pop909", "nottingham")


def tunes(count: int) -> list[list[NoteEvent]]:
    """Key presses and releases of `count` test pieces that are long enough."""
    pieces = select(load_packs(COLLECTIONS, home()), "test", COLLECTIONS).truth
    long = [frames for frames in pieces if len(frames) >= LAST]
    return [_events(long[i]) for i in np.linspace(0, len(long) - 1, count).astype(int)]


def _events(frames: Frames) -> list[NoteEvent]:
    notes = decode(frames).notes
    found = [NoteEvent(on, n.pitch, n.onset + 0.9 * n.duration * (not on)) for n in notes for on in (True, False)]
    return sorted(found, key=lambda event: event.beat)


def waits(bundle: Bundle, played: list[NoteEvent], stride: int) -> Iterator[tuple[float, int]]:
    """(milliseconds, passes) of each request with FIRST to LAST frames of history."""
    start = Start(version=1, listen=8.0, lookahead=LOOKAHEAD / 4, commit=COMMIT / 4)
    session, sent = Session(start, bundle), 0
    for frame in range(0, LAST, stride):
        beat = frame / 4 + 0.01
        news = [event for event in played[sent:] if event.beat <= beat]
        sent += len(news)
        passes, began = session.planner.passes, time.perf_counter()
        planned_from = session.hear(Notes(frame, beat, news))
        finish(session.plan(), alone=True)
        session.adopt(planned_from)
        took = 1e3 * (time.perf_counter() - began)
        if frame >= FIRST:
            yield took, session.planner.passes - passes
        finish(session.prepare(), alone=True)


def figures(bundle: Bundle, stride: int, count: int) -> str:
    rows = np.array([row for played in tunes(count) for row in waits(bundle, played, stride)])
    took, passes = rows[:, 0], rows[:, 1]
    return (
        f"p50 {np.median(took):.1f} ms, p99 {np.quantile(took, 0.99):.1f} ms, {passes.mean():.1f} passes "
        f"({len(took)} requests)"
    )


@torch.inference_mode()
def plain(model: OnlineModel, bundle: Bundle, history: torch.Tensor) -> int:
    """One call as ReaLJam answers it; returns the tokens decoded one by one."""
    vocabulary = bundle.vocabulary
    frames, steps = (history.shape[1] - 1) // 2, 0

    def next_token(tokens: list[int], logits: torch.Tensor, place: int) -> int:
        mask = chord_mask if place % 2 else melody_mask
        previous = np.array([tokens[place - 2] if place > 2 else BOS])
        allowed = torch.from_numpy(mask(vocabulary, previous))
        return int(pick(logits, allowed, 0.9, torch.rand(1))[0])

    def generate(tokens: list[int], stop: int, forced: dict[int, int]) -> list[int]:
        nonlocal steps
        cache = model.cache(1, stop + 1)
        logits = model(torch.tensor([tokens]), cache=cache, at=0)[:, -1]
        for place in range(len(tokens), stop):
            token = forced[place] if place in forced else next_token(tokens, logits, place)
            tokens = [*tokens, token]
            logits = model(torch.tensor([[token]]), cache=cache, at=place)[:, -1]
            steps += 1
        return tokens

    tokens = history[0].tolist()
    promised = {1 + 2 * (frames + i): vocabulary.chord_on + i for i in range(COMMIT - 4)}
    tokens = generate(tokens, len(tokens) + 2 * len(promised), promised)
    generate(tokens, 2 * (frames + LOOKAHEAD), {})
    return steps


def official() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        model, bundle = network(Path(scratch))
        rng = np.random.default_rng(0)
        history = np.full((1, 2 * LAST + 1), BOS)
        history[0, 1::2] = rng.integers(bundle.vocabulary.chord_on, bundle.vocabulary.size, LAST)
        history[0, 2::2] = rng.integers(132, 260, LAST)
        theirs = []
        for _ in range(5):
            began = time.perf_counter()
            steps = plain(model, bundle, torch.from_numpy(history))
            theirs.append(1e3 * (time.perf_counter() - began))
        rows = np.array([row for played in tunes(3) for row in waits(bundle, played, 4)])
        ours, worst = np.quantile(rows[:, 0], (0.5, 0.99))
        print(
            f"official size: p50 {ours:.1f} ms, p99 {worst:.1f} ms, {rows[:, 1].mean():.1f} passes; "
            f"plain PyTorch {np.median(theirs):.0f} ms ({steps} single tokens): {np.median(theirs) / ours:.1f}x"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=("release", "official"))
    only = parser.parse_args().only
    print(f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} cores")
    if only != "official":
        bundle = Models().online(None)
        print(f"release, {bundle.most} threads, a request each beat: {figures(bundle, 4, 40)}")
        print(f"release, {bundle.most} threads, a request each 16th: {figures(bundle, 1, 10)}")
    if only != "release":
        official()


if __name__ == "__main__":
    main()
