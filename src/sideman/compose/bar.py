"""Which voice bars may stand in a line: voices that exist, in order, of the same length and with the same barline."""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from sideman.compose.header import Header, is_tempo
from sideman.errors import BadSheet
from sideman.music.sheet.bars import BARLINE, split_voice_bar
from sideman.music.sheet.durations import duration, metre_length, spell

_PIECE = re.compile(rf"((?:{BARLINE})[0-9,.\-:]*)?\[V:(\d+)\](.*)", re.DOTALL)
END = "|]"
_PLAIN = (1, 2, 4, 8)  # denominators of rests that need no tuplet
_METRE = re.compile(r"\[M:([^\]]*)\]")
_FIELD = re.compile(r"\[([MQ]):([^\]]*)\]")
# Fields that do not belong inside a bar: above all the tag of a voice, which would begin another one.
_MISPLACED = re.compile(r"\[(?![KMQI]:)[A-Za-z]:[^\]]*\]")
_BARLINE = re.compile(BARLINE)
_ATOM = re.compile(
    r"""\s+|\[[A-Za-z]:[^\]]*\]|![^!]*!|"[^"]*"|\{[^}]*\}|\(\d(?::\d*)*|[()]"""
    r"""|(?:\[[^\]]*\]|[_=^]*[A-Ga-gzxXZ][,']*)[\d/]*[<>]*-?|.""",
    re.DOTALL,
)


