"""Numbers of the frames of a jam, which grow as long as it goes on: narrow, and not copied to add one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOM = 256  # at least so many are made room for at once


class Track:
    """A sequence of numbers of one dtype."""

    def __init__(self, dtype: type[np.integer], values: NDArray[np.integer] | None = None) -> None:
        self._room = np.zeros(ROOM, dtype)
        self._length = 0
        if values is not None:
            self.write(0, values)

    def __len__(self) -> int:
        return self._length

    @property
    def values(self) -> NDArray[np.integer[Any]]:
        """All of them [len], as they are until the next `write`."""
        return self._room[: self._length]

    def write(self, start: int, values: NDArray[np.integer]) -> None:
        """Put `values` in from `start` <= len on; what follows them stays."""
        stop = start + len(values)
        if stop > len(self._room):
            grown = np.zeros(stop + max(ROOM, stop // 4), self._room.dtype)
            grown[: self._length] = self.values
            self._room = grown
        self._room[start:stop] = values
        self._length = max(self._length, stop)
