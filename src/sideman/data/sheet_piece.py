"""What every converter of sheets hands over: one piece as standard ABC, and what is known about it.

A converter module (`data/<collection>.py`, hyphens as underscores, or `<collection>_sheets.py` where the collection
gives songs too) offers
    sheets(root) -> sorted ids of all pieces under an unpacked source tree, and
    sheet(root, piece_id) -> SheetPiece, raising Discarded.
Both are plain functions of their arguments, so that conversion runs over processes.
"""

from collections import Counter
from dataclasses import dataclass, field

from sideman.music.sheet.prompts import UNKNOWN, Prompt


@dataclass(frozen=True, slots=True)
class SheetPiece:
    """`abc` in the dialect of spec 1.2. `work` groups what must share a split, such as the songs of a cycle;
    `losses` counts what reading dropped or simplified, by reason."""

    id: str
    abc: str
    work: str
    title: str = ""
    prompt: Prompt = UNKNOWN
    losses: Counter[str] = field(default_factory=Counter)
