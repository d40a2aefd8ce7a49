"""Which keys chords are played on: each moves as little as it can from the one before."""

from collections.abc import Iterable
from functools import lru_cache

from sideman.music.chord import Chord

Voicing = tuple[int, ...]

# The upper voices hover around the A below middle C, under most melodies; the bass around the F below that.
CENTRE, BASS_CENTRE = 57, 41
_REACH = 12  # how far the lowest upper voice lies from the centre at most
_HOMESICK = 0.35  # what a semitone away from the centre costs, against one moved
_MOST_UPPER = 4
# Intervals left out of large chords, the first one first: the bass has the root, and a fifth says little.
_EXPENDABLE = (7, 0, 5, 2)


def lead_voices(chords: Iterable[Chord], before: Voicing = ()) -> list[Voicing]:
    """A voicing for each chord: MIDI pitches, the bass first, then up to four voices ascending above it. `before` is
    what was played last."""
    out: list[Voicing] = []
    for chord in chords:
        before = _led(chord, before)
        out.append(before)
    return out


def movement(one: Voicing, other: Voicing) -> float:
    """How far the hand moves: each voice to its nearest neighbour, both ways, halved; 0 from or to nothing."""
    if not one or not other:
        return 0.0
    there = sum(min(abs(a - b) for b in other) for a in one)
    back = sum(min(abs(a - b) for b in one) for a in other)
    return (there + back) / 2


@lru_cache(maxsize=16384)
def _led(chord: Chord, before: Voicing) -> Voicing:
    """The voicing of one chord after another one."""
    bass = _bass(chord.bass, before[0] if before else BASS_CENTRE)
    upper = min(_places(chord), key=lambda places: _cost(places, before[1:]))
    return (bass, *(pitch for pitch in upper if pitch > bass))


@lru_cache(maxsize=1024)
def _places(chord: Chord) -> tuple[Voicing, ...]:
    """All close positions of the upper voices within reach."""
    tones = _upper_tones(chord)
    lowest = [p for p in range(CENTRE - _REACH, CENTRE + _REACH - 3) if p % 12 in tones]
    return tuple(tuple(sorted(low + (tone - low) % 12 for tone in tones)) for low in lowest)


def _upper_tones(chord: Chord) -> tuple[int, ...]:
    kept = list(chord.pitch_classes)
    for interval in _EXPENDABLE:
        tone = (chord.root + interval) % 12
        if len(kept) > _MOST_UPPER and tone in kept:
            kept.remove(tone)
    return tuple(kept[:_MOST_UPPER])


def _cost(upper: Voicing, before: Voicing) -> float:
    return movement(before, upper) + _HOMESICK * abs(sum(upper) / len(upper) - CENTRE)


def _bass(pitch_class: int, before: int) -> int:
    """The bass note nearest to halfway between the one before and the centre: between B1 and E3."""
    target = (before + BASS_CENTRE) / 2
    return round((target - pitch_class) / 12) * 12 + pitch_class
