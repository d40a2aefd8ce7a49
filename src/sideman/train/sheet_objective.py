"""The loss of a sheet model and how it is judged: bits a character, in all and part by part (NotaGen spec 3.2)."""

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from sideman.data.sheets import SheetPack
from sideman.files import write_atomic
from sideman.music.sheet.patches import EOS
from sideman.train.sheet_batches import SheetBatch

# What a character belongs to. Tags say which line and which voice follow; ends close a patch.
KINDS = ("prompt", "header", "tags", "music", "ends")
_TAG = re.compile(r"\[[rV]:[^\]\n]*\]")
_VOICE = re.compile(r"\[V:(\d+)\]")
_SIZES = ((1, "1 voice"), (3, "2-3 voices"), (5, "4-5 voices"), (10**6, "6 voices or more"))


def bits(loss: float) -> dict[str, float]:
    """A loss in nats as it is logged."""
    return {"loss": loss, "bits": loss / math.log(2)}


def tensors(batch: SheetBatch, device: torch.device) -> tuple[Tensor, Tensor]:
    """Patches and mask."""
    return torch.from_numpy(batch.patches).to(device), torch.from_numpy(batch.mask).to(device)


@dataclass(frozen=True)
class Characters:
    """Mean cross-entropy of all characters of a batch."""

    pack: SheetPack

    def loss(self, model: nn.Module, whole: SheetBatch, rows: slice, device: torch.device, draw: Generator) -> Tensor:
        return model(*tensors(whole.rows(rows), device))  # type: ignore[no-any-return]

    def weight(self, batch: SheetBatch) -> int:
        return batch.tokens

    def validate(self, model: nn.Module, batches: list[SheetBatch], device: torch.device) -> dict[str, float]:
        total = sum(float(model(*tensors(batch, device))) * batch.tokens for batch in batches)
        loss = total / sum(batch.tokens for batch in batches)
        return {"valid_loss": loss, "valid_bits": loss / math.log(2)}

    def tables(self, model: Any, batches: list[SheetBatch], device: torch.device, folder: Path) -> dict[str, float]:
        """Write `bits.md` and `bits.json`: bits a character by kind of text, voice, size of the score, collection.
        Returns those by kind of text."""
        sums: dict[str, dict[str, NDArray[np.float64]]] = defaultdict(lambda: defaultdict(lambda: np.zeros(2)))
        for batch in batches:
            nats, where = model.characters(*tensors(batch, device))
            spent = np.zeros(batch.patches.size)
            known = np.zeros(batch.patches.size, np.bool_)
            spent[where.cpu().numpy()] = nats.double().cpu().numpy() / math.log(2)
            known[where.cpu().numpy()] = True
            shape = batch.patches.shape
            for row, (piece, length) in enumerate(zip(batch.pieces.tolist(), batch.lengths.tolist(), strict=True)):
                self._count(
                    sums, piece, batch.patches[row, :length], spent.reshape(shape)[row, :length],
                    known.reshape(shape)[row, :length],
                )  # fmt: skip
        tables = {
            title: {name: (round(float(b / n), 4), int(n)) for name, (b, n) in rows.items()}
            for title, rows in sums.items()
        }
        write_atomic(folder / "bits.json", msgspec.json.format(msgspec.json.encode(tables), indent=1))
        write_atomic(folder / "bits.md", _markdown(tables).encode())
        return {f"valid_bits_{kind}": value for kind, (value, _) in tables["Kind of text"].items()}

    def _count(self, sums: Any, piece: int, patches: NDArray[np.int64], spent: Any, known: Any) -> None:
        """Add bits and number of characters of one piece to every table."""
        kinds, voices = labels(patches)
        collection = str(self.pack.collections[self.pack.collection[piece]])
        size = next(name for most, name in _SIZES if max(1, int(voices.max())) <= most)
        for title, name, chosen in (
            *(("Kind of text", kind, kinds == number) for number, kind in enumerate(KINDS)),
            *(("Voice, music alone", f"V:{v}", (voices == v) & (kinds == 3)) for v in np.unique(voices[voices > 0])),
            ("Size of the score", size, known),
            ("Collection", collection, known),
        ):
            chosen = chosen & known
            if chosen.any():
                sums[title][name] += (spent[chosen].sum(), chosen.sum())


def labels(patches: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each id of patches [T, 16]: its place in KINDS, and the voice it belongs to, 0 for none; both [T, 16]."""
    flat = patches.reshape(-1)
    kinds, voices = np.full(len(flat), 4), np.zeros(len(flat), np.int64)
    (at,) = np.nonzero(flat > EOS)
    text = flat[at].astype(np.uint8).tobytes().decode("ascii")
    kind, voice = np.full(len(text), 3), np.zeros(len(text), np.int64)
    first = re.search(r"^\[[rV]:", text, re.MULTILINE)
    body = first.start() if first else len(text)
    kind[:body] = 1
    for line in re.finditer(r"^%(?!%).*\n?", text[:body], re.MULTILINE):
        kind[line.start() : line.end()] = 0
    for tag in _TAG.finditer(text, body):
        kind[tag.start() : tag.end()] = 2
    for found in _VOICE.finditer(text, body):
        voice[found.end() :] = int(found[1])
    kinds[at], voices[at] = kind, voice
    return kinds.reshape(patches.shape), voices.reshape(patches.shape)


def _markdown(tables: dict[str, dict[str, tuple[float, int]]]) -> str:
    out = ["Bits a character on the validation sheets."]
    for title, rows in tables.items():
        out += ["", f"| {title} | bits a character | characters |", "|---|--:|--:|"]
        out += [f"| {name} | {value:.3f} | {count:,} |" for name, (value, count) in _ordered(rows)]
    return "\n".join(out) + "\n"


def _ordered(rows: dict[str, tuple[float, int]]) -> Sequence[tuple[str, tuple[float, int]]]:
    """Kinds of text as a piece has them, voices by number, the rest by name."""

    def place(row: tuple[str, Any]) -> tuple[int, str]:
        name = row[0]
        if name in KINDS:
            return KINDS.index(name), name
        return int(name[2:]) if name.startswith("V:") else 0, name

    return sorted(rows.items(), key=place)
