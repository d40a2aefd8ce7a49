"""Rule rewards (spec 6.3) as pure functions: chord tokens int64 [B, T], PAD beyond a piece's end, in; rewards out.

A reward of a whole sequence is a float [B]; one a frame is a float [B, T]. Names as in `Scene`.
"""

import torch
from torch import Tensor

from sideman.music.vocabulary import CHORD_HOLD, EOS, NOTE_HOLD, PAD, SILENCE, Vocabulary

LISTEN_FRAMES = 8  # at the beginning an accompanist may listen
SILENT_SHARE = 0.04  # about what people leave without a chord
LONG_FRAMES, RUN_EVENTS = 32, 4


def early_stop(chords: Tensor, mask: Tensor) -> Tensor:
    """Minus a tenth of the frames left after the first EOS or PAD, [B]."""
    stopped = (((chords == EOS) | (chords == PAD)) & mask).long()
    played = (1 - stopped.cummax(1).values) * mask
    return (played.sum(1) - mask.sum(1)).float() / 10


def undecodable(chords: Tensor, mask: Tensor, chord_on: int) -> Tensor:
    """bool [B]: a token of the other part, or a hold that prolongs another chord than the one sounding (spec 1.5).

    Special ids are dropped before decoding, so they are no reason.
    """
    real = mask & (chords > EOS)
    previous = _last(chords, real)
    hold = real & (chords >= CHORD_HOLD) & (chords < chord_on)
    foreign = real & (chords >= NOTE_HOLD) & (chords < CHORD_HOLD)
    other = hold & (previous >= CHORD_HOLD) & (_name(chords, chord_on) != _name(previous, chord_on))
    return (foreign | other).any(1)


def invalid(chords: Tensor, melody: Tensor, mask: Tensor, chord_on: int) -> Tensor:
    """-10 for a sequence with a special id or one that cannot be decoded, [B]."""
    special = (((chords <= EOS) | (melody <= EOS)) & mask).any(1)
    return -10.0 * (special | undecodable(chords, mask, chord_on)).float()


def silent(chords: Tensor, melody: Tensor, mask: Tensor) -> Tensor:
    """bool [B, T]: no chord under a sounding melody, after the first eight frames."""
    out = (chords == SILENCE) & (melody != SILENCE) & mask
    out[:, :LISTEN_FRAMES] = False
    return out


def silence(chords: Tensor, melody: Tensor, mask: Tensor) -> Tensor:
    """-0.1 for each silent frame of a sequence in which more than 4 % are, [B, T]."""
    out = silent(chords, melody, mask)
    share = out.sum(1) / mask[:, LISTEN_FRAMES:].sum(1).clamp(min=1)
    return -0.1 * (out & (share > SILENT_SHARE)[:, None]).float()


def long_note(chords: Tensor, mask: Tensor) -> Tensor:
    """Minus a tenth of the frames in runs of 32 or more equal tokens, up to the first PAD, [B]."""
    real = mask & (chords != PAD).long().cumprod(1).bool()
    edge = torch.ones_like(mask)
    edge[:, 1:] = chords[:, 1:] != chords[:, :-1]
    runs = _runs(edge | ~real, real)
    return -(runs * (runs >= LONG_FRAMES)).sum(1).float() / 10


def repetition(chords: Tensor, mask: Tensor, chord_on: int) -> Tensor:
    """Minus a tenth of the chords in runs of more than four equal ones, silence between or not, [B]; -1 where it
    cannot be decoded."""
    real = mask & (chords > EOS)
    previous = _last(chords, real)
    chord = real & (chords >= CHORD_HOLD)
    # A hold with nothing before it, or after silence, begins an event too.
    event = chord & ((chords >= chord_on) | (previous < CHORD_HOLD))
    name = _name(chords, chord_on)
    runs = _runs(event & (_last(name, event, -1) != name), event)
    score = -(runs * (runs > RUN_EVENTS)).sum(1).float() / 10
    return torch.where(undecodable(chords, mask, chord_on), -1.0, score)


def note_in_chord(chords: Tensor, melody: Tensor, mask: Tensor, token_masks: Tensor) -> tuple[Tensor, Tensor]:
    """bool [B, T] each: the note is a tone of the chord; and both sound. `token_masks`: pitch-class sets int64 [V]."""
    note, chord = token_masks[melody] * (melody > SILENCE), token_masks[chords] * (chords >= CHORD_HOLD)
    both = mask & (note > 0) & (chord > 0)
    return both & (note & chord > 0), both


def token_masks(vocabulary: Vocabulary, device: torch.device) -> Tensor:
    """`Vocabulary.token_masks` as int64 [V] on the device."""
    return torch.from_numpy(vocabulary.token_masks.astype("int64")).to(device)


def _name(tokens: Tensor, chord_on: int) -> Tensor:
    """Index of the chord of chord tokens."""
    return torch.where(tokens >= chord_on, tokens - chord_on, tokens - CHORD_HOLD)


def _last(values: Tensor, where: Tensor, nothing: int = PAD) -> Tensor:
    """For each frame the value at the last frame *before* it where `where` holds, else `nothing`; [B, T]."""
    place = torch.where(where, torch.arange(1, values.shape[1] + 1, device=values.device), 0).cummax(1).values
    place = torch.cat((torch.zeros_like(place[:, :1]), place[:, :-1]), 1)
    padded = torch.cat((torch.full_like(values[:, :1], nothing), values), 1)
    return padded.gather(1, place)


def _runs(start: Tensor, member: Tensor) -> Tensor:
    """How many members each run has, [B, T+1] in the order of runs, 0 beyond the last; a run begins at each `start`."""
    number = start.long().cumsum(1)
    counts = torch.zeros(len(start), start.shape[1] + 1, dtype=torch.long, device=start.device)
    return counts.scatter_add(1, number, member.long())
