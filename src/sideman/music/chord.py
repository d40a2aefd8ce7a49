"""Chord symbols: what people write <-> pitch classes, without loss.

A chord is a root, the set of its tones relative to the root (a 12-bit mask) and a bass. The table
QUALITIES names the common sets; every other set is named as the nearest quality plus `(addX)` and
`(noX)`, so that `Chord.parse(chord.name()) == chord` for all of them.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from sideman.errors import UnknownChord
from sideman.music.pitch import Key, parse_pitch_class, spell, spell_above


@dataclass(frozen=True, slots=True)
class Quality:
    """A named set of tones. `name` is written, `aliases` are read as well."""

    name: str
    tones: tuple[int, ...]
    aliases: tuple[str, ...] = ()

    @property
    def mask(self) -> int:
        return sum(1 << tone for tone in self.tones)


QUALITIES = (
    Quality("", (0, 4, 7), ("maj", "M", "major", "ma", "Maj")),
    Quality("m", (0, 3, 7), ("min", "-", "mi", "minor", "Min")),
    Quality("dim", (0, 3, 6), ("o", "°", "mb5", "-b5", "d")),
    Quality("aug", (0, 4, 8), ("+", "+5", "a")),
    Quality("5", (0, 7), ("no3", "power")),
    Quality("sus2", (0, 2, 7), ("2sus",)),
    Quality("sus4", (0, 5, 7), ("sus", "4sus")),
    Quality("6", (0, 4, 7, 9), ("maj6", "M6", "add6", "add13")),
    Quality("m6", (0, 3, 7, 9), ("min6", "-6", "mi6")),
    Quality("7", (0, 4, 7, 10), ("dom7", "dom")),
    Quality("maj7", (0, 4, 7, 11), ("M7", "^7", "^", "Δ", "Δ7", "ma7", "j7", "Maj7", "major7", "7M", "add#7")),
    Quality("m7", (0, 3, 7, 10), ("min7", "-7", "mi7", "minor7")),
    Quality("mMaj7", (0, 3, 7, 11), ("mM7", "m^7", "mΔ", "mΔ7", "-^7", "-Δ", "-Δ7", "minMaj7", "minmaj7",
        "mmaj7", "-maj7", "-M7", "m#7")),
    Quality("dim7", (0, 3, 6, 9), ("o7", "°7", "d7")),
    Quality("m7b5", (0, 3, 6, 10), ("ø", "ø7", "-7b5", "min7b5", "mi7b5", "hdim7", "hdim", "h7", "h", "m7-5")),
    Quality("dimMaj7", (0, 3, 6, 11), ("oM7", "°M7", "o^7", "dimM7")),
    Quality("7#5", (0, 4, 8, 10), ("aug7", "+7", "7+", "7+5", "7aug")),
    Quality("maj7#5", (0, 4, 8, 11), ("M7#5", "^7#5", "Δ#5", "augMaj7", "+M7", "+maj7", "maj7+5")),
    Quality("7b5", (0, 4, 6, 10), ("7-5",)),
    Quality("maj7b5", (0, 4, 6, 11), ("M7b5", "^7b5")),
    Quality("7sus4", (0, 5, 7, 10), ("7sus", "sus7", "sus4(b7)", "sus47")),
    Quality("7sus2", (0, 2, 7, 10), ("sus2(b7)",)),
    Quality("maj7sus4", (0, 5, 7, 11), ("M7sus4", "^7sus4")),
    Quality("maj7sus2", (0, 2, 7, 11), ()),
    Quality("sus2sus4", (0, 2, 5, 7), ("sus24", "sus4add9", "sus4(9)")),
    Quality("add9", (0, 2, 4, 7), ("2", "add2", "(add9)", "(9)")),
    Quality("m(add9)", (0, 2, 3, 7), ("madd9", "m2", "madd2", "-add9", "minadd9", "m(9)")),
    Quality("add11", (0, 4, 5, 7), ("add4", "4", "(11)")),
    Quality("m(add11)", (0, 3, 5, 7), ("madd11", "madd4", "m(11)")),
    Quality("add#11", (0, 4, 6, 7), ("add#4", "(#11)")),
    Quality("6/9", (0, 2, 4, 7, 9), ("69", "6(9)", "maj69", "6add9", "M69")),
    Quality("m6/9", (0, 2, 3, 7, 9), ("m69", "-69", "-6/9", "m6(9)", "min69")),
    Quality("9", (0, 2, 4, 7, 10), ("7(9)", "dom9", "7add9")),
    Quality("maj9", (0, 2, 4, 7, 11), ("M9", "^9", "Δ9", "maj7(9)", "ma9", "maj7add9")),
    Quality("m9", (0, 2, 3, 7, 10), ("min9", "-9", "mi9", "m7(9)", "m7add9", "min7(9)")),
    Quality("mMaj9", (0, 2, 3, 7, 11), ("mM9", "-^9", "minmaj9", "minMaj9")),
    Quality("m9b5", (0, 2, 3, 6, 10), ("ø9", "-9b5")),
    Quality("9sus4", (0, 2, 5, 7, 10), ("9sus", "sus9", "sus4(b7,9)")),
    Quality("9#5", (0, 2, 4, 8, 10), ("aug9", "+9", "9+")),
    Quality("9b5", (0, 2, 4, 6, 10), ("9-5",)),
    Quality("7b9", (0, 1, 4, 7, 10), ("7-9", "7(b9)", "7addb9")),
    Quality("7#9", (0, 3, 4, 7, 10), ("7+9", "7(#9)", "7add#9")),
    Quality("7b5b9", (0, 1, 4, 6, 10), ("7b9b5", "7(b5,b9)")),
    Quality("7#5b9", (0, 1, 4, 8, 10), ("7b9#5", "7(#5,b9)", "aug7b9", "+7b9")),
    Quality("7#5#9", (0, 3, 4, 8, 10), ("7#9#5", "7(#5,#9)", "aug7#9")),
    Quality("alt", (0, 1, 3, 4, 8, 10), ("7alt",)),
    Quality("7b9sus4", (0, 1, 5, 7, 10), ("7sus4b9", "7susb9")),
    Quality("7#11", (0, 4, 6, 7, 10), ("7(#11)", "7+11", "7add#11")),
    Quality("7b13", (0, 4, 7, 8, 10), ("7(b13)", "7addb13")),
    Quality("maj7#11", (0, 4, 6, 7, 11), ("M7#11", "^7#11", "Δ#11", "maj7(#11)", "lyd")),
    Quality("9#11", (0, 2, 4, 6, 7, 10), ("9(#11)", "9+11")),
    Quality("maj9#11", (0, 2, 4, 6, 7, 11), ("M9#11", "^9#11")),
    Quality("m7(add11)", (0, 3, 5, 7, 10), ("m7add11", "m7(11)", "m7add4", "min7(11)")),
    Quality("11", (0, 2, 4, 5, 7, 10), ("dom11",)),
    Quality("m11", (0, 2, 3, 5, 7, 10), ("min11", "-11", "mi11")),
    Quality("maj11", (0, 2, 4, 5, 7, 11), ("M11", "^11")),
    Quality("13", (0, 2, 4, 7, 9, 10), ("9add13", "dom13", "9(13)")),
    Quality("7(add13)", (0, 4, 7, 9, 10), ("7add13", "7(13)", "7add6", "7/6")),
    Quality("maj13", (0, 2, 4, 7, 9, 11), ("M13", "^13")),
    Quality("maj7(add13)", (0, 4, 7, 9, 11), ("maj7add13", "maj7(13)")),
    Quality("m13", (0, 2, 3, 7, 9, 10), ("min13", "-13")),
    Quality("13sus4", (0, 2, 5, 7, 9, 10), ("13sus",)),
    Quality("13b9", (0, 1, 4, 7, 9, 10), ("13(b9)",)),
    Quality("ped", (0,), ("1", "pedal")),
)  # fmt: skip

_BY_SPELLING = {s: q for q in QUALITIES for s in (q.name, *q.aliases)}
_BY_MASK = {q.mask: q for q in QUALITIES}
_PLAIN = [(q.mask, q) for q in QUALITIES if len(q.tones) <= 4]
_SPELLINGS = sorted(_BY_SPELLING, key=len, reverse=True)

# Names of single tones in `(addX)` and `(noX)`, by semitones above the root.
_TONE_NAMES = ("1", "b9", "9", "#9", "3", "11", "#11", "5", "b13", "13", "b7", "7")
_TONES = {name: tone for tone, name in enumerate(_TONE_NAMES)} | {
    "2": 2, "b2": 1, "#2": 3, "b3": 3, "4": 5, "#4": 6, "b5": 6, "#5": 8, "b6": 8, "6": 9, "bb7": 9, "#7": 11, "b11": 4,
}  # fmt: skip
_ALTERATION = re.compile(r"[(,\s]*(add|no|omit|sus|[+-])?((?:#|b|bb)?\d{1,2})[),\s]*")
_BASS = re.compile(r"^(.*)/([A-Ga-g][#b]{0,2})$")
_ASCII = str.maketrans({"♭": "b", "♯": "#", "º": "°", "˚": "°", "−": "-", "–": "-", "△": "Δ", "∆": "Δ", "Ø": "ø"})
_NO_CHORD = {"N.C.", "NC", "N.C", "N", "NO CHORD", "N/C", "X"}


@dataclass(frozen=True, slots=True)
class Chord:
    """Root pitch class, tones relative to the root as a 12-bit mask, and bass pitch class."""

    root: int
    mask: int
    bass: int

    @property
    def tones(self) -> tuple[int, ...]:
        """Tones in semitones above the root, ascending."""
        return tuple(t for t in range(12) if self.mask >> t & 1)

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """Pitch classes of the chord, root first; a foreign bass (D/C#) is not among them."""
        return tuple((self.root + t) % 12 for t in self.tones)

    @property
    def pitch_class_mask(self) -> int:
        """The pitch classes as an absolute 12-bit mask (bit 0 = C)."""
        return ((self.mask << self.root) | (self.mask << self.root >> 12)) & 0xFFF

    @property
    def bass_interval(self) -> int:
        return (self.bass - self.root) % 12

    def transpose(self, semitones: int) -> "Chord":
        return Chord((self.root + semitones) % 12, self.mask, (self.bass + semitones) % 12)

    def name(self, key: Key | None = None) -> str:
        """Chord symbol, spelled in `key`; parsing it gives this chord back."""
        root = spell(self.root, key)
        symbol = root + quality_name(self.mask)
        return symbol if self.bass == self.root else f"{symbol}/{spell_above(root, self.bass, key)}"

    @classmethod
    def make(cls, root: int, tones: tuple[int, ...], bass: int | None = None) -> "Chord":
        mask = sum({1 << t % 12 for t in tones})
        return cls(root % 12, mask, root % 12 if bass is None else bass % 12)

    @classmethod
    def parse(cls, text: str) -> "Chord | None":
        """What people write -> Chord; None for `N.C.`. Raises UnknownChord."""
        return _parse(text.strip())

    @classmethod
    def from_pitch_classes(cls, pitch_classes: set[int], bass: int | None = None) -> "Chord":
        """Name a set of pitch classes: the reading with the simplest symbol; the bass wins ties."""
        if not pitch_classes:
            raise UnknownChord("A chord needs at least one pitch class.")

        def cost(root: int) -> tuple[int, int, int]:
            chord = cls.make(root, tuple((p - root) % 12 for p in pitch_classes), bass)
            return (_edits(chord.mask)[0], int(root != bass), len(quality_name(chord.mask)))

        root = min(sorted(pitch_classes), key=cost)
        return cls.make(root, tuple((p - root) % 12 for p in pitch_classes), bass)

    def voicing(self) -> tuple[int, ...]:
        """Close position in the octave from C3 (48), as MIDI pitches; the bass is played below."""
        return tuple(sorted(48 + p for p in self.pitch_classes))


@lru_cache(maxsize=4096)
def quality_name(mask: int) -> str:
    """Canonical spelling of a set of tones relative to its root."""
    if mask in _BY_MASK:
        return _BY_MASK[mask].name
    quality = _edits(mask)[1]
    extra, missing = mask & ~quality.mask, quality.mask & ~mask
    return quality.name + "".join(
        [f"(no{_TONE_NAMES[t]})" for t in range(12) if missing >> t & 1]
        + [f"(add{_TONE_NAMES[t]})" for t in range(12) if extra >> t & 1]
    )


@lru_cache(maxsize=4096)
def _edits(mask: int) -> tuple[int, Quality]:
    """Fewest tones to add to or take from a table quality, and that quality (simple ones first)."""
    if mask in _BY_MASK:
        return 0, _BY_MASK[mask]
    # Taking a tone away reads worse than adding one.
    costs = [(known ^ mask).bit_count() + (known & ~mask).bit_count() for known, _ in _PLAIN]
    least = min(costs)
    return 1 + least, _PLAIN[costs.index(least)][1]


@lru_cache(maxsize=8192)
def _parse(text: str) -> Chord | None:
    symbol = text.translate(_ASCII)
    if symbol.upper() in _NO_CHORD:
        return None
    unknown = UnknownChord(f"'{text}' is not a chord symbol.", "Write one like C, Am7, F#m7b5, Bb/D or N.C.")
    head = re.match(r"^([A-G])(##?|bb?(?!b))?", symbol)
    if not head or symbol.count("(") != symbol.count(")"):
        raise unknown
    # An accidental belongs to the root: `Cb5` is a fifth on Cb; the altered chord is written C(b5).
    root, rest = parse_pitch_class(head[0]), symbol[head.end() :].strip()
    bass = root
    slash = _BASS.match(rest)
    if slash:
        rest, bass = slash[1].strip(), parse_pitch_class(slash[2][0].upper() + slash[2][1:])
    mask = _parse_quality(rest)
    if mask is None or mask == 0:
        raise unknown
    return Chord(root, mask, bass)


def _parse_quality(text: str) -> int | None:
    """Quality plus alterations -> mask. The longest known spelling is read first, then backtracking."""
    if text in _BY_SPELLING:
        return _BY_SPELLING[text].mask
    bare = text.replace("(", "").replace(")", "").replace(" ", "").replace(",", "")
    if "no" not in text and "add" not in text and bare in _BY_SPELLING:
        return _BY_SPELLING[bare].mask
    for spelling in _SPELLINGS:
        if text.startswith(spelling) or not spelling:
            mask = _apply_alterations(_BY_SPELLING[spelling].mask, text[len(spelling) :])
            if mask is not None:
                return mask
    return None


def _apply_alterations(mask: int, text: str) -> int | None:
    at = 0
    while at < len(text):
        found = _ALTERATION.match(text, at)
        if not found or found.end() == at or found[2] not in _TONES:
            return None
        mask = _alter(mask, found[1] or "", found[2])
        at = found.end()
    return mask


def _alter(mask: int, verb: str, degree: str) -> int:
    """One `add9`, `no3`, `b9`, `#5`, `13`, `sus4` applied to a mask."""
    if verb == "-" or verb == "+":
        degree, verb = ("b" if verb == "-" else "#") + degree, ""
    tone, number = _TONES[degree], int(degree.lstrip("#b"))
    if verb in ("no", "omit"):
        family = {3: (3, 4), 5: (6, 7, 8)}.get(number) if degree.isdecimal() else None
        gone = [t for t in (family or ()) if mask >> t & 1]
        return mask & ~(1 << (gone[0] if tone not in gone and gone else tone))
    if verb == "sus":
        return mask & ~0b11000 | 1 << tone
    if number == 5 and not verb:  # an altered fifth replaces the plain one
        mask &= ~(1 << 7)
    if degree == "7" and not verb:  # C+(7) is a dominant; only add7 is the major seventh
        tone = 10
    return mask | 1 << tone
