"""How the melody partner plays: to the chords of test pieces, beside people's melodies, and in jams over four common
progressions in four keys.

    python benchmarks/melody_partner.py [BUNDLE ...] [--pack runs/release.npz] [--pieces 96] [--seeds 3]

Test pieces are sampled at temperature 1, jams are played at that of the page, from the third bar on.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sideman.data.pack import load_pack
from sideman.engine.bundle import Bundle, load_bundle
from sideman.jam.drive import finish
from sideman.jam.messages import NoteEvent, Notes, Start
from sideman.jam.session import Session
from sideman.models.build import load_checkpoint
from sideman.models.online import OnlineModel
from sideman.music.chord import Chord
from sideman.music.frames import Frames
from sideman.music.measures import note_events, ratio
from sideman.music.metre import form
from sideman.music.pitch import FLAT_NAMES
from sideman.music.song import Meter
from sideman.music.vocabulary import NOTE_ON, pitches
from sideman.train.batches import Source
from sideman.train.network import vocabulary_of
from sideman.train.recipe import DataConfig
from sideman.train.rl.figures import OF_MELODIES
from sideman.train.samples import sampled_frames

SHIPPED = Path(__file__).parent.parent / "src/sideman/weights/melody"
LEAP = 8  # semitones
# Roots above the tonic and kinds: I vi IV V, ii V I I, I V vi IV, vi IV I V.
PROGRESSIONS = (
    ((0, ""), (9, "m"), (5, ""), (7, "")), ((2, "m"), (7, ""), (0, ""), (0, "")),
    ((0, ""), (7, ""), (9, "m"), (5, "")), ((9, "m"), (5, ""), (0, ""), (7, "")),
)  # fmt: skip
KEYS = (0, 3, 7, 10)
BARS, LISTEN, BAR = 16, 2, 16  # bars of a jam, those without a melody, frames of one


def leaps(pieces: Sequence[Frames]) -> float:
    steps = np.concatenate([np.diff(note_events(frames)[2]) for frames in pieces])
    return ratio(int((np.abs(steps) >= LEAP).sum()), len(steps))


MEASURES = OF_MELODIES | {"leaps": leaps}


def show(name: str, pieces: Sequence[Frames]) -> None:
    print(f"| {name} | " + " | ".join(f"{measure(pieces):.3f}" for measure in MEASURES.values()) + " |", flush=True)


def head(title: str) -> None:
    print(f"\n| {title} | {' | '.join(MEASURES)} |\n|---|{'--:|' * len(MEASURES)}")


def jam(bundle: Bundle, chords: Sequence[Chord], seed: int) -> Frames:
    """What is played over one chord a bar, and these."""
    events = []
    for bar, chord in enumerate(chords):
        for pitch in (48 + chord.root + tone for tone in chord.tones):
            events += [NoteEvent(True, pitch, 4 * bar + 0.01), NoteEvent(False, pitch, 4 * bar + 3.9)]
    events.sort(key=lambda event: event.beat)
    session = Session(Start(version=1, tempo=120.0, listen=4.0 * LISTEN, seed=seed), bundle)
    sent = 0
    for beat in range(4 * len(chords)):
        now = beat + 0.05
        fresh = [event for event in events[sent:] if event.beat <= now]
        sent += len(fresh)
        frame = session.hear(Notes(beat, now, fresh))
        finish(session.plan())
        session.adopt(frame)
    heard = slice(LISTEN * BAR, len(chords) * BAR)
    tokens = session.own[heard]
    place = np.repeat(np.arange(len(chords)), BAR)[heard]
    return Frames(
        pitches(tokens).astype(np.int16), (tokens >= NOTE_ON) & (tokens < NOTE_ON + 128), place.astype(np.int16),
        np.arange(len(place)) % BAR == 0, tuple(chords), form((Meter(0.0, 4, 4),), len(place)),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="*", type=Path, default=[SHIPPED])
    parser.add_argument("--pack", default="runs/release.npz")
    parser.add_argument("--pieces", type=int, default=96)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    config = DataConfig(given.pack, weights={"pop909": 0.5, "nottingham": 0.5}, window_frames=256)
    vocabulary = vocabulary_of(config)
    batch = Source(load_pack(Path(given.pack)), vocabulary, config, "test").fixed(given.pieces)
    head("test pieces")
    for number, path in enumerate(given.bundles):
        model = load_checkpoint(path)[1]
        assert isinstance(model, OnlineModel)
        for seed in range(given.seeds):
            ours, people = sampled_frames(model, vocabulary, batch, seed, "melody")
            if not number and not seed:
                show("people", people)
            show(f"{path}, seed {seed}", ours)
    head("jams")
    for path in given.bundles:
        bundle, made = load_bundle(path), []
        for number, progression in enumerate(PROGRESSIONS):
            for key in KEYS:
                chords = [Chord.parse(FLAT_NAMES[(root + key) % 12] + kind) for root, kind in progression]
                made.append(jam(bundle, chords * (BARS // len(chords)), 100 * number + key))
        show(str(path), made)


if __name__ == "__main__":
    main()
