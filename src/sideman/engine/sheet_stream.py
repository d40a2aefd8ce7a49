"""Rows of sheet-writing state over one bundle: patches and characters in, logits out, both caches kept here.

A stream is plain data plus session handles: give it to one thread at a time. Each row is a piece of its own; rows
need not be as long as each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle, Floats
from sideman.engine.stream import Ints, zeros
from sideman.music.sheet.clock import CLOCK_SIZES, Clock
from sideman.music.sheet.patches import PAD, PATCH_SIZE, Patches

GROW = 64


@dataclass
class Cached:
    """One graph with its cache, [2*depth, B, H, capacity, d]; `lengths` int64 [B] slots filled."""

    session: ort.InferenceSession
    output: str
    cache: Floats
    lengths: Ints
    _binding: ort.IOBinding | None = field(init=False, default=None, repr=False)

    @classmethod
    def open(cls, session: ort.InferenceSession, rows: int, capacity: int) -> "Cached":
        """The graph's own inputs say how large its cache is; its one output that is no cache is what it gives."""
        past = [each.shape for each in session.get_inputs() if each.name.startswith("past_")]
        _, heads, _, width = past[0]
        (output,) = (each.name for each in session.get_outputs() if not each.name.startswith("present_"))
        return cls(
            session, output, zeros((len(past), rows, heads, capacity, width)),
            np.zeros(rows, np.int64),
        )  # fmt: skip

    def feed(self, inputs: Mapping[str, NDArray[np.generic]], counts: Ints, width: int) -> Floats:
        """One pass over `width` new positions, of which row b keeps `counts[b]`; the graph's output for all of them.
        What lies beyond is padding: it is overwritten by what comes next."""
        self.reserve(int(self.lengths.max(initial=0)) + width)
        binding = self._bound()
        places = self.lengths[:, None] + np.arange(width)
        held = {**inputs, "positions": places, "filled": self.lengths}  # until the pass is over
        held = {name: np.ascontiguousarray(array) for name, array in held.items()}
        for name, array in held.items():
            binding.bind_cpu_input(name, array)
        binding.bind_output(self.output)  # a new one: its shape differs from pass to pass
        self.session.run_with_iobinding(binding)
        self.lengths = self.lengths + counts
        result: Floats = binding.get_outputs()[0].numpy()
        return result

    def reserve(self, slots: int) -> None:
        """Have room for so many slots."""
        have = self.cache.shape[3]
        if slots > have:
            grown = zeros((*self.cache.shape[:3], -(-slots // GROW) * GROW, self.cache.shape[4]))
            grown[:, :, :, :have] = self.cache
            self.cache, self._binding = grown, None

    def keep(self, rows: Ints) -> "Cached":
        """A copy of these rows."""
        return Cached(self.session, self.output, np.ascontiguousarray(self.cache[:, rows]), self.lengths[rows])

    def _bound(self) -> ort.IOBinding:
        """The cache is bound once; the graph writes new keys and values straight into it."""
        if self._binding is None:
            self._binding = self.session.io_binding()
            self._binding.bind_output(self.output)
            for number, layer in enumerate(self.cache):
                self._binding.bind_cpu_input(f"past_{number}", layer)
                place = ("cpu", 0, np.float32, layer.shape, layer.ctypes.data)
                self._binding.bind_output(f"present_{number}", *place)
        return self._binding


@dataclass
class SheetStream:
    """B pieces. `states` float [B, capacity, C]: what the patch after each one read is written from. For networks that
    hear a clock `clocks`: of each piece where it stood at the beginning and behind each patch read; `writing`: where it
    stands in the patch being written."""

    bundle: Bundle
    patches: Cached
    chars: Cached
    states: Floats
    clocks: list[list[Clock]] | None = None
    writing: list[Clock] = field(default_factory=list)

    @classmethod
    def open(cls, bundle: Bundle, rows: int, capacity: int = GROW) -> "SheetStream":
        chars = Cached.open(bundle.chars, rows, PATCH_SIZE + 1)
        width = next(each.shape[2] for each in bundle.chars.get_inputs() if each.name == "states")
        patches = Cached.open(bundle.patches, rows, capacity)
        clocks = [[Clock()] for _ in range(rows)] if bundle.file.network.get("clock") else None
        return cls(bundle, patches, chars, np.zeros((rows, capacity, width), np.float32), clocks)

    @property
    def rows(self) -> int:
        return len(self.states)

    @property
    def lengths(self) -> Ints:
        """Patches read, row by row."""
        return self.patches.lengths

    def feed(self, pieces: Sequence[Patches]) -> None:
        """Read more patches [n_b, 16] of each piece; a row may get none."""
        counts = np.array([len(piece) for piece in pieces], np.int64)
        width = int(counts.max())
        if not width:
            return
        ids = np.full((self.rows, width, PATCH_SIZE), PAD, np.int64)
        for row, piece in enumerate(pieces):
            ids[row, : len(piece)] = piece
        before = self.lengths
        fresh = self.patches.feed({"patches": ids, **self._told(pieces, width)}, counts, width)
        missing = int(self.lengths.max()) - self.states.shape[1]
        if missing > 0:
            room = -(-missing // GROW) * GROW
            self.states = np.pad(self.states, ((0, 0), (0, room), (0, 0)))
        for row, (at, count) in enumerate(zip(before.tolist(), counts.tolist(), strict=True)):
            self.states[row, at : at + count] = fresh[row, :count]

    def rollback(self, row: int, length: int) -> None:
        """Forget what a row has read from patch `length` on. Raises ValueError for a length not reached."""
        if not 0 <= length <= self.lengths[row]:
            raise ValueError("a stream can only be rolled back to where it has been")
        self.patches.lengths = self.lengths.copy()
        self.patches.lengths[row] = length
        if self.clocks is not None:
            del self.clocks[row][length + 1 :]

    def begin(self, opened: Sequence[Sequence[int]]) -> Floats:
        """Begin to write the next patch of each piece, which starts with the ids given; logits [B, 128] of the one
        after them."""
        self.chars.lengths = np.zeros(self.rows, np.int64)
        width = max(len(ids) for ids in opened)
        ids = np.full((self.rows, width), PAD, np.int64)
        for row, known in enumerate(opened):
            ids[row, : len(known)] = known
        counts = 1 + np.array([len(known) for known in opened], np.int64)
        here = self.states[np.arange(self.rows), self.lengths - 1]
        if self.clocks is not None:
            self.writing = [kept[-1].copy() for kept in self.clocks]
        logits = self.chars.feed(
            {"states": here[:, None], "ids": ids, **self._ticked(opened, width, begins=True)}, counts, 1 + width
        )
        return np.asarray(logits[np.arange(self.rows), counts - 1])

    def write(self, ids: Ints, going: NDArray[np.bool_] | None = None) -> Floats:
        """Append one character [B] to the patch being written; logits [B, 128] of the next. Rows that are not `going`
        on stay where they are, and theirs mean nothing."""
        nothing = np.zeros((self.rows, 0, self.states.shape[2]), np.float32)
        counts = np.ones(self.rows, np.int64) if going is None else going.astype(np.int64)
        fresh = [[id][:count] for id, count in zip(ids.tolist(), counts.tolist(), strict=True)]
        logits = self.chars.feed({"states": nothing, "ids": ids[:, None], **self._ticked(fresh, 1)}, counts, 1)
        return np.asarray(logits[:, 0])

    def keep(self, rows: Ints) -> "SheetStream":
        """A stream of these rows alone (repeats allowed)."""
        kept = SheetStream(self.bundle, self.patches.keep(rows), self.chars.keep(rows), self.states[rows])
        if self.clocks is not None:
            kept.clocks = [[*self.clocks[row]] for row in rows.tolist()]
        return kept

    def _told(self, pieces: Sequence[Patches], width: int) -> dict[str, NDArray[np.int64]]:
        """What the clock says behind each of the patches that are read, as an input."""
        if self.clocks is None:
            return {}
        said = np.zeros((self.rows, width, len(CLOCK_SIZES)), np.int64)
        for row, (piece, kept) in enumerate(zip(pieces, self.clocks, strict=True)):
            for at, patch in enumerate(piece.tolist()):
                clock = kept[-1].copy()
                for id in patch:
                    clock.read(id)
                kept.append(clock)
                said[row, at] = clock.now()
        return {"clock": said}

    def _ticked(self, fresh: Sequence[Sequence[int]], width: int, begins: bool = False) -> dict[str, NDArray[np.int64]]:
        """What the clock says behind each id that is written, at the beginning of a patch also before it, as an
        input."""
        if self.clocks is None:
            return {}
        said = np.zeros((self.rows, begins + width, len(CLOCK_SIZES)), np.int64)
        for row, (ids, clock) in enumerate(zip(fresh, self.writing, strict=True)):
            if begins:
                said[row, 0] = clock.now()
            for at, id in enumerate(ids):
                said[row, begins + at] = clock.read(id)
        return {"clock": said}
