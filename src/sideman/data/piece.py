"""What every converter hands over: one piece of a collection, or the reason there is none.

A converter module `data/<collection>.py` offers
    pieces(root) -> sorted ids of all pieces under an unpacked source tree, and
    convert(root, piece_id) -> Piece, raising Discarded.
Both are plain functions of their arguments, so that conversion runs over processes.
"""

from collections import Counter
from dataclasses import dataclass, field

from sideman.music.song import Song


@dataclass(frozen=True, slots=True)
class Piece:
    """A converted piece. `work` groups versions of one work, which must share a split; `split` is set
    where the source fixes it; `losses` counts what conversion dropped or simplified, by reason."""

    id: str
    song: Song
    work: str
    split: str | None = None
    losses: Counter[str] = field(default_factory=Counter)


class Discarded(Exception):
    """A piece that cannot be used; the message is the reason, the same for all pieces of its kind."""
