"""What the player plays, as chord tokens on the 16th grid.

Keys struck within a 16th of one another are struck together. Which chord that is, is decided when they are struck:

- Other keys belong to it if they stay down for more than a 16th after it; shorter, they were bound to it.
- Fewer than three tones, all of which the chord that sounds has: it goes on.
- If all these tones are just those of a chord the model knows, it is that one, over the lowest key.
- Else two tones or more are the chord nearest to what was struck (music/recognise.py).
- Else one more tone changes nothing where a chord sounds, and one tone alone is no chord. To a tone on its own
  everything is added that rings under the pedal, so broken chords are heard as well.

Letting go of some keys changes nothing, and the same chord struck again goes on: harmony is not rhythm. When nothing
sounds any more the chord goes on for RING_FRAMES.
"""

import numpy as np

from sideman.jam.keys import LEGATO_FRAMES, NOTHING, TOKEN, Ints, Key, Keys, nearest_frame
from sideman.jam.track import Track
from sideman.music.recognise import Recogniser, tone_mask
from sideman.music.vocabulary import CHORD_HOLD, SILENCE, Vocabulary, translate

RING_FRAMES = 16


class HeardChords(Keys):
    """The chords so far, in the tokens of a vocabulary."""

    tones = 2

    def __init__(self, vocabulary: Vocabulary, past: Ints = NOTHING) -> None:
        super().__init__(past)
        self.vocabulary = vocabulary
        self._recogniser = Recogniser.of(vocabulary)
        self._rings = len(past) + RING_FRAMES if len(past) else 0  # what has been let go of goes on until here

    def read_by(self, vocabulary: Vocabulary) -> None:
        self._tokens = Track(TOKEN, translate(self.vocabulary, vocabulary, self._tokens.values.astype(np.int64)))
        self.vocabulary = vocabulary
        self._recogniser = Recogniser.of(vocabulary)

    def _read(self, start: int, known: int, settled: int) -> Ints:
        before = self._token_before(start)
        chord = None if before == SILENCE else (before - CHORD_HOLD) % self.vocabulary.chords
        struck, sounds = self._struck(start, known), self._sounds(start, known)
        tokens = np.full(known - start, SILENCE, np.int64)
        for frame in range(start, known):
            found = self._chord(struck[frame], frame, known, chord) if frame in struck else chord
            if found is not None and sounds[frame - start]:
                tokens[frame - start] = CHORD_HOLD + found + (self.vocabulary.chords if found != chord else 0)
            chord = found if sounds[frame - start] else None
        if settled > start:
            self._let_go(settled)
        return tokens

    def _struck(self, start: int, known: int) -> dict[int, list[Key]]:
        """Keys that were struck together, by the frame of the first, from `start` on."""
        found: dict[float, list[Key]] = {}
        for key in self._keys:
            found.setdefault(key.struck, []).append(key)
        framed = {max(0, nearest_frame(struck)): keys for struck, keys in sorted(found.items())}
        return {frame: keys for frame, keys in framed.items() if start <= frame < known}

    def _sounds(self, start: int, known: int) -> list[bool]:
        """Of each frame from `start` to `known`, whether a key sounds in it or not long before."""
        sounds = np.zeros(known - start, np.bool_)
        sounds[: max(0, self._rings - start)] = True
        for key in self._keys:
            end = known if key.ended is None else nearest_frame(key.ended) + RING_FRAMES
            sounds[max(0, nearest_frame(key.onset) - start) : max(0, end - start)] = True
        found: list[bool] = sounds.tolist()
        return found

    def _chord(self, struck: list[Key], frame: int, known: int, chord: int | None) -> int | None:
        """The chord from `frame` on, where these keys are struck while `chord` sounds."""
        pitches = {key.pitch for key in struck}
        tones = tone_mask(pitches)
        if chord is not None and tones.bit_count() < 3 and not tones & ~int(self._recogniser.tones[chord]):
            return chord
        alone = tones.bit_count() < 2
        held = {key.pitch for key in self._keys if key.struck < struck[0].struck and _stays(key, frame, alone)}
        index, exact = self._recogniser.nearest(pitches | held)
        begins = alone and chord is None and tone_mask(pitches | held) != tones
        # As long as they may still turn out to be bound to it, they are only good for the chord that sounds.
        if (exact or begins) and (index == chord or known - frame > LEGATO_FRAMES):
            return index
        return chord if alone else self._recogniser.nearest(pitches)[0]

    def _let_go(self, frame: int) -> None:
        """Of keys that were over before `frame`."""
        over = [key.ended for key in self._keys if key.ended is not None and nearest_frame(key.ended) < frame]
        self._rings = max([self._rings, *(nearest_frame(ended) + RING_FRAMES for ended in over)])
        self._keys = [key for key in self._keys if key.ended is None or nearest_frame(key.ended) >= frame]


def _stays(key: Key, frame: int, ringing: bool) -> bool:
    """Whether a key stays down for more than a moment after `frame`, or at least sounds, for all that is known."""
    end = key.ended if ringing else key.released
    return end is None or nearest_frame(end) - frame > LEGATO_FRAMES
