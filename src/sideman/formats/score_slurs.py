"""Which slurs of a voice belong together, from how many begin and end at each event."""

from sideman.music.score import Voice

Place = tuple[int, int]  # bar, index of the event in it


def slur_pairs(voice: Voice) -> list[tuple[Place, Place]]:
    """(first, last) events of the slurs of a voice, in the order they end.

    An end closes the slur opened last, but not one that begins at its own event. Beginnings without an
    end and ends without a beginning mean nothing.
    """
    opened: list[Place] = []
    pairs: list[tuple[Place, Place]] = []
    for number, bar in enumerate(voice.bars):
        for index, event in enumerate(bar):
            pairs += [(opened.pop(), (number, index)) for _ in range(min(event.slurs_stop, len(opened)))]
            opened += [(number, index)] * event.slurs_start
    return pairs
