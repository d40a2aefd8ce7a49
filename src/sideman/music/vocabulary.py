"""Token ids of frames (spec 1.2), for our own chord list and for lists of foreign checkpoints.

Ids: PAD 0, BOS 1, EOS 2, SILENCE 3, note hold 4+p, note onset 132+p, then chord holds and chord
onsets. Our own list is closed under transposition: chord index = 12 * template + root, so moving a
song by semitones is arithmetic on ids, and adding a data set never shifts one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sideman.errors import UnknownChord
from sideman.music.chord import Chord
from sideman.music.frames import SILENT, Frames

PAD, BOS, EOS, SILENCE = 0, 1, 2, 3
NOTE_HOLD, NOTE_ON, CHORD_HOLD = 4, 132, 260

PartName = Literal["chord", "melody"]

# Our own chord templates: quality, and the basses (semitones above the root) it may stand on.
# The list covers what POP909 and Nottingham contain and what players of standards expect.
TEMPLATES: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("", (0, 4, 7, 10, 2, 5, 11, 9)), ("m", (0, 3, 7, 10, 2, 5)), ("7", (0, 4, 7, 10)), ("maj7", (0, 4, 7, 11)),
    ("m7", (0, 3, 7, 10, 5)), ("dim", (0, 3, 6)), ("aug", (0, 4)), ("dim7", (0, 3, 6)), ("m7b5", (0, 3, 6, 10)),
    ("6", (0, 4, 7)), ("m6", (0, 3, 7)), ("sus4", (0, 7)), ("sus2", (0, 7)), ("7sus4", (0,)), ("mMaj7", (0, 11)),
    ("9", (0,)), ("maj9", (0,)), ("m9", (0,)), ("add9", (0, 4)), ("m(add9)", (0,)), ("6/9", (0,)), ("5", (0,)),
    ("7#5", (0,)), ("7b9", (0,)), ("7#9", (0,)), ("7b5", (0,)), ("7#11", (0,)), ("13", (0,)), ("9sus4", (0,)),
    ("m11", (0,)), ("maj7#11", (0,)),
)  # fmt: skip


def pitches(melody: NDArray[np.integer]) -> NDArray[np.integer]:
    """Pitch by frame of melody tokens, SILENT where nothing sounds; any shape."""
    return np.where(melody == SILENCE, SILENT, (melody - NOTE_HOLD) % 128)


@dataclass(frozen=True)
class Vocabulary:
    """Chord names in id order and what each means. N = number of chords, size V = 260 + 2N.

    `masks` uint16 [N]: absolute pitch-class sets; `basses` int8 [N]: pitch classes.
    `lookup` maps a chord to its index, to the nearest one it knows, or to None.
    """

    names: tuple[str, ...]
    masks: NDArray[np.uint16]
    basses: NDArray[np.int8]
    lookup: Callable[[Chord], int | None] = field(repr=False, compare=False)
    transposable: bool = False

    @property
    def chords(self) -> int:
        return len(self.names)

    @property
    def size(self) -> int:
        return CHORD_HOLD + 2 * self.chords

    @property
    def chord_on(self) -> int:
        """First chord-onset id."""
        return CHORD_HOLD + self.chords

    @cached_property
    def symbols(self) -> tuple[Chord, ...]:
        """The chord behind each index."""
        return tuple(_chord_of(int(m), int(b), n) for m, b, n in zip(self.masks, self.basses, self.names, strict=True))

    @cached_property
    def token_masks(self) -> NDArray[np.uint16]:
        """Absolute pitch-class mask of every token id, [V] uint16: chords theirs, notes one bit, else 0."""
        out = np.zeros(self.size, np.uint16)
        out[NOTE_HOLD:CHORD_HOLD] = 1 << (np.arange(256) % 128 % 12)
        out[CHORD_HOLD:] = np.tile(self.masks, 2)
        return out

    def encode(self, frames: Frames) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Frames -> (melody ids, chord ids), int32 [F] each. Raises UnknownChord where lookup finds nothing."""
        melody = np.where(frames.melody_onset, NOTE_ON, NOTE_HOLD) + frames.melody
        melody = np.where(frames.melody == SILENT, SILENCE, melody)
        index = np.zeros(len(frames.chords) + 1, np.int32)
        for i, chord in enumerate(frames.chords):
            found = self.lookup(chord)
            if found is None:
                raise UnknownChord(f"The model's chord list has nothing for {chord.name()}.")
            index[i] = found
        chords = np.where(frames.chord_onset, self.chord_on, CHORD_HOLD) + index[frames.chord]
        chords = np.where(frames.chord == SILENT, SILENCE, chords)
        return melody.astype(np.int32), chords.astype(np.int32)

    def decode(
        self, melody: NDArray[np.integer], chords: NDArray[np.integer], form: NDArray[np.uint8] | None = None
    ) -> Frames:
        """Ids of both parts -> frames. Raises ValueError for a token of the other part or a special one."""
        if ((melody < SILENCE) | (melody >= CHORD_HOLD)).any():
            raise ValueError("the melody holds a token that is not a note")
        if (((chords < CHORD_HOLD) & (chords != SILENCE)) | (chords >= self.size)).any():
            raise ValueError("the chord part holds a token that is not a chord")
        pitch = pitches(melody).astype(np.int16)
        index = np.where(chords == SILENCE, SILENT, (chords - CHORD_HOLD) % self.chords)
        used, compact = np.unique(index[index != SILENT], return_inverse=True)
        chord = np.full(len(chords), SILENT, np.int16)
        chord[index != SILENT] = compact
        return Frames(
            melody=pitch,
            melody_onset=(melody >= NOTE_ON) & (melody < CHORD_HOLD),
            chord=chord,
            chord_onset=chords >= self.chord_on,
            chords=tuple(self.symbols[i] for i in used),
            form=np.zeros((len(melody), 3), np.uint8) if form is None else form,
        )

    def struck(self, tokens: NDArray[np.integer]) -> NDArray[np.integer]:
        """Tokens with the onset in the place of each hold."""
        note = (tokens >= NOTE_HOLD) & (tokens < NOTE_ON)
        chord = (tokens >= CHORD_HOLD) & (tokens < self.chord_on)
        moved = np.where(note, tokens - NOTE_HOLD + NOTE_ON, tokens)
        return np.where(chord, tokens - CHORD_HOLD + self.chord_on, moved).astype(tokens.dtype)

    def transpose(self, tokens: NDArray[np.integer], semitones: int) -> NDArray[np.integer]:
        """Tokens of either part moved by `semitones` (own list only). Pitches leaving 0..127 fold by octaves."""
        if not self.transposable:
            raise ValueError("token transposition needs the chord list that is closed under it")
        note = (tokens >= NOTE_HOLD) & (tokens < CHORD_HOLD)
        base = np.where(tokens >= NOTE_ON, NOTE_ON, NOTE_HOLD)
        pitch = tokens - base + semitones
        pitch = np.where(pitch < 0, pitch + 12, np.where(pitch > 127, pitch - 12, pitch))
        chord = tokens >= CHORD_HOLD
        index = tokens - CHORD_HOLD
        moved = index - index % 12 + (index % 12 + semitones) % 12 + CHORD_HOLD
        return np.where(note, base + pitch, np.where(chord, moved, tokens)).astype(tokens.dtype)


