"""Which General MIDI program plays a part of some name, as scores in English, German, Italian and French have them."""

import re
from typing import Literal

Family = Literal["keys", "pluck", "strings", "wind", "brass", "voice", "organ", "bells"]

# The first that is found in the name counts.
_NAMES: tuple[tuple[str, int], ...] = (
    (r"contrabassoon|contrafag|double bassoon", 70),
    (r"bassoon|fagott|fag\b|basson", 70),
    (r"bass clar|clarinet|klarinette|clar\b", 71),
    (r"english horn|englischhorn|cor anglais", 69),
    (r"oboe|hautbois|ob\b", 68),
    (r"piccolo|ottavino", 72),
    (r"recorder|blockfl|flauto dolce", 74),
    (r"flute|fl[öo]te|flauto|fl\b", 73),
    (r"soprano sax", 64), (r"alto sax", 65), (r"tenor sax", 66), (r"bar\w* sax", 67), (r"sax", 65),
    (r"trumpet|trompete|tromba|cornet", 56),
    (r"trombone|posaune", 57),
    (r"tuba", 58),
    (r"french horn|horn|corno|cor\b|corni", 60),
    (r"timpan|pauken", 47),
    (r"glockenspiel", 9), (r"celesta", 8), (r"vibraphon", 11), (r"marimba", 12), (r"xylo", 13), (r"bells|campan", 14),
    (r"harpsichord|cembalo|clavecin", 6),
    (r"harp|harfe|arpa", 46),
    (r"organ|orgel|harmonium|organo", 19),
    (r"electric piano|e-piano|rhodes", 4),
    (r"accordion|akkordeon", 21),
    (r"electric guitar", 27), (r"guitar|gitarre|chitarra", 24), (r"lute|laute", 24), (r"mandolin", 24),
    (r"banjo", 105),
    (r"violoncello|cello|vc\b|violonc", 42),
    (r"contrabass|double bass|kontrabass|string bass|violone|cb\b", 43),
    (r"electric bass|bass guitar", 33),
    (r"viola|bratsche|alto viol|va\b|vla\b", 41),
    (r"violin|violon|geige|fiddle|vln?\b", 40),
    (r"strings|streicher|archi", 48),
    (r"piano|klavier|pianoforte|pno|clavier", 0),
    (r"choir|chor|coro", 52),
    (r"voice|vocal|voix|stimme|singstimme|gesang|canto|sopran|alto?\b|tenor|bariton|basso?\b|mezzo|song|solo", 53),
)  # fmt: skip
_COMPILED = tuple((re.compile(rf"\b(?:{pattern})", re.IGNORECASE), program) for pattern, program in _NAMES)


def program_of(name: str) -> int:
    """General MIDI program 0..127 for a part; piano where the name says nothing."""
    return next((program for pattern, program in _COMPILED if pattern.search(name)), 0)


# Last programs of families, in order.
_UP_TO: tuple[tuple[int, Family], ...] = (
    (7, "keys"), (51, "strings"), (54, "voice"), (63, "brass"), (79, "wind"),
)  # fmt: skip


def family_of(program: int) -> Family:
    """How a program makes its sound."""
    if program in (6, 15) or 24 <= program <= 39 or program in (45, 46) or 104 <= program <= 108:
        return "pluck"
    if 8 <= program <= 14 or program == 47:
        return "bells"
    if 16 <= program <= 23:
        return "organ"
    return next((family for last, family in _UP_TO if program <= last), "keys")
