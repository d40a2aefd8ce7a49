"""Made-up sheets: voice and piano in three-quarter time, each bar from a few patterns, and a pack of them."""

from pathlib import Path

import numpy as np

from sideman.data.sheets import SheetPack, SheetRow, make_sheet_pack
from sideman.music.sheet.prompts import Prompt

HEADER = """%%score 1 {{ 2 | 3 }}
L:1/8
Q:1/4={tempo}
M:3/4
K:{key}
V:1 treble nm="Voice" snm="V."
V:2 treble nm="Piano" snm="Pno."
V:3 bass
"""
MELODIES = ("G2 A2 B2", "B4 A2", "d3 c BA", "G6", "A2 G2 F2", "(3GAB c2 d2")
HANDS = ("z2 [GB]2 [GB]2", "[Bd]2 [Bd]2 [Bd]2", "[FA]6")
PROMPT = Prompt("Romantic", "Nobody, Anna", "Art Song")


def toy_sheet(number: int, bars: int = 8) -> str:
    """Reduced interleaved ABC; the voice rests in the first bar."""
    rng = np.random.default_rng(number)
    lines = []
    for bar in range(bars):
        end = "|]" if bar == bars - 1 else "|"
        voice = "" if bar == 0 else f"[V:1]{rng.choice(MELODIES)}{end}"
        lines.append(f"{voice}[V:2]{rng.choice(HANDS)}{end}[V:3]G,,6{end}")
    header = HEADER.format(tempo=60 + 10 * (number % 4), key=("G", "C", "Em")[number % 3])
    return header + "\n".join(lines) + "\n"


def toy_sheet_pack(count: int = 12) -> SheetPack:
    """`count` sheets; every fourth is held out for validation."""
    rows = [
        SheetRow(
            id=f"toy-{n}", split="valid" if n % 4 == 3 else "train", work=f"work-{n}", title=f"Toy {n}",
            prompt=PROMPT if n % 2 else Prompt(), text=toy_sheet(n, 4 + n % 9),
        )
        for n in range(count)
    ]  # fmt: skip
    return make_sheet_pack("toy", rows)


def save_toy_sheets(folder: Path, count: int = 12) -> Path:
    path = folder / "toy-sheets.npz"
    toy_sheet_pack(count).save(path)
    return path
