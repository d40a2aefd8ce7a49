"""What tests of several rooms share: a melody in a file, and an accompanist that needs no weights."""

import gc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import mido
import pytest
from hypothesis import settings

from sideman.engine.bundle import load_bundle
from sideman.options.answer import Answer, ChordOut, Explanation, KeyOut, Option
from sideman.options.request import Request

pytest_plugins = ("tiny_models", "toy_music")  # fixtures: the tiny networks; songs to train on

# A loaded machine is no failure of ours, and what passes here passes elsewhere: the examples are the same in every run.
settings.register_profile("sideman", deadline=None, max_examples=50, derandomize=True)
# scripts/test --hypothesis-profile explore: many more, others each time.
settings.register_profile("explore", deadline=None, max_examples=500)
settings.load_profile("sideman")


gc.disable()  # while everything is imported


def pytest_collection_finish() -> None:
    """What is loaded stays: no collection of garbage needs to look through it again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _one_thread_a_model() -> Iterator[None]:
    """Tests run side by side, where the threads of two small networks would mostly wait for each other. The laws about
    bundles, and every process that a test starts, open models as they are opened outside of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sideman.engine.models.load_bundle", partial(load_bundle, threads=1))
        yield


Notes = list[tuple[float, float, int]]
TWINKLE: Notes = [(beat, 1.0, pitch) for beat, pitch in enumerate((60, 60, 67, 67, 69, 69, 67))]


def write_midi_file(path: Path, notes: Notes, channel: int = 0) -> Path:
    """A type-0 file of (onset, duration, pitch) in beats, written by mido and not by us."""
    moments = [(at, "note_on", pitch) for at, _, pitch in notes] + [(at + d, "note_off", p) for at, d, p in notes]
    track, now = mido.MidiTrack(), 0
    for beat, kind, pitch in sorted(moments, key=lambda moment: (moment[0], moment[1] == "note_on")):
        tick = round(beat * 480)
        track.append(mido.Message(kind, note=pitch, velocity=80, channel=channel, time=tick - now))
        now = tick
    mido.MidiFile(type=0, ticks_per_beat=480, tracks=[track]).save(path)
    return path


@pytest.fixture
def midi_file(tmp_path: Path) -> Callable[..., Path]:
    def write(notes: Notes = TWINKLE, name: str = "melody.mid", channel: int = 0) -> Path:
        return write_midi_file(tmp_path / name, notes, channel)

    return write


def plain_offer(request: Request) -> Answer:
    """One chord all the way, a step higher in each option; kept chords are not looked at."""
    symbols = ("C", "Dm", "Em", "F", "G", "Am", "Bdim", "C7") * 2
    options = [
        Option(
            rank=rank,
            score=1 / rank,
            scores={"harmony": 0.5},
            note_in_chord=0.5,
            silence=0.0,
            explanation=Explanation([KeyOut(0.0, "C major")], "open", "Stays on one chord.", []),
            chords=[ChordOut(onset=0.0, duration=request.melody.beats, symbol=symbol, pitches=[48, 52, 55], bass=36)],
        )
        for rank, symbol in enumerate(symbols[: request.n], 1)
    ]
    melody = request.melody
    return Answer(
        model="plain",
        seed=request.seed,
        tempo=melody.bpm,
        meter=str(melody.meters[0]),
        beats=melody.beats,
        elapsed_ms=1.0,
        options=options,
    )


@pytest.fixture
def fake_offer(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Replaces the offering of chords; returns the requests that passed their check."""
    seen: list[Request] = []

    def offer(request: Request) -> Answer:
        request.check()
        seen.append(request)
        return plain_offer(request)

    monkeypatch.setattr("sideman.options.offer.offer", offer)
    return seen
