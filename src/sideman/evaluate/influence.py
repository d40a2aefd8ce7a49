"""How much one part tells about the other: influence KL (spec 7).

For each frame the divergence KL(P1 || P2) in nats over the whole vocabulary, nothing masked. P1 is what the network
that plays a part gives its token, from earlier frames. P2 is what a listener, a supervised network of the *other* part,
gives the same token once it knows its own token of that frame. Large: what the other does now says much about this
part, which could not know it; 0: nothing new.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sideman.engine.bundle import Bundle, Floats
from sideman.engine.stream import Ints, Stream
from sideman.evaluate.columns import Column
from sideman.evaluate.duet import PartName, interleaved
from sideman.evaluate.duet_systems import tokens_of
from sideman.music.frames import Frames

ROWS, CHUNK_FRAMES = 16, 32


def influence_column(part: PartName, player: Bundle, listener: Bundle) -> Column:
    """The measure for the `part` that `player` plays; sequences may be nobody's, such as the data's."""
    other = "melody" if part == "chord" else "chord"
    return Column(f"influence_{part}", f"influence KL, {part}", "nats a frame", 1, 3, 0,
        lambda pieces, _: mean_influence(pieces, part, player, listener),
        f"KL divergence of what {player.file.name} expects of the {part} from what {listener.file.name} expects that "
        f"knows the new {other} token")  # fmt: skip


def mean_influence(pieces: Sequence[Frames], part: PartName, player: Bundle, listener: Bundle) -> float:
    """Mean over all frames of all pieces."""
    total, frames = 0.0, 0
    ordered = sorted(pieces, key=len)
    for start in range(0, len(ordered), ROWS):
        some = ordered[start : start + ROWS]
        melody, chords, form = tokens_of(player.vocabulary, some)
        own, other = (chords, melody) if part == "chord" else (melody, chords)
        lengths = np.array([len(piece) for piece in some])
        real = np.arange(own.shape[1]) < lengths[:, None]
        total += float(influence(player, listener, own, other, form)[real].sum())
        frames += int(real.sum())
    return total / max(frames, 1)


def influence(player: Bundle, listener: Bundle, own: Ints, other: Ints, form: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Divergence [B, T] for the tokens `own` [B, T] that `player` plays; `other` are those of the listener's part."""
    rows, frames = own.shape
    out = np.zeros((rows, frames))
    streams = Stream.open(player, rows), Stream.open(listener, rows)
    histories = interleaved(own, other), interleaved(other, own)
    for start in range(0, frames, CHUNK_FRAMES):
        stop = min(start + CHUNK_FRAMES, frames)
        # The player's token of frame t follows position 2t, the listener's second one position 2t + 1.
        mine = _logits(streams[0], histories[0], form, 2 * start, 2 * stop, 0)
        theirs = _logits(streams[1], histories[1], form, 2 * start, 2 * stop, 1)
        out[:, start:stop] = divergence(mine, theirs)
    return out


def divergence(logits: Floats, others: Floats) -> NDArray[np.float64]:
    """KL(softmax(logits) || softmax(others)) over the last axis, in nats."""
    ours, theirs = _log_softmax(logits), _log_softmax(others)
    return np.asarray((np.exp(ours) * (ours - theirs)).sum(-1))


def _log_softmax(logits: Floats) -> NDArray[np.float64]:
    x = logits.astype(np.float64)
    x = x - x.max(-1, keepdims=True)
    return np.asarray(x - np.log(np.exp(x).sum(-1, keepdims=True)))


def _logits(stream: Stream, history: Ints, form: NDArray[np.uint8], start: int, stop: int, first: int) -> Floats:
    """Feed positions start..stop-1 and read every second one, from `first` on."""
    at = np.arange(start, stop)
    return stream.feed(history[:, at], form[:, at // 2], read=np.arange(first, len(at), 2))
