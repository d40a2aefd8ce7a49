"""What a sheet model must give alike as checkpoint and as bundle: logits of every character of two small pieces."""

import numpy as np
import torch
from torch import Tensor

from sideman.engine.bundle import Bundle
from sideman.engine.sheet_stream import SheetStream
from sideman.models.sheet import SheetModel, before_and_behind
from sideman.music.sheet.patches import PAD, PATCH_SIZE, Patches, encode

_SONG = """%Romantic
%Schubert, Franz
%Art Song
%end
%%score 1 { 2 | 3 }
L:1/8
Q:1/4=60
M:2/4
K:G
V:1 treble nm="Voice" snm="V."
V:2 treble nm="Piano" snm="Pno."
V:3 bass
[V:1]"^Largo" z4|[V:2][DF]2 ^D2|[V:3]G,,4|
[V:1]G2 F2|[V:2][DF]2 ^D2|[V:3]G,,4|
[V:1](3GAB c2|[V:2]!p![DG]2 [DF]2|[V:3][G,,D,]4|
[V:1]G2 F2|][V:2][DF]2 ^D2|][V:3]G,,4|]
"""
_TUNE = "L:1/8\nM:6/8\nK:D\nV:1 treble \n[V:1]A|:d2f afd|\n[V:1]g2e ceg|\n[V:1]fdA d3:|\n"


def examples(length: int) -> list[Patches]:
    """Two pieces of different lengths, neither longer than a network reads."""
    return [encode(text, length) for text in (_SONG, _TUNE)]


def bundle_logits(bundle: Bundle) -> np.ndarray:
    """Logits [M, 128] of all characters, both pieces side by side: their beginnings, a wrong patch that is taken back,
    and the rest; characters the first five at once, then one by one."""
    pieces = examples(bundle.file.window)
    stream = SheetStream.open(bundle, len(pieces))
    fives = [piece[:5] for piece in pieces]
    first = _states(stream, fives)
    _states(stream, [piece[:1] for piece in pieces])
    for row in range(len(pieces)):
        stream.rollback(row, 5)
    rest = _states(stream, [piece[5:] for piece in pieces])
    states = np.concatenate([np.concatenate(pair)[:-1] for pair in zip(first, rest, strict=True)])
    targets = np.concatenate([piece[1:] for piece in pieces])
    chars = SheetStream.open(bundle, len(targets))
    chars.states, chars.patches.lengths = states[:, None], np.ones(len(targets), np.int64)
    if stream.clocks is not None:
        chars.clocks = [[clock] for kept in stream.clocks for clock in kept[1:-1]]
    logits = [chars.begin([tuple(ids[:at].tolist()) for ids in targets]) for at in range(5)]
    logits += [chars.write(targets[:, at - 1]) for at in range(5, PATCH_SIZE)]
    return np.asarray(np.stack(logits, 1)[targets != PAD])


def _states(stream: SheetStream, pieces: list[Patches]) -> list[np.ndarray]:
    """States after each patch of each piece."""
    before = stream.lengths
    stream.feed(pieces)
    return [
        stream.states[row, at : at + len(piece)] for row, (at, piece) in enumerate(zip(before, pieces, strict=True))
    ]


@torch.inference_mode()
def torch_logits(model: SheetModel) -> np.ndarray:
    """The same from the network itself, each piece in one uncached pass."""
    found: list[Tensor] = []
    for piece in examples(model.config.length):
        patches = torch.from_numpy(piece)[None]
        targets = patches[0, 1:]
        clock = model.clocks(patches)
        states = model.encode(patches, clock=None if clock is None else clock[:, :, -1])
        logits = model.read(states[0, :-1], targets[:, :-1], None if clock is None else before_and_behind(clock)[0])
        found.append(logits[targets != PAD])
    return torch.cat(found).float().numpy()
