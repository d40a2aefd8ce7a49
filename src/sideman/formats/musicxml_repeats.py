"""The order in which written bars are played: repeats, endings, D.C., D.S., Fine and Coda.

Conventions: after a jump repeats are not taken again (unless marked so) and of several endings the
one that holds the Fine, else the last, is played. Going back to the start leaves a pickup out where
the bar one comes from is already full.
"""

from dataclasses import dataclass

from sideman.errors import TooLarge
from sideman.formats.musicxml_bars import Bar

_MAX_PLAYED = 10_000


@dataclass(slots=True)
class _Ending:
    """A bracket over bars first..last, its pass numbers, and how often its passage is played in all."""

    first: int
    last: int
    numbers: tuple[int, ...]
    total: int = 2
    final: bool = False


def playing_order(bars: list[Bar]) -> list[int]:
    """Indices of `bars` in the order they sound. Raises TooLarge beyond 10,000 played bars."""
    return _Player(bars).play()


class _Player:
    """Walks over the bars with the state a reading musician keeps in mind."""

    def __init__(self, bars: list[Bar]) -> None:
        self.bars = bars
        self.endings = {e.first: e for e in _endings(bars)}
        self.ending_at = {i: e for e in self.endings.values() for i in range(e.first, e.last + 1)}
        self.jumps = [i for i, b in enumerate(bars) if {"dacapo", "dalsegno"} & set(b.marks.signs)]
        self.to_codas, self.coda = _codas(bars)
        self.start, self.passes, self.jumped, self.done = 0, 1, False, set[int]()

    def play(self) -> list[int]:
        order: list[int] = []
        at = 0
        while at < len(self.bars):
            marks = self.bars[at].marks
            if marks.forward and at != self.start:
                self.start, self.passes = at, 1
            ending = self.endings.get(at)
            if ending and not self._enters(ending):
                at = ending.last + 1
                continue
            coda_here = self._returning() and self.to_codas.get(at)
            if coda_here == "before" and self.coda is not None:
                at = self._reach_coda()
                continue
            order.append(at)
            if len(order) > _MAX_PLAYED:
                raise TooLarge(f"Unfolded, the score has more than {_MAX_PLAYED:,} bars.")
            if self._returning() and "fine" in marks.signs:
                break
            at = self._reach_coda() if coda_here and self.coda is not None else self._after(at)
        return order

    def _returning(self) -> bool:
        """After a D.C. or D.S.; in a piece without either, on the last pass of a repeat."""
        return self.jumped or (not self.jumps and self.passes > 1)

    def _reach_coda(self) -> int:
        assert self.coda is not None
        # What follows has not been played yet, so its repeats are taken.
        self.to_codas, self.start, self.passes, self.jumped = {}, self.coda, 1, False
        return self.coda

    def _enters(self, ending: _Ending) -> bool:
        return ending.final if self.jumped else self.passes in ending.numbers

    def _after(self, at: int) -> int:
        """The bar that follows bar `at`."""
        marks = self.bars[at].marks
        if marks.backward:
            ending = self.ending_at.get(at)
            total = ending.total if ending else marks.backward
            if self.passes < total and (not self.jumped or marks.after_jump):
                self.passes += 1
                return self._back_to(self.start, at)
            self.start, self.passes = at + 1, 1
        if at in self.jumps and at not in self.done:
            self.done.add(at)
            self.jumped, self.passes = True, 1
            segnos = [i for i, b in enumerate(self.bars) if "segno" in b.marks.signs]
            past = [i for i in segnos if i <= at]
            to_segno = "dalsegno" in marks.signs and segnos
            self.start = (past or segnos)[-1] if to_segno else 0
            return self._back_to(self.start, at)
        return at + 1

    def _back_to(self, target: int, source: int) -> int:
        first, last = self.bars[0], self.bars[source]
        pickup = target == 0 and first.length < first.full and len(self.bars) > 1
        return 1 if pickup and last.length >= last.full and not first.marks.forward else target


def _endings(bars: list[Bar]) -> list[_Ending]:
    """All brackets, with pass numbers put right where the written ones make no sense."""
    found = [_Ending(i, _last_bar(bars, i), b.marks.ending) for i, b in enumerate(bars) if b.marks.ending]
    groups: list[list[_Ending]] = []
    for ending in found:
        if groups and groups[-1][-1].last + 1 == ending.first:
            groups[-1].append(ending)
        else:
            groups.append([ending])
    for group in groups:
        _number(group, bars)
    return found


def _last_bar(bars: list[Bar], first: int) -> int:
    """Where the bracket that starts at bar `first` ends.

    Some programs close it after one bar although the first ending is longer; it then goes on to the
    repeat sign right before the next bracket.
    """
    last = next((i for i in range(first, len(bars)) if bars[i].marks.ending_stops or bars[i].marks.backward), first)
    if bars[last].marks.backward:
        return last
    for i in range(last + 1, len(bars) - 1):
        marks = bars[i].marks
        if marks.ending or marks.forward:
            break
        if marks.backward:
            return i if bars[i + 1].marks.ending else last
    return last


def _number(group: list[_Ending], bars: list[Bar]) -> None:
    """Settle passes, total and the ending after jumps for neighbouring brackets."""
    numbers = sorted(n for ending in group for n in ending.numbers)
    if numbers != list(range(1, len(numbers) + 1)):
        for i, ending in enumerate(group):
            ending.numbers = (i + 1,)
    total = max(n for ending in group for n in ending.numbers) + (len(group) == 1)
    repeats = [bars[e.last].marks for e in group]
    jumps = any("dacapo" in m.signs or "dalsegno" in m.signs for m in repeats)
    if len(group) > 1 and not any(m.backward for m in repeats) and not jumps:
        repeats[0].backward = 2  # a first and a second ending mean a repeat, sign or not
    fines = [e for e in group if any("fine" in b.marks.signs for b in bars[e.first : e.last + 1])]
    for ending in group:
        ending.total = total
        ending.final = ending is (fines or group)[-1] and (len(group) > 1 or bool(fines))


def _codas(bars: list[Bar]) -> tuple[dict[int, str], int | None]:
    """Where one leaves for the coda (`before` or `after` the bar), and the bar the coda starts with."""
    coda_bars = [i for i, b in enumerate(bars) if "coda" in b.marks.signs]
    leaving = {i: b.marks.signs["tocoda"] for i, b in enumerate(bars) if "tocoda" in b.marks.signs}
    if not coda_bars or (len(coda_bars) == 1 and not leaving):
        return {}, None
    if not leaving:  # two signs and no words: the first sends, the last receives
        leaving = {i: bars[i].marks.signs["coda"] for i in coda_bars[:-1]}
    return {i: "after" if position > 0 else "before" for i, position in leaving.items()}, coda_bars[-1]
