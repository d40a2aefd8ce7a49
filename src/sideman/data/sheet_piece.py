"""What every converter of sheets hands over: pieces as standard ABC, and what is known about them.

A converter module (`data/<collection>.py`, hyphens as underscores, or `<collection>_sheets.py` where the collection
gives songs too) offers
    scores(root) -> sorted ids of all scores under an unpacked source tree, and
    sheets(root, score_id) -> the pieces of one score, such as its movements, raising Discarded.
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