@dataclass
class Line:
    """A body line on its way: bar `number` of the piece, `last` or not. `length`: what its first voice set;
    `metre`: length of a full bar; `fixed`: the metre may not change; `upbeat`: length of what stood before the first
    full bar, which the last one leaves out."""

    header: Header
    number: int
    last: bool
    metre: Fraction | None
    fixed: bool = False
    upbeat: Fraction | None = None
    length: Fraction | None = None
    barline: str = ""
    voices: list[str] = field(default_factory=list)
    text: str = ""

    def objection(self, chunk: str) -> str:
        """Why a chunk - the barline before it, a voice tag and its bar, at the end of the line the barline behind it -
        may not follow; empty if it may."""
        found = _PIECE.fullmatch(chunk)
        if found is None:
            return "no voice"
        before, voice, bar = found[1] or "", found[2], found[3]
        bar, after = split_voice_bar(bar.rstrip("\n")) if bar.endswith("\n") else (bar, "")
        if bool(before) != bool(self.voices):
            return "a barline where none belongs"
        if self.barline and before and before != self.barline:
            return "another barline than before"
        if chunk.endswith("\n") and (not after or (before and after != before)):
            return "the end of a line without its barline"
        if not self.last and END in (before, after):
            return "the end of the piece before its last bar"
        if not self._may_sing(voice):
            return "a voice that is not next"
        if _BARLINE.search(bar) and not self._opening(bar):
            return "a barline inside a bar"
        if _crooked(bar):
            return "an open bracket"
        if _MISPLACED.search(bar):
            return "a field that does not belong inside a bar"
        if any(map(self._unplayable, _FIELD.finditer(bar))):
            return "a metre or tempo that is none, or not that of the other voices"
        return self._wrong_length(bar)

    def overfull(self, chunk: str) -> bool:
        """Whether the beginning of a chunk is already too long; its last note may not be complete."""
        found = _PIECE.fullmatch(chunk)
        if found is None or self.length is None:
            return False
        atoms = [atom[0] for atom in _ATOM.finditer(found[3])]
        sounding = self._measured("".join(atoms[:-2]))
        return sounding is not None and sounding > self.length

    def add(self, chunk: str) -> None:
        """Take a chunk that may follow."""
        found = _PIECE.fullmatch(chunk)
        assert found is not None
        bar = found[3]
        if bar.endswith("\n"):
            bar, self.barline = split_voice_bar(bar.rstrip("\n"))
        elif found[1]:
            self.barline = found[1]
        self.metre = self._metre_of(bar)
        self.length = self._measured(bar) if self.length is None else self.length
        self.voices.append(found[2])
        self.text += chunk

    @property
    def ended(self) -> bool:
        return self.text.endswith("\n")

    def left(self) -> list[str]:
        """Voices that may still sing, in their order."""
        after = self._order.index(self.voices[-1]) + 1 if self.voices else 0
        return self._order[after:]

    def trimmed(self, chunk: str) -> str:
        """A chunk that is too long, up to where its bar is full; empty where no note ends there or it has other
        faults."""
        found = _PIECE.fullmatch(chunk)
        if found is None or not self.length:
            return ""
        bar = split_voice_bar(found[3].rstrip("\n"))[0] if found[3].endswith("\n") else found[3]
        atoms = [atom[0] for atom in _ATOM.finditer(bar)]
        kept = next((n for n in range(len(atoms)) if _lasts("".join(atoms[:n]), self.length)), 0)
        cut = f"{found[1] or ''}[V:{found[2]}]{''.join(atoms[:kept]).rstrip()}"
        return "" if not kept or self.objection(cut) else cut

    def mended(self, chunk: str) -> str:
        """What to write in the place of a chunk that never came right: as much of it as fits, and rests; without a
        voice that fits, the next one rests."""
        found = _PIECE.fullmatch(chunk)
        waiting = self.left()
        voice = found[2] if found and found[2] in waiting else waiting[0]
        bar = split_voice_bar(found[3].rstrip("\n"))[0] if found and found[2] == voice else ""
        bar = _FIELD.sub(lambda field: "" if self._unplayable(field) else field[0], _MISPLACED.sub("", bar))
        length = self.length or self._metre_of(bar) or 1 / self.header.unit
        before = self.barline or (found[1] if found else "") or "|"
        before = "|" if before == END and not self.last else before
        ends = chunk.endswith("\n") or voice == self._order[-1]
        after = f"{before if self.voices else '|'}\n" if ends else ""
        if self.last and ends and not self.voices:
            after = f"{END}\n"
        return f"{before if self.voices else ''}[V:{voice}]{fitted(bar, length)}{after}"

    @property
    def _order(self) -> list[str]:
        return sorted(self.header.voices, key=int)

    def _may_sing(self, voice: str) -> bool:
        return voice in self.left()

    def _opening(self, bar: str) -> bool:
        """Whether the only barline in a bar is the one before the whole piece."""
        return self.number == 0 and len(_BARLINE.findall(bar)) == 1 and self._measured(bar) is not None

    def _measured(self, bar: str) -> Fraction | None:
        """Length of a bar, in the first line of what follows its opening barline."""
        opening = _BARLINE.search(bar)
        try:
            return duration(bar[opening.end() :] if opening else bar)
        except BadSheet:
            return None

    def _unplayable(self, found: re.Match[str]) -> bool:
        """Whether a metre or tempo inside a bar cannot be read, or a metre is not that of the voices before."""
        if found[1] == "Q":
            return not is_tempo(found[2])
        length = metre_length(found[2], self.header.unit)
        return length is None or bool(self.voices and length != self.metre)

    def _metre_of(self, bar: str) -> Fraction | None:
        found = _METRE.search(bar)
        return metre_length(found[1], self.header.unit) if found else self.metre

    def _wrong_length(self, bar: str) -> str:
        if self.fixed and _METRE.search(bar):
            return "another metre than was asked for"
        length, metre = self._measured(bar), self._metre_of(bar)
        if not length:
            return "a bar that cannot be measured"
        if self.length is not None:
            return "" if length == self.length else "a voice longer or shorter than the others"
        if metre is None or length == metre:
            return ""
        if self.number == 0 and length < metre and length.denominator in _PLAIN:
            return ""
        if self.last and self.upbeat is not None and length == metre - self.upbeat:
            return ""
        return "a bar longer or shorter than its metre"

    @property
    def short(self) -> Fraction | None:
        """Its length where that is less than a bar."""
        return self.length if self.length and self.metre and self.length < self.metre else None


def fitted(bar: str, length: Fraction) -> str:
    """As many notes of a bar from its beginning as fit into `length`, and a rest for what is missing."""
    atoms = [atom[0] for atom in _ATOM.finditer(bar)]
    for count in range(len(atoms), -1, -1):
        kept = "".join(atoms[:count]).rstrip()
        sounding = duration(kept) if not _crooked(kept) and not kept.endswith(("<", ">")) else None
        missing = length - sounding if sounding is not None else Fraction(-1)
        if missing >= 0 and missing.denominator in _PLAIN:
            return kept + (f"{' ' if kept else ''}z{_times(missing)}" if missing else "")
    return f"z{_times(length)}"


def _lasts(bar: str, length: Fraction) -> bool:
    return not _crooked(bar) and not bar.endswith(("<", ">")) and duration(bar) == length


def _times(length: Fraction) -> str:
    return "" if length == 1 else spell(length)


def _crooked(bar: str) -> bool:
    """Whether quotes, decorations or brackets are left open."""
    plain = re.sub(r'"[^"]*"', "", bar)
    if '"' in plain:
        return True
    plain = re.sub(r"![^!]*!", "", plain)
    inside = re.sub(r"\[[^\[\]]*\]|\{[^{}]*\}", "", plain)
    return bool(re.search(r"[!\[\]{}]", inside))
