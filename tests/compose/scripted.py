"""A network played by hand: it is shown what a piece asks for and answers with patches of our choice."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sideman.compose.actions import Back, Ids, Piece, Read, Say, Write
from sideman.music.sheet.patches import PAD, PATCH_SIZE, Patches, decode

# Given the context and what is to be written: all ids of the patch, PAD left out.
Network = Callable[[Patches, Write], Ids]


@dataclass
class Performance:
    """What became of a piece: its text, why it ended, its context in the end, every context it was asked to write in,
    and the contexts that were made anew."""

    text: str = ""
    why: str = ""
    context: Patches = field(default_factory=lambda: np.zeros((0, PATCH_SIZE), np.int64))
    asked: list[tuple[Patches, Write]] = field(default_factory=list)
    rebuilt: list[Patches] = field(default_factory=list)


def perform(piece: Piece, network: Network, most: int = 20_000) -> Performance:
    done, answer, anew = Performance(), None, False
    for _ in range(most):
        try:
            request = piece.send(answer)
        except StopIteration as ended:
            done.why = ended.value
            return done
        answer = None
        if isinstance(request, Say):
            done.text += request.text
        elif isinstance(request, Back):
            done.context = done.context[: request.length]
            anew = request.length == 0
        elif isinstance(request, Read):
            done.context = np.concatenate([done.context, request.patches])
            if anew:
                done.rebuilt.append(done.context)
                anew = False
        else:
            done.asked.append((done.context, request))
            ids = network(done.context, request)
            assert ids[: len(request.opened)] == request.opened
            answer = (*ids, *[PAD] * (PATCH_SIZE - len(ids)))
    raise AssertionError("the piece comes to no end")


def dictated(patches: Patches) -> Network:
    """Writes these patches one after the other, whatever is asked."""
    left = [tuple(row[row != PAD].tolist()) for row in patches]
    return lambda context, write: left.pop(0)


def reading(context: Patches) -> str:
    return decode(context)
