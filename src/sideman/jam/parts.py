"""Which part is whose. A network hears its own part first in every frame: at odd places what the partner plays, at
even ones what the player does."""

from sideman.engine.bundle import Bundle
from sideman.jam.heard import Heard
from sideman.jam.heard_chords import HeardChords
from sideman.jam.keys import NOTHING, Ints, Keys
from sideman.music.vocabulary import PartName, Vocabulary


def own_part(bundle: Bundle) -> PartName:
    """The part that a partner with this model plays."""
    return "melody" if bundle.file.part == "melody" else "chord"


def part_at(own: PartName, place: int) -> PartName:
    """Whose token stands at a place, by part."""
    other: PartName = "melody" if own == "chord" else "chord"
    return own if place % 2 else other


def ear(own: PartName, vocabulary: Vocabulary, past: Ints = NOTHING) -> Keys:
    """What such a partner hears the player with, after a past [F] that is not heard anew."""
    return Heard(past) if own == "chord" else HeardChords(vocabulary, past)