def _chord_of(mask: int, bass: int, name: str) -> Chord:
    """The chord of a vocabulary row: parsed where our grammar reads the same tones, else named anew."""
    try:
        chord = Chord.parse(name)
    except UnknownChord:
        chord = None
    if chord is not None and chord.pitch_class_mask == mask and chord.bass == bass:
        return chord
    return Chord.from_pitch_classes({p for p in range(12) if mask >> p & 1}, bass)


@lru_cache(maxsize=1)
def own_vocabulary() -> Vocabulary:
    """Our own list: TEMPLATES on all twelve roots, index = 12 * template + root."""
    templates: list[tuple[int, int]] = []
    for quality, basses in TEMPLATES:
        chord = Chord.parse("C" + quality)
        assert chord is not None
        templates += [(chord.mask, bass) for bass in basses]
    chords = [Chord(root, mask, (root + bass) % 12) for mask, bass in templates for root in range(12)]
    number = {template: i for i, template in enumerate(templates)}

    @lru_cache(maxsize=4096)
    def nearest(mask: int, bass: int) -> int:
        """Same root: the known bass first, then the most shared tones, then the fewest foreign ones."""

        def distance(template: tuple[int, int]) -> tuple[int, int]:
            missing = (mask & ~template[0]).bit_count()
            foreign = (template[0] & ~mask).bit_count()
            third = ((mask ^ template[0]) & 0b11000).bit_count()
            return (2 * missing + 3 * foreign + 4 * third + (template[1] != bass), template[1] != 0)

        return number[min(templates, key=distance)]

    def lookup(chord: Chord) -> int:
        return 12 * nearest(chord.mask, chord.bass_interval) + chord.root

    return Vocabulary(
        names=tuple(c.name() for c in chords),
        masks=np.array([c.pitch_class_mask for c in chords], np.uint16),
        basses=np.array([c.bass for c in chords], np.int8),
        lookup=lookup,
        transposable=True,
    )


def from_names(names: Sequence[str]) -> Vocabulary:
    """A vocabulary for stored names in our own spelling (what a bundle of ours carries)."""
    own = own_vocabulary()
    if tuple(names) == own.names:
        return own
    chords = [Chord.parse(name) for name in names]
    index = {chord: i for i, chord in enumerate(chords)}
    return Vocabulary(
        names=tuple(names),
        masks=np.array([c.pitch_class_mask if c else 0 for c in chords], np.uint16),
        basses=np.array([c.bass if c else 0 for c in chords], np.int8),
        lookup=index.get,
    )


def translate(known: Vocabulary, wanted: Vocabulary, tokens: NDArray[np.int64]) -> NDArray[np.int64]:
    """Tokens of one vocabulary in another; a chord which that lacks becomes the one with the most tones in common."""
    if known.names == wanted.names:
        return tokens
    out = tokens.copy()
    for token in np.unique(tokens[tokens >= CHORD_HOLD]).tolist():
        index = _like(wanted, known, (token - CHORD_HOLD) % known.chords)
        out[tokens == token] = (wanted.chord_on if token >= known.chord_on else CHORD_HOLD) + index
    return out


def _like(wanted: Vocabulary, known: Vocabulary, index: int) -> int:
    """The chord of `wanted` that a chord of `known` is, or is nearest to."""
    found = wanted.lookup(known.symbols[index])
    if found is not None:
        return found
    differs = np.bitwise_count(wanted.masks ^ known.masks[index]) + 0.5 * (wanted.basses != known.basses[index])
    return int(differs.argmin())
