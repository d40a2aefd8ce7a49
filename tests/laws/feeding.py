"""Random input for the graphs of a bundle, for the laws about its cache."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle, Memory
from sideman.engine.stream import Stream
from sideman.music.vocabulary import BOS, CHORD_HOLD

# Logits of the tiny networks are of size 1 to 10; different batchings add up in different orders.
CLOSE = 2e-4


@dataclass(frozen=True)
class Script:
    """B rows of S tokens with what is fed beside them: form [B, S, 3], condition [B, S, D], or one memory for all."""

    tokens: NDArray[np.int64]
    extra: NDArray[np.generic] | Memory

    def feed(self, stream: Stream, start: int, stop: int) -> NDArray[np.float32]:
        part = self.at(np.arange(start, stop))
        return stream.feed(part.tokens, part.extra)

    def at(self, places: NDArray[np.integer]) -> "Script":
        """Only these places [S'] of every row, or [B, S'] of each."""
        places = np.broadcast_to(places, (len(self.tokens), np.shape(places)[-1]))
        beside = self.extra if isinstance(self.extra, tuple) else np.take_along_axis(self.extra, places[:, :, None], 1)
        return Script(np.take_along_axis(self.tokens, places, 1), beside)

    def rows(self, *numbers: int) -> "Script":
        beside = self.extra if isinstance(self.extra, tuple) else self.extra[list(numbers)]
        return Script(self.tokens[list(numbers)], beside)


def random_script(bundle: Bundle, rows: int, length: int, seed: int = 0) -> Script:
    rng = np.random.default_rng(seed)
    tokens = rng.integers(CHORD_HOLD, bundle.vocabulary.size, (rows, length))
    tokens[:, 0] = BOS
    if bundle.file.kind == "online":
        return Script(tokens, rng.integers(0, 9, (rows, length, 3)))
    if bundle.file.cross:
        shape = (1, bundle.file.heads, 20, bundle.file.head_width)
        return Script(tokens, tuple(rng.normal(size=shape).astype(np.float32) for _ in range(2 * bundle.file.depth)))
    width = next(i.shape[2] for i in bundle.step.get_inputs() if i.name == "condition")
    return Script(tokens, rng.normal(size=(rows, length, width)).astype(np.float32))
