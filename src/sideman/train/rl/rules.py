"""Rule rewards (spec 6.3) as pure functions: the played part's tokens int64 [B, T], PAD beyond a piece's end, in;
rewards out.

A reward of a whole sequence is a float [B]; one a frame is a float [B, T]. Names as in `Scene`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from sideman.music.vocabulary import CHORD_HOLD, EOS, NOTE_HOLD, NOTE_ON, PAD, SILENCE, PartName, Vocabulary

LISTEN_FRAMES = 8  # at the beginning an accompanist may listen
SILENT_SHARE = 0.04  # about what people leave without a chord
LONG_FRAMES, RUN_EVENTS = 32, 4


@dataclass(frozen=True)
class Alphabet:
    """Ids of one part's events: holds from `hold`, onsets from `on`, in the same order, up to `end`."""

    hold: int
    on: int
    end: int

    @classmethod
    def of(cls, vocabulary: Vocabulary, part: PartName) -> "Alphabet":
        if part == "melody":
            return cls(NOTE_HOLD, NOTE_ON, CHORD_HOLD)
        return cls(CHORD_HOLD, vocabulary.chord_on, vocabulary.size)

    def has(self, tokens: Tensor) -> Tensor:
        """bool: an event of this part, not silence and nothing special."""
        return (tokens >= self.hold) & (tokens < self.end)

    def name(self, tokens: Tensor) -> Tensor:
        """Which chord or pitch an event is, whether it begins or goes on."""
        return torch.where(tokens >= self.on, tokens - self.on, tokens - self.hold)


def early_stop(played: Tensor, mask: Tensor) -> Tensor:
    """Minus a tenth of the frames left after the first EOS or PAD, [B]."""
    stopped = (((played == EOS) | (played == PAD)) & mask).long()
    before = (1 - stopped.cummax(1).values) * mask
    return (before.sum(1) - mask.sum(1)).float() / 10


def undecodable(played: Tensor, mask: Tensor, alphabet: Alphabet) -> Tensor:
    """bool [B]: a token of the other part, or a hold that prolongs another event than the one sounding (spec 1.5).

    Special ids are dropped before decoding, so they are no reason.
    """
    real = mask & (played > EOS)
    previous = _last(played, real)
    hold = real & alphabet.has(played) & (played < alphabet.on)
    foreign = real & (played != SILENCE) & ~alphabet.has(played)
    other = hold & alphabet.has(previous) & (alphabet.name(played) != alphabet.name(previous))
    return (foreign | other).any(1)


def invalid(played: Tensor, heard: Tensor, mask: Tensor, alphabet: Alphabet) -> Tensor:
    """-10 for a sequence with a special id or one that cannot be decoded, [B]."""
    special = (((played <= EOS) | (heard <= EOS)) & mask).any(1)
    return -10.0 * (special | undecodable(played, mask, alphabet)).float()


def silent(played: Tensor, heard: Tensor, mask: Tensor) -> Tensor:
    """bool [B, T]: nothing is played while the other part sounds, after the first eight frames."""
    out = (played == SILENCE) & (heard != SILENCE) & mask
    out[:, :LISTEN_FRAMES] = False
    return out


def silence(played: Tensor, heard: Tensor, mask: Tensor) -> Tensor:
    """-0.1 for each silent frame of a sequence in which more than 4 % are, [B, T]."""
    out = silent(played, heard, mask)
    share = out.sum(1) / mask[:, LISTEN_FRAMES:].sum(1).clamp(min=1)
    return -0.1 * (out & (share > SILENT_SHARE)[:, None]).float()


def long_note(played: Tensor, mask: Tensor) -> Tensor:
    """Minus a tenth of the frames in runs of 32 or more equal tokens, up to the first PAD, [B]."""
    real = mask & (played != PAD).long().cumprod(1).bool()
    edge = torch.ones_like(mask)
    edge[:, 1:] = played[:, 1:] != played[:, :-1]
    runs = _runs(edge | ~real, real)
    return -(runs * (runs >= LONG_FRAMES)).sum(1).float() / 10


def repetition(played: Tensor, mask: Tensor, alphabet: Alphabet) -> Tensor:
    """Minus a tenth of the chords or notes in runs of more than four equal ones, silence between or not, [B]; -1 where
    it cannot be decoded."""
    real = mask & (played > EOS)
    # A hold with nothing before it, or after silence, begins an event too.
    begins = (played >= alphabet.on) | ~alphabet.has(_last(played, real))
    event = real & alphabet.has(played) & begins
    name = alphabet.name(played)
    runs = _runs(event & (_last(name, event, -1) != name), event)
    score = -(runs * (runs > RUN_EVENTS)).sum(1).float() / 10
    return torch.where(undecodable(played, mask, alphabet), -1.0, score)


def note_in_chord(chords: Tensor, melody: Tensor, mask: Tensor, token_masks: Tensor) -> tuple[Tensor, Tensor]:
    """bool [B, T] each: the note is a tone of the chord; and both sound. `token_masks`: pitch-class sets int64 [V]."""
    note, chord = token_masks[melody] * (melody > SILENCE), token_masks[chords] * (chords >= CHORD_HOLD)
    both = mask & (note > 0) & (chord > 0)
    return both & (note & chord > 0), both


def token_masks(vocabulary: Vocabulary, device: torch.device) -> Tensor:
    """`Vocabulary.token_masks` as int64 [V] on the device."""
    return torch.from_numpy(vocabulary.token_masks.astype("int64")).to(device)


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
