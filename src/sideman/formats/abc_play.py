"""Repeats, endings and playing orders: a tune as written -> its items in the order they sound.

A part is cut into blocks: a body with its endings, and how often it is played. Where the playing
order itself writes a part twice in a row (`AABB`), the order counts every pass and the repeat sign
of such a part says the same thing again: in the collections that use orders, `AAB` over two parts
closed by repeat signs is 8 + 8 + 8 bars, not 48.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from sideman.errors import TooLarge
from sideman.formats.abc_fields import TICKS
from sideman.formats.abc_tune import Bar, Item, Label, Sound, Symbol, Tune

MAX_ITEMS = 200_000


@dataclass(slots=True)
class Block:
    """A stretch between repeat signs. `endings` pair passes with items; `passes` is how often it sounds."""

    body: list[Item] = field(default_factory=list)
    endings: list[tuple[tuple[int, ...], list[Item]]] = field(default_factory=list)
    passes: int = 1

    def play(self, number: int, passes: int) -> list[Item]:
        """Items of pass `number` (from 1) of `passes`; a last pass takes the last ending."""
        if not self.endings:
            return self.body
        fitting = [items for numbers, items in self.endings if number in numbers]
        ending = fitting[0] if fitting else self.endings[0][1]
        if number == passes and not (fitting and passes == self.passes):
            ending = self.endings[-1][1]
        return self.body + self._opening_chord(ending) + ending

    def _opening_chord(self, ending: list[Item]) -> list[Item]:
        """An ending without a symbol on its first note begins with the chord of the first ending."""
        first = self.endings[0][1]
        own, given = _first_symbol(ending), _first_symbol(first)
        return [given] if given is not None and own is None and ending is not first else []


def unfold(tune: Tune) -> list[Item]:
    """The tune as played: only Sounds, Symbols of one chord, and Bars. Raises TooLarge."""
    sections = _sections(tune.items)
    parts: dict[str, list[Item]] = {}
    for name, items in sections[1:]:
        parts.setdefault(name, []).extend(items)
    order = [letter for letter in tune.order if letter in parts]
    played = _Played()
    if not order:
        for _, items in sections:
            played.add_part(blocks(items), 0)
        return played.items
    tune.losses["part that the playing order names but the tune lacks"] += len(tune.order) - len(order)
    tune.losses["part that the playing order leaves out"] += len(set(parts) - set(order))
    played.add_part(blocks(sections[0][1]), 0)
    counted = any(a == b for a, b in pairwise(order))
    times: Counter[str] = Counter()
    for letter, run in groupby(order):
        part, count = blocks(parts[letter]), len(list(run))
        if counted and _is_one_repeat(part):
            played.add_run(part, count, times[letter])
        else:
            for number in range(count):
                played.add_part(part, times[letter] + number)
        times[letter] += count
    return played.items


class _Played:
    """Collects what is played, keeping the whole within MAX_ITEMS."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def add_part(self, part: list[Block], time: int) -> None:
        """All blocks with their written repeats; `time` chooses among chords where nothing repeats."""
        for block in part:
            for number in range(1, block.passes + 1):
                self._add(block.play(number, block.passes), number - 1 if block.passes > 1 else time)

    def add_run(self, part: list[Block], count: int, time: int) -> None:
        """A part that is one repeat, played `count` times in a row; a lead-in sounds once."""
        *lead_in, block = part
        for before in lead_in:
            self._add(before.body, time)
        for number in range(1, count + 1):
            self._add(block.play(number, count), time + number - 1)

    def _add(self, items: list[Item], time: int) -> None:
        self.items.append(Bar(double=True))
        for item in items:
            if isinstance(item, Symbol):
                item = Symbol((item.chords[time % len(item.chords)],))
            self.items.append(item)
        if len(self.items) > MAX_ITEMS:
            raise TooLarge("The tune is too long when its repeats are played.")


def _sections(items: list[Item]) -> list[tuple[str, list[Item]]]:
    """The items after each part label, with its name; first what stands before any label."""
    out: list[tuple[str, list[Item]]] = [("", [])]
    for item in items:
        if isinstance(item, Label):
            out.append((item.name, []))
        else:
            out[-1][1].append(item)
    return out


def blocks(items: list[Item]) -> list[Block]:
    """Cut a part at its repeat signs and endings."""
    out = [Block()]
    closed = False  # whether the open block's last ending has ended, so that only another ending continues it
    for index, item in enumerate(items):
        block = out[-1]
        if not isinstance(item, Bar):
            if closed:
                out.append(block := Block())
                closed = False
            _open_list(block).append(item)
            continue
        _open_list(block).append(item)
        if item.ends:
            block.passes = max(block.passes, item.ends + 1, *(max(numbers) for numbers, _ in block.endings), 1)
        if item.endings:
            block.endings.append((item.endings, []))
            block.passes = max(block.passes, max(item.endings))
            closed = False
        elif (item.ends or item.double) and block.endings:
            closed = True
        elif item.ends:
            closed = False
            if _ending_follows(items, index):  # `:|[2`: the first time through has nothing of its own
                block.endings.append(((1,), []))
            else:
                out.append(Block())
        if item.starts:
            out.append(Block())
            closed = False
    return [block for block in out if _sounds(block.body) or block.endings]


def _open_list(block: Block) -> list[Item]:
    return block.endings[-1][1] if block.endings else block.body


def _ending_follows(items: list[Item], index: int) -> bool:
    """Whether the next bar sign, before any sound, opens an ending."""
    for item in items[index + 1 :]:
        if isinstance(item, Bar):
            return bool(item.endings)
        if isinstance(item, Sound):
            return False
    return False


def _is_one_repeat(part: list[Block]) -> bool:
    """One repeated block, with at most a lead-in of less than a bar before it and nothing after it."""
    if not part or part[-1].passes == 1 or any(block.passes > 1 for block in part[:-1]):
        return False
    before = [sound for block in part[:-1] for sound in block.body if isinstance(sound, Sound)]
    meter = before[0].state.meter if before else None
    return sum(s.ticks for s in before) < (meter.bar_beats if meter else 4) * TICKS


def _sounds(items: list[Item]) -> bool:
    return any(isinstance(item, (Sound, Symbol)) for item in items)


def _first_symbol(items: list[Item]) -> Symbol | None:
    """The chord symbol that stands before the first sound."""
    for item in items:
        if isinstance(item, Sound):
            return None
        if isinstance(item, Symbol):
            return item
    return None
