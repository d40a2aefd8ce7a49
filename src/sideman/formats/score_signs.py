"""Articulations, ornaments and dynamics: our name, what ABC writes, where MusicXML keeps it.

One row a sign; readers and writers of both formats are driven by these tables.
"""

from typing import NamedTuple

from sideman.music.score import MarkKind


class Sign(NamedTuple):
    """A sign on a note: `abc` as the dialect writes it, `xml` the path below <notations>."""

    name: str
    abc: str
    xml: str


SIGNS = (
    Sign("staccato", ".", "articulations/staccato"),
    Sign("staccatissimo", "!wedge!", "articulations/staccatissimo"),
    Sign("tenuto", "!tenuto!", "articulations/tenuto"),
    Sign("portato", "!tenuto!.", "articulations/detached-legato"),
    Sign("accent", "!>!", "articulations/accent"),
    Sign("marcato", "!^!", "articulations/strong-accent"),
    Sign("breath", "!breath!", "articulations/breath-mark"),
    Sign("caesura", "!caesura!", "articulations/caesura"),
    Sign("slide", "!slide!", "articulations/scoop"),
    Sign("fermata", "!fermata!", "fermata"),
    Sign("inverted fermata", "!invertedfermata!", "fermata"),
    Sign("arpeggio", "!arpeggio!", "arpeggiate"),
    Sign("trill", "T", "ornaments/trill-mark"),
    Sign("mordent", "M", "ornaments/mordent"),
    Sign("inverted mordent", "P", "ornaments/inverted-mordent"),
    Sign("turn", "!turn!", "ornaments/turn"),
    Sign("inverted turn", "!invertedturn!", "ornaments/inverted-turn"),
    Sign("wavy line", "!trill(!", "ornaments/wavy-line"),
    Sign("wavy line end", "!trill)!", "ornaments/wavy-line"),
    Sign("up-bow", "u", "technical/up-bow"),
    Sign("down-bow", "v", "technical/down-bow"),
    Sign("open string", "!open!", "technical/open-string"),
    Sign("stopped", "!plus!", "technical/stopped"),
    Sign("snap", "!snap!", "technical/snap-pizzicato"),
    Sign("thumb", "!thumb!", "technical/thumb-position"),
    Sign("stemless", "!stemless!", "stem"),
    *(Sign(f"finger {n}", f"!{n}!", "technical/fingering") for n in range(6)),
)
BY_NAME = {sign.name: sign for sign in SIGNS}
# Paths that carry one sign each, without a look at attributes or text.
BY_XML = {
    s.xml: s.name for s in SIGNS if s.xml not in ("fermata", "stem", "technical/fingering", "ornaments/wavy-line")
} | {"articulations/spiccato": "staccatissimo", "technical/harmonic": "open string"}  # fmt: skip

# ABC decorations -> our names; synonyms the standard lists are read too.
BY_DECORATION = {s.abc.strip("!"): s.name for s in SIGNS if s.abc.startswith("!") and s.abc.endswith("!")} | {
    "trill": "trill", "mordent": "mordent", "lowermordent": "mordent", "uppermordent": "inverted mordent",
    "pralltriller": "inverted mordent", "roll": "turn", "emphasis": "accent", "accent": "accent",
    "marcato": "marcato", "upbow": "up-bow", "downbow": "down-bow", "shortphrase": "breath", "+": "stopped",
    "staccato": "staccato", "turnx": "turn", "invertedturnx": "inverted turn",
}  # fmt: skip
# ABC's one-letter decorations by their long names.
SHORTHANDS = {
    ".": "staccato", "T": "trill", "M": "mordent", "P": "uppermordent", "u": "upbow", "v": "downbow", "H": "fermata",
    "L": "accent", "~": "roll", "R": "roll", "S": "segno", "O": "coda",
}  # fmt: skip

DYNAMICS = frozenset((
    *("p" * n for n in range(1, 7)), *("f" * n for n in range(1, 7)), "mp", "mf", "sf", "sfp", "sfpp", "fp", "rf",
    "rfz", "sfz", "sffz", "fz", "n", "pf", "sfzp",
))  # fmt: skip
# Mark kind and text <-> decoration.
LINES: dict[tuple[MarkKind, str], str] = {
    ("wedge", "crescendo"): "<(", ("wedge", "crescendo stop"): "<)",
    ("wedge", "diminuendo"): ">(", ("wedge", "diminuendo stop"): ">)",
    ("pedal", "start"): "ped", ("pedal", "stop"): "ped-up",
    ("octave", "8va"): "8va(", ("octave", "8va stop"): "8va)",
    ("octave", "8vb"): "8vb(", ("octave", "8vb stop"): "8vb)",
    ("octave", "15ma"): "15ma(", ("octave", "15ma stop"): "15ma)",
    ("octave", "15mb"): "15mb(", ("octave", "15mb stop"): "15mb)",
    ("sign", "segno"): "segno", ("sign", "coda"): "coda", ("sign", "fine"): "fine",
    ("sign", "D.C."): "D.C.", ("sign", "D.S."): "D.S.", ("sign", "fermata"): "fermata",
}  # fmt: skip
BY_LINE: dict[str, tuple[MarkKind, str]] = {abc: mark for mark, abc in LINES.items()} | {
    "crescendo(": ("wedge", "crescendo"), "crescendo)": ("wedge", "crescendo stop"),
    "diminuendo(": ("wedge", "diminuendo"), "diminuendo)": ("wedge", "diminuendo stop"),
    "D.C.alfine": ("sign", "D.C."), "D.C.alcoda": ("sign", "D.C."), "D.S.alfine": ("sign", "D.S."),
    "D.S.alcoda": ("sign", "D.S."), "dacapo": ("sign", "D.C."),
}  # fmt: skip
