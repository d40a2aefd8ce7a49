"""Random input for the graphs of a bundle, for the laws about its cache."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle
from sideman.engine.stream import Stream
from sideman.music.vocabulary import BOS, CHORD_HOLD

# Logits of the tiny networks are of size 1 to 10; different batchings add up in different orders.
CLOSE = 2e-4


@dataclass(frozen=True)
class Script:
    """B rows of S tokens with what is fed beside them, form [B, S, 3] or condition [B, S, D]."""

    tokens: NDArray[np.int64]
    extra: NDArray[np.generic]

    def feed(self, stream: Stream, start: int, stop: int) -> NDArray[np.float32]:
        return stream.feed(self.tokens[:, start:stop], self.extra[:, start:stop])

    def rows(self, *numbers: int) -> "Script":
        return Script(self.tokens[list(numbers)], self.extra[list(numbers)])


def random_script(bundle: Bundle, rows: int, length: int, seed: int = 0) -> Script:
    rng = np.random.default_rng(seed)
    tokens = rng.integers(CHORD_HOLD, bundle.vocabulary.size, (rows, length))
    tokens[:, 0] = BOS
    if bundle.file.kind == "online":
        return Script(tokens, rng.integers(0, 9, (rows, length, 3)))
    width = next(i.shape[2] for i in bundle.step.get_inputs() if i.name == "condition")
    return Script(tokens, rng.normal(size=(rows, length, width)).astype(np.float32))
