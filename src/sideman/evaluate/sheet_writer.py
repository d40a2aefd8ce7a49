"""Pieces by a sheet model that is still in training: its checkpoint as a bundle for a while, and the compose room."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sideman.compose.actions import Ids, Piece, Say, Write
from sideman.compose.free import FIRST_TAG, free
from sideman.compose.lockstep import play
from sideman.compose.strict import Strict
from sideman.engine.bundle import Bundle, load_bundle
from sideman.engine.sheet_sampling import SheetSampling
from sideman.music.sheet.prompts import Prompt

if TYPE_CHECKING:
    from sideman.train.preference.recipe import SamplingConfig


class SheetWriter:
    """Writes what a checkpoint writes, in full precision; keeps the last one open. One thread."""

    def __init__(self) -> None:
        self._opened: tuple[Path, Bundle] | None = None

    def __call__(
        self, checkpoint: Path, prompts: Sequence[Prompt], seeds: Sequence[int], sampling: "SamplingConfig",
        stop: Callable[[], str] = lambda: "",
    ) -> list[str]:  # fmt: skip
        """A piece for each seed as the model writes it, prompt first; empty where it came to no end within
        `sampling.longest` characters. No pieces at all once `stop`, asked before every character, gives a reason."""
        bundle = self._bundle(checkpoint)
        asked = [prompt.text() if prompt.complete else "" for prompt in prompts]
        pieces = [limited(_piece(text, bundle.file.window, sampling), sampling.longest) for text in asked]
        drawn = SheetSampling(sampling.temperature, sampling.top_k, sampling.top_p, floor=True)
        texts, ends = [""] * len(pieces), [""] * len(pieces)
        for said in play(bundle, pieces, seeds, drawn, stop):
            texts[said.row] += said.text
            ends[said.row] = said.why or ends[said.row]
        if not {"end", "long"}.issuperset(ends):
            return []
        return [text if end == "end" else "" for text, end in zip(texts, ends, strict=True)]

    def _bundle(self, checkpoint: Path) -> Bundle:
        from sideman.models.export import export_bundle

        if self._opened is None or self._opened[0] != checkpoint:
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch) / "bundle"
                export_bundle(checkpoint, folder, checkpoint.name, int8=False)
                self._opened = checkpoint, _in_memory(load_bundle(folder))
        return self._opened[1]


def _in_memory(bundle: Bundle) -> Bundle:
    """A bundle whose graphs are loaded, so that its folder may go."""
    _ = bundle.patches, bundle.chars
    return bundle


def _piece(prompt: str, window: int, sampling: "SamplingConfig") -> Piece:
    """One piece, with or without constraints."""
    if sampling.constrained:
        return Strict(window, prompt, bars=sampling.bars).piece()
    return counted(free(prompt, window), sampling.bars)


def counted(piece: Piece, bars: int | None) -> Piece:
    """A free piece whose first tag says that it has so many bars; the model counts down by itself."""
    if bars is None:
        return (yield from piece)
    answer: Ids | None = None
    while True:
        try:
            request = piece.send(answer)
        except StopIteration as ended:
            return str(ended.value)
        if request == Write(tuple(FIRST_TAG.encode())):
            request = Write(tuple(f"{FIRST_TAG}{bars - 1}]".encode()))
        answer = yield request


def limited(piece: Piece, longest: int) -> Piece:
    """A piece that ends with `long` once it has said more than `longest` characters."""
    said = 0
    answer: Ids | None = None
    while said <= longest:
        try:
            request = piece.send(answer)
        except StopIteration as ended:
            return str(ended.value)
        if isinstance(request, Say):
            said += len(request.text)
        answer = yield request
    return "long"
