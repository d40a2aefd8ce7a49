"""Rows of decoding state over one bundle: tokens in, logits out, the cache kept here.

A stream is plain data plus a session handle: give it to one thread at a time. Rolling back is
setting a row's length back; forking is copying rows.
"""

import math
import mmap
from dataclasses import dataclass, field

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle, Floats, Memory

Ints = NDArray[np.int64]
GROW = 64


@dataclass
class Stream:
    """B rows. `cache` float [2*depth, B, H, capacity, d]; `lengths` int64 [B] slots filled; `dropped` int64 [B]
    positions forgotten by `slide`, so that `dropped + lengths` is the position of the next token."""

    bundle: Bundle
    cache: Floats
    lengths: Ints
    dropped: Ints = field(init=False)
    _bound: dict[ort.InferenceSession, ort.IOBinding] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.dropped = np.zeros_like(self.lengths)

    @classmethod
    def open(cls, bundle: Bundle, rows: int, capacity: int = GROW) -> "Stream":
        file = bundle.file
        shape = (2 * file.depth, rows, file.heads, capacity, file.head_width)
        return cls(bundle, zeros(shape), np.zeros(rows, np.int64))

    @property
    def rows(self) -> int:
        return len(self.lengths)

    def feed(
        self, tokens: Ints, extra: NDArray[np.generic] | Memory, read: Ints | None = None, alone: bool = False
    ) -> Floats:
        """Append tokens [B, S] with their form [B, S, 3] or condition [B, S, D], or with the memory they look at;
        logits [B, R, V] at the `read` positions among the new ones (all of them if None). `alone`: no other stream is
        fed meanwhile."""
        count = tokens.shape[1]
        self._reserve(int(self.lengths.max()) + count)
        inputs = {
            "tokens": tokens,
            "positions": (self.dropped + self.lengths)[:, None] + np.arange(count),
            "filled": self.lengths,
            "read": np.arange(count) if read is None else read,
            **self._beside(extra),
        }
        session = self.bundle.step_alone if alone else self.bundle.step
        logits = self._run(session, {name: np.ascontiguousarray(array) for name, array in inputs.items()})
        self.lengths = self.lengths + count
        return logits

    def _beside(self, extra: NDArray[np.generic] | Memory) -> dict[str, NDArray[np.generic]]:
        """What is fed beside the tokens, by the names of the graph."""
        if isinstance(extra, tuple):
            return {f"memory_{number}": layer for number, layer in enumerate(extra)}
        if self.bundle.file.kind == "offline":
            return {"condition": extra.astype(np.float32)}
        return {"form": extra.astype(np.int64)}

    def rollback(self, lengths: Ints) -> None:
        """Forget everything from these lengths on, row by row. Raises ValueError for a length not reached."""
        if (lengths > self.lengths).any() or (lengths < 0).any():
            raise ValueError("a stream can only be rolled back to where it has been")
        self.lengths = np.array(lengths, np.int64)

    def fork(self, rows: Ints) -> "Stream":
        """A new stream whose rows are copies of these rows (repeats allowed)."""
        twin = Stream(self.bundle, np.ascontiguousarray(self.cache[:, rows]), self.lengths[rows])
        twin.dropped = self.dropped[rows]
        return twin

    def slide(self, limit: int, keep: int) -> None:
        """Rows that fill more than `limit` slots forget all but their last `keep`; positions go on counting."""
        for row, length in enumerate(self.lengths.tolist()):
            if length > limit:
                self.cache[:, row, :, :keep] = self.cache[:, row, :, length - keep : length].copy()
                self.lengths[row] = keep
                self.dropped[row] += length - keep

    def _run(self, session: ort.InferenceSession, inputs: dict[str, NDArray[np.generic]]) -> Floats:
        """One pass; the graph writes new keys and values straight into the cache."""
        if session not in self._bound:
            self._bound[session] = self._bind(session)
        binding = self._bound[session]
        for name, array in inputs.items():
            binding.bind_cpu_input(name, array)
        # Into memory of our own: to be asked for the logits the runtime would wrap every part of the cache, too.
        logits = np.empty((self.rows, len(inputs["read"]), self.bundle.vocabulary.size), np.float32)
        binding.bind_output("logits", "cpu", 0, np.float32, logits.shape, logits.ctypes.data)
        session.run_with_iobinding(binding)
        return logits

    def _bind(self, session: ort.InferenceSession) -> ort.IOBinding:
        """The cache as past and as present of a pass."""
        binding = session.io_binding()
        for number, layer in enumerate(self.cache):
            binding.bind_cpu_input(f"past_{number}", layer)
            place = ("cpu", 0, np.float32, layer.shape, layer.ctypes.data)
            binding.bind_output(f"present_{number}", *place)
        return binding

    def _reserve(self, slots: int) -> None:
        have = self.cache.shape[3]
        if slots > have:
            grown = zeros((*self.cache.shape[:3], -(-slots // GROW) * GROW, self.cache.shape[4]))
            grown[:, :, :, :have] = self.cache
            self.cache = grown
            self._bound.clear()

    def reserve(self, slots: int) -> None:
        """Have room for so many slots now, and not in the middle of something urgent."""
        self._reserve(slots)


def zeros(shape: tuple[int, ...]) -> Floats:
    """Memory of its own pages, which go back to the system at once: many caches that grow would shred the heap."""
    count = math.prod(shape)
    return np.frombuffer(mmap.mmap(-1, max(1, 4 * count)), np.float32, count).reshape(shape)
