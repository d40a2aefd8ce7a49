"""What the partner plays, frame by frame: all that has sounded and all that is promised."""

import numpy as np
from numpy.typing import NDArray

from sideman.jam.choose import is_hold, prolong
from sideman.jam.keys import NOTHING, TOKEN, Ints
from sideman.jam.spans import started
from sideman.jam.track import Track
from sideman.music.vocabulary import SILENCE, Vocabulary, translate

# The age of what no plan was made for: what sounded went on.
NO_PLAN = -1


class Promised:
    """Of each frame the token in a `vocabulary`, how many frames it lies behind the request it was planned for, and the
    key, as its number, that a chord is spelled in."""

    def __init__(self, vocabulary: Vocabulary, tokens: Ints = NOTHING, keys: NDArray[np.integer] = NOTHING) -> None:
        self.vocabulary = vocabulary
        self._tokens = Track(TOKEN, tokens)
        self._ages = Track(np.int16, np.full(len(tokens), NO_PLAN))
        self._keys = Track(np.int8, keys)

    @property
    def tokens(self) -> NDArray[np.integer]:
        return self._tokens.values

    @property
    def ages(self) -> NDArray[np.integer]:
        return self._ages.values

    @property
    def keys(self) -> NDArray[np.integer]:
        return self._keys.values

    def write(self, frame: int, tokens: Ints, age: int, key: int, joins: int, spelled: int = 0) -> None:
        """Put tokens in from `frame` on, the first of which is of this age; what follows them stays. What begins to
        sound there, or where the partner `joins`, is struck. A chord is spelled in the key of its onset, which is `key`
        from now on; the first `spelled` are as they were."""
        stop = frame + len(tokens)
        spelled = min(spelled, len(self.keys) - frame)
        self._keys.write(frame + spelled, np.full(len(tokens) - spelled, key))
        self._ages.write(frame, np.full(len(tokens), age) if age == NO_PLAN else age + np.arange(len(tokens)))
        self._tokens.write(frame, tokens)
        own, keys = self.tokens, self.keys
        for place in {frame, joins} & set(range(frame, stop)):
            before = int(own[place - 1]) if place and place != joins else SILENCE
            own[place] = started(self.vocabulary, before, int(own[place]))
        for place in range(max(frame, 1), stop):
            token = int(own[place])
            if token == SILENCE or is_hold(self.vocabulary, token):
                keys[place] = keys[place - 1]

    def read_by(self, vocabulary: Vocabulary) -> None:
        """Tokens are those of another vocabulary from now on."""
        self._tokens = Track(TOKEN, translate(self.vocabulary, vocabulary, self.tokens.astype(np.int64)))
        self.vocabulary = vocabulary

    def prolong(self, frame: int, key: int, joins: int) -> None:
        """What sounds last goes on until `frame`."""
        known = len(self.tokens)
        last = int(self.tokens[-1]) if known else SILENCE
        hold = prolong(self.vocabulary, last, None)
        self.write(known, np.full(frame - known, hold), NO_PLAN, key, joins)
