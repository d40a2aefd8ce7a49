"""How well a player is served, in the terms of StreamMUSE (2026): which frames had something to sound, how fresh."""

from dataclasses import dataclass

from sideman.jam.messages import Service
from sideman.music.metre import FRAMES_PER_BEAT

# A plan this old weighs nothing: the constant of StreamMUSE's weighted rate, in ticks, which are 16ths as well.
STALE_FRAMES = 32


@dataclass
class Tally:
    """Counts over the frames that should have sounded. A hit weighs 1 - age / STALE_FRAMES, where its age is how many
    frames it lies behind the first that its plan was asked for."""

    hits: int = 0
    misses: int = 0
    weight: float = 0.0
    age: float = 0.0

    def hit(self, age: int) -> None:
        """A frame sounded from a plan `age` frames old."""
        self.hits += 1
        self.weight += max(0.0, 1 - age / STALE_FRAMES)
        self.age += age / FRAMES_PER_BEAT

    def miss(self, frames: int = 1) -> None:
        self.misses += frames

    def report_missed(self, frames: int) -> None:
        """The player had nothing to sound for `frames` that were counted as hits: their plans came too late."""
        lost = min(frames, self.hits)
        if lost > 0:
            self.weight *= 1 - lost / self.hits
            self.age *= 1 - lost / self.hits
            self.hits -= lost
            self.misses += lost

    def figures(self) -> Service:
        frames = self.hits + self.misses
        return Service(
            frames=frames,
            hits=self.hits,
            misses=self.misses,
            isr=round(self.hits / frames, 5) if frames else 1.0,
            isrw=round(self.weight / frames, 5) if frames else 1.0,
            age=round(self.age / self.hits, 4) if self.hits else 0.0,
        )

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.hits + other.hits, self.misses + other.misses, self.weight + other.weight, self.age + other.age
        )
