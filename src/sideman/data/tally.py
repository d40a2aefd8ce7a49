"""What happened to some pieces of a collection, in numbers that can be added up: a part of a report."""

from collections import Counter

import msgspec

from sideman.data.collections import Collection
from sideman.data.pack import SPLITS
from sideman.data.report import Report
from sideman.music.chord import Chord, quality_name
from sideman.music.frames import Frames
from sideman.music.vocabulary import own_vocabulary

_COUNTS = ("splits", "losses", "simplified", "meters", "keys", "qualities")


class Tally(msgspec.Struct, kw_only=True):
    """Counts over the pieces added so far; the fields are those of `Report`."""

    pieces: int = 0
    frames: int = 0
    notes: int = 0
    chords: int = 0
    splits: dict[str, int] = {}
    discarded: dict[str, list[str]] = {}
    losses: dict[str, int] = {}
    simplified: dict[str, int] = {}
    meters: dict[str, int] = {}
    keys: dict[str, int] = {}
    qualities: dict[str, int] = {}

    def discard(self, piece_id: str, reason: str) -> None:
        """Count a piece that could not be used."""
        self.pieces += 1
        self.discarded.setdefault(reason, []).append(piece_id)

    def keep(self, frames: Frames, split: str, losses: Counter[str], meters: tuple[str, ...], key: str) -> None:
        """Count a piece that is kept."""
        chords = Counter(frames.chords[i] for i in frames.chord[frames.chord_onset].tolist())
        self.pieces += 1
        self.frames += len(frames)
        self.notes += int(frames.melody_onset.sum())
        self.chords += chords.total()
        _add(self.splits, {split: 1})
        _add(self.losses, losses)
        _add(self.simplified, _simplified(chords))
        _add(self.meters, dict.fromkeys(meters, 1))
        _add(self.keys, {key: 1})
        _add(self.qualities, _qualities(chords))

    def add(self, other: "Tally") -> None:
        """Count the pieces of `other` too, after those already counted."""
        self.pieces += other.pieces
        self.frames += other.frames
        self.notes += other.notes
        self.chords += other.chords
        for name in _COUNTS:
            _add(getattr(self, name), getattr(other, name))
        for reason, ids in other.discarded.items():
            self.discarded.setdefault(reason, []).extend(ids)

    def report(self, row: Collection, works: int, jsonl_losses: dict[str, int]) -> Report:
        """The report of a whole collection of `works` different works."""
        return Report(
            collection=row.name,
            licence=row.licence,
            use=row.use,
            pieces=self.pieces,
            converted=sum(self.splits.values()),
            works=works,
            frames=self.frames,
            notes=self.notes,
            chords=self.chords,
            splits={split: self.splits.get(split, 0) for split in SPLITS},
            discarded=dict(sorted(self.discarded.items())),
            losses=_ranked(self.losses),
            simplified=_ranked(self.simplified),
            meters=_ranked(self.meters),
            keys=_ranked(self.keys),
            qualities=_ranked(self.qualities),
            jsonl_losses=_ranked(jsonl_losses),
        )


def _simplified(chords: Counter[Chord]) -> Counter[str]:
    """Chords our own list lacks, as `X -> Y`, Y being what stands for it."""
    vocabulary = own_vocabulary()
    counts = Counter[str]()
    for chord, count in chords.items():
        index = vocabulary.lookup(chord)
        stand_in = vocabulary.symbols[index] if index is not None else None
        if stand_in != chord:
            counts[f"{chord.name()} -> {stand_in.name() if stand_in else 'nothing'}"] += count
    return counts


def _qualities(chords: Counter[Chord]) -> Counter[str]:
    counts = Counter[str]()
    for chord, count in chords.items():
        counts[quality_name(chord.mask) or "major"] += count
    return counts


def _add(counts: dict[str, int], more: dict[str, int]) -> None:
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count


def _ranked(counts: dict[str, int]) -> dict[str, int]:
    """Largest first, ties by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
