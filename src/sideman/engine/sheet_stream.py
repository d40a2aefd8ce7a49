"""Rows of sheet-writing state over one bundle: patches and characters in, logits out, both caches kept here.

A stream is plain data plus session handles: give it to one thread at a time. Each row is a piece of its own; rows
need not be as long as each other.
"""

from dataclasses import dataclass, field

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle, Floats
from sideman.engine.stream import Ints, zeros
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

    def feed(self, inputs: dict[str, NDArray[np.generic]], counts: Ints, width: int) -> Floats:
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
    """B pieces. `state` float [B, C]: what the next patch of each piece is written from."""

    bundle: Bundle
    patches: Cached
    chars: Cached
    state: Floats

    @classmethod
    def open(cls, bundle: Bundle, rows: int, capacity: int = GROW) -> "SheetStream":
        chars = Cached.open(bundle.chars, rows, PATCH_SIZE + 1)
        width = next(each.shape[2] for each in bundle.chars.get_inputs() if each.name == "states")
        patches = Cached.open(bundle.patches, rows, capacity)
        return cls(bundle, patches, chars, np.zeros((rows, width), np.float32))

    @property
    def rows(self) -> int:
        return len(self.state)

    @property
    def lengths(self) -> Ints:
        """Patches read, row by row."""
        return self.patches.lengths

    def feed(self, pieces: list[Patches]) -> None:
        """Read more patches [n_b, 16] of each piece; a row may get none."""
        counts = np.array([len(piece) for piece in pieces], np.int64)
        width = int(counts.max())
        if not width:
            return
        ids = np.full((self.rows, width, PATCH_SIZE), PAD, np.int64)
        for row, piece in enumerate(pieces):
            ids[row, : len(piece)] = piece
        states = self.patches.feed({"patches": ids}, counts, width)
        fed = counts > 0
        self.state[fed] = states[fed, counts[fed] - 1]

    def begin(self, opened: list[tuple[int, ...]]) -> Floats:
        """Begin to write the next patch of each piece, which starts with the ids given; logits [B, 128] of the one
        after them."""
        self.chars.lengths = np.zeros(self.rows, np.int64)
        width = max(len(ids) for ids in opened)
        ids = np.full((self.rows, width), PAD, np.int64)
        for row, known in enumerate(opened):
            ids[row, : len(known)] = known
        counts = 1 + np.array([len(known) for known in opened], np.int64)
        logits = self.chars.feed({"states": self.state[:, None], "ids": ids}, counts, 1 + width)
        return np.asarray(logits[np.arange(self.rows), counts - 1])

    def write(self, ids: Ints) -> Floats:
        """Append one character [B] to the patch being written; logits [B, 128] of the next."""
        nothing = np.zeros((self.rows, 0, self.state.shape[1]), np.float32)
        logits = self.chars.feed({"states": nothing, "ids": ids[:, None]}, np.ones(self.rows, np.int64), 1)
        return np.asarray(logits[:, 0])

    def forget(self, row: int) -> None:
        """Empty a row's context; what is fed next is its beginning."""
        self.patches.lengths = self.patches.lengths.copy()
        self.patches.lengths[row] = 0

    def keep(self, rows: Ints) -> "SheetStream":
        """A stream of these rows alone (repeats allowed)."""
        return SheetStream(self.bundle, self.patches.keep(rows), self.chars.keep(rows), self.state[rows])
