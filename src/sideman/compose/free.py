"""A piece as the published program writes it: whatever the network writes, nothing checked (NotaGen spec 4.2, 4.3)."""

from collections.abc import Generator

import numpy as np

from sideman.compose.actions import Back, Ids, Piece, Read, Request, Say, Write
from sideman.music.sheet.patches import BOS, EOS, Patches, decode, encode_prefix, split

MOST_CHARACTERS = 102_400
FIRST_TAG = "[r:0/"


def free(prompt: str, length: int) -> Piece:
    """Write after `prompt`, lines of metadata or a beginning with its tags, in a context of at most `length` patches.

    Numbering is made to begin at 0. Ends with `end`, or with `long` where the text or its first line grew too long.
    """
    text, cut = prompt, 0
    started = bool(split(prompt)[1])
    patches, opened = encode_prefix(prompt, length)
    yield Read(patches)
    count = len(patches)
    if prompt:
        yield Say(prompt)
    while len(text) <= MOST_CHARACTERS:
        if count >= length:
            kept, cut = _kept(text, cut)
            if not kept:
                return "long"
            patches, opened = encode_prefix(kept, length)
            yield Back(0)
            yield Read(patches)
            count = len(patches)
        ids = yield from written(Write(opened))
        if not started and decode(ids).startswith("[r:"):
            started, opened = True, tuple(FIRST_TAG.encode())
            text += FIRST_TAG
            yield Say(FIRST_TAG)
            ids = yield from written(Write(opened))
        if (ids[0, 0], ids[0, 1]) == (BOS, EOS):
            return "end"
        fresh = decode(ids, reference=True)[len(opened) :]
        text += fresh
        yield Say(fresh)
        yield Read(ids)
        count, opened = count + 1, ()
    return "long"


def written(write: Write) -> Generator[Request, Ids | None, Patches]:
    """The patch that is sent back, [1, 16]."""
    ids = yield write
    assert ids is not None
    return np.array([ids], np.int64)


def _kept(text: str, cut: int) -> tuple[str, int]:
    """All metadata and the last lines of the body, half of them the first time; nothing where there are too few."""
    metadata, body = split(text)
    lines = [*body, ""] if text.endswith("\n") else body
    if len(body) < 2:
        return "", cut
    cut = cut or len(lines) // 2
    return "\n".join([*metadata, *lines[-cut:]]), cut
