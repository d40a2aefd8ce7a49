"""Pairs that do not match, made from pairs that do (spec 5.1): what a discriminative network learns to tell apart.

`melody`, `chords`: frame tokens int64 [B, T], PAD at the end of short rows.
"""

import torch
from torch import Generator, Tensor

from sideman.music.vocabulary import CHORD_HOLD, NOTE_HOLD, NOTE_ON, PAD, SILENCE

Pair = tuple[Tensor, Tensor]
MOST_DELAY = 3


def others(count: int, draw: Generator, reference: bool) -> Tensor:
    """For each of `count` rows another row, int64. The reference also meets a row itself now and then."""
    order = torch.randperm(count, generator=draw)
    if reference:
        return order
    # Everyone takes the next one of a shuffled circle, so nobody gets itself.
    return torch.empty_like(order).scatter(0, order, order.roll(1))


def permuted(melody: Tensor, chords: Tensor, draw: Generator, reference: bool) -> Pair:
    """Everybody's chords under somebody else's melody, both as long as the shorter one."""
    return equal_lengths(melody[others(len(melody), draw, reference).to(melody.device)], chords)


def equal_lengths(melody: Tensor, chords: Tensor) -> Pair:
    """Both parts PADded where either is."""
    real = (melody != PAD) & (chords != PAD)
    return torch.where(real, melody, PAD), torch.where(real, chords, PAD)


def shifted_or_permuted(melody: Tensor, chords: Tensor, size: int, draw: Generator, reference: bool) -> Pair:
    """Of each row either one part delayed by 1 to 3 frames, or somebody else's melody (for rhythm networks).

    The reference leaves a delayed part longer than the other one.
    """
    rows = len(melody)
    delay = torch.randint(1, MOST_DELAY + 1, (rows,), generator=draw)
    late_melody, shift = (torch.rand(2, rows, generator=draw) < 0.5).to(melody.device)
    delay = delay.to(melody.device)
    late = (
        torch.where(late_melody[:, None], delayed(melody, delay, size), melody),
        torch.where(late_melody[:, None], chords, delayed(chords, delay, size)),
    )
    if not reference:
        late = equal_lengths(*late)
    other = permuted(melody, chords, draw, reference=False)
    return torch.where(shift[:, None], late[0], other[0]), torch.where(shift[:, None], late[1], other[1])


def delayed(tokens: Tensor, delay: Tensor, size: int) -> Tensor:
    """One part [B, T] starting `delay` [B] frames later, cut to T frames, its first event extended to the beginning."""
    frames = torch.arange(tokens.shape[1], device=tokens.device)
    source = frames[None, :] - delay[:, None]
    moved = tokens.gather(1, source.clamp(min=0))
    first = tokens[:, :1]
    # The event that stood first begins at frame 0 now, so what was its beginning only goes on.
    moved = torch.where(source <= 0, _held(first, size), moved)
    return torch.where(frames == 0, _struck(first, size), moved)


def _held(tokens: Tensor, size: int) -> Tensor:
    """Onsets as holds; all else as it is."""
    chord_on = CHORD_HOLD + (size - CHORD_HOLD) // 2
    note = torch.where(tokens >= NOTE_ON, tokens - NOTE_ON + NOTE_HOLD, tokens)
    chord = torch.where(tokens >= chord_on, tokens - chord_on + CHORD_HOLD, tokens)
    return torch.where(tokens >= CHORD_HOLD, chord, note)


def _struck(tokens: Tensor, size: int) -> Tensor:
    """Holds as onsets; silence stays."""
    held = _held(tokens, size)
    chord_on = CHORD_HOLD + (size - CHORD_HOLD) // 2
    event = torch.where(held >= CHORD_HOLD, held - CHORD_HOLD + chord_on, held - NOTE_HOLD + NOTE_ON)
    return torch.where(held <= SILENCE, held, event)
